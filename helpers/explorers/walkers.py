"""What the explorers with a start on a map share, and those of a single optimizer."""

import inspect
from typing import ClassVar

import numpy as np

from helpers import doors
from helpers.descent import descend
from helpers.explorers.controls import RANGES, TEXTBOOK_RATES, Dial, Menu, usual_dial
from helpers.explorers.panels import map_panel
from helpers.explorers.runs import best_rate, chart, curvatures, loss_panel, rates_of, steady_rate
from helpers.explorers.stage import Explorer
from helpers.explorers.words import WORDS, pair, said
from helpers.landscapes import LANDSCAPES, ravine
from helpers.looks import looks_of

SAY = WORDS["walk"]


class Rated(Explorer):
    """An explorer with dials of learning rates, on which it draws the last losses along them.

    `rates(name, values)` is the function from rates of the dial of that name to last losses.
    """

    charted: ClassVar = ("lr",)

    def limits(self, values):
        """Return the rates to mark on a wide dial, by their texts."""
        return {}

    def best(self, values):
        """Return for each dial the rate with the lowest last loss of what is shown."""
        return {
            name: best_rate(self.rates(name, values), self.parts[name].stops)
            for name in self.charted
        }

    def charts_of(self, values):
        """Return the last losses along each dial; on a wide one, with the best rate and limits."""
        charts = {}
        for dial in (self.parts[name] for name in self.charted if name in self.parts):
            stops, marks = np.array(dial.stops), {}
            losses = self.rates(dial.name, values)(stops)
            if dial.wide:
                best = float(stops[np.argmin(losses)])
                marks = {SAY["chart_best"].format(rate=said(best, 3)): best, **self.limits(values)}
            charts[dial.name] = chart(dial, losses, marks)
        return charts


class OnGround(Rated):
    """An explorer with a map on its first panel, on which the start can be moved."""

    def set_ground(self, landscape, start):
        """Return the controls of landscape and start.

        Raises
        ------
        ValueError
            If the start does not lie in the landscape's window.
        """
        point = doors.start(doors.landscape(landscape), start)
        for name, value, (low, high) in zip("xy", point, landscape.window, strict=True):
            if not low <= value <= high:
                raise ValueError(
                    f"start {name} must be a number from {low:g} to {high:g}, got {value:g}"
                )
        self.landscapes = {**LANDSCAPES, landscape.name: landscape}
        words = WORDS["dials"]
        menu = Menu("landscape", words["landscape"], landscape.name, tuple(self.landscapes))
        boxes = [
            Dial(name, words["start"].format(along=name), value, -1e9, 1e9, slider=False)
            for name, value in zip("xy", point, strict=True)
        ]
        return [menu, *boxes]

    def place(self, values):
        """Return the landscape and the start that values name."""
        return self.landscapes[values["landscape"]], (values["x"], values["y"])

    def follow(self, values, changed):
        """Keep the start in the window; a chosen landscape brings its own start and good rates."""
        landscape = self.landscapes[values["landscape"]]
        if "landscape" in changed and not {"x", "y"} & changed.keys():
            values |= dict(zip("xy", map(float, landscape.start), strict=True))
        for name, (low, high) in zip("xy", landscape.window, strict=True):
            values[name] = min(max(values[name], low), high)
        if "landscape" in changed and not self.textbook.keys() & changed.keys():
            for name, rate in self.textbook.items():
                if landscape.name != ravine.name:
                    rate = steady_rate(self.rates(name, values), self.parts[name].stops)
                values[name] = rate
        return values

    def usual_panels(self, values):
        """Return the map and the axes for losses."""
        landscape, _ = self.place(values)
        return [map_panel(landscape, label=SAY["map"]), loss_panel(landscape, values["steps"])]

    def grabbed(self, values, panel, x, y):
        """Start at a point of the map; four digits are plenty for a hand."""
        return {"x": float(f"{x:.4g}"), "y": float(f"{y:.4g}")}

    def told_at(self, panel, x, y):
        """Tell loss and step under the pointer."""
        if panel != 0:
            return None
        landscape, _ = self.place(self.values)
        down = -landscape.gradient([x, y]) * self.values.get("lr", 0.1)
        loss = said(float(landscape([x, y])))
        return SAY["probe"].format(place=pair((x, y), 3), loss=loss, step=pair(down, 3)), down


class Walker(OnGround):
    """What the explorers of one optimizer share: the ground, the dials of its numbers.

    Parameters
    ----------
    rule : type of an optimizer
    landscape : Landscape
    start : (x, y), optional
        The landscape's own by default.
    steps : int
        At most 300.
    **numbers : float
        Numbers of the rule, such as `lr`; those of the textbook by default.

    Raises
    ------
    ValueError
        If a number has no dial, or lies out of its range; also the start and the steps.
    """

    def settle(self, rule, landscape, start, steps, numbers):
        """Take the parameters and return the controls."""
        if not isinstance(rule, type):
            raise TypeError(f"rule must be a class such as SGD, got {rule!r}")
        self.rule, self.name = rule, rule.__name__
        (self.look,) = looks_of([self.name])
        own = inspect.signature(rule).parameters
        defaults = {name: own[name].default for name in own if name in RANGES}
        self.textbook = {"lr": TEXTBOOK_RATES.get(self.name, 0.1)} if "lr" in defaults else {}
        defaults |= self.textbook
        if unknown := numbers.keys() - defaults.keys():
            raise ValueError(
                f"numbers must be among {', '.join(defaults)}, got {', '.join(sorted(unknown))}"
            )
        self.numbers = list(defaults)
        dials = [usual_dial(name, value) for name, value in (defaults | numbers).items()]
        return [*dials, *self.set_ground(landscape, start), usual_dial("steps", steps)]

    def settings(self, values):
        """Return the rule's numbers."""
        return {name: values[name] for name in self.numbers}

    def limits(self, values):
        """Return the largest rate that does not diverge on a bowl, where there is a formula."""
        bowl = curvatures(self.place(values)[0])
        if not bowl or self.name not in ("SGD", "Momentum"):
            return {}
        limit = 2 * (1 + values.get("momentum", 0.0)) / max(bowl)
        return {SAY[f"limit_{self.name}"].format(rate=said(limit, 3)): limit}

    def rates(self, _, values):
        """Return the function from learning rates to last losses."""
        others = {name: values[name] for name in self.numbers if name != "lr"}
        landscape, start = self.place(values)
        sigma, seed = values.get("noise", 0.0), values.get("draw", 0)
        return rates_of(self.rule, others, landscape, start, values["steps"], sigma, seed)

    def run(self, values):
        """Return the descent of a fresh optimizer."""
        return descend(self.rule(**self.settings(values)), *self.place(values), values["steps"])

    def memory(self, run):
        """Return the states of a run that the lecture names, from zero before the first step."""
        fresh, zeros = self.rule(), np.zeros_like(run.positions)
        names = [name for name in doors.MEMORY if hasattr(fresh, name)]
        return {name: run.states.get(name, zeros) for name in names}

    def title(self, values):
        """Say in words what walks where, for the text alternative."""
        settings = ", ".join(f"{name} {values[name]:.3g}" for name in self.numbers)
        return SAY["title"].format(name=self.name, settings=settings, **values)
