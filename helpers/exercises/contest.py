"""The check of a landscape on which tuned SGD beats tuned Adam."""

from typing import ClassVar, NamedTuple

import numpy as np

from helpers.descent import sweep
from helpers.exercises.attempts import WORDS, Slip, a_kind, not_yet, right, said, verdict_on_error
from helpers.exercises.checks import Check
from helpers.landscapes import Landscape
from helpers.optimizers import SGD, Adam


class Contest(NamedTuple):
    """How SGD and Adam fared on a landscape, each at its best rate; heights above `floor`."""

    start: float
    sgd: float
    adam: float
    inside: bool  # whether the lowest place known lies in the window


class ContestCheck(Check):
    """A check of a landscape on which tuned SGD beats tuned Adam."""

    wanted: ClassVar = "a landscape, made by from_function(function, window, start)"
    rates: ClassVar = np.geomspace(1e-4, 1e2, 61)
    steps: ClassVar = 30
    victory: ClassVar = 1.1  # the least factor that counts

    def cases(self):
        """Return the one case, which has no arguments."""
        return [()]

    def run(self, attempt, case):
        """Return the Contest on the learner's landscape."""
        if not isinstance(attempt, Landscape):
            raise Slip("other", kind=a_kind(attempt), wanted=self.wanted)
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
            return not_yet("unmoved", self.hint_on("unmoved"))
        if not contest.inside:
            return not_yet("outside", self.hint_on("outside"))
        return self.verdict_on_heights(*(max(h / contest.start, 1e-12) for h in contest[1:3]))

    def verdict_on_heights(self, sgd, adam):
        """Return the Verdict on final heights, as shares of the height of the start."""
        factor = adam / sgd
        if max(sgd, adam) <= 1e-12:
            return not_yet("level", self.hint_on("level"))
        if factor >= self.victory:
            return right(said("sgd_wins", times=times(factor)))
        if factor > 1 / self.victory:
            return not_yet("draw", self.hint)
        return not_yet("adam_wins", self.hint, times=times(1 / factor))


def times(factor):
    """Return a factor in words, with as many digits as matter."""
    return WORDS["times"]["many"] if factor > 1e6 else said("times", factor=factor)
