"""The explorer of one descent: the optimizer's numbers are moved, path and loss follow."""

from functools import partial

import ipywidgets as widgets
import numpy as np

from helpers.descent import descend, sweep
from helpers.explorers import panels
from helpers.explorers.controls import RATES, WRAP, Dial, buttons
from helpers.explorers.runs import ending, look_of, loss_curve, loss_panel, outcome, path
from helpers.explorers.stage import MAP, View, told
from helpers.explorers.walkers import Walker
from helpers.explorers.words import table
from helpers.landscapes import plateau, ravine
from helpers.optimizers import SGD

PRESETS = {
    "SGD": {
        "zigzag, η 0.95": {"lr": 0.95},
        "bounces forever, η 1": {"lr": 1.0},
        "diverges, η 1.1": {"lr": 1.1, "steps": 100},
    },
    "Momentum": {
        "textbook, α 0.9": {"lr": 0.1, "momentum": 0.9},
        "best, α 0.403": {"lr": 1.336, "momentum": 0.403},
        "no friction, α 1": {"lr": 0.1, "momentum": 1.0, "steps": 100},
    },
    "AdaGrad": {
        "textbook, η 1.5": {"lr": 1.5},
        "stuck on the plateau": {"lr": 1.5, "landscape": plateau, "steps": 300},
    },
    "Adam": {
        "textbook, η 0.3": {"lr": 0.3},
        "default, η 0.001": {"lr": 0.001, "steps": 300},
        "without memory": {"lr": 0.3, "beta1": 0.0, "beta2": 0.0},
    },
}


def noisy(rule, sigma):
    """Return the rule with Gaussian noise, the same at every call, added to each gradient."""
    rng = np.random.default_rng(0)

    class Noisy(rule):
        def update(self, params, grads):
            noise = {key: sigma * rng.normal(size=grad.shape) for key, grad in grads.items()}
            super().update(params, {key: grad + noise[key] for key, grad in grads.items()})

    return Noisy


class Descent(Walker):
    """One optimizer on a landscape: its path, its loss and its state at a chosen step.

    Parameters are those of `Walker`.

    Examples
    --------
    >>> Descent(SGD, ravine, lr=1.0)
    Explorer: SGD (lr 1) on the ravine from (-7, 2), 30 steps: ends at (-0.297, 2), loss 4.
    """

    def __init__(self, rule=SGD, landscape=ravine, start=None, steps=30, **numbers):
        super().__init__(rule, landscape, start, steps, **numbers)
        self.noise = Dial("noise σ", 0.0, 0.0, 3.0)
        presets = {
            label: partial(self.preset, settings)
            for label, settings in PRESETS.get(self.name, {}).items()
        }
        if "lr" in self.dials:
            presets["Best rate here"] = self.best_rate
        dials = [*self.dials.values(), self.steps, self.noise]
        controls = widgets.Box([*self.ground.controls, *dials], layout=WRAP)
        self.assemble([controls, buttons({**presets, "Reset": self.reset})], dials)

    @told
    def preset(self, settings, _button=None):
        """Choose a preset; what it does not name is as in the textbook."""
        settings = {"landscape": ravine, "steps": 30, **settings}
        landscape, steps = settings.pop("landscape"), settings.pop("steps")
        with self.together():
            self.noise.value = 0.0
            self.choose(landscape, landscape.start, steps, settings)

    @told
    def best_rate(self, _button=None):
        """Choose the learning rate with the lowest last loss, the other numbers as they are."""
        others = {name: value for name, value in self.settings.items() if name != "lr"}
        here = self.ground.landscape, self.ground.start, self.steps.value
        rates = sweep(partial(self.rule, **others), *here, lr=RATES)
        self.dials["lr"].value = float(f"{rates.best['lr']:.4g}")

    @told
    def reset(self, _button=None):
        """Return to how it began."""
        with self.together():
            self.noise.value = 0.0
            super().reset()

    def view(self):
        """Return what to show."""
        landscape, steps = self.ground.landscape, self.steps.value
        rule = noisy(self.rule, self.noise.value) if self.noise.value else self.rule
        run = descend(rule(**self.settings), landscape, self.ground.start, steps)
        look = look_of(self.rule)
        quantities = {"θ": run.positions, "gradient g": run.gradients, **self.memory(run)}
        numbers = {"k": np.arange(run.steps + 1.0), "f": run.losses}
        for i, values in enumerate(quantities.values()):
            numbers |= {f"x{i}": values[:, 0], f"y{i}": values[:, 1]}
        rows = [[axis, *(f"{{{axis}{i}}}" for i in range(len(quantities)))] for axis in "xy"]
        noise = f", noise {self.noise.value:.3g}" if self.noise.value else ""
        return View(
            panels=[panels.map_panel(landscape, MAP), loss_panel(landscape, steps)],
            marks=[path(run, look, self.name), loss_curve(run, look)],
            words=outcome(run),
            alt=f"{self.title()}{noise}: {ending(run)}.",
            last=run.steps,
            template=table(
                ["step {k}", *quantities, "loss f"], [[*rows[0], "{f}"], [*rows[1], ""]]
            ),
            numbers=numbers,
            pace=max(5.0, run.steps / 6),
            **self.map_hints(),
        )
