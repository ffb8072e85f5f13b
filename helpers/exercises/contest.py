"""The check of a narrow valley on which tuned SGD beats tuned Adam."""

from typing import ClassVar, NamedTuple

import numpy as np

from helpers.descent import sweep
from helpers.exercises.attempts import Slip, a_kind, not_yet, right, said, verdict_on_error
from helpers.exercises.checks import Check
from helpers.landscapes import Landscape, numerical_gradient
from helpers.optimizers import SGD, Adam


class Result(NamedTuple):
    """How an optimizer fared on a landscape at its best rate."""

    share: float  # of the height, left at the end: the geometric mean over the starts
    ratio: float  # of the curvatures at the lowest place


class ContestCheck(Check):
    """A check of a narrow valley on which tuned SGD beats tuned Adam.

    Both start from many places around the lowest one, as far from it as the landscape's start. Of
    all rates, the same for all places, each takes its best. The rates follow the landscape: a
    valley that is stretched or made steeper gets the same answer.
    """

    wanted: ClassVar = "a landscape, made by from_function(function, window, start)"
    steps: ClassVar = 30
    starts: ClassVar = 32
    rates: ClassVar = 33  # of each optimizer
    narrow: ClassVar = 50  # the least ratio of the curvatures
    victory: ClassVar = 1.5  # the least factor between the heights that counts
    rounding: ClassVar = 1e-12  # shares of the height below this are not told apart

    def cases(self):
        """Return the two optimizers."""
        return [SGD, Adam]

    def run(self, attempt, case):
        """Return the Result of an optimizer on the learner's landscape."""
        if not isinstance(attempt, Landscape):
            raise Slip("other", kind=a_kind(attempt), wanted=self.wanted)
        place, away, (steepest, flattest) = self.bottom_of(attempt)
        starts = ring(place, attempt.start, self.starts)
        rates = np.geomspace(1e-4, 1, self.rates) * away
        if case is SGD:
            slopes = np.linalg.norm(attempt.gradient(starts), axis=-1)
            scales = np.append(away / slopes[slopes > 0], 1 / steepest)
            rates = np.geomspace(scales.min() / 100, 10 * scales.max(), self.rates)
        ends = sweep(case, attempt, start=starts, steps=self.steps, lr=rates).losses
        floor = attempt(place)
        heights = attempt(starts) - floor
        if ends.min() < floor - 1e-6 * np.nanmax(heights):
            raise Slip("several", self.hint_on("several"))
        shares = np.fmax((ends - floor) / heights[:, None], self.rounding)
        means = np.exp(np.log(shares).mean(axis=0))
        return Result(means[np.isfinite(means)].min(), steepest / flattest)

    def bottom_of(self, landscape):
        """Return the lowest place, how far the start is from it, and the curvatures there."""
        place = lowest_place(landscape)
        words = {"x": place[0], "y": place[1]}
        (x_min, x_max), (y_min, y_max) = landscape.window
        if not (x_min < place[0] < x_max and y_min < place[1] < y_max):
            raise Slip("outside", self.hint_on("outside"), **words)
        away = np.linalg.norm(place - landscape.start)
        if away < 1e-3 * (x_max - x_min):
            raise Slip("unmoved", self.hint_on("unmoved"))
        steepest, flattest = curvatures(landscape, place, 1e-3 * away)
        if flattest < 1e-9 * steepest:  # up to rounding
            raise Slip("flat", self.hint_on("flat"), **words)
        return place, away, (steepest, flattest)

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on how the two optimizers fared."""
        for done, outcome in enumerate(outcomes):
            if isinstance(outcome, BaseException):
                return verdict_on_error(self.name, outcome, done, len(cases))
        (sgd, ratio), (adam, _) = outcomes
        factor, words = adam / sgd, {"ratio": rounded(ratio), "narrow": self.narrow}
        if ratio < 0.99 * self.narrow:
            return not_yet("round", self.hint_on("round"), **words)
        if factor >= self.victory:
            return right(said("sgd_wins", factor=rounded(factor), starts=self.starts, **words))
        if factor > 1:
            return not_yet("draw", self.hint, factor=rounded(factor), victory=self.victory)
        return not_yet("adam_wins", self.hint, factor=rounded(1 / factor))


def lowest_place(landscape):
    """Return the lowest place that Adam finds, and Newton's method from there."""
    size = np.ptp(landscape.window, axis=1).max()
    found = sweep(Adam, landscape, steps=300, lr=np.geomspace(1e-4, 0.1, 31) * size)
    place = found.positions[np.nanargmin(found.losses)]
    for _ in range(20):
        step = np.linalg.lstsq(hessian(landscape, place, 1e-4 * size), landscape.gradient(place))[0]
        if not landscape(place - step) < landscape(place):
            break
        place = place - step
    return place


def hessian(landscape, place, h):
    """Return the matrix of second derivatives at a place, compared over a distance h."""
    rows = [
        numerical_gradient(lambda p, k=k: landscape.gradient(p)[..., k], place, h) for k in (0, 1)
    ]
    return (np.array(rows) + np.transpose(rows)) / 2


def curvatures(landscape, place, h):
    """Return the largest and the smallest curvature."""
    return np.linalg.eigvalsh(hessian(landscape, place, h))[::-1]


def ring(place, start, count):
    """Return places on the circle around one of them that the start lies on, spread evenly."""
    x, y = np.subtract(start, place)
    angles = np.arctan2(y, x) + np.pi * (3 - np.sqrt(5)) * np.arange(count)
    return place + np.hypot(x, y) * np.stack([np.cos(angles), np.sin(angles)], axis=-1)


def rounded(factor):
    """Return a factor as text, with two digits or, above 100, with all before the point."""
    return f"{factor:.2g}" if factor < 99.5 else f"{factor:,.0f}"
