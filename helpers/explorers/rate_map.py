"""The map of learning rate × momentum on a bowl, and the two roots of each axis."""

from functools import lru_cache

import numpy as np

from helpers import doors
from helpers.descent import descend
from helpers.explorers.controls import Dial
from helpers.explorers.panels import (
    HALF,
    SMALL,
    Mark,
    axes,
    map_panel,
    ring,
    shade_image,
    with_image,
)
from helpers.explorers.runs import curvatures, path
from helpers.explorers.stage import Explorer, View
from helpers.explorers.words import WORDS, said, sign, table
from helpers.landscapes import ravine
from helpers.looks import LOOKS, OTHER_LOOKS
from helpers.optimizers import Momentum

SAY = WORDS["rate_map"]
LIGHT = {"color": "#FFFFFF", "marker": "o", "linestyle": "-"}
X_LOOK, Y_LOOK = OTHER_LOOKS[1], {**OTHER_LOOKS[2], "marker": "D"}
DARKEST, LIGHTEST = 0.6, 1.05  # convergence factors at the ends of the shades


class RateMap(Explorer):
    """Learning rate × momentum: a point of the map gives a path and its convergence factor.

    Parameters
    ----------
    landscape : Landscape
        A bowl whose axes are those of the page: round_bowl or ravine.
    steps : int

    Raises
    ------
    ValueError
        If the landscape is no such bowl.
    """

    def __init__(self, landscape=ravine, steps=30):
        self.landscape = doors.landscape(landscape)
        self.number_of_steps = doors.whole_number("steps", steps)
        self.curvatures = curvatures(landscape)
        if not self.curvatures:
            raise ValueError(f"landscape must be a bowl such as ravine, got {landscape.name}")
        self.highest_rate = 4.2 / max(self.curvatures)
        controls = [
            Dial("lr", WORDS["dials"]["lr"], 0.1, 0.0, self.highest_rate),
            Dial("momentum", WORDS["dials"]["momentum"], 0.9, 0.0, 1.0),
        ]
        super().__init__(controls, self.presets())

    def presets(self):
        """Return the points that have a name."""
        low, high = sorted(self.curvatures)
        root = np.sqrt(high / low)
        best = 4 / (np.sqrt(low) + np.sqrt(high)) ** 2, ((root - 1) / (root + 1)) ** 2
        points = best, (2 / (low + high), 0.0), (3 / high, 0.5)
        return {
            name: {"lr": float(lr), "momentum": float(momentum)}
            for name, (lr, momentum) in zip(SAY["presets"], points, strict=True)
        }

    def grabbed(self, values, panel, x, y):
        """Go to a point of the map of rates."""
        return {"lr": float(f"{x:.3g}"), "momentum": float(f"{y:.3g}")}

    def view(self, values):
        """Return what to show."""
        lr, momentum = values["lr"], values["momentum"]
        run = descend(Momentum(lr, momentum), self.landscape, None, self.number_of_steps)
        roots = [roots_of(lr, momentum, curvature) for curvature in self.curvatures]
        factors = [float(abs(both).max()) for both in roots]
        factor = max(factors)
        how = "shrinks" if factor < 1 - 1e-9 else "stays" if factor < 1 + 1e-9 else "grows"
        facts = {"factor": factor, "steps": run.steps}
        stretch = SAY["stretch"].format(limit=said(2 * (1 + momentum)))
        rows = [
            [SAY["curvature"], *map(said, self.curvatures)],
            [stretch, *(said(lr * curvature) for curvature in self.curvatures)],
            [SAY["roots"], *map(written, roots)],
            [SAY["factor"], *(f"{own:.4f}" for own in factors)],
        ]
        root_marks = [
            Mark(2, "point", np.array([[root.real, root.imag]]), look)
            for both, look in zip(roots, (X_LOOK, Y_LOOK), strict=True)
            for root in both
        ]
        return View(
            panels=[
                factor_panel(self.curvatures, self.highest_rate),
                map_panel(self.landscape, HALF, SAY["path"]),
                unit_circle(),
            ],
            marks=[
                Mark(0, "point", np.array([[lr, momentum]]), LIGHT),
                path(run.positions, LOOKS["Momentum"], "Momentum", panel=1),
                *root_marks,
            ],
            words=SAY[how].format(**facts, percent=100 * factor, loss=said(run.losses[-1])),
            alt=SAY["alt"].format(
                **facts, **values, landscape=self.landscape.name, loss=run.losses[-1]
            ),
            last=run.steps,
            **table(["", SAY["along_x"], SAY["along_y"]], rows),
            key=", ".join(
                [sign(SAY["along_x"], X_LOOK), sign(SAY["along_y"], Y_LOOK), SAY["shades"]]
            ),
            grips={0: (lr, momentum)},
        )


@lru_cache(maxsize=4)
def factor_panel(curvatures, highest_rate):
    """Return the still map of convergence factors, with the border of stability."""
    rates, momenta = np.linspace(0, highest_rate, 361), np.linspace(0, 1, 241)
    factors = np.max(
        [convergence_factor(rates, momenta[:, np.newaxis], curvature) for curvature in curvatures],
        axis=0,
    )
    border = np.stack([2 * (1 + momenta) / max(curvatures), momenta], -1).tolist()
    window = ((0, highest_rate), (0, 1))
    panel = axes(window, HALF, lines=[(border, "#222222")], **SAY["map"])
    return with_image(panel, shade_image(factors, DARKEST, LIGHTEST))


@lru_cache(maxsize=1)
def unit_circle():
    """Return the complex plane with its unit circle."""
    lines = [
        (ring(1), "#444444"),
        ([(-1.4, 0), (1.4, 0)], "#BBBBBB"),
        ([(0, -1.4), (0, 1.4)], "#BBBBBB"),
    ]
    return axes(((-1.4, 1.4), (-1.4, 1.4)), SMALL, 1, lines=lines, **SAY["circle"])


def roots_of(lr, momentum, curvature):
    """Return the two eigenvalues of one step of Momentum on a parabola, on a last axis.

    The step maps (θ, v) by a matrix of trace 1 + α - ηλ and determinant α (Polyak, 1964).
    """
    trace = np.asarray(1 + momentum - lr * curvature)
    root = np.sqrt((trace**2 - 4 * np.asarray(momentum)).astype(complex))
    return np.stack([trace + root, trace - root], -1) / 2


def convergence_factor(lr, momentum, curvature):
    """Return the spectral radius of one step of Momentum on a parabola."""
    return np.abs(roots_of(lr, momentum, curvature)).max(-1)


def written(roots):
    """Write two roots that are real or conjugate."""
    first, second = roots
    if abs(first.imag) < 1e-6:  # a double root is known to the root of the rounding error
        return f"{said(float(first.real), 3)}, {said(float(second.real), 3)}"
    return f"{said(float(first.real), 3)}\u00a0±\u00a0{said(float(abs(first.imag)), 3)}i"
