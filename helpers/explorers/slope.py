"""The explorer of one dimension: a cut through a valley, its tangent, and the step −η · slope."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from helpers import doors
from helpers.descent import descend
from helpers.explorers.controls import Dial, usual_dial
from helpers.explorers.panels import CURVE, MAP, Mark, axes
from helpers.explorers.runs import curve, path, rates_of, steps_across
from helpers.explorers.stage import DARK, View
from helpers.explorers.walkers import Rated
from helpers.explorers.words import WORDS, said, sign, table
from helpers.landscapes import ravine
from helpers.looks import INK, LOOKS, OTHER_LOOKS
from helpers.optimizers import SGD

SAY, WALK = WORDS["slope"], WORDS["walk"]
TANGENT = OTHER_LOOKS[1]


class Slope(Rated):
    """A cut through a landscape: the curve, a point on it, the tangent, and the step −η · slope.

    Parameters
    ----------
    landscape : Landscape
    along : str
        The coordinate that moves, "x" or "y".
    at : float
        The other one, which stays.
    start : float, optional
        That of the landscape by default.
    lr : float
        Learning rate η.
    steps : int
        At most 300.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as above, or the start not in the landscape's window.
    """

    def __init__(self, landscape=ravine, along="y", at=0.0, start=None, lr=0.1, steps=10):
        if along not in ("x", "y"):
            raise ValueError(f'along must be "x" or "y", got {along!r}')
        self.name, self.along, self.axis = doors.landscape(landscape).name, along, "xy".index(along)
        fixed = doors.start(landscape, (at, at))[0]
        self.cut = cut_through(landscape, self.axis, fixed)
        low, high = landscape.window[self.axis]
        start = landscape.start[self.axis] if start is None else start
        controls = [
            usual_dial("lr", lr),
            Dial("start", WORDS["dials"]["start"].format(along=along), start, low, high),
            usual_dial("steps", steps),
        ]
        super().__init__(controls, {SAY["best"]: self.best}, step=0)

    def rates(self, _, values):
        """Return the function from learning rates to last losses."""
        return rates_of(SGD, {}, self.cut, [values["start"]] * 2, values["steps"])

    def grabbed(self, values, panel, x, y):
        """Start at a point of the curve."""
        return {"start": float(f"{x:.3g}")}

    def view(self, values):
        """Return what to show."""
        lr, axis = values["lr"], self.axis
        run = descend(SGD(lr), self.cut, [values["start"]] * 2, values["steps"])
        places, losses, slopes = (
            record[: run.diverged_at]
            for record in (run.positions[:, axis], run.losses, run.gradients[:, axis])
        )
        last, moves = len(places) - 1, -lr * slopes
        panel = cut_panel(self.cut, axis)
        (low, high), (bottom, top) = panel.window
        half = (high - low) / 8 / np.hypot(1, slopes * (high - low) / (top - bottom))
        on_curve = np.stack([places, losses], -1)
        move = np.stack([places, losses, moves, np.zeros_like(moves)], -1)
        tangent = np.stack([places - half, losses - half * slopes, 2 * half, 2 * half * slopes], -1)
        end = {"loss": said(losses[-1]), "place": said(places[-1]), "along": self.along}
        if run.diverged_at is not None:
            words = SAY["diverged"].format(step=run.diverged_at)
        elif losses[-1] > losses[0]:
            words = SAY["higher"].format(steps=last, **end)
        else:
            words = SAY["ended"].format(steps=last, **end)
        look = LOOKS["SGD"]
        return View(
            panels=[panel, loss_panel(values["steps"], panel.window[1])],
            marks=[
                Mark(0, "line", points_of(self.cut, axis), {**DARK, "color": INK}),
                Mark(0, "segment", tangent, TANGENT, SAY["tangent"]),
                path(on_curve, look, SAY["walk"]),
                Mark(0, "arrow", move, DARK, SAY["step_arrow"]),
                curve(losses, look),
            ],
            words=words,
            alt=SAY["alt"].format(
                **{**values, "steps": last, "landscape": self.name, "along": self.along},
                **{"place": places[-1], "loss": losses[-1]},
            ),
            last=last,
            **table(
                [WALK["step"], self.along, SAY["slope"], SAY["move"], WALK["loss"]],
                [["", places, slopes, moves, losses]],
            ),
            key=", ".join([sign(SAY["walk"], look), SAY["tangent_key"], SAY["arrow_key"]]),
            grips={0: (values["start"], float(losses[0]))},
            pace=2.0,
        )


def cut_through(landscape, axis, fixed):
    """Return the landscape as it is where one coordinate is fixed, the same all across."""

    def on_cut(*point):
        along = np.asarray(point[axis], dtype=float)
        return (along, np.full_like(along, fixed))[:: -1 if axis else 1]

    def slope(x, y):
        slopes = landscape.slope(*on_cut(x, y))
        return [each if i == axis else np.zeros_like(x) for i, each in enumerate(slopes)]

    name = SAY["cut"].format(
        landscape=landscape.name, other="xy"[1 - axis], fixed=said(float(fixed))
    )
    return replace(
        landscape,
        name=name,
        value=lambda x, y: landscape.value(*on_cut(x, y)),
        slope=slope,
        minima=(),
    )


@lru_cache(maxsize=16)
@np.errstate(all="ignore")
def points_of(cut, axis):
    """Return the points (place, height) of a cut, shape (n, 2)."""
    along = np.linspace(*cut.window[axis], 241)
    return np.stack([along, cut.value(along, along)], -1)


@lru_cache(maxsize=16)
def cut_panel(cut, axis):
    """Return axes for a cut, with a little room below and above it."""
    heights = points_of(cut, axis)[:, 1]
    finite = heights[np.isfinite(heights)]
    low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
    room = 0.08 * (high - low or 1.0)
    window = (cut.window[axis], (low - room, high + room))
    along = "xy"[axis]
    label = SAY["map"].format(along=along)
    return axes(window, MAP, title=cut.name, xlabel=along, ylabel="f", label=label)


@lru_cache(maxsize=16)
def loss_panel(steps, heights):
    """Return axes for losses of these heights."""
    window = ((0, steps_across(steps)), heights)
    return axes(window, CURVE, steps=True, **SAY["losses"])
