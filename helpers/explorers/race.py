"""The race: the four optimizers on one landscape. First a bet, then the run, then who is best."""

from typing import ClassVar

import numpy as np

from helpers.descent import descend, sweep
from helpers.explorers.controls import RATE, TEXTBOOK_RATES, Dial, Menu, Switch, usual_dial
from helpers.explorers.panels import axes, kinds_image, places_of, with_image
from helpers.explorers.runs import loss_curve, path, rates_of, signs
from helpers.explorers.stage import View
from helpers.explorers.walkers import OnGround
from helpers.explorers.words import WORDS, said, sign, table
from helpers.landscapes import ravine
from helpers.looks import LOOKS
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum

SAY, WALK = WORDS["race"], WORDS["walk"]


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
    charted: ClassVar = tuple(rules)
    textbook: ClassVar = TEXTBOOK_RATES

    def __init__(self, landscape=ravine, start=None, steps=30):
        rates = [Dial(name, f"{name} η", TEXTBOOK_RATES[name], **RATE) for name in self.rules]
        switches = [Switch(f"on_{name}", sign(name, LOOKS[name]), True) for name in self.rules]
        bet = Menu("bet", SAY["bet"], SAY["no_bet"], (SAY["no_bet"], *self.rules))
        walk = usual_dial("steps", steps)
        actions = {
            SAY["textbook"]: dict(TEXTBOOK_RATES),
            SAY["best"]: self.best,
            SAY["by_start"]: lambda values: {"by_start": not values["by_start"]},
        }
        controls = [bet, *self.set_ground(landscape, start), *rates, walk, *switches]
        super().__init__(controls, actions, step=0, seen=walk.value == 0, by_start=False)

    def rates(self, name, values):
        """Return the function from learning rates of an optimizer to last losses."""
        return rates_of(self.rules[name], {}, *self.place(values), values["steps"])

    def stepped(self, step):
        """Show the end to those who have come to it."""
        return {"seen": True} if step == self.shown.last else {}

    def charts_of(self, values):
        """Return, once the end was seen, each one's last loss against its rate."""
        return super().charts_of(values) if values["seen"] else {}

    def view(self, values):
        """Return what to show."""
        landscape, start = self.place(values)
        steps = values["steps"]
        runs = {
            name: descend(rule(lr=values[name]), landscape, start, steps)
            for name, rule in self.rules.items()
            if values[f"on_{name}"]
        }
        losses = {name: padded(run, steps) for name, run in runs.items()}
        places = ranks(losses)
        head = [WALK["step"], *(sign(name, LOOKS[name]) for name in self.rules), SAY["leads"]]
        off = dict.fromkeys(self.rules, SAY["off"])
        rows = [
            [WALK["loss"], *(off | losses).values(), leaders(places, steps)],
            [SAY["rank"], *(off | places).values(), ""],
        ]
        marks = []
        for name, run in runs.items():
            marks.append(path(run.positions, LOOKS[name], name))
            marks.append(loss_curve(landscape, run.losses, LOOKS[name]))
        panels = self.usual_panels(values)
        if values["by_start"] and values["seen"] and runs:
            if not self.ahead:
                self.winners = winners_panel(landscape, {n: values[n] for n in runs}, steps)
            panels.append(self.winners)
        return View(
            panels=panels,
            marks=marks,
            words=self.words(values, runs, places, losses),
            alt=self.alt(values, runs, landscape),
            last=steps,
            **table(head, rows),
            key=f"{signs(landscape)}{SAY['winners_key'] if len(panels) > 2 else ''}",
            off=() if values["seen"] else (SAY["by_start"],),
            pace=max(5.0, steps / 6),
            future=values["seen"],
            grips={0: start},
        )

    def words(self, values, runs, places, losses):
        """Say who leads at each step, and at the end who has won."""
        if not runs:
            return SAY["nobody"]
        bet = values["bet"]
        order = sorted(runs, key=lambda name: places[name][-1])
        ends = ", ".join(f"{name} ({last_loss(runs[name])})" for name in order)
        end = SAY["end"].format(order=ends)
        if bet in runs:
            won = places[bet][-1] == 1
            end += " " + SAY["won" if won else "lost"].format(bet=bet)
        steps = len(next(iter(losses.values()))) - 1
        first = SAY["opening"] if bet == SAY["no_bet"] else SAY["opening_bet"].format(bet=bet)
        between = [SAY["leading"].format(name=name) for name in leaders(places, steps)]
        return [first, *between[1:-1], end] if steps else end

    def alt(self, values, runs, landscape):
        """Say in a line what is shown; who has won only to those who have seen it."""
        if not values["seen"]:
            return SAY["alt_before"].format(landscape=landscape.name, steps=values["steps"])
        ends = ", ".join(f"{name} {last_loss(run)}" for name, run in runs.items())
        return SAY["alt"].format(
            landscape=landscape.name, steps=values["steps"], ends=ends or SAY["nobody_runs"]
        )


def winners_panel(landscape, rates, steps):
    """Return a map of starts in the color of the optimizer with the lowest last loss from there."""
    starts = places_of(landscape, 49, 33)
    losses = [
        sweep(Race.rules[name], landscape, starts, steps, lr=[rate]).losses[..., 0]
        for name, rate in rates.items()
    ]
    best = np.where(np.isinf(np.min(losses, axis=0)), -1, np.argmin(losses, axis=0))
    panel = axes(landscape.window, aspect=1, **SAY["winners"])
    colors = [LOOKS[name]["color"] for name in rates]
    return with_image(panel, kinds_image(best, colors, panel))


def padded(run, steps):
    """Return the losses for all steps of the race; infinite after a run has diverged."""
    losses = np.full(steps + 1, np.inf)
    losses[: len(run.losses)] = np.nan_to_num(run.losses, nan=np.inf, posinf=np.inf)
    return losses


def ranks(losses):
    """Return the rank of each runner at each step; equal ones share a rank."""
    everyone = np.array(list(losses.values()))
    return {name: 1 + (own > everyone).sum(axis=0) for name, own in losses.items()}


def leaders(places, steps):
    """Return who leads at each step."""
    names = []
    for k in range(steps + 1):
        first = [name for name, rank in places.items() if rank[k] == 1]
        names.append(first[0] if len(first) == 1 else SAY["nobody_alone"])
    return names


def last_loss(run):
    """Write the last loss of a run, or where it ended."""
    if run.diverged_at is not None:
        return SAY["out"].format(step=run.diverged_at)
    return said(run.losses[-1])
