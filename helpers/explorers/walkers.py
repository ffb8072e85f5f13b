"""What the explorers with a start on a map share, and those of a single optimizer."""

import inspect

import numpy as np

from helpers import doors
from helpers.explorers.controls import DIALS, TEXTBOOK_RATES, Dial, Ground, checked
from helpers.explorers.stage import Explorer, told
from helpers.landscapes import ravine
from helpers.optimizers import SGD


class OnGround(Explorer):
    """An explorer with a map on its first panel, on which the start can be moved."""

    def assemble(self, rows, watched):
        """Take the rows of controls and refresh whenever one changes its value."""
        super().assemble(rows, [self.ground.x, self.ground.y, *watched])
        self.ground.menu.observe(self._on_landscape, "value")

    @told
    def _on_landscape(self, _change):
        if not self._waiting:
            with self.together():
                self.ground.place(self.ground.landscape, self.ground.landscape.start)

    def grab(self, _panel, x, y):
        """Start at a point of the map."""
        self.ground.move(x, y)

    def map_hints(self):
        """Return what a View says of the map: its grip and its label."""
        label = f"map of the {self.ground.landscape.name}; the arrow keys move the start"
        return {"grips": {0: self.ground.start}, "labels": {0: label}}


class Walker(OnGround):
    """What the explorers of one optimizer share: the ground, the dials, presets and Reset.

    Parameters
    ----------
    rule : type of Optimizer
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

    def __init__(self, rule=SGD, landscape=ravine, start=None, steps=30, **numbers):
        super().__init__()
        self.rule, self.name = rule, rule.__name__
        own = inspect.signature(rule).parameters
        defaults = {name: own[name].default for name in own if name in DIALS}
        if "lr" in defaults:
            defaults["lr"] = TEXTBOOK_RATES.get(self.name, 0.1)
        for name, value in numbers.items():
            if name not in defaults:
                raise ValueError(f"numbers must be among {', '.join(defaults)}, got {name}")
            checked(name, value, DIALS[name]["low"], DIALS[name]["high"])
        self.first_numbers = {**defaults, **numbers}
        self.first_steps = checked("steps", doors.whole_number("steps", steps), 0, 300)
        self.ground = Ground(landscape, start)
        self.first_start = self.ground.start
        self.first_landscape = landscape
        self.dials = {
            name: Dial(value=float(value), **DIALS[name])
            for name, value in self.first_numbers.items()
        }
        self.steps = Dial("steps", self.first_steps, 0, 300)

    @property
    def settings(self):
        """The rule's numbers as chosen."""
        return {name: control.value for name, control in self.dials.items()}

    def memory(self, run):
        """Return the states of a run; before the first step they are zero, too."""
        fresh, zeros = self.rule(**self.settings), np.zeros_like(run.positions)
        return {name: run.states.get(name, zeros) for name in doors.MEMORY if hasattr(fresh, name)}

    def title(self):
        """Say in words what walks where, for the text alternative."""
        settings = ", ".join(f"{name} {value:.3g}" for name, value in self.settings.items())
        x, y = self.ground.start
        return (
            f"{self.name} ({settings}) on the {self.ground.landscape.name} "
            f"from ({x:.3g}, {y:.3g}), {self.steps.value} steps"
        )

    def choose(self, landscape, start, steps, numbers):
        """Set all controls at once and look at the last step."""
        with self.together():
            self.ground.place(landscape, start)
            self.steps.value = steps
            for name, value in {**self.first_numbers, **numbers}.items():
                self.dials[name].value = value
            self.stage.step = self._shown.last

    @told
    def reset(self, _button=None):
        """Return to how it began."""
        self.choose(self.first_landscape, self.first_start, self.first_steps, {})
