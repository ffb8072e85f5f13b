"""The check of a search for the deepest valley of a landscape that one cannot see."""

from dataclasses import replace
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
                raise Slip("beyond", self.hint_on("beyond"), steps=self.steps)
            return landscape.slope(x, y)

        blindfolded = replace(landscape, value=value, slope=slope, minima=())
        position = numbers(attempt(blindfolded, np.random.default_rng(seed), self.steps))
        if position.shape != (2,):
            raise Slip("place", shape=position.shape)
        return Walk(position, np.reshape(list(felt), (-1, 2)), sum(looks))

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on the walks of an attempt."""
        for done, outcome in enumerate(outcomes):
            if isinstance(outcome, BaseException):
                return verdict_on_error(self.name, outcome, done, len(cases))
        landscapes = [landscape for landscape, _ in cases]
        found = sum(map(self.is_deepest, landscapes, outcomes))
        words = {"name": self.name, "found": found, "count": len(cases)}
        if found >= self.enough:
            return right(said("found", **words) + self.remark(outcomes))
        return not_yet("found", self.likely_mistake(landscapes, outcomes), **words)

    def is_deepest(self, landscape, walk):
        """Tell whether a walk returned a place close to the deepest one."""
        return bool(landscape(walk.position) < landscape(landscape.minima[0]) + self.near)

    def likely_mistake(self, landscapes, walks):
        """Return the hint on a mistake that the walks show, or the general one."""
        lost = [
            np.min(landscape(walk.felt), initial=np.inf) < landscape(walk.position) - self.near
            for landscape, walk in zip(landscapes, walks, strict=True)
        ]
        if sum(lost) >= len(walks) / 2:
            return self.hint_on("lost")
        if sum(map(is_one_walk, walks)) >= len(walks) / 2:
            return self.hint_on("one_walk")
        return self.hint

    def remark(self, walks):
        """Return a sentence on how often the height was asked for, if that was very often."""
        looks = max(walk.looks for walk in walks)
        return " " + said("looks", looks=looks) if looks > 10 * self.steps else ""


def is_one_walk(walk):
    """Tell whether the places of a walk follow each other without a leap."""
    return bool((np.linalg.norm(np.diff(walk.felt, axis=0), axis=1) < 2.5).all())
