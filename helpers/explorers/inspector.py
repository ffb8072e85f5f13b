"""The explorer of one step: the lines of an update with the step's numbers put in."""

import ipywidgets as widgets
import numpy as np

from helpers.descent import descend
from helpers.explorers import panels
from helpers.explorers.controls import WRAP, buttons
from helpers.explorers.panels import Mark
from helpers.explorers.runs import ending, look_of, outcome, path
from helpers.explorers.stage import DARK, HALF, View, told
from helpers.explorers.walkers import Walker
from helpers.landscapes import ravine
from helpers.optimizers import Adam

GRAY = {"color": "#777777", "marker": "o", "linestyle": "-"}

# Each line of an update, and the same line with the numbers of a step put in.
FORMULAS = {
    "SGD": {"θ ← θ − η g": "{before} − {lr} · ({g}) = {after}"},
    "Momentum": {
        "v ← α v − η g": "{momentum} · ({v_before}) − {lr} · ({g}) = {v}",
        "θ ← θ + v": "{before} + ({v}) = {after}",
    },
    "AdaGrad": {
        "h ← h + g²": "{h_before} + ({g})² = {h}",
        "θ ← θ − η g / (√h + ε)": "{before} − {lr} · ({g}) / (√{h} + ε) = {after}",
    },
    "Adam": {
        "m ← β₁ m + (1 − β₁) g": "{beta1} · ({m_before}) + {1_beta1} · ({g}) = {m}",
        "v ← β₂ v + (1 − β₂) g²": "{beta2} · {v_before} + {1_beta2} · ({g})² = {v}",
        "m̂ = m / (1 − β₁ᵗ)": "{m} / {1_beta1_t} = {m_hat}",
        "v̂ = v / (1 − β₂ᵗ)": "{v} / {1_beta2_t} = {v_hat}",
        "θ ← θ − η m̂ / (√v̂ + ε)": "{before} − {lr} · ({m_hat}) / (√{v_hat} + ε) = {after}",
    },
}


class StepInspector(Walker):
    """One step at a time: the update's lines with this step's numbers put in, and its arrow.

    Parameters are those of `Walker`; the rule is one of the lecture's four.
    """

    def __init__(self, rule=Adam, landscape=ravine, start=None, steps=30, **numbers):
        super().__init__(rule, landscape, start, steps, **numbers)
        if self.name not in FORMULAS:
            raise ValueError(f"rule must be one of {list(FORMULAS)}, got {self.name}")
        dials = [*self.dials.values(), self.steps]
        controls = widgets.Box([*self.ground.controls, *dials], layout=WRAP)
        self.assemble([controls, buttons({"Reset": self.reset})], dials)
        self.stage.step = min(1, steps)

    @told
    def reset(self, _button=None):
        """Return to how it began."""
        super().reset()
        self.stage.step = min(1, self.first_steps)

    def view(self):
        """Return what to show."""
        landscape, steps = self.ground.landscape, self.steps.value
        run = descend(self.rule(**self.settings), landscape, self.ground.start, steps)
        look = look_of(self.rule)
        moves = np.diff(run.positions, axis=0, prepend=run.positions[:1])
        before = run.positions - moves
        gradients = _one_later(run.gradients)
        plain = -self.settings["lr"] * np.nan_to_num(gradients)
        numbers = {"k": np.arange(run.steps + 1.0)}
        quantities = self.quantities(run, before, gradients)
        for axis, letter in enumerate("xy"):
            for name, values in quantities.items():
                numbers[f"{name}_{letter}"] = values[:, axis] if np.ndim(values) == 2 else values
        lines = {"g = ∂f/∂θ": "{g}", **FORMULAS[self.name]}
        return View(
            panels=[panels.map_panel(landscape, HALF)],
            marks=[
                path(run, look, self.name),
                Mark(0, "arrow", np.hstack([before, plain]), GRAY, "−η g, the step of SGD"),
                Mark(0, "arrow", np.hstack([before, moves]), DARK, "the step"),
            ],
            words=outcome(run),
            alt=f"{self.title()}, step by step: {ending(run)}.",
            last=run.steps,
            template=_worked_lines(lines),
            numbers=numbers,
            pace=1.5,
            beside=True,
            **self.map_hints(),
        )

    def quantities(self, run, before, gradients):
        """Return the numbers that the formulas name: a row (x, y) for each step, or one number."""
        quantities = {"before": before, "after": run.positions, "g": gradients}
        for name, values in self.memory(run).items():
            quantities |= {name: values, f"{name}_before": _one_later(values)}
        for name, value in self.settings.items():
            quantities |= {name: [value], f"1_{name}": [1 - value]}
        if self.name == "Adam":
            t = np.arange(run.steps + 1)[:, np.newaxis] * np.ones(2)
            for name, beta in (("m", "beta1"), ("v", "beta2")):
                correction = np.where(t > 0, 1 - self.settings[beta] ** t, np.nan)
                hat = quantities[name] / correction
                quantities |= {f"1_{beta}_t": correction, f"{name}_hat": hat}
        return quantities


def _one_later(values):
    """Shift rows by one step; before the first step there are none."""
    return np.vstack([np.full((1, 2), np.nan), values[:-1]])


def _worked_lines(lines):
    """Return HTML of formulas with, under each, its numbers along x and along y."""
    html = "<p><b>step {k}</b>, <span style='color: #777777'>▬</span> −η g, ▬ the step</p>"
    for formula, worked in lines.items():
        along = [worked.replace("}", f"_{letter}}}") for letter in "xy"]
        html += f"<div><b>{formula}</b><br><span>x: {along[0]}</span><br>"
        html += f"<span>y: {along[1]}</span></div>"
    return html
