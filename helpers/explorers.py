"""Widgets that follow the hand: a descent, a game, a map of rates, one step, a race.

Each is made and shown by one line, such as `explorers.Descent(SGD, ravine)`, as the last value of
a cell. The mathematics is that of `descend` and `sweep`, the pictures are those of `figures`; the
stage in the browser only draws, over still pictures, the numbers that it is sent.
"""

import inspect
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial, wraps
from pathlib import Path
from typing import ClassVar

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from helpers import figures
from helpers.descent import checked_steps, descend, starting_point, sweep
from helpers.figures import LOOKS, OTHER_LOOKS, Mark, Panel
from helpers.landscapes import LANDSCAPES, mountain_range, mountains, plateau, ravine, saddle
from helpers.optimizers import MEMORY, SGD, AdaGrad, Adam, Momentum

HERE = Path(__file__).parent

# Each number of an optimizer: its name, its range, and whether its slider is logarithmic.
DIALS = {
    "lr": {"name": "learning rate η", "low": 1e-4, "high": 10.0, "log": True},
    "momentum": {"name": "momentum α", "low": 0.0, "high": 1.1},
    "beta1": {"name": "β₁", "low": 0.0, "high": 0.999, "step": 0.001},
    "beta2": {"name": "β₂", "low": 0.0, "high": 0.9999, "step": 0.0001},
}
TEXTBOOK_RATES = {"SGD": 0.95, "Momentum": 0.1, "AdaGrad": 1.5, "Adam": 0.3}
PRESETS = {
    "SGD": {
        "zigzag, η 0.95": {"lr": 0.95},
        "bounces forever, η 1": {"lr": 1.0},
        "diverges, η 1.1": {"lr": 1.1, "steps": 100},
    },
    "Momentum": {
        "textbook, α 0.9": {"lr": 0.1, "momentum": 0.9},
        "best, α 0.403": {"lr": 1.336, "momentum": 0.403},
        "no friction, α 1": {"lr": 0.1, "momentum": 1.0, "steps": 100},
    },
    "AdaGrad": {
        "textbook, η 1.5": {"lr": 1.5},
        "stuck on the plateau": {"lr": 1.5, "landscape": plateau, "steps": 300},
    },
    "Adam": {
        "textbook, η 0.3": {"lr": 0.3},
        "default, η 0.001": {"lr": 0.001, "steps": 300},
        "without memory": {"lr": 0.3, "beta1": 0.0, "beta2": 0.0},
    },
}
RATES = np.geomspace(1e-4, 10, 201)

CELL = {"width": "400px", "max_width": "100%", "margin": "2px 12px 2px 2px"}
SMALL_CELL = {"width": "190px", "margin": "2px 12px 2px 2px"}
WRAP = {"flex_flow": "row wrap", "align_items": "center", "max_width": "860px"}
MAP, CURVE, HALF = (480, 310), (330, 310), (412, 310)
NAME = {"description_width": "110px"}
SHORT_NAME = {"description_width": "50px"}
DARK = {"color": "#222222", "marker": "o", "linestyle": "-"}
GRAY = {"color": "#777777", "marker": "o", "linestyle": "-"}
BROWN = {"color": "#8C6D46", "marker": "o", "linestyle": "-"}
LIGHT = {"color": "#FFFFFF", "marker": "o", "linestyle": "-"}


class Stage(anywidget.AnyWidget):
    """Where every explorer plays: still panels, marks that move over them, steps and words.

    Attributes
    ----------
    panels : list of dict
        The still layer, sent when it changes.
    scene : dict
        The moving layer and the words, sent whole with every change.
    step : int
        The chosen step; the reader and the kernel both set it.
    grabbed : list
        Number of a panel, x and y: where the reader clicked, dragged or moved to.
    alarm : str
        What went wrong, in one line.
    """

    _esm = HERE / "stage.js"
    _css = HERE / "stage.css"
    panels = traitlets.List().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    step = traitlets.Int().tag(sync=True)
    grabbed = traitlets.List().tag(sync=True)
    alarm = traitlets.Unicode().tag(sync=True)


@dataclass(frozen=True)
class View:
    """All that an explorer shows at a moment.

    Attributes
    ----------
    panels : list of Panel
    marks : list of Mark
    words : str
        The state in one or two sentences.
    alt : str
        The state in one line with the settings: the text alternative.
    last : int
        The number of steps that can be looked at.
    template : str
        HTML in which {name} stands for the number of that name at the chosen step.
    numbers : dict of str to array or list of str
        One value for each step, or a single one for all.
    grips : dict of int to (x, y)
        The panels on which something can be moved, and where it is.
    labels : dict of int to str
        What a panel shows and what can be done on it.
    pace : float
        Steps that Play makes in a second.
    beside : bool
        Whether the template stands beside the panels, where there is room, or below.
    """

    panels: list[Panel]
    marks: list[Mark]
    words: str
    alt: str
    last: int
    template: str = ""
    numbers: dict = field(default_factory=dict)
    grips: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    pace: float = 10.0
    beside: bool = False


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


def told(callback):
    """Let a callback of an explorer say what went wrong in one line under it, and go on.

    While `Explorer.strict` is set, as in tests, the error is raised.
    """

    @wraps(callback)
    def telling(self, *args):
        try:
            self.stage.alarm = ""
            callback(self, *args)
        except Exception as error:
            if Explorer.strict:
                raise
            self.stage.alarm = (
                f"{type(error).__name__}: {error}. What you see is the last state that worked; "
                "change a control to go on."
            )

    return telling


class Explorer(widgets.VBox):
    """What all explorers share: a stage under the controls, and three forms of display.

    A subclass makes its controls, then calls `assemble`; it says in `view` what to show, and in
    `grab` what a point means that the reader clicked, dragged or moved to.
    """

    strict: ClassVar[bool] = False

    def assemble(self, rows, watched):
        """Take the rows of controls and refresh whenever a watched one changes its value."""
        self.stage = Stage()
        self._waiting, self._shown = False, None
        self.children = [*rows, self.stage]
        self.add_class("explorer")
        self.refresh()
        for control in watched:
            control.observe(self.refresh, "value")
        self.stage.observe(self._on_grab, "grabbed")

    @told
    def refresh(self, _change=None):
        """Show the present state."""
        if self._waiting:
            return
        before, view = self._shown, self.view()
        at_end = before is None or self.stage.step >= before.last
        with self.stage.hold_sync():
            if before is None or _ids(before.panels) != _ids(view.panels):
                self.stage.panels = [_panel_message(view, i) for i in range(len(view.panels))]
            self.stage.scene = _scene_message(view)
            self.stage.step = view.last if at_end else min(self.stage.step, view.last)
        self._shown = view

    @contextmanager
    def together(self):
        """Change several controls and refresh once."""
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False
        self.refresh()

    @told
    def _on_grab(self, change):
        if change["new"]:
            panel, x, y = change["new"]
            with self.together():
                self.grab(panel, x, y)

    def picture(self):
        """Return what is shown now as a `figures.Picture`."""
        view, step = self._shown, self.stage.step
        notes = filled(view.template, view.numbers, step) if view.beside else ""
        return figures.stage(view.panels, view.marks, step, view.words, view.alt, notes)

    def __repr__(self):
        return f"Explorer: {self._shown.alt}"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = self.picture()._repr_mimebundle_()
        live = super()._repr_mimebundle_(**kwargs)
        return {**live, **data, "text/plain": repr(self)}, metadata


def _ids(panels):
    return [id(panel) for panel in panels]


def _panel_message(view, i):
    panel = view.panels[i]
    return {
        "png": panel.png,
        "size": panel.size,
        "box": panel.box,
        "window": panel.window,
        "yscale": panel.yscale,
        "grabs": i in view.grips,
        "label": view.labels.get(i, ""),
    }


def _scene_message(view):
    return {
        "marks": [_mark_message(mark) for mark in view.marks],
        "numbers": {name: _column(values) for name, values in view.numbers.items()},
        "template": view.template,
        "status": view.words,
        "last": view.last,
        "pace": view.pace,
        "beside": view.beside,
        "grips": {str(i): list(map(float, point)) for i, point in view.grips.items()},
    }


def _mark_message(mark):
    dash = mark.look["linestyle"]
    return {
        "panel": mark.panel,
        "kind": mark.kind,
        "color": mark.look["color"],
        "marker": mark.look["marker"],
        "dash": [] if dash == "-" else [2 * length for length in dash[1]],
        "data": _column(mark.data),
    }


def _column(values):
    """Return strings as they are, numbers as the bytes that the browser reads."""
    return values if isinstance(values, list) else np.asarray(values, dtype="<f8").tobytes()


def table(head, rows):
    """Return an HTML table of cells of text."""
    lines = [_row("th", head), *(_row("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _row(tag, cells):
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def filled(template, numbers, step):
    """Return a template as plain lines, with the numbers of a step put in."""

    def number(match):
        values = numbers[match[1] or match[2]]
        text = said(values[min(step, len(values) - 1)])
        return f"({text})" if match[1] and text.startswith("−") else text

    html = re.sub(r"\({(\w+)}\)|{(\w+)}", number, template)
    lines = re.sub(r"<br>|</p>|</div>", "\n", html)
    return re.sub(r"<.*?>", "", lines).strip()


def said(value):
    """Write a number with four digits and a true minus sign."""
    if np.isnan(value):
        return "–"
    text = "0" if abs(value) < 1e-12 else f"{value:.4g}"
    return text.replace("-", "−").replace("inf", "∞")


def place(point):
    """Write a point."""
    return f"({', '.join(said(value) for value in point)})"


@lru_cache(maxsize=32)
def lowest_and_highest(landscape):
    """Return the loss at the deepest minimum, if known, and the highest one of the window."""
    x, y = (np.linspace(*limits, 101) for limits in landscape.window)
    heights = landscape.value(x, y[:, np.newaxis])
    deepest = [float(landscape(minimum)) for minimum in landscape.minima[:1]]
    return min([*deepest, float(heights.min())]), float(heights.max())


def loss_panel(landscape, steps):
    """Return axes for the loss above its lowest; they change with powers of ten only."""
    lowest, highest = lowest_and_highest(landscape)
    top = 10.0 ** np.ceil(np.log10(highest - lowest) + 0.3)
    across = next((n for n in (10, 30, 100) if n >= steps), 300)
    return figures.curve_panel(
        (0, across), (top * 1e-9, top), "step", "loss above the lowest", size=CURVE
    )


def loss_curve(run, look, panel=1):
    """Return the mark of a run's loss above the lowest; what is lower lies on the bottom line."""
    lowest, highest = lowest_and_highest(run.landscape)
    with np.errstate(all="ignore"):
        above = np.nan_to_num(run.losses - lowest, nan=np.inf, posinf=1e300)
    bottom = 1e-10 * (highest - lowest)
    return Mark(
        panel, "curve", np.stack([np.arange(len(above)), np.maximum(above, bottom)], 1), look
    )


def path(run, look, label, panel=0):
    """Return the mark of a run's path, as far as it is finite."""
    finite = run.positions[np.isfinite(run.positions).all(-1)]
    return Mark(panel, "path", finite, look, label)


def outcome(run):
    """Say in words how a descent went."""
    (x_min, x_max), (y_min, y_max) = run.landscape.window
    scale = np.hypot(x_max - x_min, y_max - y_min)
    lowest, highest = lowest_and_highest(run.landscape)
    first, end = run.losses[0] - lowest, run.losses[-1] - lowest
    small = 1e-6 * (highest - lowest)
    ended = f"loss {said(run.losses[-1])} at {place(run.positions[-1])}"
    after = f"After {run.steps} {'step' if run.steps == 1 else 'steps'}: "
    if run.diverged_at is not None:
        return (
            f"Diverged at step {run.diverged_at}: the numbers left the finite range. "
            "Try a smaller learning rate."
        )
    if np.linalg.norm(run.gradients[0]) < 1e-9:
        ground = "on a minimum" if first < small else "on flat ground"
        return f"The start is {ground}: the gradient there is zero. {after}{ended}."
    if run.steps == 0:
        return f"No step yet: {ended}."
    if end > 100 * first:
        return f"{after}{ended}, and at the start it was {said(run.losses[0])}. It diverges."
    if end > first:
        return f"{after}{ended}, higher than at the start ({said(run.losses[0])})."
    above = "" if abs(lowest) < small else f", {said(end)} above the lowest place"
    moved = np.linalg.norm(np.diff(run.positions[-4:], axis=0), axis=-1).max()
    if moved < 1e-4 * scale and end > max(1e-3 * first, small):
        return f"{after}{ended}{above}. It hardly moves any more."
    return f"{after}{ended}{above}."


def noisy(rule, sigma):
    """Return the rule with Gaussian noise, the same at every call, added to each gradient."""
    rng = np.random.default_rng(0)

    class Noisy(rule):
        def update(self, params, grads):
            noise = {key: sigma * rng.normal(size=grad.shape) for key, grad in grads.items()}
            super().update(params, {key: grad + noise[key] for key, grad in grads.items()})

    return Noisy


def look_of(rule):
    """Return the color, marker and dashes of a rule."""
    return LOOKS.get(rule.__name__, OTHER_LOOKS[0])


def _end(run):
    if run.diverged_at is not None:
        return f"diverged at step {run.diverged_at}"
    x, y = run.positions[-1]
    return f"ends at ({x:.3g}, {y:.3g}), loss {run.losses[-1]:.3g}"


class Ground:
    """The controls of the place: landscape and start.

    Parameters
    ----------
    landscape : Landscape
    start : (x, y) or None
        The landscape's own by default.
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
        self.place(landscape, starting_point(landscape, start))
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
    """

    def __init__(self, rule=SGD, landscape=ravine, start=None, steps=30, **numbers):
        super().__init__()
        self.rule, self.name = rule, rule.__name__
        own = inspect.signature(rule).parameters
        defaults = {name: own[name].default for name in own if name in DIALS}
        if "lr" in defaults:
            defaults["lr"] = TEXTBOOK_RATES.get(self.name, 0.1)
        self.first_numbers = {**defaults, **numbers}
        rule(**self.first_numbers)  # which raises for a number that the rule does not take
        self.first_steps = min(checked_steps(steps), 300)
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
        return {name: run.states.get(name, zeros) for name in MEMORY if hasattr(fresh, name)}

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


class Descent(Walker):
    """One optimizer on a landscape: its path, its loss and its state at a chosen step.

    Parameters are those of `Walker`.

    Examples
    --------
    >>> Descent(SGD, ravine, lr=1.0)
    Explorer: SGD (lr 1) on the ravine from (-7, 2), 30 steps: ends at (-0.297, 2), loss 4.
    """

    def __init__(self, rule=SGD, landscape=ravine, start=None, steps=30, **numbers):
        super().__init__(rule, landscape, start, steps, **numbers)
        self.noise = Dial("noise σ", 0.0, 0.0, 3.0)
        presets = {
            label: partial(self.preset, settings)
            for label, settings in PRESETS.get(self.name, {}).items()
        }
        if "lr" in self.dials:
            presets["Best rate here"] = self.best_rate
        dials = [*self.dials.values(), self.steps, self.noise]
        controls = widgets.Box([*self.ground.controls, *dials], layout=WRAP)
        self.assemble([controls, buttons({**presets, "Reset": self.reset})], dials)

    @told
    def preset(self, settings, _button=None):
        """Choose a preset; what it does not name is as in the textbook."""
        settings = {"landscape": ravine, "steps": 30, **settings}
        landscape, steps = settings.pop("landscape"), settings.pop("steps")
        self.noise.value = 0.0
        self.choose(landscape, landscape.start, steps, settings)

    @told
    def best_rate(self, _button=None):
        """Choose the learning rate with the lowest last loss, the other numbers as they are."""
        others = {name: value for name, value in self.settings.items() if name != "lr"}
        here = self.ground.landscape, self.ground.start, self.steps.value
        rates = sweep(partial(self.rule, **others), *here, lr=RATES)
        self.dials["lr"].value = float(f"{rates.best['lr']:.4g}")

    @told
    def reset(self, _button=None):
        """Return to how it began."""
        self.noise.value = 0.0
        super().reset()

    def view(self):
        """Return what to show."""
        landscape, steps = self.ground.landscape, self.steps.value
        rule = noisy(self.rule, self.noise.value) if self.noise.value else self.rule
        run = descend(rule(**self.settings), landscape, self.ground.start, steps)
        look = look_of(self.rule)
        quantities = {"θ": run.positions, "gradient g": run.gradients, **self.memory(run)}
        numbers = {"k": np.arange(run.steps + 1.0), "f": run.losses}
        for i, values in enumerate(quantities.values()):
            numbers |= {f"x{i}": values[:, 0], f"y{i}": values[:, 1]}
        rows = [[axis, *(f"{{{axis}{i}}}" for i in range(len(quantities)))] for axis in "xy"]
        noise = f", noise {self.noise.value:.3g}" if self.noise.value else ""
        return View(
            panels=[figures.map_panel(landscape, MAP), loss_panel(landscape, steps)],
            marks=[path(run, look, self.name), loss_curve(run, look)],
            words=outcome(run),
            alt=f"{self.title()}{noise}: {_end(run)}.",
            last=run.steps,
            template=table(
                ["step {k}", *quantities, "loss f"], [[*rows[0], "{f}"], [*rows[1], ""]]
            ),
            numbers=numbers,
            pace=max(5.0, run.steps / 6),
            **self.map_hints(),
        )


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
        "θ ← θ − η m̂ / (√v̂ + ε)": ("{before} − {lr} · ({m_hat}) / (√{v_hat} + ε) = {after}"),
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
            panels=[figures.map_panel(landscape, HALF)],
            marks=[
                path(run, look, self.name),
                Mark(0, "arrow", np.hstack([before, plain]), GRAY, "−η g, the step of SGD"),
                Mark(0, "arrow", np.hstack([before, moves]), DARK, "the step"),
            ],
            words=outcome(run),
            alt=f"{self.title()}, step by step: {_end(run)}.",
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
        html += f"<div><b>{formula}</b><br>x: {along[0]}<br>y: {along[1]}</div>"
    return html


class BlindfoldGame(Explorer):
    """A walk on a hidden map: only the height and the slope underfoot are felt.

    Parameters
    ----------
    seed : int
        Of the mountains and of the start.
    steps : int
        How many may be walked.
    """

    ranges: ClassVar = {
        "a new range for each seed": None,
        "four valleys": mountains,
        "saddle": saddle,
        "plateau": plateau,
    }

    def __init__(self, seed=1, steps=20):
        super().__init__()
        self.budget = checked_steps(steps)
        self.kind = widgets.Dropdown(
            options=list(self.ranges), description="mountains", style=NAME, layout=CELL
        )
        self.seed = widgets.BoundedIntText(
            seed, min=0, max=9999, description="seed", style=SHORT_NAME, layout=SMALL_CELL
        )
        self.direction = Dial("direction °", 0, 0, 359)
        self.length = Dial("length", 1.0, 0.0, 1.0)
        self.walk_button = widgets.Button(description="Walk", button_style="primary")
        self.lift_button = widgets.Button(description="Lift the blindfold")
        again = widgets.Button(description="Start again")
        self.set_out()
        self.assemble(
            [
                widgets.Box([self.kind, self.seed, self.direction, self.length], layout=WRAP),
                widgets.Box([self.walk_button, self.lift_button, again], layout=WRAP),
            ],
            [self.direction, self.length],
        )
        self.walk_button.on_click(self.walk)
        self.lift_button.on_click(self.lift)
        again.on_click(self.begin)
        self.kind.observe(self.begin, "value")
        self.seed.observe(self.begin, "value")
        self.stage.on_msg(self.walk)

    def set_out(self):
        """Stand at the start of the chosen mountains, blindfolded."""
        rng = np.random.default_rng(self.seed.value)
        known = self.ranges[self.kind.value]
        self.landscape = known or mountain_range(rng)
        low, high = np.transpose(self.landscape.window)
        anywhere = rng.uniform(0.8 * low + 0.2 * high, 0.2 * low + 0.8 * high)
        self.positions = [anywhere if known else np.array(self.landscape.start)]
        self.reach = (high[0] - low[0]) / 8
        self.lifted = False
        self.length.slider.max = self.length.box.max = float(self.reach)

    @told
    def begin(self, _change=None):
        """Start again, on the chosen mountains."""
        self.set_out()
        self.refresh()

    @property
    def steps_left(self):
        """How many steps may still be walked."""
        return 0 if self.lifted else self.budget + 1 - len(self.positions)

    @property
    def aim(self):
        """The chosen step (dx, dy)."""
        angle = np.deg2rad(self.direction.value)
        return self.length.value * np.array([np.cos(angle), np.sin(angle)])

    def grab(self, _panel, x, y):
        """Aim at a point of the compass."""
        self.length.value = float(f"{min(np.hypot(x, y), self.reach):.3g}")
        self.direction.value = round(np.rad2deg(np.arctan2(y, x))) % 360

    @told
    def walk(self, *_):
        """Walk the chosen step; the edge of the map holds."""
        if self.steps_left:
            low, high = np.transpose(self.landscape.window)
            self.positions.append(np.clip(self.positions[-1] + self.aim, low, high))
            self.refresh()

    @told
    def lift(self, _button=None):
        """Show the map; the game is over."""
        self.lifted = True
        self.refresh()

    def view(self):
        """Return what to show."""
        positions = np.array(self.positions)
        heights = self.landscape(positions)
        slopes = np.linalg.norm(self.landscape.gradient(positions), axis=-1)
        walked = len(positions) - 1
        self.walk_button.disabled, self.lift_button.disabled = not self.steps_left, self.lifted
        lowest, highest = lowest_and_highest(self.landscape)
        margin = 0.3 * (highest - lowest)
        curve = figures.curve_panel(
            (0, self.budget), (lowest - margin, highest + margin), "step", "height", "linear", CURVE
        )
        k = np.arange(walked + 1.0)
        shared = {
            "last": walked,
            "numbers": {
                "k": k,
                "height": heights,
                "slope": slopes,
                "left": self.budget - k,
            },
            "template": table(
                ["after step", "height here", "slope here", "steps left"],
                [["{k}", "{height}", "{slope}", "{left}"]],
            ),
            "pace": 4.0,
        }
        mine = Mark(1, "curve", np.stack([k, heights], 1), DARK, "you")
        here = f"height {said(heights[-1])}, slope {said(slopes[-1])}"
        if self.lifted:
            return self.revealed(positions, heights, curve, mine, shared)
        return View(
            panels=[figures.compass_panel(self.reach, MAP), curve],
            marks=[mine, *self.arrows(positions)],
            words=(
                f"Step {walked} of {self.budget}: {here}. "
                "Brown points up the slope, dark is your next step."
                if self.steps_left
                else f"No steps left: {here}. Lift the blindfold."
            ),
            alt=(
                f"Blindfold game: the map is hidden; {here}, {self.steps_left} steps left."
            ).replace("−", "-"),
            grips={0: self.aim},
            labels={0: "compass; the arrow keys aim the next step, Enter walks it"},
            **shared,
        )

    def arrows(self, positions):
        """Return the arrow up the slope at each place, and that of the next step."""
        gradients = self.landscape.gradient(positions)
        steepness = np.linalg.norm(gradients, axis=-1, keepdims=True)
        up = gradients * self.reach * np.tanh(steepness) / np.maximum(steepness, 1e-12)
        still = np.zeros_like(up)
        return [
            Mark(0, "arrow", np.hstack([still, up]), BROWN, "up the slope"),
            Mark(0, "arrow", np.array([[0, 0, *self.aim]]), DARK, "your next step"),
        ]

    def revealed(self, positions, heights, curve, mine, shared):
        """Return what to show when the blindfold is lifted."""
        walked = len(positions) - 1
        plain = descend(SGD(self.plain_rate), self.landscape, positions[0], walked)
        score, plain_score = (
            score_of(self.landscape, heights[0], end) for end in (heights[-1], plain.losses[-1])
        )
        return View(
            panels=[figures.map_panel(self.landscape, MAP), curve],
            marks=[
                Mark(0, "path", plain.positions, LOOKS["SGD"], "gradient descent"),
                Mark(1, "curve", np.stack([shared["numbers"]["k"], plain.losses], 1), LOOKS["SGD"]),
                Mark(0, "path", positions, DARK, "you"),
                mine,
            ],
            words=(
                f"You went {score} % of the way down to the deepest valley in {walked} steps. "
                f"Plain gradient descent with η {self.plain_rate}: {plain_score} %."
            ),
            alt=(
                f"Blindfold game, lifted after {walked} steps: you {score} % of the way down, "
                f"plain gradient descent {plain_score} %."
            ),
            labels={0: "map with your path and that of gradient descent"},
            **shared,
        )

    plain_rate: ClassVar[float] = 0.3


def score_of(landscape, start, end):
    """Return how much of the way from the start's height to the deepest place was gone, in %."""
    deepest, _ = lowest_and_highest(landscape)
    return round(100 * max(0.0, start - end) / max(start - deepest, 1e-12))


class RateMap(Explorer):
    """Learning rate × momentum: a point of the map gives a path and its exact rate.

    Parameters
    ----------
    landscape : Landscape
        A bowl whose axes are those of the page: round_bowl or ravine.
    steps : int
    """

    def __init__(self, landscape=ravine, steps=30):
        super().__init__()
        self.landscape, self.number_of_steps = landscape, checked_steps(steps)
        self.curvatures = curvatures(landscape)
        self.highest_rate = 4.2 / max(self.curvatures)
        self.lr = Dial("learning rate η", 0.1, 0.0, self.highest_rate)
        self.momentum = Dial("momentum α", 0.9, 0.0, 1.0)
        self.still = self.draw_map()
        controls = widgets.Box([self.lr, self.momentum], layout=WRAP)
        presets = {name: partial(self.choose, point) for name, point in self.presets().items()}
        self.assemble([controls, buttons(presets)], [self.lr, self.momentum])

    def presets(self):
        """Return the points that have a name."""
        low, high = sorted(self.curvatures)
        root = np.sqrt(high / low)
        best = 4 / (np.sqrt(low) + np.sqrt(high)) ** 2, ((root - 1) / (root + 1)) ** 2
        return {
            "Best point": best,
            "Best without momentum": (2 / (low + high), 0.0),
            "On the border": (3 / high, 0.5),
            "Reset": (0.1, 0.9),
        }

    @told
    def choose(self, point, _button=None):
        """Go to a point (learning rate, momentum)."""
        with self.together():
            self.lr.value, self.momentum.value = (float(f"{value:.4g}") for value in point)

    def grab(self, _panel, lr, momentum):
        """Go to a point of the map of rates."""
        self.lr.value, self.momentum.value = float(f"{lr:.3g}"), float(f"{momentum:.3g}")

    def draw_map(self):
        """Return the still layer: the last loss of the sweep and the border of stability."""
        rates, momenta = np.linspace(0, self.highest_rate, 169), np.linspace(0, 1, 121)
        swept = sweep(
            Momentum, self.landscape, steps=self.number_of_steps, lr=rates, momentum=momenta
        )
        with np.errstate(divide="ignore"):
            values = np.log10(swept.losses.T)
        border = 2 * (1 + momenta) / max(self.curvatures), momenta
        return figures.shade_panel(
            np.clip(values, -10, 2),
            rates,
            momenta,
            "learning rate η",
            "momentum α",
            f"log₁₀ loss after {self.number_of_steps} steps",
            (*border, "line: η λ = 2(1 + α)"),
            size=HALF,
        )

    def view(self):
        """Return what to show."""
        lr, momentum = self.lr.value, self.momentum.value
        run = descend(Momentum(lr, momentum), self.landscape, steps=self.number_of_steps)
        rates = [contraction(lr, momentum, curvature) for curvature in self.curvatures]
        rate = max(rates)
        end = said(run.losses[-1])
        verdict = (
            f"each step shrinks the distance to {100 * rate:.3g} % in the long run"
            if rate < 1 - 1e-9
            else "the distance neither shrinks nor grows in the long run"
            if rate < 1 + 1e-9
            else f"each step stretches the distance to {100 * rate:.4g} %: it diverges"
        )
        settings = f"learning rate {lr:.3g}, momentum {momentum:.3g}"
        x_rate, y_rate = rates
        return View(
            panels=[self.still, figures.map_panel(self.landscape, HALF)],
            marks=[
                Mark(0, "point", np.array([[lr, momentum]]), LIGHT | {"marker": "o"}),
                path(run, LOOKS["Momentum"], "Momentum", panel=1),
            ],
            words=f"Exact rate {rate:.4f}: {verdict}. Loss after {run.steps} steps: {end}.",
            alt=(
                f"Rate map of Momentum on the {self.landscape.name}; {settings}: "
                f"exact rate {rate:.3f}, loss {run.losses[-1]:.2g} after {run.steps} steps."
            ),
            last=run.steps,
            template=table(
                ["", "along x", "along y"],
                [
                    ["curvature λ", "{curvature_x}", "{curvature_y}"],
                    ["η λ, stable below 2 (1 + α) = {limit}", "{stretch_x}", "{stretch_y}"],
                    ["exact rate (largest |eigenvalue|)", "{rate_x}", "{rate_y}"],
                ],
            ),
            numbers={
                "curvature_x": [said(self.curvatures[0])],
                "curvature_y": [said(self.curvatures[1])],
                "limit": [said(2 * (1 + momentum))],
                "stretch_x": [said(lr * self.curvatures[0])],
                "stretch_y": [said(lr * self.curvatures[1])],
                "rate_x": [f"{x_rate:.4f}"],
                "rate_y": [f"{y_rate:.4f}"],
            },
            grips={0: (lr, momentum)},
            labels={
                0: "map of learning rate and momentum; the arrow keys move the point",
                1: f"path on the {self.landscape.name}",
            },
        )


def curvatures(landscape):
    """Return the curvatures of a bowl along x and y.

    Raises
    ------
    ValueError
        If the landscape is not a quadratic bowl around (0, 0) whose axes are x and y.
    """
    x, y = np.array([1.0, 2.0, -3.0]), np.array([1.0, -1.0, 2.0])
    along_x, along_y = landscape.slope(x, y)
    if not (np.ptp(along_x / x) < 1e-12 and np.ptp(along_y / y) < 1e-12):
        raise ValueError(f"landscape must be a bowl such as ravine, got {landscape.name}")
    return float(along_x[0]), float(along_y[0])


def contraction(lr, momentum, curvature):
    """Return the spectral radius of one step of Momentum on a parabola.

    The step maps (θ, v) by a matrix of trace 1 + α - ηλ and determinant α (Polyak, 1964).
    """
    trace = 1 + momentum - lr * curvature
    root = np.sqrt(complex(trace**2 - 4 * momentum))
    return float(max(abs(trace + root), abs(trace - root)) / 2)


class Race(OnGround):
    """The four optimizers on one landscape, each with its own rate and a switch.

    Parameters
    ----------
    landscape : Landscape
    start : (x, y), optional
        The landscape's own by default.
    steps : int
        At most 300.
    """

    rules: ClassVar = {rule.__name__: rule for rule in (SGD, Momentum, AdaGrad, Adam)}

    def __init__(self, landscape=ravine, start=None, steps=30):
        super().__init__()
        self.first_landscape, self.first_steps = landscape, min(checked_steps(steps), 300)
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
            panels=[figures.map_panel(landscape, MAP), loss_panel(landscape, steps)],
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
