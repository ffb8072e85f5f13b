"""What the reader sets: dials with their ranges and first values, boxes, buttons, the ground."""

from numbers import Real

import ipywidgets as widgets
import numpy as np
import traitlets

from helpers import doors
from helpers.landscapes import LANDSCAPES

# Each number of an optimizer: its name, its range, and whether its slider is logarithmic.
DIALS = {
    "lr": {"name": "learning rate η", "low": 1e-4, "high": 10.0, "log": True},
    "momentum": {"name": "momentum α", "low": 0.0, "high": 1.1},
    "beta1": {"name": "β₁", "low": 0.0, "high": 0.999, "step": 0.001},
    "beta2": {"name": "β₂", "low": 0.0, "high": 0.9999, "step": 0.0001},
}
TEXTBOOK_RATES = {"SGD": 0.95, "Momentum": 0.1, "AdaGrad": 1.5, "Adam": 0.3}
RATES = np.geomspace(1e-4, 10, 201)

CELL = {"width": "400px", "max_width": "100%", "margin": "2px 12px 2px 2px"}
WRAP = {"flex_flow": "row wrap", "align_items": "center", "max_width": "860px"}
NAME = {"description_width": "110px"}
SHORT_NAME = {"description_width": "50px"}


def checked(name, value, low, high):
    """Return a value that lies in its range.

    Raises
    ------
    ValueError
        If it does not, or is no number.
    """
    if not (isinstance(value, Real) and low <= value <= high):
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, got {value}")
    return value


class NumberBox(widgets.BoundedFloatText):
    """A box for a number; it keeps the one it has when it is given none."""

    @traitlets.validate("value")
    def _validate_value(self, proposal):
        if np.isnan(proposal["value"]):
            return self.value
        return float(np.clip(proposal["value"], self.min, self.max))

    def bound(self, low, high, value):
        """Take new bounds, and a value between them."""
        with self.hold_sync():
            self.min, self.max = min(low, self.min), max(high, self.max)
            self.value = value
            self.min, self.max = low, high


class Dial(widgets.HBox):
    """A number with its name, a slider and a box.

    Parameters
    ----------
    name : str
    value, low, high : float
        A whole number stays one if these are whole.
    log : bool
        Logarithmic slider, for a rate.
    step : float
        Of the slider; of its exponent if it is logarithmic.
    """

    value = traitlets.Any()

    def __init__(self, name, value, low, high, log=False, step=0.01):
        look = {
            "description": name,
            "style": NAME,
            "readout": False,
            "layout": {"flex": "1 1 auto", "width": "auto"},
        }
        bounds = {"min": low, "max": high}
        box_look = {
            "description": name,  # unseen, but read aloud
            "style": {"description_width": "0px"},
            "layout": {"width": "96px"},
        }
        if log:
            exponents = {"min": np.log10(low), "max": np.log10(high)}
            slider = widgets.FloatLogSlider(value, **exponents, step=step, **look)
        elif isinstance(value, int):
            slider = widgets.IntSlider(value, **bounds, **look)
        else:
            slider = widgets.FloatSlider(value, **bounds, step=step, **look)
        box_type = widgets.BoundedIntText if isinstance(value, int) else NumberBox
        self.slider, self.box = slider, box_type(value, **bounds, **box_look)
        self.place = np.log10 if log else float
        self.near = 0.51 * slider.step
        super().__init__([self.slider, self.box], layout=CELL)
        self.slider.observe(self._on_slider, "value")
        self.box.observe(self._on_box, "value")
        traitlets.link((self.box, "value"), (self, "value"))

    # The browser moves a slider to the nearest step of its scale. That is no wish of the reader,
    # so slider and box follow each other only where they lie further apart than this.
    def _differ(self):
        return abs(self.place(self.slider.value) - self.place(self.box.value)) > self.near

    def _on_slider(self, _change):
        if self._differ():
            value = self.slider.value
            with self.box.hold_sync():  # the picture goes to the browser before the box does
                self.box.value = value if isinstance(value, int) else float(f"{value:.4g}")

    def _on_box(self, _change):
        if self._differ():
            self.slider.value = self.box.value


class Ground:
    """The controls of the place: landscape and start.

    Parameters
    ----------
    landscape : Landscape
    start : (x, y) or None
        The landscape's own by default.

    Raises
    ------
    ValueError
        If the start does not lie in the landscape's window.
    """

    def __init__(self, landscape, start):
        options = {**LANDSCAPES, landscape.name: landscape}
        self.menu = widgets.Dropdown(
            options=list(options.items()),
            value=landscape,
            description="landscape",
            style=NAME,
            layout=CELL,
        )
        self.x, self.y = (
            NumberBox(description=f"start {name}", style=style, layout={"width": width})
            for name, style, width in (("x", NAME, "224px"), ("y", SHORT_NAME, "164px"))
        )
        point = doors.start(landscape, start)
        for name, value, limits in zip("xy", point, landscape.window, strict=True):
            checked(f"start {name}", value, *limits)
        self.place(landscape, point)
        self.controls = [self.menu, widgets.HBox([self.x, self.y], layout=CELL)]

    @property
    def landscape(self):
        """The chosen landscape."""
        return self.menu.value

    @property
    def start(self):
        """The chosen start."""
        return self.x.value, self.y.value

    def place(self, landscape, start):
        """Choose a landscape and a start on it."""
        self.menu.value = landscape
        for box, (low, high), value in zip((self.x, self.y), landscape.window, start, strict=True):
            box.bound(low, high, float(value))

    def move(self, x, y):
        """Choose a start; four digits are plenty for a hand."""
        self.x.value, self.y.value = float(f"{x:.4g}"), float(f"{y:.4g}")


def buttons(actions):
    """Return a row of buttons that call what they are named for."""
    row = []
    for name, action in actions.items():
        button = widgets.Button(description=name, layout={"width": "auto"})
        button.on_click(action)
        row.append(button)
    return widgets.Box(row, layout=WRAP)
