"""The check of a function that passes over examples in random order, anew in every epoch."""

from itertools import permutations, product
from typing import ClassVar

import numpy as np

from helpers.exercises.attempts import not_yet, right, said, verdict_on_error
from helpers.exercises.checks import FunctionCheck, agree, close
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
    There an attempt must agree with the solution. Two kinds of further cases follow. Three
    examples one by one, in two epochs, with many seeds: the attempt must have gone through them
    in some order, in several, and in the same one with the same seed. And seven examples of which
    one is changed: then the result must change.
    """

    seeds: ClassVar = 24

    def cases(self):
        """Return the hidden inputs: order all the same, random order, one example changed."""
        rng = self.rng()
        x, t = short(rng.normal(size=3)), short(rng.normal(size=3))
        seeds = [*range(self.seeds), 0]
        many_x, many_t = short(rng.normal(size=7)), short(rng.normal(size=7))
        changed = [many_t, *(many_t + np.eye(7))]
        return [
            *super().cases(),
            *[(x, t, 0.1, 1, 2, np.random.default_rng(seed)) for seed in seeds],
            *[(many_x, one, 0.05, 3, 1, np.random.default_rng(1)) for one in changed],
        ]

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on the outcomes of an attempt."""
        verdict = super().judge(cases[: self.count], outcomes[: self.count], warned)
        if not verdict.passed:
            return verdict
        for done, outcome in enumerate(outcomes):
            if isinstance(outcome, BaseException):
                return verdict_on_error(self.name, outcome, done, len(cases))
        first_order = self.count + self.seeds + 1
        whole, *changed = outcomes[first_order:]
        unused = sum(agree(whole, other) for other in changed)
        if unused:
            words = {"name": self.name, "used": len(changed) - unused, "count": len(changed)}
            return not_yet("unused", self.hint_on("unused"), **words)
        hint = self.hint_on_order(cases[self.count], outcomes[self.count : first_order])
        if hint:
            return not_yet("disorder", hint, name=self.name)
        return right(said("orders", name=self.name, count=self.count))

    def hint_on_order(self, case, outcomes):
        """Return the hint on the orders in which an attempt took the examples, or ""."""
        *outcomes, again = outcomes
        if not agree(outcomes[0], again):
            return self.hint_on("unseeded")
        possible = self.possible_outcomes(self.solution, case, 2)
        orders = [order_of(outcome, possible) for outcome in outcomes]
        if None in orders:
            torn = self.mistakes["torn"]
            apart = self.possible_outcomes(torn.made_in(self.solution), case, 4)
            return torn.hint if all(order_of(one, apart) for one in outcomes) else self.hint
        if len(set(orders)) == 1:
            unshuffled = orders[0] == ((0, 1, 2), (0, 1, 2))
            return self.hint_on("unshuffled" if unshuffled else "unseeded")
        return self.hint_on("once") if all(first == second for first, second in orders) else ""

    def possible_outcomes(self, code, case, count):
        """Return the outcome of a solution for every way to draw so many orders."""
        solution, (x, *_) = self.defined(code), case
        scripts = product(permutations(range(len(x))), repeat=count)
        return {orders: solution(*case[:-1], Scripted(orders)) for orders in scripts}


def order_of(outcome, possible):
    """Return the orders that have this outcome, or None."""
    fitting = close(np.array(list(possible.values())), outcome.values).all(axis=1)
    return list(possible)[fitting.argmax()] if fitting.any() else None
