"""The explorer of the turned valley: rules that treat each coordinate by itself feel the angle."""

from functools import lru_cache

import numpy as np

from helpers import doors
from helpers.descent import descend
from helpers.explorers.controls import TEXTBOOK_RATES, Dial, usual_dial
from helpers.explorers.panels import CURVE, Mark, axes, log_ticks, map_panel
from helpers.explorers.runs import above, ending, lowest_and_highest, path, signs
from helpers.explorers.stage import Explorer, View
from helpers.explorers.words import WORDS, said, sign, table
from helpers.landscapes import ravine, turned
from helpers.looks import looks_of
from helpers.optimizers import AdaGrad, Adam, Momentum

SAY, WALK = WORDS["turned"], WORDS["walk"]
ANGLES = range(0, 91, 5)  # at which the last losses are computed


class Turned(Explorer):
    """A valley turned by an angle, and the paths of several rules on it.

    Parameters
    ----------
    rules : dict of str to callable, optional
        Names, and functions without parameters that make a fresh optimizer, such as
        `lambda: AdaGrad(1.5)`. AdaGrad, Momentum and Adam with the lecture's rates by default.
    landscape : Landscape
        As it lies at 0 degrees. Its start is turned along.
    degrees : int
        From 0 to 90.
    steps : int
        At most 300.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as above.
    """

    def __init__(self, rules=None, landscape=ravine, degrees=0, steps=30):
        self.rules = rules or {
            rule.__name__: lambda rule=rule: rule(TEXTBOOK_RATES[rule.__name__])
            for rule in (AdaGrad, Momentum, Adam)
        }
        if not (isinstance(self.rules, dict) and all(map(callable, self.rules.values()))):
            raise TypeError(
                "rules must be a dict of names to functions that make an optimizer, such as "
                f"{{'AdaGrad': lambda: AdaGrad(1.5)}}, got {rules!r}"
            )
        for make in self.rules.values():
            doors.optimizer(make())
        self.landscape, self._ends = doors.landscape(landscape), (None, {})
        self.looks = dict(zip(self.rules, looks_of(list(self.rules)), strict=True))
        angle = Dial("degrees", SAY["degrees"], degrees, 0, 90, step=1, wide=True)
        presets = {SAY[f"at_{d}"]: {"degrees": d} for d in (0, 45, 90)}
        super().__init__([angle, usual_dial("steps", steps)], presets)

    def runs(self, degrees, steps):
        """Return the descents of all rules on the valley turned by so many degrees."""
        place = turned_by(self.landscape, degrees)
        return {name: descend(make(), place, None, steps) for name, make in self.rules.items()}

    def ends(self, steps):
        """Return, for each rule, its last loss above the lowest at each angle."""
        if self._ends[0] != steps and not self.ahead:
            losses = {name: [] for name in self.rules}
            for degrees in ANGLES:
                for name, run in self.runs(degrees, steps).items():
                    losses[name].append(above(run.landscape, run.losses[-1:])[0])
            self._ends = steps, {name: np.array(own) for name, own in losses.items()}
        return self._ends[1]

    def view(self, values):
        """Return what to show."""
        degrees, steps = values["degrees"], values["steps"]
        place = turned_by(self.landscape, degrees)
        runs, ends = self.runs(degrees, steps), self.ends(steps)
        panel = ends_panel(self.landscape)
        bottom, top = panel.window[1]
        marks = [path(run.positions, self.looks[name], name) for name, run in runs.items()]
        for name, own in ends.items():
            shown = np.stack([ANGLES, np.clip(own, bottom, top)], -1)
            marks.append(Mark(1, "line", shown, self.looks[name]))
            here = np.clip(above(place, runs[name].losses[-1:]), bottom, top)
            marks.append(Mark(1, "point", np.array([[degrees, here[0]]]), self.looks[name]))
        last = [f"{name} {said(float(run.losses[-1]))}" for name, run in runs.items()]
        columns = [(run.losses, *run.positions.T) for run in runs.values()]
        rows = zip((WALK["loss"], "x", "y"), *columns, strict=True)
        names = [sign(name, look) for name, look in self.looks.items()]
        return View(
            panels=[map_panel(place, label=SAY["map"]), panel],
            marks=marks,
            words=SAY["words"].format(**values, ends=", ".join(last)),
            alt=SAY["alt"].format(
                **values,
                landscape=self.landscape.name,
                ends="; ".join(f"{name} {ending(run)}" for name, run in runs.items()),
            ),
            last=steps,
            **table([WALK["step"], *names], rows),
            key=", ".join([*names, signs(place)]),
            pace=max(5.0, steps / 6),
        )


@lru_cache(maxsize=128)
def turned_by(landscape, degrees):
    """Return the landscape turned, the same object for the same angle."""
    return turned(landscape, degrees)


@lru_cache(maxsize=8)
def ends_panel(landscape):
    """Return axes for last losses against the angle."""
    lowest, highest = lowest_and_highest(landscape)
    top = 10.0 ** np.ceil(np.log10(highest - lowest or 1.0))
    window = ((0, 90), (top * 1e-9, top))
    ticks = {"xticks": [(d, f"{d}°") for d in (0, 30, 60, 90)], "yticks": log_ticks(*window[1])}
    return axes(window, CURVE, right=18, yscale="log", **ticks, **SAY["ends"])
