"""The explorer of one dimension: a cut through a valley, its tangent, and the step −η · slope."""

from functools import lru_cache
from typing import ClassVar

import numpy as np

from helpers import doors
from helpers.explorers.controls import Dial, usual_dial
from helpers.explorers.panels import CURVE, MAP, Mark, axes
from helpers.explorers.runs import best_rate, chart, curve, path
from helpers.explorers.stage import DARK, Explorer, View
from helpers.explorers.words import WORDS, said, sign, table
from helpers.landscapes import ravine
from helpers.looks import INK, LOOKS, OTHER_LOOKS
from helpers.optimizers import SGD

SAY, WALK = WORDS["slope"], WORDS["walk"]
TANGENT = OTHER_LOOKS[1]


class Slope(Explorer):
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

    charted: ClassVar = ("lr",)

    def __init__(self, landscape=ravine, along="y", at=0.0, start=None, lr=0.1, steps=10):
        if along not in ("x", "y"):
            raise ValueError(f'along must be "x" or "y", got {along!r}')
        self.landscape, self.along = doors.landscape(landscape), along
        self.axis = "xy".index(along)
        self.fixed = doors.start(landscape, (at, at))[0]
        low, high = landscape.window[self.axis]
        start = landscape.start[self.axis] if start is None else start
        controls = [
            usual_dial("lr", lr),
            Dial("start", WORDS["dials"]["start"].format(along=along), start, low, high),
            usual_dial("steps", steps),
        ]
        super().__init__(controls, {SAY["best"]: self.best}, step=0)

    def points(self, values):
        """Return the points (x, y) of the landscape at values of the coordinate that moves."""
        values = np.asarray(values, dtype=float)
        points = np.full((*values.shape, 2), self.fixed)
        points[..., self.axis] = values
        return points

    def slope(self, values):
        """Return the slope along the cut."""
        return self.landscape.gradient(self.points(values))[..., self.axis]

    @np.errstate(all="ignore")
    def walk(self, lr, start, steps):
        """Return the coordinate after each step, shape (steps + 1, ...) for many rates at once."""
        params, optimizer = {"θ": np.full(np.shape(lr), start)}, SGD(lr)
        places = [params["θ"].copy()]
        for _ in range(steps):
            optimizer.update(params, {"θ": self.slope(params["θ"])})
            places.append(params["θ"].copy())
        return np.array(places)

    def last_losses(self, values):
        """Return the function from learning rates to the losses after the last step."""

        def losses_at(rates):
            with np.errstate(all="ignore"):
                ends = self.walk(np.array(rates), values["start"], values["steps"])[-1]
                losses = self.landscape(self.points(ends))
            return np.where(np.isfinite(losses), losses, np.inf)

        return losses_at

    def best(self, values):
        """Return the learning rate with the lowest last loss."""
        return {"lr": best_rate(self.last_losses(values), self.parts["lr"].stops)}

    def charts_of(self, values):
        """Return the last loss against the learning rate."""
        stops = np.array(self.parts["lr"].stops)
        losses = self.last_losses(values)(stops)
        best = float(stops[np.argmin(losses)])
        return {
            "lr": chart(self.parts["lr"], losses, {SAY["lowest"].format(rate=said(best, 3)): best})
        }

    def grabbed(self, values, panel, x, y):
        """Start at a point of the curve."""
        return {"start": float(f"{x:.3g}")}

    def view(self, values):
        """Return what to show."""
        lr, steps = values["lr"], values["steps"]
        with np.errstate(all="ignore"):
            places = self.walk(np.array(lr), values["start"], steps)
            losses = self.landscape(self.points(places))
        finite = np.isfinite(places) & np.isfinite(losses)
        diverged = None if finite.all() else int(finite.argmin())
        if diverged is not None:
            places, losses = places[:diverged], losses[:diverged]
        last = len(places) - 1
        slopes = self.slope(places)
        moves = -lr * slopes
        (low, high) = self.landscape.window[self.axis]
        half = (high - low) / 8 / np.hypot(1, slopes / self.steepness())
        on_curve = np.stack([places, losses], -1)
        flat = np.zeros_like(moves)
        tangent = np.stack([places - half, losses - half * slopes, 2 * half, 2 * half * slopes], -1)
        end = {"loss": said(losses[-1]), "place": said(places[-1]), "along": self.along}
        if diverged is not None:
            words = SAY["diverged"].format(step=diverged)
        elif losses[-1] > losses[0]:
            words = SAY["higher"].format(steps=last, **end)
        else:
            words = SAY["ended"].format(steps=last, **end)
        look = LOOKS["SGD"]
        return View(
            panels=[cut_panel(self.landscape, self.axis, self.fixed), self.loss_panel(steps)],
            marks=[
                Mark(0, "line", self.curve(), {**DARK, "color": INK}),
                Mark(0, "segment", tangent, TANGENT, SAY["tangent"]),
                path(on_curve, look, SAY["walk"]),
                Mark(
                    0, "arrow", np.stack([places, losses, moves, flat], -1), DARK, SAY["step_arrow"]
                ),
                curve(losses, look),
            ],
            words=words,
            alt=SAY["alt"].format(
                landscape=self.landscape.name,
                along=self.along,
                start=values["start"],
                lr=lr,
                steps=last,
                place=places[-1],
                loss=losses[-1],
            ),
            last=last,
            **table(
                [WALK["step"], self.along, SAY["slope"], SAY["move"], WALK["loss"]],
                [["", places, slopes, moves, losses]],
            ),
            key=", ".join([sign(SAY["walk"], look), SAY["tangent_key"], SAY["arrow_key"]]),
            grips={0: (values["start"], float(losses[0]))},
            labels={0: SAY["map"].format(along=self.along)},
            pace=2.0,
        )

    def curve(self):
        """Return the points of the cut, shape (n, 2)."""
        values = np.linspace(*self.landscape.window[self.axis], 241)
        return np.stack([values, self.landscape(self.points(values))], -1)

    def steepness(self):
        """Return how steep a line of 45 degrees on the panel is."""
        (x0, x1), (y0, y1) = cut_panel(self.landscape, self.axis, self.fixed).window
        return (y1 - y0) / (x1 - x0)

    def loss_panel(self, steps):
        """Return axes for the loss after each step."""
        across = next((n for n in (10, 30, 100) if n >= steps), 300)
        _, heights = cut_panel(self.landscape, self.axis, self.fixed).window
        return loss_axes(across, heights)


@lru_cache(maxsize=16)
def loss_axes(across, heights):
    """Return axes for losses of these heights."""
    return axes(((0, across), heights), CURVE, title=SAY["loss"], xlabel=SAY["step"], steps=True)


@lru_cache(maxsize=16)
def cut_panel(landscape, axis, fixed):
    """Return axes for the cut, with a little room below it."""
    values = np.linspace(*landscape.window[axis], 241)
    points = np.full((241, 2), fixed)
    points[:, axis] = values
    heights = landscape(points)
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    room = 0.08 * (high - low or 1.0)
    names = "xy"
    title = SAY["cut"].format(
        landscape=landscape.name, other=names[1 - axis], fixed=said(float(fixed))
    )
    window = (landscape.window[axis], (low - room, high + room))
    return axes(window, MAP, title=title, xlabel=names[axis], ylabel="f")
