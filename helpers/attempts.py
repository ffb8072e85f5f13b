"""What becomes of a learner's attempt: it is run, compared with a reference, and answered.

A check runs the attempt on hidden random inputs, beside a reference. Where they differ, it tries
the mistakes that people make, and names the one with the very results of the attempt. Whatever
the attempt does (raise, return nonsense, never end), a check returns a `Verdict`.
"""

import copy
import ctypes
import dis
import inspect
import linecache
import sys
import threading
import time
import traceback
import warnings
from collections import defaultdict
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

TIME_LIMIT = 3.0  # seconds for all runs of one check


@dataclass(frozen=True, repr=False)
class Verdict:
    """The answer to an attempt; shown as one line.

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
        return f"{self.message}  Hint: {self.hint}" if self.hint else self.message


def right(message):
    """Return the Verdict on an attempt that passed."""
    return Verdict(True, f"Right: {message}")


def not_yet(message, hint):
    """Return the Verdict on an attempt that did not pass."""
    return Verdict(False, f"Not yet: {message}", hint)


# ---- Running code that may do anything ----------------------------------------------------------


class Slip(Exception):
    """A flaw that a check notices while it runs an attempt."""

    def __init__(self, what, hint):
        super().__init__(what)
        self.what, self.hint = what, hint


class Stopped(SystemExit):
    """Ends an attempt that takes too long; `except Exception` lets it pass, threads hide it."""


def observe(run, cases):
    """Return what `run` gives for each case, or the exception that it raises, and the warnings.

    The runs share one time limit; after it the last outcome is a `Stopped`.
    """
    outcomes = []

    def work():
        for case in cases:
            try:
                outcomes.append(run(case))
            except Stopped as error:
                outcomes.append(error)
                return
            except BaseException as error:
                outcomes.append(error)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        ended = ends_in_time(work, TIME_LIMIT)
    outcomes = list(outcomes)
    if not ended and not (outcomes and isinstance(outcomes[-1], Stopped)):
        outcomes.append(Stopped())
    return outcomes, warned


def ends_in_time(work, seconds):
    """Run `work` in a thread, stop it after so many seconds, and tell whether it ended by itself.

    The interpreter can raise an exception in a thread from outside, between two bytecodes. Unlike
    a signal this works on Windows and whichever thread asks; unlike a trace function it neither
    slows the attempt nor displaces a debugger; and if the attempt hangs in a call that does not
    come back (a sleep), the check answers all the same. The context goes along: it holds numpy's
    handling of floating-point errors.
    """
    thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True)
    thread.start()
    try:
        thread.join(seconds)
        return not thread.is_alive()
    finally:
        stop(thread)


def stop(thread, patience=0.5):
    """Raise `Stopped` in a thread until it ends; code may swallow it once or twice."""
    deadline = time.monotonic() + patience
    while thread.is_alive() and time.monotonic() < deadline:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped)
        )
        thread.join(0.05)


def verdict_on_error(name, error):
    """Return the Verdict on an attempt that ended with an exception."""
    if isinstance(error, Slip):
        return not_yet(f"{name} {error.what}.", error.hint)
    where = line_of_the_learner(error)
    if isinstance(error, Stopped):
        message = f"{name} was stopped after {TIME_LIMIT:g} seconds{where}."
        return not_yet(message, "a loop seems never to end; does its condition ever change?")
    what = "".join(traceback.format_exception_only(error)).strip().splitlines()[0]
    return not_yet(f"{name} raises {what}{where}.", HINTS_ON_ERRORS.get(type(error), ""))


HINTS_ON_ERRORS = {
    ZeroDivisionError: "with which numbers is the divisor zero?",
    NotImplementedError: "a part is not written yet.",
    OverflowError: "a number grew beyond all bounds; np.exp(x) and np.float64(x) ** 2 give inf.",
    RecursionError: "the function calls itself without end.",
}


def line_of_the_learner(error):
    """Return ", in line 3: `code`" for the deepest line that is not in a library, or ""."""
    libraries = {"helpers", "numpy", *sys.stdlib_module_names}
    theirs = [
        (frame.f_code.co_filename, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").partition(".")[0] not in libraries
    ]
    if not theirs:
        return ""
    file, number = theirs[-1]
    code = linecache.getline(file, number).strip()
    return f", in line {number}" + (f": `{code}`" if code else "")


def is_blank(attempt):
    """Tell whether an attempt is still the `...` that the notebook gives."""
    if inspect.isclass(attempt):
        update = vars(attempt).get("update")
        return is_blank(update) if update else not has_methods(attempt)
    code = getattr(inspect.unwrap(attempt), "__code__", None) if callable(attempt) else None
    return does_nothing(code) if code else attempt is ...


def has_methods(attempt):
    """Tell whether a class defines any function."""
    return any(map(inspect.isfunction, vars(attempt).values()))


def does_nothing(code):
    """Tell whether compiled code only returns None (or `...`)."""
    framing = {"RESUME", "NOP", "RETURN_VALUE"}
    constants = {"LOAD_CONST", "RETURN_CONST"}
    rest = [step for step in dis.get_instructions(code) if step.opname not in framing]
    return all(step.opname in constants and step.argval in (None, ...) for step in rest)


def numbers(result):
    """Return what an attempt gave back as an array of floats."""
    if result is None:
        raise Slip("returns None", "a `return` is missing.")
    try:
        array = np.asarray(result)
    except ValueError:
        raise Slip("returns parts of different lengths", "they must have one shape.") from None
    if array.dtype.kind not in "buif":
        raise Slip(f"returns {a_kind(result)}", "numbers are asked for.")
    return array.astype(float)


def a_kind(value):
    """Return "an int", "a str" and so on."""
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


# ---- Comparing with a reference, and with mistakes ----------------------------------------------


def agree(one, other):
    """Tell whether two outcomes are the same numbers, or both an exception."""
    failed = [isinstance(outcome, BaseException) for outcome in (one, other)]
    if any(failed):
        return all(failed)
    return one.shape == other.shape and bool(close(one, other).all())


def close(one, other):
    """Tell elementwise whether numbers are the same up to rounding; nan is the same as nan."""
    return np.isclose(one, other, rtol=1e-7, atol=1e-10, equal_nan=True)


@dataclass(frozen=True)
class Check:
    """A check of one exercise; call it with the attempt to get its `Verdict`.

    A kind of check says in `cases` what the hidden inputs are, in `run` what an attempt makes of
    one of them, and in `judge` what follows from all these outcomes.

    Attributes
    ----------
    name : str
        What the notebook calls the attempt.
    hint : str
        For an attempt that is wrong in a way that has no hint of its own.
    """

    name: str
    hint: str

    wanted: ClassVar = "the function itself, without parentheses"

    def __call__(self, attempt):
        """Return the Verdict on an attempt."""
        if is_blank(attempt):
            return Verdict(None, f"Not attempted yet: {self.name}.")
        if not callable(attempt):
            message = f"the check of {self.name} was given {a_kind(attempt)}."
            return not_yet(message, f"hand over {self.wanted}.")
        cases = self.cases()
        outcomes, warned = observe(lambda case: self.run(attempt, case), cases)
        return self.judge(cases, outcomes, warned)

    def rng(self):
        """Return the generator of the hidden inputs, the same at every call."""
        return np.random.default_rng(list(self.name.encode()))

    def run(self, attempt, case):
        """Return what an attempt makes of one case, an array; its arguments must not change."""
        given = copy.deepcopy(case)
        result = numbers(attempt(*given))
        for before, after in zip(case, given, strict=True):
            if isinstance(before, np.ndarray) and not close(before, after).all():
                hint = "work on a copy; b = a is a second name of one array, b = a.copy() is not."
                raise Slip("changes an array that it was given", hint)
        return result


@dataclass(frozen=True)
class Comparison(Check):
    """A check of a function against a reference.

    Attributes
    ----------
    draw : callable
        Takes a random generator, returns the arguments of one case, as a tuple.
    reference : callable
    mistakes : dict of str to callable
        Wrong solutions, each under its hint.
    count : int
        Number of cases.
    """

    draw: Callable
    reference: Callable
    mistakes: dict
    count: int = 20

    def cases(self):
        """Return the hidden inputs."""
        rng = self.rng()
        return [self.draw(rng) for _ in range(self.count)]

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on the outcomes of an attempt."""
        expected = self.outcomes_of(self.reference, cases)
        wrong = [k for k, got in enumerate(outcomes) if not agree(got, expected[k])]
        if not wrong:
            return right(f"{self.name} agrees on {len(cases)} random cases.")
        values = [k for k in wrong if not isinstance(outcomes[k], BaseException)]
        hint = self.named_mistake(cases, outcomes) if values else None
        if hint is None and isinstance(outcomes[wrong[0]], BaseException):
            return verdict_on_error(self.name, outcomes[wrong[0]])
        case = values[0]
        message = f"{self.name} differs in case {case + 1} of {len(cases)}: "
        message += self.difference(outcomes[case], expected[case])
        return not_yet(message, hint or self.hint + told(warned))

    def outcomes_of(self, solution, cases):
        """Return the outcomes of a solution of ours, without limits and warnings."""
        outcomes = []
        with np.errstate(all="ignore"):
            for case in cases:
                try:
                    outcomes.append(self.run(solution, case))
                except Exception as error:
                    outcomes.append(error)
        return outcomes

    def named_mistake(self, cases, outcomes):
        """Return the hint for the mistake with these very outcomes, or None."""
        for hint, mistake in self.all_mistakes().items():
            if all(map(agree, outcomes, self.outcomes_of(mistake, cases))):
                return hint
        return None

    def all_mistakes(self):
        """Return wrong solutions, each under its hint."""
        return self.mistakes

    def difference(self, got, expected):
        """Say where two arrays differ first, and by how much."""
        if got.shape != expected.shape:
            return f"its shape is {got.shape}, should be {expected.shape}."
        index = tuple(np.argwhere(~close(got, expected))[0].tolist())
        off = abs(got[index] - expected[index])
        place = self.place(index)
        return f"{got[index]:.6g}{place}, should be {expected[index]:.6g} ({off:.2g} away)."

    def place(self, index):
        """Say which number of a result is meant."""
        return f" at {list(index)}" if index else ""


def told(warned):
    """Return a sentence on the first warning that an attempt caused, if any."""
    if not warned:
        return ""
    return f" Your code warns: {warned[0].category.__name__}, {warned[0].message}."


@dataclass(frozen=True)
class RuleCheck(Comparison):
    """A check of an optimizer: a class with `update(params, grads)`.

    A case is (hyperparameters, params, list of grads). Its outcome is the way of the parameters,
    shape (updates, numbers in params).
    """

    count: int = 12

    wanted = "the class itself, without parentheses"

    def run(self, attempt, case):
        """Return the way of the parameters in one case."""
        hyperparameters, params, gradients = copy.deepcopy(case)
        arrays = dict(params)
        optimizer = attempt(*hyperparameters)
        way = []
        for grads, kept in zip(gradients, case[2], strict=True):
            optimizer.update(params, grads)
            if any(params.get(key) is not array for key, array in arrays.items()):
                raise Slip("rebinds params", "params was rebound, not updated in place: " + REBOUND)
            if any(not close(grads[key], kept[key]).all() for key in kept):
                raise Slip("changes grads", "grads is only read; **= and *= change an array.")
            way.append(np.concatenate([array.ravel() for array in arrays.values()]))
        return np.array(way)

    def all_mistakes(self):
        """Return the exercise's own mistakes and those that are possible with every rule."""
        return self.mistakes | {
            "this walks uphill: a sign is turned round.": partial(Uphill, self.reference),
            "the arrays in params stay as they were: " + REBOUND: formula(lambda g, *_: 0 * g),
        }

    def place(self, index):
        """Say after which update a way differs."""
        return f" after update {index[0] + 1}"


REBOUND = (
    "`params[key] -= step` changes the array, `params[key] = params[key] - step` makes another."
)


class FormulaRule:
    """An optimizer from one formula.

    Parameters
    ----------
    step : callable
        (g, s, t, *hyperparameters) -> what is added to the parameters. The state `s` is a dict in
        which everything starts at 0, `t` counts the updates from 1.
    defaults : tuple
        All hyperparameters that may be left out.
    shared : bool
        A mistake: the keys of params have one state.
    hasty : bool
        A mistake: t counts keys, not updates.
    """

    def __init__(self, step, defaults, shared, hasty, *hyperparameters):
        self.step = step
        self.hyperparameters = (*hyperparameters, *defaults[len(hyperparameters) :])
        self.shared, self.hasty, self.t = shared, hasty, 0
        self.states = defaultdict(lambda: defaultdict(float))

    def update(self, params, grads):
        """Change `params` in place, given `grads` of the same shapes."""
        self.t += not self.hasty
        for key in params:
            self.t += self.hasty
            state = self.states["all" if self.shared else key]
            params[key] += self.step(grads[key], state, self.t, *self.hyperparameters)


def formula(step, defaults=(), shared=False, hasty=False):
    """Return what makes a FormulaRule from hyperparameters, as a class does."""
    return partial(FormulaRule, step, defaults, shared, hasty)


class Uphill:
    """A rule with its sign turned round."""

    def __init__(self, rule, *hyperparameters):
        self.rule = rule(*hyperparameters)

    def update(self, params, grads):
        """Change `params` in place, against the rule."""
        self.rule.update(params, {key: -grad for key, grad in grads.items()})


def rule_case(rng, *hyperparameters, least=None):
    """Return a case of a RuleCheck: the last hyperparameters may be left out, down to `least`.

    In about half of the cases both arrays have one shape, and a state that the keys share raises
    no error. Gradients span many orders of magnitude, and some are zero, so that epsilon matters.
    """
    given = len(hyperparameters) if least is None else rng.integers(least, len(hyperparameters) + 1)
    shapes = {"W": (2, 3), "b": (2, 3) if rng.random() < 0.5 else (4,)}
    params = {key: rng.normal(size=shape) for key, shape in shapes.items()}
    gradients = [{key: gradient(rng, shape) for key, shape in shapes.items()} for _ in range(6)]
    return hyperparameters[:given], params, gradients


def spread(rng, low, high):
    """Return a random number between two positive ones, as likely in each order of magnitude."""
    return float(10 ** rng.uniform(np.log10(low), np.log10(high)))


def gradient(rng, shape):
    """Return a random array of numbers from 1e-6 to 3 in size, every tenth of them 0."""
    size = 10 ** rng.uniform(-6, 0.5, size=shape)
    return rng.choice([-1, 1], size=shape) * size * (rng.random(shape) > 0.1)


def average(s, name, new, decay):
    """Return the moving average under a name in the state `s` after a new value."""
    s[name] = decay * s[name] + (1 - decay) * new
    return s[name]


LR_TWICE = "the learning rate was applied twice."
EPS_INSIDE = "epsilon is inside the root; it belongs outside: √h + 1e-7."
EPS_MISSING = "epsilon is missing: a gradient that is zero from the start divides by zero."
