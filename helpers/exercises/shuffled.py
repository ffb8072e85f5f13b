"""The check of a function that passes over examples in random order, anew in every epoch."""

from dataclasses import replace
from itertools import chain, islice, permutations, product

import numpy as np

from helpers.exercises.attempts import not_yet, right, said, verdict_on_error
from helpers.exercises.checks import FunctionCheck, agree, close, edited
from helpers.exercises.draws import short


class Scripted:
    """A generator whose permutations were written down before."""

    def __init__(self, orders):
        self.orders = iter(orders)

    def permutation(self, x):
        """Return the next order, or an array in it."""
        order = np.array(next(self.orders))
        return order if np.ndim(x) == 0 else x[order]


class ShuffledCheck(FunctionCheck):
    """A check of f(x, t, lr, batch_size, epochs, rng), which shuffles the examples.

    Its `inputs` are cases in which the order is all the same: whole batches, or equal examples.
    There an attempt must agree with the solution. Then come: a rate of 0, at which the start is
    returned; three examples one by one, in two epochs, with many seeds, of which the last repeat
    the first; four examples, three of them in the first batch; and seven examples of which one is
    changed at a time, up or down. What an attempt makes of three and of four examples must belong
    to some order of them, that of three to several, and each of the seven must matter.
    """

    def cases(self):
        """Return the hidden inputs."""
        return [*super().cases(), *chain(*self.groups().values())]

    def groups(self):
        """Return the further cases, under the names of what they are for."""
        rng = self.rng()
        x, t = short(rng.normal(size=(2, 7)))
        seeded = [np.random.default_rng(seed) for seed in range(24)]
        changed = (t, *(t + 10 * np.eye(7)), *(t - 10 * np.eye(7)))
        return {
            "start": [(x, t, 0.0, 7, 1, seeded[0])],
            "orders": [(x[:3], t[:3], 0.1, 1, 2, rng) for rng in seeded],
            "again": [(x[:3], t[:3], 0.1, 1, 2, rng) for rng in seeded[:6]],
            "batches": [(x[:4], t[:4], 0.1, 3, 1, rng) for rng in seeded[:6]],
            "used": [(x, other, 0.05, 3, 1, rng) for rng in seeded[:3] for other in changed],
        }

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on the outcomes of an attempt."""
        verdict = super().judge(cases[: self.count], outcomes[: self.count], warned)
        for done, outcome in enumerate(outcomes):
            if isinstance(outcome, BaseException):
                return verdict_on_error(self.name, outcome, done, len(cases))
            if outcome.values.shape != (2,):
                return verdict
        if not (verdict.passed or verdict.hint.startswith(self.hint)):
            return verdict
        key, words = self.what_is_seen(iter(outcomes[self.count :]))
        if verdict.passed and not key:
            return right(said("orders", name=self.name, count=self.count))
        if verdict.passed:
            hint = self.mistakes[key].hint if key in self.mistakes else self.hint
            return not_yet(key if words else "disorder", hint, name=self.name, **words)
        return replace(verdict, hint=self.hint_on(key)) if key in self.mistakes else verdict

    def what_is_seen(self, outcomes):
        """Return the key of what the further cases show, or "", and what its words need."""
        groups = self.groups()
        seen = {name: list(islice(outcomes, len(group))) for name, group in groups.items()}
        (start,) = seen["start"]
        if start.values.any():
            return "start", dict(zip("wb", start.values, strict=True))
        unused = max(unused_examples(seen["used"][k : k + 15]) for k in (0, 15, 30))
        if unused:
            return "unused", {"used": 7 - unused, "count": 7}
        if not all(map(agree, seen["orders"], seen["again"])):
            return "unseeded", {}
        sign = self.sign_of_order(groups["orders"][0], seen["orders"])
        return sign or self.sign_of_batches(groups["batches"][0], seen["batches"]), {}

    def sign_of_order(self, case, outcomes):
        """Return the key of what is wrong with the orders of three examples, or ""."""
        possible = self.possible_outcomes(self.solution, case, 2)
        orders = [order_of(outcome, possible) for outcome in outcomes]
        if None in orders:
            return "torn" if self.fits("torn", case, 4, outcomes) else "disorder"
        if len(set(orders)) == 1:
            return "unshuffled" if orders[0] == ((0, 1, 2), (0, 1, 2)) else "unseeded"
        return "once" if all(first == second for first, second in orders) else ""

    def sign_of_batches(self, case, outcomes):
        """Return the key of what is wrong with the batches of four examples, or ""."""
        possible = self.possible_outcomes(self.solution, case, 1)
        if all(order_of(outcome, possible) for outcome in outcomes):
            return ""
        return "uneven" if self.fits("uneven", case, 1, outcomes) else "disorder"

    def fits(self, mistake, case, count, outcomes):
        """Tell whether a mistake may have these outcomes, with so many orders drawn."""
        code = edited(self.solution, self.mistakes[mistake].edits)
        possible = self.possible_outcomes(code, case, count)
        return all(order_of(outcome, possible) for outcome in outcomes)

    def possible_outcomes(self, code, case, count):
        """Return the outcome of a solution for every way to draw so many orders."""
        solution, (x, *_) = self.defined(code), case
        scripts = product(permutations(range(len(x))), repeat=count)
        return {orders: solution(*case[:-1], Scripted(orders)) for orders in scripts}


def unused_examples(outcomes):
    """Return how many examples may change up and down with the first of the outcomes staying."""
    whole, *changed = outcomes
    stays = [agree(whole, other) for other in changed]
    return sum(up and down for up, down in zip(stays[:7], stays[7:], strict=True))


def order_of(outcome, possible):
    """Return the orders that have this outcome, or None."""
    fitting = close(np.array(list(possible.values())), outcome.values).all(axis=1)
    return list(possible)[fitting.argmax()] if fitting.any() else None
