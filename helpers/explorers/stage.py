"""The stage that all explorers share: what it shows, and how it is sent to the browser.

The browser's side is in `stage.js`, `draw.js` and `stage.css`.
"""

import asyncio
import traceback
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import ClassVar

import anywidget
import numpy as np
import traitlets

from helpers.explorers.panels import Mark, Panel
from helpers.explorers.still import still_picture
from helpers.explorers.words import WORDS, column

HERE = Path(__file__).parent
DARK = {"color": "#222222", "marker": "o", "linestyle": "-"}
GRAY = {"color": "#777777", "marker": "o", "linestyle": "-"}
KEEP, UNDO, RESET = (WORDS["stage"][name] for name in ("keep", "undo", "reset"))
FAN = 201  # stops of a dial that are computed ahead, at most
STORED = 51  # of those that a page without a kernel shows
MAIN = "lr", "momentum", "degrees", "scale", "trials"  # dials that it shows, and the charted ones
CLOSE_TOGETHER = 0.02  # seconds that the kernel works ahead before it looks for messages
SENT_AS_IT_IS = "template", "columns", "words", "last", "key", "beside", "future", "pace"
QUIET = 0.15  # seconds without a change before the charts are drawn anew


@dataclass(frozen=True)
class View:
    """All that an explorer shows at a moment.

    Attributes
    ----------
    panels : list of Panel
    marks : list of Mark
    words : str or list of str
        The state in one or two sentences, the same at all steps or one for each.
    alt : str
        The state in one line with the settings: the text alternative.
    last : int
        The number of steps that can be looked at.
    template : str
        HTML in which {name} stands for the number of that name at the shown step; ({name}) keeps
        its brackets around a negative number only.
    numbers : dict of str to array or list of str
        One value for each step, or a single one for all. {k} is the step itself.
    key : str
        HTML that explains colors and signs.
    grips : dict of int to (x, y)
        The panels on which something can be moved, and where it is.
    off : tuple of str
        The buttons that have nothing to do now.
    pace : float
        Steps that Play makes in a second.
    beside : bool
        Whether the template stands beside the panels, where there is room, or below.
    future : bool
        Whether what comes after the shown step is drawn faintly.
    zoom : dict of int to ndarray, shape (last + 1, 4)
        The panels that show at each step a part (x_min, x_max, y_min, y_max) of their window.
    """

    panels: list[Panel]
    marks: list[Mark]
    words: str | list[str]
    alt: str
    last: int
    template: str = ""
    numbers: dict = field(default_factory=dict)
    key: str = ""
    grips: dict = field(default_factory=dict)
    off: tuple = ()
    pace: float = 10.0
    beside: bool = False
    future: bool = True
    zoom: dict = field(default_factory=dict)

    def __post_init__(self):
        self.numbers.setdefault("k", range(self.last + 1))

    @cached_property
    def columns(self):
        """The numbers as texts."""
        return {name: column(values) for name, values in self.numbers.items()}

    def at(self, step):
        """Return the view with words and numbers of a step only."""
        numbers = {name: [row[min(step, len(row) - 1)]] for name, row in self.numbers.items()}
        return replace(self, words=self.words_at(step), numbers=numbers)

    def words_at(self, step):
        """Return the sentences of a step."""
        return self.words if isinstance(self.words, str) else self.words[step]


class Explorer(anywidget.AnyWidget):
    """What all explorers share: controls, a stage under them, and three forms of display.

    A subclass gives its controls, and says in `view` what to show for given values of them.

    Parameters
    ----------
    controls : list of Dial, Menu or Switch
    actions : dict of str to (dict, or callable that takes the values and returns a dict)
        The buttons, and the values that each one sets.
    step : int, optional
        The step that is shown at first; the last by default.
    **state : object
        Values that no control shows.

    Attributes
    ----------
    values : dict of str to object
        What the controls say.
    """

    _esm = "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("draw.js", "stage.js"))
    _css = HERE / "stage.css"
    controls = traitlets.List().tag(sync=True)
    panels = traitlets.Dict().tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    charts = traitlets.Dict().tag(sync=True)
    kept = traitlets.Dict().tag(sync=True)
    alarm = traitlets.Unicode().tag(sync=True)
    stored = traitlets.Dict(default_value=None, allow_none=True).tag(sync=True)

    strict: ClassVar[bool] = False
    usual_actions: ClassVar[tuple] = (KEEP, UNDO, RESET)
    charted: ClassVar[tuple] = ()  # the dials on which `charts_of` draws: they have room for it

    def __init__(self, controls, actions, step=None, **state):
        self.parts = {control.name: control for control in controls}
        self.first = {control.name: control.value for control in controls} | state
        self.values, self.past, self.note = dict(self.first), [], ""
        self.actions = {**actions, **{name: {} for name in self.usual_actions}}
        self.ahead = False  # whether a view is computed that may never be shown
        self._heard, self._last_changed, self._kept_marks = 0, None, []
        self._later = self._task = None
        self.shown = self.view(self.values)
        self.first_step = self.step = self.shown.last if step is None else step
        super().__init__(
            controls=[c.spec | {"charted": c.name in self.charted} for c in controls],
            panels=_panel_specs(self.shown),
            scene=self._scene(jump=self.step),
        )
        self.on_msg(self._receive)
        self._work_ahead()

    # ---- what a subclass says ------------------------------------------------------------------

    def view(self, values):
        """Return what to show for some values."""
        raise NotImplementedError

    def follow(self, values, changed):
        """Return the values, with those that must follow the changed ones."""
        return values

    def grabbed(self, values, panel, x, y):
        """Return what is changed by taking a point of a panel."""
        return {}

    def told_at(self, panel, x, y):
        """Return a text about a point of a panel, and an arrow (dx, dy) there, or None."""

    def charts_of(self, values):
        """Return the charts on dials, by their names."""
        return {}

    def stepped(self, step):
        """Return what is changed by looking at a step."""
        return {}

    # ---- what a reader does --------------------------------------------------------------------

    def change(self, changes, jump=None):
        """Take new values and show what follows; if that fails, all stays as it was."""
        values = self.follow({**self.values, **changes}, changes)
        view = self.view(values)
        names = tuple(changes)
        if names != self._last_changed and values != self.values:
            self.past.append((self.values, self.step))
        self._last_changed = names if len(names) == 1 else None
        at_end = self.step >= self.shown.last
        self.values = values
        self._show(view, jump, view.last if at_end else min(self.step, view.last))

    def set(self, **texts):
        """Take what a reader chose or wrote."""
        self.note = ""
        self.change({name: self.parts[name].read(text) for name, text in texts.items()})

    def press(self, name):
        """Do what the button of this name says, and tell what it changed."""
        action, before = self.actions[name], self.values
        self.note, self._last_changed = "", None
        if name == KEEP:
            self._keep()
        elif name == UNDO:
            if self.past:
                values, step = self.past.pop()
                self.values = values
                self._show(self.view(values), step, step)
        elif name == RESET:
            self._let_go()
            self.change(dict(self.first), self.first_step)
        else:
            changes = action(self.values) if callable(action) else action
            self.change(changes, changes.get("step"))
            changed = [part for part in self.parts if self.values[part] != before[part]]
            if changed:
                self.note = WORDS["stage"]["set"].format(changes=self._settings(changed))
                self._show(self.shown, None, self.step)

    def look_at(self, step):
        """Take the step that the reader looks at."""
        self.step = min(max(int(step), 0), self.shown.last)
        changes = self.stepped(self.step)
        if any(self.values[name] != value for name, value in changes.items()):
            self.values |= changes
            self._show(self.view(self.values), None, self.step)

    def grab(self, panel, x, y):
        """Take a point of a panel that the reader clicked, dragged or moved to."""
        self.note = ""
        self.change(self.grabbed(self.values, panel, x, y))

    def _keep(self):
        curves = [mark for mark in self.shown.marks if mark.kind in ("path", "curve")]
        self._kept_marks = [Mark(m.panel, "line", m.data, GRAY) for m in curves]
        marks, data = _encoded_marks(self._kept_marks)
        dials = [name for name, part in self.parts.items() if part.stops]
        words = WORDS["stage"]["kept"].format(settings=self._settings(dials))
        self.kept = {"marks": marks, "data": data, "words": words}
        self._show(self.shown, None, self.step)

    def _settings(self, names):
        parts = [self.parts[name] for name in names]
        return ", ".join(f"{part.label} {part.text(self.values[part.name])}" for part in parts)

    def _let_go(self):
        self._kept_marks, self.kept = [], {}

    # ---- between kernel and browser ------------------------------------------------------------

    def _receive(self, _widget, message, _buffers):
        self._heard = message.get("n", self._heard)
        try:
            self.alarm = ""
            self._obey(**message)
        except Exception as error:
            if Explorer.strict:
                raise
            self.alarm = WORDS["stage"]["alarm"].format(error=described(error))
            self.scene = self._scene()

    def _obey(self, do, n=None, **what):
        answers = {
            "set": lambda values: self.set(**values),
            "press": self.press,
            "grab": self.grab,
            "step": self.look_at,
            "fan": lambda **asked: self._soon(self._send_fan(**asked)),
            "probe": self._tell,
        }
        answers[do](**what)

    def _tell(self, panel, x, y):
        told = self.told_at(panel, x, y)
        if told:
            text, arrow = told
            probe = {"panel": panel, "text": text, "at": [x, y], "arrow": [float(d) for d in arrow]}
            self.send({"probe": probe})

    def _show(self, view, jump, step):
        if [p.key for p in view.panels[:1]] != [p.key for p in self.shown.panels[:1]]:
            self._let_go()
        with self.hold_sync():
            self.shown, self.step = view, step if jump is None else jump
            self.panels = _panel_specs(view)
            self.scene = self._scene(jump)
        self._work_ahead()

    def _scene(self, jump=None):
        scene, data = _encoded(self.shown)
        values, parts = self.values, self.parts
        return scene | {
            "data": data,
            "n": self._heard,
            "jump": jump,
            "note": self.note,
            "gone": WORDS["stage"]["gone"],
            "values": {name: part.text(values[name]) for name, part in parts.items()},
            "stops": {
                name: part.nearest(values[name]) for name, part in parts.items() if part.stops
            },
            "buttons": list(self.actions),
            "off": [*self.shown.off, *([] if self.past else [UNDO])],
            "grips": {str(i): list(map(float, at)) for i, at in self.shown.grips.items()},
            "zoom": {str(i): np.asarray(rows).tolist() for i, rows in self.shown.zoom.items()},
        }

    def fan(self, name, most=FAN):
        """Yield, for stops of a dial, their number and what would be shown, coarse ones first."""
        part, values = self.parts[name], self.values
        apart = -(-len(part.stops) // most)
        for i in coarse_to_fine(range(0, len(part.stops), apart)):
            changes = {name: part.stops[i]}
            self.ahead = True
            try:
                view = self.view(self.follow({**values, **changes}, changes))
            finally:
                self.ahead = False
            step = view.last if self.step >= self.shown.last else min(self.step, view.last)
            yield i, view, step

    async def _send_fan(self, name, ask):
        others = {key: value for key, value in self.values.items() if key != name}
        loop, waiting, start = asyncio.get_running_loop(), [], None
        for i, view, step in self.fan(name):
            scene, data = _encoded(view.at(step))
            waiting.append(({**scene, "i": i, "note": "", "specs": _panel_specs(view)}, data))
            start = start or loop.time()
            if loop.time() - start > CLOSE_TOGETHER:
                self._send_part_of_fan(ask, waiting)
                waiting, start = [], None
                await asyncio.sleep(0.01)  # in which a message comes through
            if any(self.values[key] != value for key, value in others.items()):
                return
        self._send_part_of_fan(ask, waiting)

    def _send_part_of_fan(self, ask, waiting):
        specs = {key: spec for scene, _ in waiting for key, spec in scene.pop("specs").items()}
        buffers, fresh = [data for _, data in waiting], {}
        for key in specs.keys() - self.panels.keys():
            fresh[key] = {**specs[key], "image": len(buffers)}  # its place among the buffers
            buffers.append(specs[key]["image"])
        scenes = [scene for scene, _ in waiting]
        self.send({"ask": ask, "specs": fresh, "scenes": scenes}, buffers)

    def store(self):
        """Keep in the state what a page without a kernel shows: charts, and stops of main dials."""
        self._draw_charts()
        main = (*MAIN, *self.charted)
        dials = [part for name, part in self.parts.items() if part.stops and name in main]
        self.stored = {dial.name: self._stored_fan(dial.name) for dial in dials}
        words = WORDS["stage"]["stored" if dials else "not_stored"]
        note = words.format(dials=", ".join(dial.label for dial in dials))
        self.scene = {**self.scene, "note": note, "buttons": [], "grips": {}}

    def _stored_fan(self, name):
        stored = []
        for i, view, _ in self.fan(name, STORED):
            scene, data = _encoded(view)
            self.panels = self.panels | _panel_specs(view)
            other = {key: value for key, value in scene.items() if value != self.scene[key]}
            stored.append({**other, "jump": None, "i": i, "data": data})
        return sorted(stored, key=itemgetter("i"))

    def _work_ahead(self):
        """Draw the charts anew when nothing has changed for a moment."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # not in a kernel
            return
        if self._later:
            self._later.cancel()
        self._later = loop.call_later(QUIET, self._draw_charts)

    def _draw_charts(self):
        self.charts = self.charts_of(self.values)

    def _soon(self, work):
        if self._task:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(work)

    # ---- display -------------------------------------------------------------------------------

    def picture(self):
        """Return a PNG of what is shown now, and its size in pixels of the screen."""
        view = replace(self.shown, marks=[*self._kept_marks, *self.shown.marks])
        return still_picture(view, self.step, WORDS["stage"]["hint"])

    def __repr__(self):
        return f"Explorer: {self.shown.alt}"

    def _repr_mimebundle_(self, **kwargs):
        live, *_ = super()._repr_mimebundle_(**kwargs)
        png, (width, height) = self.picture()
        metadata = {"width": width, "height": height, "alt": self.shown.alt}
        data = {**live, "image/png": png, "text/plain": repr(self)}
        return data, {"image/png": metadata}


def coarse_to_fine(numbers):
    """Return numbers, every 16th of them first, then those in between."""
    numbers = list(numbers)
    rounds = [next(k for k in range(5) if i % (16 >> k) == 0) for i in range(len(numbers))]
    return [number for _, number in sorted(zip(rounds, numbers, strict=True))]


def described(error):
    """Return an error in a line, with the line of the learner's own code where it arose."""
    own = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not Path(frame.filename).is_relative_to(HERE.parent)
        and "site-packages" not in frame.filename
    ]
    where = f" ({own[-1].name}, line {own[-1].lineno}: {own[-1].line})" if own else ""
    return f"{type(error).__name__}: {error}{where}"


def _panel_specs(view):
    """Return what the browser needs to know of the panels, by their keys."""
    return {
        panel.key: {name: value for name, value in vars(panel).items() if name != "key"}
        for panel in view.panels
    }


def _encoded(view):
    """Return what the browser needs to know of a view, and the bytes of its marks."""
    marks, data = _encoded_marks(view.marks)
    scene = {name: getattr(view, name) for name in SENT_AS_IT_IS}
    return scene | {"panels": [panel.key for panel in view.panels], "marks": marks}, data


def _encoded_marks(marks):
    """Return what the browser needs to know of marks, and the bytes of all their data."""
    specs, parts, at = [], [], 0
    for mark in marks:
        dash = mark.look["linestyle"]
        values = np.clip(mark.data, -1e30, 1e30).astype("<f4").ravel()
        specs.append(
            {
                **{"panel": mark.panel, "kind": mark.kind, "from": at, "to": at + len(values)},
                **{"color": mark.look["color"], "marker": mark.look["marker"]},
                "dash": [] if dash == "-" else [2 * length for length in dash[1]],
            }
        )
        parts.append(values)
        at += len(values)
    return specs, np.concatenate(parts).tobytes() if parts else b""
