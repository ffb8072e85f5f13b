"""The race: the four optimizers on one landscape, and who leads."""

from typing import ClassVar

import ipywidgets as widgets
import numpy as np

from helpers import doors
from helpers.descent import descend, sweep
from helpers.explorers import panels
from helpers.explorers.controls import (
    DIALS,
    RATES,
    TEXTBOOK_RATES,
    WRAP,
    Dial,
    Ground,
    buttons,
    checked,
)
from helpers.explorers.runs import loss_curve, loss_panel, path
from helpers.explorers.stage import MAP, View, told
from helpers.explorers.walkers import OnGround
from helpers.explorers.words import said, table
from helpers.figures import LOOKS
from helpers.landscapes import ravine
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum


class Race(OnGround):
    """The four optimizers on one landscape, each with its own rate and a switch.

    Parameters
    ----------
    landscape : Landscape
    start : (x, y), optional
        The landscape's own by default.
    steps : int
        At most 300.

    Raises
    ------
    ValueError
        If the start or the steps are out of range.
    """

    rules: ClassVar = {rule.__name__: rule for rule in (SGD, Momentum, AdaGrad, Adam)}

    def __init__(self, landscape=ravine, start=None, steps=30):
        super().__init__()
        self.first_landscape = landscape
        self.first_steps = checked("steps", doors.whole_number("steps", steps), 0, 300)
        self.ground = Ground(landscape, start)
        self.first_start = self.ground.start
        self.steps = Dial("steps", self.first_steps, 0, 300)
        self.rates = {
            name: Dial(value=TEXTBOOK_RATES[name], **DIALS["lr"] | {"name": f"{name} η"})
            for name in self.rules
        }
        self.switches = {
            name: widgets.Checkbox(True, description=name, indent=False, layout={"width": "110px"})
            for name in self.rules
        }
        actions = {
            "Textbook rates": self.textbook,
            "Best rates here": self.best_rates,
            "Reset": self.reset,
        }
        controls = [*self.ground.controls, *self.rates.values(), self.steps]
        self.assemble(
            [
                widgets.Box(controls, layout=WRAP),
                widgets.Box([*self.switches.values(), buttons(actions)], layout=WRAP),
            ],
            [*self.rates.values(), *self.switches.values(), self.steps],
        )

    @told
    def textbook(self, _button=None):
        """Choose the learning rates of the textbook's picture."""
        with self.together():
            for name, control in self.rates.items():
                control.value = TEXTBOOK_RATES[name]

    @told
    def best_rates(self, _button=None):
        """Choose for each, from the same rates, the one with the lowest last loss."""
        here = self.ground.landscape, self.ground.start, self.steps.value
        with self.together():
            for name, rule in self.rules.items():
                best = sweep(rule, *here, lr=RATES).best["lr"]
                self.rates[name].value = float(f"{best:.4g}")

    @told
    def reset(self, _button=None):
        """Return to how it began."""
        with self.together():
            self.ground.place(self.first_landscape, self.first_start)
            self.steps.value = self.first_steps
            for name, control in self.rates.items():
                control.value, self.switches[name].value = TEXTBOOK_RATES[name], True
            self.stage.step = self._shown.last

    def view(self):
        """Return what to show."""
        landscape, steps = self.ground.landscape, self.steps.value
        runs = {
            name: descend(rule(lr=self.rates[name].value), landscape, self.ground.start, steps)
            for name, rule in self.rules.items()
            if self.switches[name].value
        }
        losses = {name: _padded(run, steps) for name, run in runs.items()}
        places = _places(losses)
        numbers = {"k": np.arange(steps + 1.0), "leader": _leaders(places, steps)}
        for name in self.rules:
            numbers |= {f"f_{name}": losses.get(name, [np.nan])}
            numbers |= {f"place_{name}": [str(k) for k in places.get(name, ["off"])]}
        head = ["step {k}", *(_sign(name) for name in self.rules), "leads"]
        rows = [
            ["loss f", *(f"{{f_{name}}}" for name in self.rules), "{leader}"],
            ["place", *(f"{{place_{name}}}" for name in self.rules), ""],
        ]
        ends = ", ".join(f"{name} {_last_loss(run)}" for name, run in runs.items())
        return View(
            panels=[panels.map_panel(landscape, MAP), loss_panel(landscape, steps)],
            marks=[
                mark
                for name, run in runs.items()
                for mark in (path(run, LOOKS[name], name), loss_curve(run, LOOKS[name]))
            ],
            words=_result(runs, places),
            alt=f"Race on the {landscape.name}, {steps} steps: {ends or 'nobody runs'}.",
            last=steps,
            template=table(head, rows),
            numbers=numbers,
            pace=max(5.0, steps / 6),
            **self.map_hints(),
        )


def _padded(run, steps):
    """Return the losses for all steps of the race; infinite after a run has diverged."""
    losses = np.full(steps + 1, np.inf)
    losses[: len(run.losses)] = np.nan_to_num(run.losses, nan=np.inf, posinf=np.inf)
    return losses


def _places(losses):
    """Return the place of each runner at each step; equal ones share a place."""
    everyone = np.array(list(losses.values()))
    return {name: 1 + (own > everyone).sum(axis=0) for name, own in losses.items()}


def _leaders(places, steps):
    """Return who leads at each step."""
    leaders = []
    for k in range(steps + 1):
        first = [name for name, place in places.items() if place[k] == 1]
        leaders.append(first[0] if len(first) == 1 else "nobody alone")
    return leaders


def _last_loss(run):
    return said(run.losses[-1]) if run.diverged_at is None else f"out at step {run.diverged_at}"


def _result(runs, places):
    """Say who is where at the end."""
    if not runs:
        return "Nobody runs: switch on an optimizer."
    order = sorted(runs, key=lambda name: places[name][-1])
    return (
        "At the end: "
        + ", then ".join(f"{name} ({_last_loss(runs[name])})" for name in order)
        + "."
    )


def _sign(name):
    """Return a name with its color and the shape of its marker, as HTML."""
    shape = {"o": "●", "s": "■", "^": "▲", "D": "◆"}[LOOKS[name]["marker"]]
    return f"<b style='color: {LOOKS[name]['color']}'>{shape} {name}</b>"
