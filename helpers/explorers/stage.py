"""The stage that all explorers share: what it shows, and how it is sent to the browser.

The browser's side is in `stage.js` and `stage.css`.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import ClassVar

import anywidget
import ipywidgets as widgets
import numpy as np
import traitlets

from helpers.explorers import panels
from helpers.explorers.panels import Mark, Panel
from helpers.explorers.words import filled

HERE = Path(__file__).parent
MAP, CURVE, HALF = (480, 310), (330, 310), (412, 310)
DARK = {"color": "#222222", "marker": "o", "linestyle": "-"}


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
        outer, self._waiting = self._waiting, True
        try:
            yield
        finally:
            self._waiting = outer
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
        return panels.stage(view.panels, view.marks, step, view.words, view.alt, notes)

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
