"""The exercises of the notebooks: for each a check, with the mistakes that it recognizes."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np

from helpers.attempts import (
    EPS_INSIDE,
    EPS_MISSING,
    LR_TWICE,
    Check,
    Comparison,
    RuleCheck,
    Slip,
    a_kind,
    average,
    formula,
    gradient,
    not_yet,
    numbers,
    right,
    rule_case,
    spread,
    told,
    verdict_on_error,
)
from helpers.descent import sweep
from helpers.landscapes import Landscape, mountain_range
from helpers.networks import MultilayerPerceptron
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum

# ---- 01 The blindfolded adventurer --------------------------------------------------------------


def parameters(sizes):
    """Return the number of weights and biases of a network with these layer sizes."""
    return sum(param.size for param in MultilayerPerceptron(sizes).params.values())


def weights(sizes):
    """Return the number of its weights alone."""
    return sum(inputs * outputs for inputs, outputs in pairwise(sizes))


check_gradient_evaluations = Comparison(
    name="gradient_evaluations",
    draw=lambda rng: (tuple(rng.integers(1, 60, size=rng.integers(2, 6)).tolist()),),
    reference=lambda sizes: 2 * parameters(sizes),
    mistakes={
        "the biases are parameters too.": lambda sizes: 2 * weights(sizes),
        "the biases are parameters too, and each parameter takes two evaluations.": weights,
        "the input layer has no biases.": lambda sizes: 2 * (weights(sizes) + sum(sizes)),
        "a central difference takes two evaluations for each parameter.": parameters,
        "this is the cost of forward differences; central ones look to both sides.": (
            lambda sizes: parameters(sizes) + 1
        ),
        "a central difference does not use the height in the middle.": (
            lambda sizes: 2 * parameters(sizes) + 1
        ),
        "these are the units; the gradient is taken for every weight and bias.": (
            lambda sizes: 2 * sum(sizes)
        ),
    },
    hint="count by hand for layers of 2 and 1: two weights and a bias.",
)


def differences(f, x, ahead, behind, divisor):
    """Return (f(x + ahead e) - f(x - behind e)) / divisor along each axis e."""
    axes = np.eye(len(x))
    return np.array([f(x + ahead * e) - f(x - behind * e) for e in axes]) / divisor


def forward_case(rng):
    """Return a smooth function of a few variables, a position and a step."""
    d = rng.integers(1, 6)
    slopes, waves, mixed = rng.normal(size=d), rng.normal(size=d), rng.normal(size=(d, d))

    def f(position):
        position = np.asarray(position, dtype=float)
        return slopes @ np.sin(waves * position) + position @ mixed @ position

    return f, rng.normal(size=d), 10 ** rng.uniform(-3, 0)


check_forward_difference = Comparison(
    name="forward_difference",
    draw=forward_case,
    reference=lambda f, x, h: differences(f, x, h, 0, h),
    mistakes={
        "this is the central difference; the forward difference looks one step ahead only.": (
            lambda f, x, h: differences(f, x, h, h, 2 * h)
        ),
        "the divisor is the distance between the two places: h here, not 2h.": (
            lambda f, x, h: differences(f, x, h, 0, 2 * h)
        ),
        "this is the backward difference: it looks at position - h, not + h.": (
            lambda f, x, h: differences(f, x, 0, h, h)
        ),
        "the difference of the heights is not divided by the step h yet.": (
            lambda f, x, h: differences(f, x, h, 0, 1)
        ),
        "these two places are 2h apart; compare the height ahead with the height here.": (
            lambda f, x, h: differences(f, x, h, h, h)
        ),
        "the sign is turned round: the height ahead minus the height here.": (
            lambda f, x, h: -differences(f, x, h, 0, h)
        ),
        "h is added to all coordinates at once; move along one axis at a time.": (
            lambda f, x, h: np.full(len(x), f(x + h) - f(x)) / h
        ),
    },
    hint="try it on f(x) = x², where the answer is 2x + h.",
)


class Walk(NamedTuple):
    """What an attempt did on a landscape it could not see."""

    position: np.ndarray
    felt: np.ndarray  # the places whose slope it asked for, in order, shape (n, 2)
    looks: int  # how often it asked for a height


class ValleyCheck(Check):
    """A check of a search for the deepest valley, with so many slopes to feel."""

    steps: ClassVar = 600
    near: ClassVar = 0.1  # how far above the deepest place the search may end
    enough: ClassVar = 8  # of 10 landscapes

    def cases(self):
        """Return landscapes, each with a seed for the attempt's random generator."""
        rng = self.rng()
        return [(mountain_range(rng), seed) for seed in range(10)]

    def run(self, attempt, case):
        """Return the Walk of an attempt on one landscape."""
        landscape, seed = case
        felt, looks = {}, []

        def value(x, y):
            looks.append(np.size(x))
            return landscape.value(x, y)

        def slope(x, y):
            felt.update(dict.fromkeys(zip(np.ravel(x).tolist(), np.ravel(y).tolist(), strict=True)))
            if len(felt) > self.steps:
                hint = "share them among the walks; `descend` also asks where it starts."
                raise Slip(f"asks for more than {self.steps} slopes", hint)
            return landscape.slope(x, y)

        blindfolded = replace(landscape, value=value, slope=slope, minima=())
        position = numbers(attempt(blindfolded, np.random.default_rng(seed), self.steps))
        if position.shape != (2,):
            raise Slip(f"returns shape {position.shape}", "one place (x, y) has shape (2,).")
        return Walk(position, np.reshape(list(felt), (-1, 2)), sum(looks))

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on the walks of an attempt."""
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                return verdict_on_error(self.name, outcome)
        landscapes = [landscape for landscape, _ in cases]
        found = sum(map(self.is_deepest, landscapes, outcomes))
        message = f"{self.name} found the deepest valley in {found} of {len(cases)} landscapes."
        if found >= self.enough:
            return right(message + self.remark(outcomes))
        return not_yet(message, self.likely_mistake(landscapes, outcomes) or self.hint)

    def is_deepest(self, landscape, walk):
        """Tell whether a walk returned a place close to the deepest one."""
        return bool(landscape(walk.position) < landscape(landscape.minima[0]) + self.near)

    def likely_mistake(self, landscapes, walks):
        """Return the hint for a mistake that the walks show, or None."""
        lost = [
            np.min(landscape(walk.felt), initial=np.inf) < landscape(walk.position) - self.near
            for landscape, walk in zip(landscapes, walks, strict=True)
        ]
        if sum(lost) >= len(walks) / 2:
            return "the walks passed a lower place than the one returned: keep the lowest."
        if sum(map(is_one_walk, walks)) >= len(walks) / 2:
            return "one walk ends in the valley that drains its start: start from several places."
        return None

    def remark(self, walks):
        """Return a sentence on how often the height was asked for, if that was very often."""
        looks = max(walk.looks for walk in walks)
        if looks <= 10 * self.steps:
            return ""
        return f" It asked for {looks} heights, though: with 50,890 weights no grid helps."


def is_one_walk(walk):
    """Tell whether the places of a walk follow each other without a leap."""
    return bool((np.linalg.norm(np.diff(walk.felt, axis=0), axis=1) < 2.5).all())


check_deepest_valley = ValleyCheck(
    name="deepest_valley",
    hint="more walks from random starts in the window, each of them shorter or with longer steps.",
)


# ---- 02 SGD -------------------------------------------------------------------------------------


def two_curvatures(rng):
    """Return two positive numbers, in any order."""
    return spread(rng, 0.01, 10), spread(rng, 0.01, 10)


check_best_rate = Comparison(
    name="best_rate",
    draw=two_curvatures,
    reference=lambda a, b: 2 / (a + b),
    mistakes={
        "this is the stability limit: at this rate the steep axis bounces forever.": (
            lambda a, b: 2 / max(a, b)
        ),
        "this suits the steep axis alone; the best rate shrinks both by the same factor.": (
            lambda a, b: 1 / max(a, b)
        ),
        "this suits the flat axis alone; the steep one diverges.": lambda a, b: 1 / min(a, b),
        "this is the limit of the flat axis; the steep one diverges.": lambda a, b: 2 / min(a, b),
        "this is half of the best rate: a factor 2 is missing.": lambda a, b: 1 / (a + b),
        "upside down: steeper axes need a smaller rate.": lambda a, b: (a + b) / 2,
        "this is the best rate with momentum; without it there are no roots.": (
            lambda a, b: 4 / (np.sqrt(a) + np.sqrt(b)) ** 2
        ),
    },
    hint="each axis shrinks by |1 - ηλ| a step; choose η so that the larger factor is smallest.",
)


def decaying(g, s, t, lr, decay):
    """Take the step of DecayingSGD."""
    return -lr / (1 + decay * (t - 1)) * g


def compounded_decay(g, s, t, lr, decay):
    """Divide the rate of the last update, in place of the first rate."""
    s["factor"] = (s["factor"] or 1.0) / (1 + decay * (t - 1))
    return -lr * s["factor"] * g


check_DecayingSGD = RuleCheck(
    name="DecayingSGD",
    draw=lambda rng: rule_case(rng, spread(rng, 0.01, 2), spread(rng, 0.01, 2)),
    reference=formula(decaying),
    mistakes={
        "t counts from 1 here; the first update is to use the full rate.": (
            formula(lambda g, s, t, lr, decay: decaying(g, s, t + 1, lr, decay))
        ),
        "t goes up once for each key; it counts updates.": formula(decaying, hasty=True),
        LR_TWICE: formula(lambda g, s, t, lr, decay: decaying(g, s, t, lr**2, decay)),
        "the decay is compounded: each rate is computed from the last one, not from lr.": (
            formula(compounded_decay)
        ),
        "the decay is compounded: each update divides by 1 + decay; it was to be 1 + decay t.": (
            formula(lambda g, s, t, lr, decay: -lr / (1 + decay) ** (t - 1) * g)
        ),
        "the decay is compounded, and starts one update early; divide lr by 1 + decay t.": (
            formula(lambda g, s, t, lr, decay: -lr / (1 + decay) ** t * g)
        ),
        "the rate never falls: is the counter kept from one update to the next?": (
            formula(lambda g, s, t, lr, decay: -lr * g)
        ),
    },
    hint="print the rate of the first three updates and compare it with the formula.",
)


class MinibatchCheck(Check):
    """A check of mini-batch SGD on a straight line: that it fits, and does so by mini-batches."""

    near: ClassVar = 0.02  # how far from least squares w and b may end; the noise is 0.01

    def cases(self):
        """Return runs to fit a line, and runs that test one property each (see `judge`)."""
        rng = self.rng()
        lines = [noisy_line(rng, 240) for _ in range(3)]
        x, t = noisy_line(rng, 23)
        first, second = np.random.default_rng(1), np.random.default_rng(2)
        return [
            *[(*line, 0.2, 8, 20, first) for line in lines],
            *[(*lines[0], lr, 8, 1, first) for lr in (0.0, 1e-7)],
            *[(x, t, 0.05, 5, 1, shuffler) for shuffler in (first, second)],
            *[(x, t + bump, 0.05, 5, 1, first) for bump in np.eye(len(t))],
        ]

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on the lines (w, b) of an attempt."""
        for got in outcomes:
            if isinstance(got, BaseException):
                return verdict_on_error(self.name, got)
            if got.shape != (2,):
                return not_yet(f"{self.name} returns shape {got.shape}.", "return (w, b).")
        fits, (still, moved), (one, other), changed = np.split(np.array(outcomes), [3, 5, 7])
        message = self.misfit(cases, fits)
        hint = (
            hint_on_unused_samples(cases[5], one, changed)
            or hint_on_step(cases[4], still, moved)
            or (
                "rng is never used: shuffle the samples in every epoch." if same(one, other) else ""
            )
        )
        if not message and not hint:
            return right(f"{self.name} fits {len(fits)} random lines by mini-batches.")
        return not_yet(
            message or f"{self.name} finds the line, but not as asked.",
            hint or self.hint + told(warned),
        )

    def misfit(self, cases, fits):
        """Say how far the first line that does not fit is from least squares, or ""."""
        for (x, t, *_), (w, b) in zip(cases, fits, strict=False):
            best_w, best_b = np.polyfit(x, t, 1)
            if not (abs(w - best_w) < self.near and abs(b - best_b) < self.near):
                ends = f"{self.name} ends at w = {w:.3g}, b = {b:.3g}; "
                return ends + f"least squares gives w = {best_w:.3g}, b = {best_b:.3g}."
        return ""


def noisy_line(rng, n):
    """Return n random samples x, t near a random line."""
    x = rng.uniform(-1, 1, size=n) + rng.uniform(-0.5, 0.5)
    w, b = rng.uniform(1, 3, size=2) * rng.choice([-1, 1], size=2)
    return x, w * x + b + rng.normal(scale=0.01, size=n)


def same(one, other):
    """Tell whether two lines are one up to rounding."""
    return bool(np.allclose(one, other, rtol=1e-12, atol=1e-12))


def hint_on_unused_samples(case, line, changed):
    """Return a hint if a sample can change (one for each line in `changed`) and the line not."""
    x, _, _, batch_size, *_ = case
    unused = sum(same(line, other) for other in changed)
    if unused == 0:
        return ""
    if unused == len(x) % batch_size:
        return "the last, smaller batch of an epoch is left out."
    return (
        f"only {len(x) - unused} of {len(x)} samples are used in an epoch: "
        "shuffle all of them, then take batch after batch."
    )


def hint_on_step(case, still, moved):
    """Return a hint if an epoch at a tiny rate moves (w, b) otherwise than its batches should."""
    x, t, lr, batch_size, *_ = case
    updates = len(x) / batch_size
    error = still[0] * x + still[1] - t
    full = 2 * np.array([(error * x).mean(), error.mean()])
    stride = (still - moved) @ full / (full @ full) / (lr * updates)
    hints = {
        1: "",
        -1: "the steps go uphill: a sign is turned round.",
        1 / updates: "an epoch is one step with the full batch: update after each mini-batch.",
        batch_size: "the steps are batch_size times too long: take the mean of a batch.",
    }
    for expected, hint in hints.items():
        if np.isclose(stride, [expected, expected / 2], rtol=0.01).any():  # 2 may be left out
            return hint
    return f"an epoch moves {stride:.2g} times as far as its mini-batches should."


check_minibatch_sgd = MinibatchCheck(
    name="minibatch_sgd",
    hint="the gradient is 2 mean(error · x) for w and 2 mean(error) for b, over one batch.",
)


# ---- 03 Momentum --------------------------------------------------------------------------------


def momentum_case(rng):
    """Return a RuleCheck's case with a rate and a friction factor."""
    return rule_case(rng, spread(rng, 0.01, 1), float(rng.uniform(0.3, 0.95)))


def velocity(g, s, t, lr, α):
    """Take the step of Momentum, which is its velocity."""
    s["v"] = α * s["v"] - lr * g
    return s["v"]


def damped_gradients(g, s, t, lr, α):
    """Put α on the gradient."""
    s["v"] = s["v"] - α * lr * g
    return s["v"]


check_MyMomentum = RuleCheck(
    name="MyMomentum",
    draw=momentum_case,
    reference=Momentum,
    mistakes={
        "this is the average form of momentum; the sum form was asked.": (
            formula(lambda g, s, t, lr, α: -lr * average(s, "v", g, α))
        ),
        "the velocity adds the gradient, so it climbs uphill; it subtracts ηg.": (
            formula(lambda g, s, t, lr, α: velocity(-g, s, t, lr, α))
        ),
        "the keys share one velocity; each array in params needs its own.": (
            formula(velocity, shared=True)
        ),
        LR_TWICE: formula(lambda g, s, t, lr, α: lr * velocity(g, s, t, lr, α)),
        "the learning rate was not applied.": (
            formula(lambda g, s, t, lr, α: velocity(g, s, t, 1, α))
        ),
        "this is SGD: v is not kept from one update to the next.": (
            formula(lambda g, s, t, lr, α: -lr * g)
        ),
        "momentum belongs to the old velocity, not to the gradient.": formula(damped_gradients),
    },
    hint="by hand: with lr = 0.1, momentum = 0.5 and g = 1 the steps are -0.1, -0.15, -0.175.",
)


def heavy_ball(a, b, root=np.sqrt, power=2):
    """Return rate and friction factor of the best heavy ball, or of one with a mistake."""
    ratio = root(max(a, b) / min(a, b))
    return 4 / (np.sqrt(a) + np.sqrt(b)) ** 2, ((ratio - 1) / (ratio + 1)) ** power


check_best_pair = Comparison(
    name="best_pair",
    draw=two_curvatures,
    reference=heavy_ball,
    mistakes={
        "momentum: the root is forgotten; √κ was asked, not κ.": partial(heavy_ball, root=float),
        "momentum: the square is forgotten.": partial(heavy_ball, power=1),
        "momentum: the root of κ and the square of the fraction are forgotten.": (
            partial(heavy_ball, root=float, power=1)
        ),
        "the order is lr, momentum.": lambda a, b: heavy_ball(a, b)[::-1],
        "lr: this is the best rate without momentum; a heavy ball bears a larger one.": (
            lambda a, b: (2 / (a + b), heavy_ball(a, b)[1])
        ),
        "lr: the divisor is (√λ₁ + √λ₂)², not λ₁ + λ₂.": (
            lambda a, b: (4 / (a + b), heavy_ball(a, b)[1])
        ),
        "lr: the divisor is to be squared.": (
            lambda a, b: (4 / (np.sqrt(a) + np.sqrt(b)), heavy_ball(a, b)[1])
        ),
    },
    hint="for λ = 0.1 and 2 the best pair is about (1.336, 0.403).",
)


def nesterov(g, s, t, lr, α):
    """Take Nesterov's step, with the gradient at hand."""
    return α * velocity(g, s, t, lr, α) - lr * g


check_Nesterov = RuleCheck(
    name="Nesterov",
    draw=momentum_case,
    reference=formula(nesterov),
    mistakes={
        "this is plain momentum: the second line takes the new v, and steps αv - ηg.": (
            formula(velocity)
        ),
        "the second line lacks the gradient's own -ηg.": (
            formula(lambda g, s, t, lr, α: α * velocity(g, s, t, lr, α))
        ),
        "the second line takes α times the velocity, not the whole.": (
            formula(lambda g, s, t, lr, α: velocity(g, s, t, lr, α) - lr * g)
        ),
        "the keys share one velocity; each array in params needs its own.": (
            formula(nesterov, shared=True)
        ),
    },
    hint="by hand: with lr = 0.1, momentum = 0.5 and g = 1 the steps are -0.15, -0.175, -0.1875.",
)


# ---- 04 AdaGrad ---------------------------------------------------------------------------------


def add(s, amount):
    """Return h after something was added to it."""
    s["h"] = s["h"] + amount
    return s["h"]


def scaled(g, h, lr, eps=1e-7):
    """Return the step of AdaGrad and RMSProp for a given h."""
    return -lr * g / (np.sqrt(h) + eps)


def scaled_inside(g, h, lr):
    """Return their step with epsilon inside the root."""
    return -lr * g / np.sqrt(h + 1e-7)


class OneRate:
    """AdaGrad with one h for all keys."""

    def __init__(self, lr):
        self.lr, self.h = lr, 0.0

    def update(self, params, grads):
        """Change `params` in place."""
        self.h += sum(np.sum(grad**2) for grad in grads.values())
        for key in params:
            params[key] += scaled(grads[key], self.h, self.lr)


check_MyAdaGrad = RuleCheck(
    name="MyAdaGrad",
    draw=lambda rng: rule_case(rng, spread(rng, 0.01, 2)),
    reference=AdaGrad,
    mistakes={
        "h was replaced, not added to: it is the sum of all squared gradients so far.": (
            formula(lambda g, s, t, lr: scaled(g, g**2, lr))
        ),
        EPS_INSIDE: formula(lambda g, s, t, lr: scaled_inside(g, add(s, g**2), lr)),
        EPS_MISSING: formula(lambda g, s, t, lr: scaled(g, add(s, g**2), lr, eps=0)),
        "epsilon is 1e-8 here; 1e-7 was asked.": (
            formula(lambda g, s, t, lr: scaled(g, add(s, g**2), lr, eps=1e-8))
        ),
        "h adds g; it adds g².": formula(lambda g, s, t, lr: scaled(g, add(s, g), lr)),
        "h adds |g|; it adds g².": formula(lambda g, s, t, lr: scaled(g, add(s, abs(g)), lr)),
        "the root of h is missing.": (formula(lambda g, s, t, lr: -lr * g / (add(s, g**2) + 1e-7))),
        "h is one number for a whole array; each parameter needs its own.": (
            formula(lambda g, s, t, lr: scaled(g, add(s, np.sum(g**2)), lr))
        ),
        "h is one number for all parameters; each needs its own.": OneRate,
        "the keys share one h; each array in params needs its own.": (
            formula(lambda g, s, t, lr: scaled(g, add(s, g**2), lr), shared=True)
        ),
        LR_TWICE: formula(lambda g, s, t, lr: scaled(g, add(s, g**2), lr**2)),
    },
    hint="by hand: with lr = 1 and g = 3, 4 the steps are -1 and -4/5.",
)


def rms_case(rng):
    """Return a RuleCheck's case with a rate and perhaps a decay."""
    return rule_case(rng, spread(rng, 0.01, 1), float(rng.uniform(0.5, 0.99)), least=1)


def rms(step):
    """Return what makes a rule from a formula with the defaults of RMSProp."""
    return formula(step, defaults=(0.01, 0.9))


check_RMSProp = RuleCheck(
    name="RMSProp",
    draw=rms_case,
    reference=rms(lambda g, s, t, lr, decay: scaled(g, average(s, "h", g**2, decay), lr)),
    mistakes={
        "this is AdaGrad's sum; here h is a moving average that forgets.": (
            rms(lambda g, s, t, lr, decay: scaled(g, add(s, g**2), lr))
        ),
        "h only grows: g² has its weight, the old h is to be multiplied by decay.": (
            rms(lambda g, s, t, lr, decay: scaled(g, add(s, (1 - decay) * g**2), lr))
        ),
        "the weights are swapped: decay belongs to the old h, 1 - decay to g².": (
            rms(lambda g, s, t, lr, decay: scaled(g, average(s, "h", g**2, 1 - decay), lr))
        ),
        "h averages g; it averages g².": (
            rms(lambda g, s, t, lr, decay: scaled(g, average(s, "h", g, decay), lr))
        ),
        EPS_INSIDE: (
            rms(lambda g, s, t, lr, decay: scaled_inside(g, average(s, "h", g**2, decay), lr))
        ),
        EPS_MISSING: (
            rms(lambda g, s, t, lr, decay: scaled(g, average(s, "h", g**2, decay), lr, eps=0))
        ),
    },
    hint="by hand: with lr = 1, decay = 0.75 and g = 2 the first step is -2.",
)


def rates_over_time(g, lr, memory=lambda squares: np.cumsum(squares, axis=0)):
    """Return the effective rates for the h that `memory` makes of the squared gradients."""
    return lr / (np.sqrt(memory(g**2)) + 1e-7)


def running_mean(squares):
    """Return the mean of all rows so far."""
    return np.cumsum(squares, axis=0) / np.arange(1, len(squares) + 1)[:, None]


check_effective_rates = Comparison(
    name="effective_rates",
    draw=lambda rng: (gradient(rng, rng.integers(2, 9, size=2)), spread(rng, 0.01, 2)),
    reference=rates_over_time,
    mistakes={
        "this is h before each step; a step adds its own gradient first.": (
            partial(rates_over_time, memory=lambda squares: np.cumsum(squares, axis=0) - squares)
        ),
        "h is the sum of the squares, not a mean.": partial(rates_over_time, memory=running_mean),
        "each step uses its own gradient alone; h adds up.": (
            partial(rates_over_time, memory=np.copy)
        ),
        "the sum runs over the parameters; it runs over time, axis 0.": (
            partial(rates_over_time, memory=lambda squares: np.cumsum(squares, axis=1))
        ),
        "the sum runs over all numbers; each parameter has its own: say axis=0.": (
            partial(rates_over_time, memory=np.cumsum)
        ),
        "these are the rates of the last step; one row for each step was asked.": (
            lambda g, lr: rates_over_time(g, lr)[-1]
        ),
        "the array is turned: steps go down the rows, parameters along the columns.": (
            lambda g, lr: rates_over_time(g, lr).T
        ),
        "these are the steps; the rate is what the gradient is multiplied by.": (
            lambda g, lr: rates_over_time(g, lr) * g
        ),
        EPS_INSIDE: lambda g, lr: lr / np.sqrt(np.cumsum(g**2, axis=0) + 1e-7),
        EPS_MISSING: lambda g, lr: lr / np.sqrt(np.cumsum(g**2, axis=0)),
    },
    hint="by hand: gradients [[3], [4]] and lr 1 give the rates [[1/3], [1/5]].",
)


# ---- 05 Adam ------------------------------------------------------------------------------------


def moving_averages(g, beta, decay=None, late=0, corrected=True, feedback=False):
    """Return the bias-corrected moving average at each step, or one with a mistake."""
    decay = beta if decay is None else decay
    shown, m = [], 0.0
    for t, new in enumerate(g, start=1 - late):
        m = decay * m + (1 - decay) * new
        shown.append(m / (1 - beta**t) if corrected else m)
        m = shown[-1] if feedback else m
    return np.array(shown)


check_corrected_average = Comparison(
    name="corrected_average",
    draw=lambda rng: (rng.normal(size=rng.integers(3, 12)), float(rng.uniform(0.6, 0.99))),
    reference=moving_averages,
    mistakes={
        "this is the plain average; the bias towards its start at 0 is still in it.": (
            partial(moving_averages, corrected=False)
        ),
        "bias correction uses t - 1; t is 1 at the first gradient.": (
            partial(moving_averages, late=1)
        ),
        "bias correction uses t + 1; t is 1 at the first gradient.": (
            partial(moving_averages, late=-1)
        ),
        "the corrected value went back into the recursion; keep m itself for the next step.": (
            partial(moving_averages, feedback=True)
        ),
        "the weights are swapped: beta belongs to the old average.": (
            lambda g, beta: moving_averages(g, beta, decay=1 - beta)
        ),
        "beta and 1 - beta are swapped everywhere.": (lambda g, beta: moving_averages(g, 1 - beta)),
        "every average is divided by 1 - beta; the power t is missing.": (
            lambda g, beta: moving_averages(g, beta, corrected=False) / (1 - beta)
        ),
        "this is the last average; one for each t was asked.": (
            lambda g, beta: moving_averages(g, beta)[-1]
        ),
    },
    hint="by hand: the first corrected average is the first gradient itself.",
)


def adam_case(rng):
    """Return a RuleCheck's case with up to three hyperparameters."""
    betas = float(rng.uniform(0.5, 0.95)), float(rng.uniform(0.5, 0.999))
    return rule_case(rng, spread(rng, 0.001, 0.5), *betas, least=0)


def moments(g, s, b1, b2):
    """Return m and v after a gradient."""
    return average(s, "m", g, b1), average(s, "v", g**2, b2)


def adam_step(lr, m_hat, v_hat, eps=1e-8):
    """Return the step of Adam for given moments."""
    return -lr * m_hat / (np.sqrt(v_hat) + eps)


def adam(g, s, t, lr, b1, b2, late=0, correct="mv", eps=1e-8):
    """Take the step of Adam, or one with a mistake in the correction or in epsilon."""
    m, v = moments(g, s, b1, b2)
    m_hat = m / (1 - b1 ** (t - late)) if "m" in correct else m
    v_hat = v / (1 - b2 ** (t - late)) if "v" in correct else v
    return adam_step(lr, m_hat, v_hat, eps)


def adam_inside(g, s, t, lr, b1, b2):
    """Put epsilon inside the root."""
    m, v = moments(g, s, b1, b2)
    return -lr * m / (1 - b1**t) / np.sqrt(v / (1 - b2**t) + 1e-8)


def adam_folded(g, s, t, lr, b1, b2):
    """Fold both corrections into the rate, so that epsilon comes before them."""
    return adam_step(lr * np.sqrt(1 - b2**t) / (1 - b1**t), *moments(g, s, b1, b2))


def adam_growing(g, s, t, lr, b1, b2, weight=lambda b2: 1):
    """Let v grow: v ← v + weight · g²."""
    m, v = average(s, "m", g, b1), add(s, weight(b2) * g**2)
    return adam_step(lr, m / (1 - b1**t), v / (1 - b2**t))


def adam_of_m_squared(g, s, t, lr, b1, b2):
    """Let v average m²."""
    m = average(s, "m", g, b1)
    return adam_step(lr, m / (1 - b1**t), average(s, "v", m**2, b2) / (1 - b2**t))


def adam_not_squared(g, s, t, lr, b1, b2):
    """Let v average g."""
    m, v = average(s, "m", g, b1), average(s, "v", g, b2)
    return adam_step(lr, m / (1 - b1**t), v / (1 - b2**t))


def adam_fed_back(g, s, t, lr, b1, b2):
    """Keep the corrected moments."""
    m, v = moments(g, s, b1, b2)
    s["m"], s["v"] = m / (1 - b1**t), v / (1 - b2**t)
    return adam_step(lr, s["m"], s["v"])


def with_betas(step, **flaws):
    """Return what makes a rule from a formula with the defaults of Adam."""
    return formula(step, defaults=(0.001, 0.9, 0.999), **flaws)


check_MyAdam = RuleCheck(
    name="MyAdam",
    draw=adam_case,
    reference=Adam,
    mistakes={
        "the bias correction of m and v is missing.": with_betas(partial(adam, correct="")),
        "only m is corrected; v starts at zero too.": with_betas(partial(adam, correct="m")),
        "only v is corrected; m starts at zero too.": with_betas(partial(adam, correct="v")),
        "bias correction uses t - 1: raise t before it is used.": (
            with_betas(partial(adam, late=1))
        ),
        "bias correction uses t + 1; t is 1 at the first update.": (
            with_betas(partial(adam, late=-1))
        ),
        "t goes up once for each key; it counts updates.": with_betas(adam, hasty=True),
        "the keys share one m and v; each array in params needs its own.": (
            with_betas(adam, shared=True)
        ),
        "epsilon is inside the root; it belongs outside: √v̂ + ε.": with_betas(adam_inside),
        "epsilon comes before the correction (the folded form); Algorithm 1 adds it to √v̂.": (
            with_betas(adam_folded)
        ),
        EPS_MISSING: with_betas(partial(adam, eps=0)),
        "epsilon is 1e-7 here; 1e-8 was asked.": with_betas(partial(adam, eps=1e-7)),
        "beta1 and beta2 are swapped: beta1 belongs to m, beta2 to v.": (
            with_betas(lambda g, s, t, lr, b1, b2: adam(g, s, t, lr, b2, b1))
        ),
        "v is a growing sum, as in AdaGrad; here it is a moving average.": (
            with_betas(adam_growing)
        ),
        "v only grows: g² has its weight, the old v is to be multiplied by beta2.": (
            with_betas(partial(adam_growing, weight=lambda b2: 1 - b2))
        ),
        "v averages m²; it averages g².": with_betas(adam_of_m_squared),
        "v averages g; it averages g².": with_betas(adam_not_squared),
        "the corrected moments went back into m and v; keep these as they are.": (
            with_betas(adam_fed_back)
        ),
        LR_TWICE: with_betas(lambda g, s, t, lr, b1, b2: adam(g, s, t, lr**2, b1, b2)),
    },
    hint="by hand: the first step is -lr · g / (|g| + ε), whatever the betas are.",
)


def highest(s, value):
    """Return the elementwise maximum of all values so far."""
    s["highest"] = np.maximum(s["highest"], value)
    return s["highest"]


def amsgrad(g, s, t, lr, b1, b2):
    """Take the step of AMSGrad with bias correction, as PyTorch's `amsgrad=True` does."""
    m, v = moments(g, s, b1, b2)
    return adam_step(lr, m / (1 - b1**t), highest(s, v) / (1 - b2**t))


def amsgrad_uncorrected(g, s, t, lr, b1, b2):
    """Leave the bias in."""
    m, v = moments(g, s, b1, b2)
    return adam_step(lr, m, highest(s, v))


def amsgrad_forgetful(g, s, t, lr, b1, b2):
    """Take the larger of this v and the last one."""
    last = s["v"]
    m, v = moments(g, s, b1, b2)
    return adam_step(lr, m / (1 - b1**t), np.maximum(last, v) / (1 - b2**t))


def amsgrad_in_v(g, s, t, lr, b1, b2):
    """Keep the maximum in v itself."""
    last = s["v"]
    m, v = moments(g, s, b1, b2)
    s["v"] = np.maximum(last, v)
    return adam_step(lr, m / (1 - b1**t), s["v"] / (1 - b2**t))


def amsgrad_of_m(g, s, t, lr, b1, b2):
    """Take the maximum of m."""
    m, v = moments(g, s, b1, b2)
    return adam_step(lr, highest(s, m) / (1 - b1**t), v / (1 - b2**t))


def amsgrad_of_v_hat(g, s, t, lr, b1, b2):
    """Take the maximum of the corrected v."""
    m, v = moments(g, s, b1, b2)
    return adam_step(lr, m / (1 - b1**t), highest(s, v / (1 - b2**t)))


check_AMSGrad = RuleCheck(
    name="AMSGrad",
    draw=adam_case,
    reference=with_betas(amsgrad),
    mistakes={
        "this is plain Adam: the maximum is not used.": with_betas(adam),
        "the maximum is not kept: compare v with the largest of all so far, not the last one.": (
            with_betas(amsgrad_forgetful)
        ),
        "the maximum replaced v; keep both, v goes on as in Adam.": with_betas(amsgrad_in_v),
        "the maximum was taken of m; it is taken of v.": with_betas(amsgrad_of_m),
        "the maximum was taken of the corrected v; take it of v, then correct it.": (
            with_betas(amsgrad_of_v_hat)
        ),
        "the bias correction is missing: m and the maximum of v are to be corrected.": (
            with_betas(amsgrad_uncorrected)
        ),
        "the keys share one state; each array in params needs its own.": (
            with_betas(amsgrad, shared=True)
        ),
        "t goes up once for each key; it counts updates.": with_betas(amsgrad, hasty=True),
    },
    hint="as long as v grows, AMSGrad is Adam: compare their steps until v falls.",
)


# ---- 06 Comparison ------------------------------------------------------------------------------


def validation_case(rng):
    """Return losses of several seeds and rates; diverged runs spoil the rates that look best."""
    seeds, count = rng.integers(3, 7), rng.integers(7, 11)
    losses = rng.uniform(1, 2, size=count) * rng.lognormal(sigma=0.5, size=(seeds, count))
    spoiled = rng.choice(count, size=4, replace=False)
    losses[:, spoiled] *= 0.3
    losses[rng.integers(seeds), spoiled] = [np.nan, np.nan, np.inf, np.inf]
    return losses, np.geomspace(1e-3, 1, count)


def choose(losses, rates, score=np.mean, pick=np.nanargmin):
    """Return the rate with the best score over seeds, or one with a mistake."""
    return rates[pick(score(losses, axis=0))]


def finite_mean(losses, axis):
    """Return the mean over the finite numbers."""
    return np.mean(losses, axis, where=np.isfinite(losses))


def best_run(losses, axis):
    """Return the lowest number where all are finite."""
    return np.where(np.isfinite(losses).all(axis), losses.min(axis), np.inf)


def highest_finite(means):
    """Return the index of the highest number that is finite."""
    return np.argmax(np.where(np.isfinite(means), means, -np.inf))


check_fair_choice = Comparison(
    name="fair_choice",
    draw=validation_case,
    reference=choose,
    mistakes={
        "this is the rate of the best single run; take the mean over seeds.": (
            partial(choose, score=best_run)
        ),
        "this is the rate of the best single run, and it diverged (inf) with another seed.": (
            partial(choose, score=np.min)
        ),
        "this is the rate of the best single run, and it diverged with another seed.": (
            partial(choose, score=np.nanmin)
        ),
        "a diverged run (nan) was left out of its mean: it rules the whole rate out.": (
            partial(choose, score=np.nanmean)
        ),
        "a diverged run (nan or inf) was left out of its mean: it rules the whole rate out.": (
            partial(choose, score=finite_mean)
        ),
        "np.argmin takes nan for the lowest number: a diverged rate was chosen.": (
            partial(choose, pick=np.argmin)
        ),
        "this is the index of the rate; return rates[index].": (
            lambda losses, rates: np.nanargmin(losses.mean(axis=0))
        ),
        "this is the lowest mean loss; return the rate that has it.": (
            lambda losses, rates: np.nanmin(losses.mean(axis=0))
        ),
        "this rate has the highest loss; the lowest is the best.": (
            partial(choose, pick=highest_finite)
        ),
        "this rate has the highest loss (inf: it diverged); the lowest is the best.": (
            partial(choose, pick=np.nanargmax)
        ),
        "this is the median over seeds; the mean was asked.": partial(choose, score=np.median),
    },
    hint="take the mean over the seeds (axis 0), then the rate whose mean is finite and lowest.",
)


def quantiles(losses, low=0.1, high=0.9, axis=0):
    """Return a band and its middle."""
    return np.quantile(losses, [low, 0.5, high], axis=axis)


def around_the_mean(losses, ddof):
    """Return mean - s, mean, mean + s for the standard deviation s."""
    mean, s = losses.mean(axis=0), losses.std(axis=0, ddof=ddof)
    return mean - s, mean, mean + s


def mean_in_the_middle(losses):
    """Return the band with the mean in the middle."""
    low, _, high = quantiles(losses)
    return low, losses.mean(axis=0), high


check_band = Comparison(
    name="band",
    draw=lambda rng: (rng.lognormal(size=(rng.integers(5, 12), rng.integers(12, 30))),),
    reference=quantiles,
    mistakes={
        "the axis is wrong: seeds go down the rows, and the band is over seeds, axis 0.": (
            partial(quantiles, axis=1)
        ),
        "an axis is missing: these are quantiles of all numbers; the band is over seeds.": (
            partial(quantiles, axis=None)
        ),
        "the middle is the mean; the 50 % quantile was asked.": mean_in_the_middle,
        "these are the smallest and the largest loss; one bad seed decides them.": (
            partial(quantiles, low=0, high=1)
        ),
        "these are the quartiles, 25 % and 75 %.": partial(quantiles, low=0.25, high=0.75),
        "this is mean ± standard deviation, which may even leave the losses; take quantiles.": (
            partial(around_the_mean, ddof=0)
        ),
        "this is mean ± standard deviation (n - 1); take quantiles.": (
            partial(around_the_mean, ddof=1)
        ),
        "np.percentile counts to 100: 10, 50, 90.": (
            lambda losses: np.percentile(losses, [0.1, 0.5, 0.9], axis=0)
        ),
        "the order is low, middle, high.": lambda losses: quantiles(losses)[::-1],
        "return three arrays, each with one number a step.": lambda losses: quantiles(losses).T,
    },
    hint="np.quantile takes the shares and an axis.",
)


class Contest(NamedTuple):
    """How SGD and Adam fared on a landscape, each at its best rate; heights above `floor`."""

    start: float
    sgd: float
    adam: float
    inside: bool  # whether the lowest place known lies in the window


class ContestCheck(Check):
    """A check of a landscape on which tuned SGD beats tuned Adam."""

    wanted = "a landscape, made by from_function(function, window, start)"
    rates: ClassVar = np.geomspace(1e-4, 1e2, 61)
    steps: ClassVar = 30
    victory: ClassVar = 1.1  # the least factor that counts

    def cases(self):
        """Return the one case, which has no arguments."""
        return [()]

    def run(self, attempt, case):
        """Return the Contest on the learner's landscape."""
        if not isinstance(attempt, Landscape):
            raise Slip(f"is {a_kind(attempt)}", f"hand over {self.wanted}.")
        short, long = (
            [sweep(rule, attempt, steps=steps, lr=self.rates) for rule in (SGD, Adam)]
            for steps in (self.steps, 5 * self.steps)
        )
        lowest = min(short + long, key=lambda result: result.losses.min())
        floor, place = lowest.losses.min(), lowest.positions[lowest.losses.argmin()]
        (x_min, x_max), (y_min, y_max) = attempt.window
        height = float(attempt(attempt.start))
        return Contest(
            start=height - floor if height - floor > 1e-9 * abs(height) else 0.0,
            sgd=short[0].losses.min() - floor,
            adam=short[1].losses.min() - floor,
            inside=bool(x_min <= place[0] <= x_max and y_min <= place[1] <= y_max),
        )

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on a contest."""
        (contest,) = outcomes
        if isinstance(contest, BaseException):
            return verdict_on_error(self.name, contest)
        if contest.start == 0:
            return not_yet(
                "neither moves below the start.",
                "the start is already the minimum, or flat: choose another one.",
            )
        if not contest.inside:
            return not_yet(
                "the lowest place found lies outside of the window.",
                "a landscape without a minimum has no winner; widen the window or add a bowl.",
            )
        return self.verdict_on_heights(*(max(h / contest.start, 1e-12) for h in contest[1:3]))

    def verdict_on_heights(self, sgd, adam):
        """Return the Verdict on final heights, as shares of the height of the start."""
        factor = adam / sgd
        if max(sgd, adam) <= 1e-12:
            return not_yet(
                "both end at the minimum up to rounding.",
                "too easy for a difference to show: make it longer, narrower or bent.",
            )
        if factor >= self.victory:
            return right(f"tuned SGD ends {times(factor)} lower than tuned Adam.")
        if factor > 1 / self.victory:
            return not_yet("a draw.", self.hint)
        return not_yet(f"tuned Adam ends {times(1 / factor)} lower than tuned SGD.", self.hint)


def times(factor):
    """Return a factor in words, with as many digits as matter."""
    return "more than a million times" if factor > 1e6 else f"{factor:.2g} times"


check_sgd_wins = ContestCheck(
    name="sgd_wins",
    hint="Adam gains where the axes differ in scale; where would that not help?",
)
