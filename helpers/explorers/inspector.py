"""The explorer of one step: the lines of an update with the step's numbers put in."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from helpers.explorers.panels import HALF, SMALL, Mark, axes, map_panel
from helpers.explorers.runs import ending, outcome, path, signs
from helpers.explorers.stage import DARK, GRAY, View
from helpers.explorers.walkers import Walker
from helpers.explorers.words import WORDS, sign
from helpers.landscapes import ravine
from helpers.looks import OTHER_LOOKS
from helpers.optimizers import Adam

SAY = WORDS["inspector"]
FAR = 1e30  # as far as the browser draws
ORANGE, BLUE, GREEN = OTHER_LOOKS[1], OTHER_LOOKS[2], OTHER_LOOKS[5]

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
# The arrows of a step and the box of its two rates: name in the key, term of the formulas, look.
ARROWS = {
    "SGD": [("step", "η g", DARK)],
    "Momentum": [("plain", "η g", GRAY), ("carried", "α v", BLUE), ("step", None, DARK)],
    "AdaGrad": [("plain", "g²", GRAY), ("rates_h", "√h", GREEN), ("step", None, DARK)],
    "Adam": [
        ("plain", "(1 − β₁) g", GRAY),
        ("mean", "η m̂", ORANGE),
        ("rates_v", "√v̂", GREEN),
        ("step", None, DARK),
    ],
}


class StepInspector(Walker):
    """One step at a time: the update's lines with this step's numbers put in, and its arrows.

    Parameters are those of `Walker`; the rule is one of the lecture's four.
    """

    def __init__(self, rule=Adam, landscape=ravine, start=None, steps=30, **numbers):
        controls = self.settle(rule, landscape, start, steps, numbers)
        if self.name not in FORMULAS:
            raise ValueError(f"rule must be one of {', '.join(FORMULAS)}, got {self.name}")
        super().__init__(controls, {}, step=min(1, steps))

    def view(self, values):
        """Return what to show."""
        landscape, start = self.place(values)
        run, look = self.run(values), self.look
        before = np.vstack([run.positions[:1], run.positions[:-1]])
        quantities = self.quantities(run, before, _one_later(run.gradients), values)
        before, after = (np.clip(places, -FAR, FAR) for places in (before, run.positions))
        moves = after - before
        numbers = {}
        for axis, letter in enumerate("xy"):
            for name, column in quantities.items():
                numbers[f"{name}_{letter}"] = column[:, axis] if np.ndim(column) == 2 else column
        arrows = self.arrows(quantities, moves, values)
        reach = 1.25 * self.reach(arrows)
        marks = [path(run.positions, look, self.name), path(run.positions, look, panel=1)]
        marks.append(Mark(0, "box", np.hstack([before, reach, reach]), GRAY))
        marks += [
            Mark(1, "box" if name.startswith("rates") else "arrow", np.hstack([before, way]), color)
            for (name, _, color), way in zip(ARROWS[self.name], arrows, strict=True)
        ]
        names = ", ".join(sign(SAY[name], color) for name, _, color in ARROWS[self.name])
        return View(
            panels=[map_panel(landscape, HALF, WORDS["walk"]["map"]), lens(landscape)],
            marks=marks,
            words=[SAY["no_step"], *[outcome(run)] * run.steps],
            alt=SAY["alt"].format(title=self.title(values), ending=ending(run)),
            last=run.steps,
            template=self.worked_lines(),
            numbers=numbers,
            key=f"{names}, {signs(landscape)}",
            pace=1.5,
            beside=True,
            zoom={1: np.hstack([before - reach, before + reach])[:, [0, 2, 1, 3]]},
            grips={0: start},
        )

    @np.errstate(over="ignore")
    def arrows(self, quantities, moves, values):
        """Return, for each of ARROWS, its rows (dx, dy); for a box, half its sides."""
        lr = values.get("lr", 0.0)
        ways = {"step": moves, "plain": -lr * quantities["g"]}
        if self.name == "Momentum":
            ways["carried"] = values["momentum"] * quantities["v_before"]
        elif self.name == "AdaGrad":
            ways["rates_h"] = lr / (np.sqrt(quantities["h"]) + 1e-7)
        elif self.name == "Adam":
            ways["mean"] = -lr * quantities["m_hat"]
            ways["rates_v"] = lr / (np.sqrt(quantities["v_hat"]) + 1e-8)
        longest = np.linalg.norm(moves, axis=-1, keepdims=True)
        rows = []
        for name, _, _ in ARROWS[self.name]:
            way = np.clip(np.nan_to_num(ways[name], posinf=0.0, neginf=0.0), -FAR, FAR)
            if name.startswith("rates"):  # only the ratio of the sides is meant
                way = way * longest / np.maximum(way.max(-1, keepdims=True), 1e-300)
            rows.append(way)
        return rows

    def reach(self, arrows):
        """Return how far the close-up reaches at each step: the step, and what has room."""
        lengths = np.array([np.linalg.norm(way, axis=-1) for way in arrows])
        return np.maximum(np.minimum(lengths.max(0), 3 * lengths[-1]), 1e-3)[:, np.newaxis]

    def quantities(self, run, before, gradients, values):
        """Return the numbers that the formulas name: a row (x, y) for each step, or one number."""
        quantities = {"before": before, "after": run.positions, "g": gradients}
        for name, memory in self.memory(run).items():
            quantities |= {name: memory, f"{name}_before": _one_later(memory)}
        for name in self.numbers:
            quantities |= {name: [values[name]], f"1_{name}": [1 - values[name]]}
        if self.name == "Adam":
            t = np.arange(run.steps + 1)[:, np.newaxis] * np.ones(2)
            for name, beta in (("m", "beta1"), ("v", "beta2")):
                correction = np.where(t > 0, 1 - values[beta] ** t, np.nan)
                hat = quantities[name] / correction
                quantities |= {f"1_{beta}_t": correction, f"{name}_hat": hat}
        return quantities

    def worked_lines(self):
        """Return HTML of formulas with, under each, its numbers along x and along y."""
        html = f"<p><b>{SAY['step']} {{k}}</b></p>"
        for formula, worked in {"g = ∂f/∂θ": "{g}", **FORMULAS[self.name]}.items():
            for _, term, look in ARROWS[self.name]:
                if term:
                    formula = formula.replace(term, f"<u style='--c: {look['color']}'>{term}</u>")
            along = [worked.replace("}", f"_{letter}}}") for letter in "xy"]
            lines = f"<span>x: {along[0]}</span><br><span>y: {along[1]}</span>"
            html += f"<div><b>{formula}</b><br>{lines}</div>"
        return html


@lru_cache(maxsize=128)
def lens(landscape):
    """Return the panel of the close-up: the image of the map, of which it shows a part."""
    panel = axes(landscape.window, SMALL, title=SAY["lens"], xticks=[], yticks=[])
    return replace(panel, image=map_panel(landscape, HALF, WORDS["walk"]["map"]).image)


def _one_later(rows):
    """Shift rows by one step; before the first step there are none."""
    return np.vstack([np.full((1, 2), np.nan), rows[:-1]])
