"""The map of learning rate × momentum on a bowl, and the exact rate of each of its points."""

from functools import partial

import ipywidgets as widgets
import numpy as np

from helpers import doors
from helpers.descent import descend, sweep
from helpers.explorers import panels
from helpers.explorers.controls import WRAP, Dial, buttons
from helpers.explorers.panels import Mark
from helpers.explorers.runs import path
from helpers.explorers.stage import HALF, Explorer, View, told
from helpers.explorers.words import said, table
from helpers.figures import LOOKS
from helpers.landscapes import ravine
from helpers.optimizers import Momentum

LIGHT = {"color": "#FFFFFF", "marker": "o", "linestyle": "-"}


class RateMap(Explorer):
    """Learning rate × momentum: a point of the map gives a path and its exact rate.

    Parameters
    ----------
    landscape : Landscape
        A bowl whose axes are those of the page: round_bowl or ravine.
    steps : int
    """

    def __init__(self, landscape=ravine, steps=30):
        super().__init__()
        self.landscape, self.number_of_steps = landscape, doors.whole_number("steps", steps)
        self.curvatures = curvatures(landscape)
        self.highest_rate = 4.2 / max(self.curvatures)
        self.lr = Dial("learning rate η", 0.1, 0.0, self.highest_rate)
        self.momentum = Dial("momentum α", 0.9, 0.0, 1.0)
        self.still = self.draw_map()
        controls = widgets.Box([self.lr, self.momentum], layout=WRAP)
        presets = {name: partial(self.choose, point) for name, point in self.presets().items()}
        self.assemble([controls, buttons(presets)], [self.lr, self.momentum])

    def presets(self):
        """Return the points that have a name."""
        low, high = sorted(self.curvatures)
        root = np.sqrt(high / low)
        best = 4 / (np.sqrt(low) + np.sqrt(high)) ** 2, ((root - 1) / (root + 1)) ** 2
        return {
            "Best point": best,
            "Best without momentum": (2 / (low + high), 0.0),
            "On the border": (3 / high, 0.5),
            "Reset": (0.1, 0.9),
        }

    @told
    def choose(self, point, _button=None):
        """Go to a point (learning rate, momentum)."""
        with self.together():
            # At the best point two roots meet, and the rate feels the sixth digit.
            self.lr.value, self.momentum.value = (float(f"{value:.7g}") for value in point)

    def grab(self, _panel, lr, momentum):
        """Go to a point of the map of rates."""
        self.lr.value, self.momentum.value = float(f"{lr:.3g}"), float(f"{momentum:.3g}")

    def draw_map(self):
        """Return the still layer: the last loss of the sweep and the border of stability."""
        rates, momenta = np.linspace(0, self.highest_rate, 169), np.linspace(0, 1, 121)
        swept = sweep(
            Momentum, self.landscape, steps=self.number_of_steps, lr=rates, momentum=momenta
        )
        with np.errstate(divide="ignore"):
            values = np.log10(swept.losses.T)
        border = 2 * (1 + momenta) / max(self.curvatures), momenta
        return panels.shade_panel(
            np.clip(values, -10, 2),
            rates,
            momenta,
            "learning rate η",
            "momentum α",
            f"log₁₀ loss after {self.number_of_steps} steps",
            (*border, "line: η λ = 2(1 + α)"),
            size=HALF,
        )

    def view(self):
        """Return what to show."""
        lr, momentum = self.lr.value, self.momentum.value
        run = descend(Momentum(lr, momentum), self.landscape, steps=self.number_of_steps)
        rates = [contraction(lr, momentum, curvature) for curvature in self.curvatures]
        rate = max(rates)
        end = said(run.losses[-1])
        verdict = (
            f"each step shrinks the distance to {100 * rate:.3g} % in the long run"
            if rate < 1 - 1e-9
            else "the distance neither shrinks nor grows in the long run"
            if rate < 1 + 1e-9
            else f"each step stretches the distance to {100 * rate:.4g} %: it diverges"
        )
        settings = f"learning rate {lr:.3g}, momentum {momentum:.3g}"
        x_rate, y_rate = rates
        return View(
            panels=[self.still, panels.map_panel(self.landscape, HALF)],
            marks=[
                Mark(0, "point", np.array([[lr, momentum]]), LIGHT),
                path(run, LOOKS["Momentum"], "Momentum", panel=1),
            ],
            words=f"Exact rate {rate:.4f}: {verdict}. Loss after {run.steps} steps: {end}.",
            alt=(
                f"Rate map of Momentum on the {self.landscape.name}; {settings}: "
                f"exact rate {rate:.3f}, loss {run.losses[-1]:.2g} after {run.steps} steps."
            ),
            last=run.steps,
            template=table(
                ["", "along x", "along y"],
                [
                    ["curvature λ", "{curvature_x}", "{curvature_y}"],
                    ["η λ, stable below 2 (1 + α) = {limit}", "{stretch_x}", "{stretch_y}"],
                    ["exact rate (largest |eigenvalue|)", "{rate_x}", "{rate_y}"],
                ],
            ),
            numbers={
                "curvature_x": [said(self.curvatures[0])],
                "curvature_y": [said(self.curvatures[1])],
                "limit": [said(2 * (1 + momentum))],
                "stretch_x": [said(lr * self.curvatures[0])],
                "stretch_y": [said(lr * self.curvatures[1])],
                "rate_x": [f"{x_rate:.4f}"],
                "rate_y": [f"{y_rate:.4f}"],
            },
            grips={0: (lr, momentum)},
            labels={
                0: "map of learning rate and momentum; the arrow keys move the point",
                1: f"path on the {self.landscape.name}",
            },
        )


def curvatures(landscape):
    """Return the curvatures of a bowl along x and y.

    Raises
    ------
    ValueError
        If the landscape is not a quadratic bowl around (0, 0) whose axes are x and y.
    """
    x, y = np.array([1.0, 2.0, -3.0]), np.array([1.0, -1.0, 2.0])
    along_x, along_y = landscape.slope(x, y)
    if not (np.ptp(along_x / x) < 1e-12 and np.ptp(along_y / y) < 1e-12):
        raise ValueError(f"landscape must be a bowl such as ravine, got {landscape.name}")
    return float(along_x[0]), float(along_y[0])


def contraction(lr, momentum, curvature):
    """Return the spectral radius of one step of Momentum on a parabola.

    The step maps (θ, v) by a matrix of trace 1 + α - ηλ and determinant α (Polyak, 1964).
    """
    trace = 1 + momentum - lr * curvature
    root = np.sqrt(complex(trace**2 - 4 * momentum))
    return float(max(abs(trace + root), abs(trace - root)) / 2)
