"""The blindfold game: a walk on hidden mountains, and how it is scored."""

from typing import ClassVar

import ipywidgets as widgets
import numpy as np

from helpers import doors
from helpers.descent import descend
from helpers.explorers import panels
from helpers.explorers.controls import CELL, NAME, SHORT_NAME, WRAP, Dial, checked
from helpers.explorers.panels import Mark
from helpers.explorers.runs import lowest_and_highest
from helpers.explorers.stage import CURVE, DARK, MAP, Explorer, View, told
from helpers.explorers.words import said, table
from helpers.figures import LOOKS
from helpers.landscapes import mountain_range, mountains, plateau, saddle
from helpers.optimizers import SGD

SMALL_CELL = {"width": "190px", "margin": "2px 12px 2px 2px"}
BROWN = {"color": "#8C6D46", "marker": "o", "linestyle": "-"}


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
    ValueError
        If the seed is out of range.
    """

    ranges: ClassVar = {
        "a new range for each seed": None,
        "four valleys": mountains,
        "saddle": saddle,
        "plateau": plateau,
    }
    plain_rate: ClassVar[float] = 0.3

    def __init__(self, seed=1, steps=20):
        super().__init__()
        self.budget = doors.whole_number("steps", steps)
        self.kind = widgets.Dropdown(
            options=list(self.ranges), description="mountains", style=NAME, layout=CELL
        )
        self.seed = widgets.BoundedIntText(
            checked("seed", seed, 0, 9999),
            min=0,
            max=9999,
            description="seed",
            style=SHORT_NAME,
            layout=SMALL_CELL,
        )
        self.direction = Dial("direction °", 0, 0, 359)
        self.length = Dial("length", 1.0, 0.0, 1.0)
        self.walk_button = widgets.Button(description="Walk", button_style="primary")
        self.lift_button = widgets.Button(description="Lift the blindfold")
        again = widgets.Button(description="Start again")
        self.set_out()
        self.assemble(
            [
                widgets.Box([self.kind, self.seed, self.direction, self.length], layout=WRAP),
                widgets.Box([self.walk_button, self.lift_button, again], layout=WRAP),
            ],
            [self.direction, self.length],
        )
        self.walk_button.on_click(self.walk)
        self.lift_button.on_click(self.lift)
        again.on_click(self.begin)
        self.kind.observe(self.begin, "value")
        self.seed.observe(self.begin, "value")
        self.stage.on_msg(self.walk)

    def set_out(self):
        """Stand at the start of the chosen mountains, blindfolded."""
        rng = np.random.default_rng(self.seed.value)
        known = self.ranges[self.kind.value]
        self.landscape = known or mountain_range(rng)
        low, high = np.transpose(self.landscape.window)
        anywhere = rng.uniform(0.8 * low + 0.2 * high, 0.2 * low + 0.8 * high)
        self.positions = [anywhere if known else np.array(self.landscape.start)]
        self.reach = (high[0] - low[0]) / 8
        self.lifted = False
        self.length.slider.max = self.length.box.max = float(self.reach)

    @told
    def begin(self, _change=None):
        """Start again, on the chosen mountains."""
        self.set_out()
        self.refresh()

    @property
    def steps_left(self):
        """How many steps may still be walked."""
        return 0 if self.lifted else self.budget + 1 - len(self.positions)

    @property
    def aim(self):
        """The chosen step (dx, dy)."""
        angle = np.deg2rad(self.direction.value)
        return self.length.value * np.array([np.cos(angle), np.sin(angle)])

    def grab(self, _panel, x, y):
        """Aim at a point of the compass."""
        self.length.value = float(f"{min(np.hypot(x, y), self.reach):.3g}")
        self.direction.value = round(np.rad2deg(np.arctan2(y, x))) % 360

    @told
    def walk(self, *_):
        """Walk the chosen step; the edge of the map holds."""
        if self.steps_left:
            low, high = np.transpose(self.landscape.window)
            self.positions.append(np.clip(self.positions[-1] + self.aim, low, high))
            self.look_at_the_last_step()

    @told
    def lift(self, _button=None):
        """Show the map; the game is over."""
        self.lifted = True
        self.look_at_the_last_step()

    def look_at_the_last_step(self):
        """Show the present state, also to a reader who has gone back."""
        self.refresh()
        self.stage.step = self._shown.last

    def view(self):
        """Return what to show."""
        positions = np.array(self.positions)
        heights = self.landscape(positions)
        slopes = np.linalg.norm(self.landscape.gradient(positions), axis=-1)
        walked = len(positions) - 1
        self.walk_button.disabled, self.lift_button.disabled = not self.steps_left, self.lifted
        lowest, highest = lowest_and_highest(self.landscape)
        margin = 0.3 * (highest - lowest)
        curve = panels.curve_panel(
            (0, self.budget), (lowest - margin, highest + margin), "step", "height", "linear", CURVE
        )
        k = np.arange(walked + 1.0)
        shared = {
            "last": walked,
            "numbers": {
                "k": k,
                "height": heights,
                "slope": slopes,
                "left": self.budget - k,
            },
            "template": table(
                ["after step", "height here", "slope here", "steps left"],
                [["{k}", "{height}", "{slope}", "{left}"]],
            ),
            "pace": 4.0,
        }
        mine = Mark(1, "curve", np.stack([k, heights], 1), DARK, "you")
        here = f"height {said(heights[-1])}, slope {said(slopes[-1])}"
        if self.lifted:
            return self.revealed(positions, heights, curve, mine, shared)
        return View(
            panels=[panels.compass_panel(self.reach, MAP), curve],
            marks=[mine, *self.arrows(positions)],
            words=(
                f"Step {walked} of {self.budget}: {here}. "
                "Brown points up the slope, dark is your next step."
                if self.steps_left
                else f"No steps left: {here}. Lift the blindfold."
            ),
            alt=(
                f"Blindfold game: the map is hidden; {here}, {self.steps_left} steps left."
            ).replace("−", "-"),
            grips={0: self.aim},
            labels={0: "compass; the arrow keys aim the next step, Enter walks it"},
            **shared,
        )

    def arrows(self, positions):
        """Return the arrow up the slope at each place, and that of the next step."""
        gradients = self.landscape.gradient(positions)
        steepness = np.linalg.norm(gradients, axis=-1, keepdims=True)
        up = gradients * self.reach * np.tanh(steepness) / np.maximum(steepness, 1e-12)
        still = np.zeros_like(up)
        return [
            Mark(0, "arrow", np.hstack([still, up]), BROWN, "up the slope"),
            Mark(0, "arrow", np.array([[0, 0, *self.aim]]), DARK, "your next step"),
        ]

    def revealed(self, positions, heights, curve, mine, shared):
        """Return what to show when the blindfold is lifted."""
        walked = len(positions) - 1
        plain = descend(SGD(self.plain_rate), self.landscape, positions[0], walked)
        score, plain_score = (
            score_of(self.landscape, heights[0], end) for end in (heights[-1], plain.losses[-1])
        )
        return View(
            panels=[panels.map_panel(self.landscape, MAP), curve],
            marks=[
                Mark(0, "path", plain.positions, LOOKS["SGD"], "gradient descent"),
                Mark(1, "curve", np.stack([shared["numbers"]["k"], plain.losses], 1), LOOKS["SGD"]),
                Mark(0, "path", positions, DARK, "you"),
                mine,
            ],
            words=(
                f"You went {score} % of the way down to the deepest valley in {walked} steps. "
                f"Plain gradient descent with η {self.plain_rate}: {plain_score} %."
            ),
            alt=(
                f"Blindfold game, lifted after {walked} steps: you {score} % of the way down, "
                f"plain gradient descent {plain_score} %."
            ),
            labels={0: "map with your path and that of gradient descent"},
            **shared,
        )


def score_of(landscape, start, end):
    """Return how much of the way from the start's height to the deepest place was gone, in %."""
    deepest, _ = lowest_and_highest(landscape)
    return round(100 * max(0.0, start - end) / max(start - deepest, 1e-12))
