"""What the reader sets: dials, menus, switches. A control knows its range and its texts."""

import math
from dataclasses import dataclass
from functools import cached_property
from numbers import Real
from typing import ClassVar

import numpy as np

from helpers import doors
from helpers.explorers.words import WORDS


@dataclass
class Control:
    """What a reader can set.

    Attributes
    ----------
    name, label : str
        What `values` calls it, and what the reader reads.
    value : object
        The first one.
    """

    stops: ClassVar = ()
    name: str
    label: str
    value: object

    def text(self, value):
        """Write a value."""
        return str(value)

    @property
    def spec(self):
        """What the browser draws."""
        return {"kind": type(self).__name__.lower(), "name": self.name, "label": self.label}


@dataclass
class Dial(Control):
    """A number with a slider and a box.

    Attributes
    ----------
    value, low, high : float or int
        The first value, which must be in the range.
    scale : str
        How the slider's stops lie: "linear"; "log", for a rate; or "memory", where the distance
        from 1 is on a log scale.
    step : float or int
        Between two stops, or between the powers of ten of two. An int makes all values whole.
    slider, wide : bool
        Whether it has a slider beside its box, and whether that is as wide as the page, so that a
        chart has room on it.

    Raises
    ------
    TypeError, ValueError
        If the first value is not in the range, or not whole though the step is.
    """

    low: float
    high: float
    scale: str = "linear"
    step: float = 0.01
    slider: bool = True
    wide: bool = False

    def __post_init__(self):
        if not (isinstance(self.value, Real) and self.low <= self.value <= self.high):
            raise ValueError(
                f"{self.name} must be a number from {self.low:g} to {self.high:g}, "
                f"got {self.value!r}"
            )
        if self._whole:
            self.value = doors.whole_number(self.name, self.value, lowest=self.low)
        else:
            self.value = float(self.value)

    @property
    def _whole(self):
        return isinstance(self.step, int)

    @cached_property
    def stops(self):
        """The values at which the slider stops."""
        if not self.slider:
            return []
        low, high = self._place(self.low), self._place(self.high)
        values = self._value(np.linspace(low, high, round(abs(high - low) / self.step) + 1))
        return list(dict.fromkeys(self.read(f"{value:.4g}") for value in values.tolist()))

    def text(self, value):
        """Write a value."""
        return f"{value:.7g}".replace("-", "−")

    def read(self, value):
        """Return a number in the range from a number or what was written; ValueError if none."""
        if isinstance(value, str):
            value = value.strip().replace("−", "-").replace(",", ".")
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"{self.label} must be finite, got {value}")
        number = float(min(max(number, self.low), self.high))
        return round(number) if self._whole else number

    def nearest(self, value):
        """Return the number of the stop next to a value."""
        stops = self._place(np.array(self.stops, dtype=float))
        return int(np.abs(stops - self._place(value)).argmin())

    def _place(self, value):
        """Return where values lie on the slider."""
        if self.scale == "log":
            return np.log10(np.maximum(value, self.low))
        return -np.log10(1 - np.minimum(value, self.high)) if self.scale == "memory" else value

    def _value(self, place):
        """Return the values at places of the slider."""
        if self.scale == "log":
            return 10.0**place
        return 1 - 10.0**-place if self.scale == "memory" else place

    @property
    def spec(self):
        """What the browser draws."""
        return super().spec | {"wide": self.wide, "stops": list(map(self.text, self.stops))}


@dataclass
class Menu(Control):
    """A choice among named things."""

    options: tuple

    def __post_init__(self):
        self.read(self.value)

    def read(self, value):
        """Return an option; ValueError for anything else."""
        if value not in self.options:
            raise ValueError(f"{self.name} must be one of {', '.join(self.options)}, got {value}")
        return value

    @property
    def spec(self):
        """What the browser draws."""
        return super().spec | {"options": list(self.options)}


@dataclass
class Switch(Control):
    """Something on or off."""

    def read(self, value):
        """Return the value."""
        return bool(value)

    def text(self, value):
        """Write a value."""
        return "on" if value else "off"


RATE = {"low": 1e-4, "high": 10.0, "scale": "log"}
RANGES = {
    "lr": {**RATE, "wide": True},
    "momentum": {"low": 0.0, "high": 1.1},
    "beta1": {"low": 0.0, "high": 0.999, "scale": "memory"},
    "beta2": {"low": 0.0, "high": 0.9999, "scale": "memory"},
    "steps": {"low": 0, "high": 300, "step": 1},
}
TEXTBOOK_RATES = {"SGD": 0.95, "Momentum": 0.1, "AdaGrad": 1.5, "Adam": 0.3}


def usual_dial(name, value):
    """Return the dial of a number that many explorers have, such as the learning rate."""
    return Dial(name, WORDS["dials"][name], value, **RANGES[name])
