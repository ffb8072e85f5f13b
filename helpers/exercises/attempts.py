"""An attempt is run, whatever it does: raise, return nonsense, never end. It gets a `Verdict`."""

import ctypes
import dis
import html
import inspect
import linecache
import re
import sys
import threading
import time
import tomllib
import traceback
import warnings
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TIME_LIMIT = 3.0  # seconds for one case
LONGEST = 10.0  # seconds for all cases of a check
WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


# A mark, and the colors of text, ground and edge: the same in a light and in a dark theme.
LOOKS = {
    True: ("✓", "#0f3d1e", "#e6f4ea", "#1a7f37"),
    False: ("✗", "#4a2a00", "#fdf1e3", "#b35900"),
}


@dataclass(frozen=True, repr=False)
class Verdict:
    """The answer to an attempt; shown as one line of text, in a notebook with a mark and a color.

    Attributes
    ----------
    passed : bool or None
        None if the exercise was not attempted yet.
    message : str
        What holds, or what differs.
    hint : str
        The likely mistake; "" where there is nothing to hint at.
    """

    passed: bool | None
    message: str
    hint: str = ""

    def __repr__(self):
        return "  ".join(self.lines())

    def lines(self):
        """Return the message, and the hint if there is one."""
        return [self.message] + [WORDS["hint"].format(hint=self.hint)] * bool(self.hint)

    def _repr_html_(self):
        """Return the same text, marked; None before the exercise was attempted."""
        if self.passed is None:
            return None
        mark, text, ground, edge = LOOKS[self.passed]
        body = "".join(f"<div>{marked_up(line)}</div>" for line in self.lines())
        return (
            f'<div style="color:{text};background:{ground};border-left:0.4em solid {edge};'
            'padding:0.4em 0.8em;display:flex;gap:0.6em;max-width:60em">'
            f'<div aria-hidden="true">{mark}</div><div>{body}</div></div>'
        )


def marked_up(text):
    """Return a text as HTML, what stands between backticks as code."""
    code = r'<code style="color:inherit;background:transparent">\1</code>'
    return re.sub("`(.*?)`", code, html.escape(text))


def said(key, **values):
    """Return a message of the catalog, filled in."""
    return WORDS[key]["message"].format(**values)


def right(message):
    """Return the Verdict on an attempt that passed."""
    return Verdict(True, WORDS["right"].format(message=message))


def not_yet(key, hint=None, **values):
    """Return the Verdict on an attempt that did not pass, with the catalog's hint or another."""
    if hint is None:
        hint = WORDS[key].get("hint", "").format(**values)
    return Verdict(False, WORDS["not_yet"].format(message=said(key, **values)), hint)


# ---- Running code that may do anything ----------------------------------------------------------


class Slip(Exception):
    """A flaw that a check notices while it runs an attempt; `key` leads to its words."""

    def __init__(self, key, hint=None, **values):
        super().__init__(key)
        self.key, self.hint, self.values = key, hint, values


class Stopped(SystemExit):
    """The outcome of an attempt that takes too long."""

    endless = True  # whether it was one case that took too long


class Stop(Stopped):
    """Ends an attempt in its thread; `except Exception` lets it pass, threads hide it.

    A handler that catches it all the same makes an object of it, and then the next line that the
    learner's code begins raises another: within the handler, where nothing catches it.
    """

    def __init__(self):
        super().__init__()
        sys.settrace(raise_again)
        frame = sys._getframe(1)
        while frame:
            if not is_library(frame):
                frame.f_trace = raise_again
            frame = frame.f_back


def raise_again(frame, event, arg):
    """Raise `Stop` at a line of the learner; what Python calls there is let alone."""
    if event == "line":
        raise Stop


def observe(run, cases):
    """Return what `run` gives for each case, or the exception that it raises, and the warnings.

    A case has `TIME_LIMIT`, all have `LONGEST`; after these the last outcome is a `Stopped`.
    """
    outcomes, begun = [], []

    def work():
        for case in cases:
            begun.append(time.monotonic())
            try:
                outcomes.append(run(case))
            except Stopped as error:
                sys.settrace(None)
                outcomes.append(error)
                return
            except BaseException as error:
                outcomes.append(error)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        ended = ends_in_time(work, begun)
    outcomes = list(outcomes)
    if not ended:
        if not (outcomes and isinstance(outcomes[-1], Stopped)):
            outcomes.append(Stopped())
        outcomes[-1].endless = time.monotonic() - begun[-1] > TIME_LIMIT
    return outcomes, warned


def ends_in_time(work, begun):
    """Run `work` in a thread, stop it if it takes too long, and tell whether it ended by itself.

    `begun` is when its cases begin, so far.

    The interpreter can raise an exception in a thread from outside, between two bytecodes. Unlike
    a signal this works on Windows and whichever thread asks; unlike a trace function it neither
    slows the attempt nor displaces a debugger; and if the attempt hangs in a call that does not
    come back (a sleep), the check answers all the same. The context goes along: it holds numpy's
    handling of floating-point errors. An event tells the end, since a `join` that is interrupted
    takes the thread for ended (Python 3.11 and 3.12).
    """
    ended = threading.Event()

    def work_and_tell():
        try:
            work()
        finally:
            ended.set()

    thread = threading.Thread(target=copy_context().run, args=(work_and_tell,), daemon=True)
    try:
        thread.start()
        while not ended.wait(0.05):  # in short turns, so that an interrupt is seen everywhere
            if takes_too_long(begun):
                return False
        return True
    except RuntimeError:  # a Python in the browser has no threads
        return ends_in_time_where_no_threads_are(work_and_tell, begun)
    finally:
        stop(thread, ended)


def ends_in_time_where_no_threads_are(work, begun):
    """Do the same with a trace function, which raises at the next line of Python."""
    stopped = False

    def look(frame, event, arg):
        nonlocal stopped
        if takes_too_long(begun):
            stopped = True
            raise Stopped
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        work()
    except Stopped:
        pass
    finally:
        sys.settrace(before)
    return not stopped


def takes_too_long(begun):
    """Tell whether the last case, or all together, had more time than they may have."""
    now = time.monotonic()
    return bool(begun) and (now > begun[-1] + TIME_LIMIT or now > begun[0] + LONGEST)


def stop(thread, ended, patience=0.5):
    """Raise `Stop` in a thread until it ends; code may swallow it once or twice."""
    deadline = time.monotonic() + patience
    while not ended.is_set() and time.monotonic() < deadline:
        running = ctypes.c_ulong(thread.ident or 0)  # it may just be starting
        ctypes.pythonapi.PyThreadState_SetAsyncExc(running, ctypes.py_object(Stop))
        ended.wait(0.05)


def verdict_on_error(name, error, done=0, count=1):
    """Return the Verdict on an attempt that ended with an exception, in case `done` of `count`."""
    if isinstance(error, Slip):
        return not_yet(error.key, error.hint, name=name, **error.values)
    where = line_of_the_learner(error)
    if isinstance(error, Stopped):
        key, seconds = ("stopped", TIME_LIMIT) if error.endless else ("slow", LONGEST)
        return not_yet(
            key, name=name, seconds=seconds, where=where, done=done, case=done + 1, count=count
        )
    what = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
    hints = [one["hint"] for one in WORDS["errors"] if re.match(one["pattern"], what + where)]
    return not_yet("raises", *hints[:1], name=name, error=cut(what, 200), where=where)


def cut(text, length):
    """Return a text with its end left out where it is longer than `length`."""
    return text if len(text) <= length else text[:length] + " …"


def line_of_the_learner(error):
    """Return ", in line 3: `code`" for the deepest line that is not in a library, or ""."""
    theirs = [
        (frame.f_code.co_filename, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if not is_library(frame)
    ]
    if not theirs:
        return ""
    file, number = theirs[-1]
    code = linecache.getline(file, number).strip()
    return WORDS["in_line"].format(line=number) + (f": `{cut(code, 100)}`" if code else "")


def is_library(frame):
    """Tell whether a frame runs code of Python, of an installed package or of helpers."""
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    if package in {"helpers", *sys.stdlib_module_names}:
        return True
    files = [frame.f_code.co_filename]  # of compiled code a path in its sources, so:
    if package != "__main__":
        files.append(getattr(sys.modules.get(package), "__file__", None) or "")
    return any({"site-packages", "dist-packages"} & set(Path(file).parts) for file in files)


def is_blank(attempt):
    """Tell whether an attempt is still the `...` that the notebook gives."""
    if inspect.isclass(attempt):
        update = getattr(attempt, "update", None)
        methods = map(inspect.isfunction, vars(attempt).values())
        return is_blank(update) if update else not any(methods)
    code = getattr(inspect.unwrap(attempt), "__code__", None) if callable(attempt) else None
    return does_nothing(code) if code else attempt is ...


def does_nothing(code):
    """Tell whether compiled code only returns None (or `...`)."""
    framing = {"RESUME", "NOP", "RETURN_VALUE"}
    constants = {"LOAD_CONST", "RETURN_CONST"}
    rest = [step for step in dis.get_instructions(code) if step.opname not in framing]
    return all(step.opname in constants and step.argval in (None, ...) for step in rest)


def numbers(result):
    """Return what an attempt gave back as an array of floats."""
    if result is None:
        raise Slip("none")
    try:
        array = np.asarray(result)
    except ValueError:
        raise Slip("ragged") from None
    if array.dtype.kind not in "buifO":
        raise Slip("no_numbers", kind=a_kind(result))
    try:
        return np.reshape([float(number) for number in array.flat], array.shape)
    except OverflowError:  # whole numbers of Python have no end
        return np.full(array.shape, np.inf)
    except (TypeError, ValueError):
        raise Slip("no_numbers", kind=a_kind(result)) from None


def a_kind(value):
    """Return "an int", "a str" and so on."""
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"
