"""The blindfold game: a walk on hidden mountains, and how it is scored."""

import io
from functools import lru_cache
from typing import ClassVar

import numpy as np
from PIL import Image

from helpers import doors
from helpers.descent import descend, sweep
from helpers.explorers.controls import RATE, Dial, Menu
from helpers.explorers.panels import (
    CURVE,
    MAP,
    Mark,
    axes,
    kinds_image,
    map_panel,
    places_of,
    ring,
    with_image,
)
from helpers.explorers.runs import curve, lowest_and_highest, path, rates_of, signs, steady_rate
from helpers.explorers.stage import DARK, Explorer, View
from helpers.explorers.words import WORDS, said, sign, table
from helpers.landscapes import mountain_range, mountains, plateau, saddle
from helpers.looks import LOOKS, OTHER_LOOKS
from helpers.optimizers import SGD

SAY = WORDS["game"]
BROWN = {"color": "#8C6D46", "marker": "o", "linestyle": "-"}
RIVAL = OTHER_LOOKS[5]
VALLEYS = ["#BFD3DE", "#E5CFA8", "#C9DCC0", "#DCC7DA", "#EFE3B8", "#D0D0D0"]


class BlindfoldGame(Explorer):
    """A walk on a hidden map: only the height and the slope underfoot are felt.

    Parameters
    ----------
    seed : int
        Of the mountains and of the start, from 0 to 9999.
    steps : int
        How many may be walked.

    Raises
    ------
    TypeError, ValueError
        If the seed or the steps are not whole numbers in their range.
    """

    usual_actions: ClassVar = ()
    ranges: ClassVar = dict(zip(SAY["ranges"], (None, mountains, saddle, plateau), strict=True))
    plain_rate: ClassVar[float] = 0.3
    rates: ClassVar = Dial("lr", "", 0.1, **RATE)

    def __init__(self, seed=1, steps=20):
        self.budget = doors.whole_number("steps", steps)
        self.scores = []
        controls = [
            Menu("kind", SAY["kind"], SAY["ranges"][0], tuple(self.ranges)),
            Dial("seed", SAY["seed"], seed, 0, 9999, step=1, slider=False),
            Dial("direction", SAY["direction"], 90, 0, 359, step=1),
            Dial("length", SAY["length"], 1.0, 0.0, 2.0),
        ]
        actions = dict(
            zip(SAY["actions"], (self.walk, self.lift, self.again, self.elsewhere), strict=True)
        )
        start = self.start_of({"kind": SAY["ranges"][0], "seed": seed})
        super().__init__(controls, actions, walked=(start,), lifted=False)

    # ---- where one is --------------------------------------------------------------------------

    def landscape_of(self, values):
        """Return the chosen mountains."""
        return self.ranges[values["kind"]] or random_range(values["seed"])

    def start_of(self, values):
        """Return the start on the chosen mountains."""
        landscape = self.landscape_of(values)
        if self.ranges[values["kind"]] is None:
            return landscape.start
        low, high = np.transpose(landscape.window)
        rng = np.random.default_rng(values["seed"])
        return tuple(rng.uniform(0.8 * low + 0.2 * high, 0.2 * low + 0.8 * high).tolist())

    def reach_of(self, values):
        """Return the length of the longest step."""
        (x0, x1), _ = self.landscape_of(values).window
        return (x1 - x0) / 8

    def follow(self, values, changed):
        """Set out anew on mountains that are chosen; keep the step in reach."""
        if {"kind", "seed"} & changed.keys():
            values |= {"walked": (self.start_of(values),), "lifted": False}
        values["length"] = min(values["length"], self.reach_of(values))
        return values

    def steps_left(self, values):
        """Return how many steps may still be walked."""
        return 0 if values["lifted"] else self.budget + 1 - len(values["walked"])

    def aim(self, values):
        """Return the chosen step (dx, dy); 0° is north, 90° east."""
        angle = np.deg2rad(values["direction"])
        return values["length"] * np.array([np.sin(angle), np.cos(angle)])

    # ---- what is done --------------------------------------------------------------------------

    def grabbed(self, values, panel, x, y):
        """Aim at a point of the compass."""
        length = min(np.hypot(x, y), self.reach_of(values))
        return {"length": float(f"{length:.3g}"), "direction": bearing(x, y)}

    def walk(self, values):
        """Walk the chosen step; the edge of the map holds."""
        if not self.steps_left(values):
            return {}
        low, high = np.transpose(self.landscape_of(values).window)
        new = np.clip(np.add(values["walked"][-1], self.aim(values)), low, high)
        walked = (*values["walked"], tuple(new.tolist()))
        self.step = self.shown.last  # whoever has gone back sees the new step
        return {"walked": walked}

    def lift(self, values):
        """Show the map; the game is over."""
        if values["lifted"]:
            return {}
        landscape, walked = self.landscape_of(values), np.array(values["walked"])
        self.scores = [*self.scores, score_of(landscape, landscape(walked))]
        self.step = self.shown.last
        return {"lifted": True}

    def again(self, values):
        """Start again on the same mountains."""
        return {"walked": values["walked"][:1], "lifted": False}

    def elsewhere(self, values):
        """Start again on other mountains."""
        return {"seed": (values["seed"] + 1) % 10_000}

    # ---- what is shown -------------------------------------------------------------------------

    def view(self, values):
        """Return what to show."""
        landscape, positions = self.landscape_of(values), np.array(values["walked"])
        heights, gradients = landscape(positions), landscape.gradient(positions)
        slopes = np.linalg.norm(gradients, axis=-1)
        walked, left = len(positions) - 1, self.steps_left(values)
        uphill = [f"{bearing(*gradient)}°" for gradient in gradients]
        row = ["{k}", heights, slopes, uphill, self.budget - np.arange(walked + 1)]
        here = SAY["here"].format(
            height=said(heights[-1]), slope=said(slopes[-1]), uphill=uphill[-1]
        )
        walk, lift, *_ = SAY["actions"]
        shared = {
            "last": walked,
            **table(SAY["columns"], [row]),
            "pace": 4.0,
            "off": tuple(name for name, off in ((walk, not left), (lift, values["lifted"])) if off),
        }
        heights_panel = height_panel(landscape, self.budget)
        if values["lifted"]:
            return self.revealed(landscape, positions, heights_panel, shared)
        words = SAY["walking" if left else "no_steps_left"]
        reach = self.reach_of(values)
        return View(
            panels=[compass(reach), heights_panel],
            marks=[curve(heights, DARK), *self.arrows(gradients, reach, self.aim(values))],
            words=words.format(step=walked, budget=self.budget, here=here),
            alt=SAY["alt"].format(here=here, left=left).replace("−", "-"),
            grips={0: self.aim(values)},
            **shared,
        )

    def arrows(self, gradients, reach, aim):
        """Return the arrow up the slope at each place, and that of the next step."""
        steepness = np.linalg.norm(gradients, axis=-1, keepdims=True)
        up = gradients * reach * np.tanh(steepness) / np.maximum(steepness, 1e-12)
        return [
            Mark(0, "arrow", np.hstack([np.zeros_like(up), up]), BROWN, SAY["up"]),
            Mark(0, "arrow", np.array([[0, 0, *aim]]), DARK, SAY["next_step"]),
        ]

    def revealed(self, landscape, positions, heights_panel, shared):
        """Return what to show when the blindfold is lifted: the map, and two rivals."""
        walked = len(positions) - 1
        rates = self.rates.stops
        rate = steady_rate(rates_of(SGD, {}, landscape, positions[0], walked), rates)
        plain, tuned = (
            descend(SGD(lr), landscape, positions[0], walked) for lr in (self.plain_rate, rate)
        )
        walks = {
            "plain": (plain.positions, LOOKS["SGD"], SAY["plain"].format(rate=self.plain_rate)),
            "tuned": (tuned.positions, RIVAL, SAY["tuned"].format(rate=rate)),
            "score": (positions, DARK, SAY["you"]),
        }
        facts, marks = {"steps": walked}, []
        for name, (walk, look, label) in walks.items():
            heights = landscape(walk)
            facts[name] = score_of(landscape, heights)
            marks += [path(walk, look, label), curve(heights, look)]
        names = [sign(label, look) for _, look, label in walks.values()]
        words = SAY["lifted"].format(**facts, rate=self.plain_rate, tuned_rate=rate)
        if len(self.scores) > 1:
            scores = ", ".join(f"{score}\u00a0%" for score in self.scores)
            words += " " + SAY["scores"].format(scores=scores)
        return View(
            panels=[valley_panel(landscape), heights_panel],
            marks=marks,
            words=words,
            alt=SAY["alt_lifted"].format(**facts),
            key=", ".join([*names, SAY["valleys"], signs(landscape)]),
            **shared,
        )


@lru_cache(maxsize=8)
def random_range(seed):
    """Return the mountains of a seed."""
    return mountain_range(np.random.default_rng(seed))


@lru_cache(maxsize=8)
def compass(reach):
    """Return rings of distance around a place, as far as a step reaches, and the directions."""
    edge = 1.25 * reach
    lines = [(ring(radius), "#BBBBBB") for radius in np.linspace(reach / 4, reach, 4)]
    notes = [
        (1.12 * reach * x, 1.12 * reach * y, name)
        for name, x, y in (("N", 0, 1), ("E", 1, 0), ("S", 0, -1), ("W", -1, 0))
    ]
    look = {"xticks": [], "yticks": [], **SAY["compass"]}
    return axes(((-edge, edge), (-edge, edge)), MAP, 1, lines=lines, notes=notes, **look)


@lru_cache(maxsize=8)
def height_panel(landscape, budget):
    """Return axes for heights, which tell nothing of the map but its scale."""
    lowest, highest = lowest_and_highest(landscape)
    margin = 0.3 * (highest - lowest)
    window = ((0, max(budget, 1)), (lowest - margin, highest + margin))
    return axes(window, CURVE, steps=True, **SAY["heights"])


@lru_cache(maxsize=8)
def valley_panel(landscape):
    """Return the map with each place in the color of the valley that it drains into."""
    panel = map_panel(landscape, label=SAY["map"])
    starts = places_of(landscape, 61, 41)
    ends = sweep(SGD, landscape, starts, 150, lr=[0.2]).positions[..., 0, :]
    to_each = np.linalg.norm(ends[..., np.newaxis, :] - np.array(landscape.minima), axis=-1)
    image = kinds_image(np.argmin(to_each, axis=-1) % len(VALLEYS), VALLEYS, panel)
    with_lines = Image.open(io.BytesIO(panel.image)).convert("L").resize(image.size)
    lines = with_lines.point(lambda gray: 255 * (gray < 150))
    image.paste((140, 140, 140), mask=lines)
    return with_image(panel, image)


def bearing(x, y):
    """Return the direction of a vector in degrees from north, clockwise."""
    return round(np.rad2deg(np.arctan2(x, y))) % 360


def score_of(landscape, heights):
    """Return how much of the way from the first height to the deepest place was gone, in %."""
    deepest, _ = lowest_and_highest(landscape)
    return round(100 * max(0.0, heights[0] - heights[-1]) / max(heights[0] - deepest, 1e-12))
