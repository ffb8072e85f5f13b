"""The check of a search for the deepest valley of a landscape that one cannot see."""

from dataclasses import replace
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from helpers.exercises.attempts import Slip, not_yet, numbers, right, said, verdict_on_error
from helpers.exercises.checks import Check
from helpers.landscapes import mountain_range


class Walk(NamedTuple):
    """What an attempt did on one landscape."""

    position: np.ndarray
    felt: np.ndarray  # the places whose slope it asked for, in order, shape (n, 2)
    looks: int  # how often it asked for a height


class Blindfold:
    """A landscape that notes what it is asked for, and answers so many questions for slopes.

    One call asks for one place. The record that `descend` makes at its end, of all places where it
    was, counts as the one place that is new.
    """

    def __init__(self, landscape, steps, hint_on):
        self.landscape, self.steps, self.hint_on = landscape, steps, hint_on
        self.felt, self.looks, self.spent = [], 0, 0
        self.on_slopes, self.repeated = 0, 0

    def value(self, x, y):
        """Return the height, noted."""
        self.looks += np.size(x)
        return self.landscape.value(x, y)

    def slope(self, x, y):
        """Return the slope, noted."""
        places = list(zip(np.ravel(x).tolist(), np.ravel(y).tolist(), strict=True))
        new = [place for place in places if place not in self.felt]
        if len(new) > 1:
            raise Slip("at_once", self.hint_on("at_once"), count=len(new))
        slope = self.landscape.slope(x, y)
        on_slope = np.linalg.norm(slope) > 1e-3
        self.on_slopes += on_slope
        self.repeated += on_slope and places == self.felt[-1:]
        self.spent += 1 if len(places) == 1 else len(new)
        if self.spent > self.steps:
            hint = self.hint_on("twice" if self.repeated > self.on_slopes / 3 else "beyond")
            raise Slip("beyond", hint, steps=self.steps)
        self.felt += places if len(places) == 1 else new
        return slope


class ValleyCheck(Check):
    """A check of a search for the deepest valley, with so many slopes to feel."""

    steps: ClassVar = 600
    near: ClassVar = 0.1  # how far above the deepest place the search may end
    steep: ClassVar = 0.3  # a slope on which no walk should stop
    enough: ClassVar = 8  # of 10 landscapes

    @cached_property
    def landscapes(self):
        """The hidden landscapes."""
        rng = self.rng()
        return [mountain_range(rng) for _ in range(10)]

    def cases(self):
        """Return landscapes, each with a seed for the attempt's random generator."""
        return list(zip(self.landscapes, range(10), strict=True))

    def run(self, attempt, case):
        """Return the Walk of an attempt on one landscape."""
        landscape, seed = case
        blindfold = Blindfold(landscape, self.steps, self.hint_on)
        hidden = replace(landscape, value=blindfold.value, slope=blindfold.slope, minima=())
        position = numbers(attempt(hidden, np.random.default_rng(seed), self.steps))
        if position.shape != (2,):
            raise Slip("place", shape=position.shape)
        return Walk(position, np.reshape(blindfold.felt, (-1, 2)), blindfold.looks)

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on the walks of an attempt."""
        walks = [outcome for outcome in outcomes if isinstance(outcome, Walk)]
        found = sum(map(self.is_deepest, self.landscapes, walks))
        if len(walks) < len(outcomes) and found < self.enough:
            return verdict_on_error(self.name, outcomes[len(walks)], len(walks), len(cases))
        words = {"name": self.name, "found": found, "count": len(cases)}
        if found >= self.enough:
            return right(said("found", **words) + self.remark(walks))
        return not_yet("found", self.likely_mistake(walks), **words)

    def is_deepest(self, landscape, walk):
        """Tell whether a walk returned a place close to the deepest one."""
        return bool(landscape(walk.position) < landscape(landscape.minima[0]) + self.near)

    def likely_mistake(self, walks):
        """Return the hint on what half of the walks show, or the general one."""
        signs = {
            "no_walk": lambda landscape, walk: len(walk.felt) == 0,
            "too_long": is_leaping,
            "uphill": is_mostly_uphill,
            "lost": self.is_lost,
            "one_walk": lambda landscape, walk: len(starts(walk)) == 1,
            "short": self.is_steep,
        }
        for key, is_seen in signs.items():
            if sum(map(is_seen, self.landscapes, walks)) >= len(walks) / 2:
                return self.hint_on(key)
        return self.hint

    def is_lost(self, landscape, walk):
        """Tell whether a walk passed a lower place than the one it returned."""
        lowest = np.min(landscape(walk.felt), initial=np.inf)
        return bool(lowest < landscape(walk.position) - self.near)

    def is_steep(self, landscape, walk):
        """Tell whether a walk returned a place on a slope."""
        return bool(np.linalg.norm(landscape.gradient(walk.position)) > self.steep)

    def remark(self, walks):
        """Return a sentence on how often the height was asked for, if that was very often."""
        looks = max(walk.looks for walk in walks)
        return " " + said("looks", looks=looks) if looks > 10 * self.steps else ""


def is_leaping(landscape, walk):
    """Tell whether a fifth of the moves are steps along the slope over more than a valley."""
    along = moves_along_slope(landscape, walk)
    return bool((leaps(walk) & (along != 0)).sum() > len(along) / 5)


def is_mostly_uphill(landscape, walk):
    """Tell whether most moves are steps straight up the slope."""
    along = moves_along_slope(landscape, walk)
    return bool((along > 0).sum() > len(along) / 2)


def moves_along_slope(landscape, walk):
    """Return 1 for each move straight up the slope, -1 straight down, 0 for any other."""
    moves, slopes = np.diff(walk.felt, axis=0), landscape.gradient(walk.felt)[:-1]
    lengths = np.linalg.norm(moves, axis=1) * np.linalg.norm(slopes, axis=1)
    products = (moves * slopes).sum(axis=1)
    return np.where(abs(products) > 0.999 * lengths, np.sign(products), 0)


def leaps(walk):
    """Tell for each place but the first whether a walk leapt there."""
    return np.linalg.norm(np.diff(walk.felt, axis=0), axis=1) > 2.5


def starts(walk):
    """Return the different places where walks began."""
    return np.unique(walk.felt[np.append(True, leaps(walk))].round(6), axis=0)
