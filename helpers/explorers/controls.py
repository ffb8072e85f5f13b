"""What the reader sets: dials, menus, switches. A control knows its range and its texts."""

from dataclasses import dataclass
from functools import cached_property
from numbers import Real

import numpy as np

from helpers.landscapes import LANDSCAPES


@dataclass(frozen=True)
class Dial:
    """A number with a slider and a box.

    Attributes
    ----------
    name, label : str
        What `values` calls it, and what the reader reads.
    value, low, high : float or int
        A whole number stays one if the first value is one.
    scale : str
        How the slider's stops lie: "linear"; "log", for a rate; or "memory", where the distance
        from 1 is on a log scale.
    step : float
        Between two stops, or between the powers of ten of two.
    slider, wide : bool
        Whether it has a slider beside its box, and whether that is as wide as the page, so that a
        chart has room on it.
    """

    name: str
    label: str
    value: float
    low: float
    high: float
    scale: str = "linear"
    step: float = 0.01
    slider: bool = True
    wide: bool = False

    @cached_property
    def stops(self):
        """The values at which the slider stops."""
        if not self.slider:
            return []
        low, high = self._place(self.low), self._place(self.high)
        values = self._value(np.linspace(low, high, round(abs(high - low) / self.step) + 1))
        return list(dict.fromkeys(self.read(f"{value:.4g}") for value in values))

    def text(self, value):
        """Write a value as it stands in the box."""
        return f"{value:.7g}".replace("-", "−")

    def read(self, value):
        """Return a number in the range from a number or what was written; ValueError if none."""
        if isinstance(value, str):
            value = value.strip().replace("−", "-").replace(",", ".")
        number = float(value)
        if not np.isfinite(number):
            raise ValueError(f"{self.label} must be finite, got {value}")
        number = float(min(max(number, self.low), self.high))
        return round(number) if isinstance(self.value, int) else number

    def checked(self, value):
        """Return a value from code, which must be in the range.

        Raises
        ------
        ValueError
            If it is not.
        """
        if not (isinstance(value, Real) and self.low <= value <= self.high):
            raise ValueError(
                f"{self.name} must be a number from {self.low:g} to {self.high:g}, got {value!r}"
            )
        return value

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
        return {
            "kind": "dial",
            "name": self.name,
            "label": self.label,
            "wide": self.wide,
            "stops": [self.text(value) for value in self.stops],
        }


@dataclass(frozen=True)
class Menu:
    """A choice among named things."""

    name: str
    label: str
    value: str
    options: tuple

    def read(self, value):
        """Return an option; ValueError for anything else."""
        if value not in self.options:
            raise ValueError(f"{self.label} must be one of {', '.join(self.options)}, got {value}")
        return value

    checked = read

    def text(self, value):
        """Return the value."""
        return value

    @property
    def spec(self):
        """What the browser draws."""
        return {
            "kind": "menu",
            "name": self.name,
            "label": self.label,
            "options": list(self.options),
        }


@dataclass(frozen=True)
class Switch:
    """Something on or off."""

    name: str
    label: str
    value: bool

    def read(self, value):
        """Return the value."""
        return bool(value)

    checked = read

    def text(self, value):
        """Write a value."""
        return "on" if value else "off"

    @property
    def spec(self):
        """What the browser draws."""
        return {"kind": "switch", "name": self.name, "label": self.label}


RATE = {"low": 1e-4, "high": 10.0, "scale": "log"}
DIALS = {
    "lr": {"label": "learning rate η", "wide": True, **RATE},
    "momentum": {"label": "momentum α", "low": 0.0, "high": 1.1},
    "beta1": {"label": "β₁", "low": 0.0, "high": 0.999, "scale": "memory"},
    "beta2": {"label": "β₂", "low": 0.0, "high": 0.9999, "scale": "memory"},
}
TEXTBOOK_RATES = {"SGD": 0.95, "Momentum": 0.1, "AdaGrad": 1.5, "Adam": 0.3}


def steps_dial(steps):
    """Return the dial of the number of steps."""
    dial = Dial("steps", "steps", steps, 0, 300, step=1)
    dial.checked(steps)
    return dial


def ground(landscape, start):
    """Return the menu of landscapes and the boxes of the start; the landscapes by their names."""
    known = {**LANDSCAPES, landscape.name: landscape}
    menu = Menu("landscape", "landscape", landscape.name, tuple(known))
    boxes = [
        Dial(name, f"start {name}", float(value), -1e9, 1e9, slider=False)
        for name, value in zip("xy", start, strict=True)
    ]
    return [menu, *boxes], known
