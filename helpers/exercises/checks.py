"""The kinds of check: a function, or an optimizer, held against its solution and its mistakes."""

import copy
import warnings
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, NamedTuple

import numpy as np

from helpers.exercises import draws
from helpers.exercises.attempts import (
    WORDS,
    Slip,
    Verdict,
    a_kind,
    is_blank,
    not_yet,
    numbers,
    observe,
    right,
    said,
    verdict_on_error,
)


class Outcome(NamedTuple):
    """What an attempt makes of one case."""

    values: np.ndarray
    evaluations: int = 0  # of the functions that it was given


def agree(one, other):
    """Tell whether two outcomes are the same numbers, or both an exception."""
    failed = [isinstance(outcome, BaseException) for outcome in (one, other)]
    if any(failed):
        return all(failed)
    return one.values.shape == other.values.shape and same(one.values, other.values)


def same(one, other):
    """Tell whether all numbers are the same up to rounding, at once where they are equal."""
    return np.array_equal(one, other) or bool(close(one, other).all())


def close(one, other):
    """Tell elementwise whether numbers are the same up to rounding; nan is the same as nan."""
    return np.isclose(one, other, rtol=1e-7, atol=1e-10, equal_nan=True)


@cache
def defined(source):
    """Return what a piece of code defines last; it knows numpy as np, and the names of draws."""
    names = {"np": np, **vars(draws), "__name__": __name__}
    exec(source, names)
    return list(names.values())[-1]


@dataclass(frozen=True)
class Mistake:
    """A mistake that people make: a hint, and the edits that make it out of the solution.

    `also` holds other lists of edits, each of which makes a wrong solution with the same hint.
    """

    hint: str
    edits: list
    also: tuple = ()


def edited(code, edits):
    """Return a code with each (old, new) replaced everywhere."""
    for old, new in edits:
        code = code.replace(old, new)
    return code


def applies(code, edits):
    """Tell whether every edit finds its place."""
    return all(old in edited(code, edits[:k]) for k, (old, _) in enumerate(edits))


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
    solution : str
        Its code.
    mistakes : dict of str to Mistake
    imports : str
        What solution and inputs import.
    """

    name: str
    hint: str
    solution: str
    mistakes: dict
    imports: str

    wanted: ClassVar = "the function itself, without parentheses"

    def __call__(self, attempt):
        """Return the Verdict on an attempt."""
        if is_blank(attempt):
            return Verdict(None, said("blank", name=self.name))
        if not callable(attempt):
            return not_yet("other", name=self.name, kind=a_kind(attempt), wanted=self.wanted)
        cases = self.cases()
        outcomes, warned = observe(lambda case: self.run(attempt, case), cases)
        return self.judge(cases, outcomes, warned)

    def defined(self, code):
        """Return what a piece of code defines, after the imports."""
        return defined(self.imports + "\n" + code)

    def rng(self):
        """Return the generator of the hidden inputs, the same at every call."""
        return np.random.default_rng(list(self.name.encode()))

    def hint_on(self, mistake):
        """Return the hint on a mistake that the check has seen by itself."""
        return self.mistakes[mistake].hint


@dataclass(frozen=True)
class FunctionCheck(Check):
    """A check of a function against its solution.

    Attributes
    ----------
    inputs : str
        The code of `inputs(rng)`, which returns the arguments of one case, as a tuple.
    later : str
        The general hint where every first row (first update) is right; "" for the same one.
    """

    inputs: str
    later: str = ""

    count: ClassVar = 20

    def cases(self):
        """Return the hidden inputs."""
        rng, inputs = self.rng(), self.defined(self.inputs)
        return [inputs(rng) for _ in range(self.count)]

    def run(self, attempt, case):
        """Return the Outcome of an attempt in one case; its arguments must not change."""
        given = copy.deepcopy(case)
        values = numbers(attempt(*given))
        for before, after in zip(case, given, strict=True):
            if isinstance(before, np.ndarray) and not same(before, after):
                raise Slip("changed")
        counted = [one.evaluations for one in given if isinstance(one, draws.Counted)]
        return Outcome(values, sum(counted))

    def judge(self, cases, outcomes, warned):
        """Return the Verdict on the outcomes of an attempt."""
        expected = list(self.outcomes_of(self.solution, cases))
        wrong = [k for k, got in enumerate(outcomes) if not agree(got, expected[k])]
        if not wrong:
            return self.verdict_on_cost(outcomes, expected)
        values = [k for k in wrong if not isinstance(outcomes[k], BaseException)]
        hint = self.named_mistake(cases, outcomes) if values else None
        if hint is None and isinstance(outcomes[wrong[0]], BaseException):
            return verdict_on_error(self.name, outcomes[wrong[0]], wrong[0], len(cases))
        pairs = [(outcomes[k].values, expected[k].values) for k in values]
        hint = hint or self.hint_at_sight(cases, pairs) or self.general_hint(pairs, warned)
        where = {"name": self.name, "case": values[0] + 1, "count": len(cases)}
        return self.verdict_on_difference(cases[values[0]], *pairs[0], hint, where)

    def outcomes_of(self, code, cases):
        """Yield the outcomes of a solution of ours, without limits and warnings."""
        solution = self.defined(code)
        for case in cases:
            with warnings.catch_warnings(action="ignore"):
                try:
                    outcome = self.run(solution, case)
                except Exception as error:
                    outcome = error
            yield outcome

    def named_mistake(self, cases, outcomes):
        """Return the hint on the mistake with these very outcomes, or None."""
        for mistake in self.mistakes.values():
            for edits in (mistake.edits, *mistake.also):
                made = self.outcomes_of(edited(self.solution, edits), cases)
                if all(map(agree, outcomes, made)):
                    return mistake.hint
        return None

    def hint_at_sight(self, cases, pairs):
        """Return the hint on what the wrong values show by themselves, or None."""
        got, expected = pairs[0]
        if got.shape != expected.shape:
            return hint_on_shape(got.shape, expected.shape)
        if len(pairs) < len(cases) or len(cases) == 1:
            return None
        if all(np.array_equal(got, other) for other, _ in pairs):
            return WORDS["constant"]["hint"]
        factor = common_factor(pairs)
        if factor is not None:
            return WORDS["sign" if factor == -1 else "factor"]["hint"].format(factor=factor)
        if all(np.allclose(*pair, rtol=0.01, atol=0) for pair in pairs):
            return WORDS["nearly"]["hint"]
        return None

    def general_hint(self, pairs, warned):
        """Return the hint where nothing can be named, and the first warning."""
        begun_right = all(
            got.ndim > 0 and got.shape == expected.shape and first_difference(got, expected)[0] > 0
            for got, expected in pairs
        )
        hint = self.later if self.later and begun_right else self.hint
        return hint + warning_in_words(warned)

    def verdict_on_cost(self, outcomes, expected):
        """Return the Verdict on right values, which may have cost too many evaluations."""
        for got, enough in zip(outcomes, expected, strict=True):
            if got.evaluations > enough.evaluations:
                spent = {"got": got.evaluations, "expected": enough.evaluations}
                return not_yet("costly", self.hint_on("costly"), name=self.name, **spent)
        return right(said("agrees", name=self.name, count=len(outcomes)))

    def verdict_on_difference(self, case, got, expected, hint, where):
        """Return the Verdict on values that differ, with the first difference."""
        call = call_in_words(self.name, case)
        if got.shape != expected.shape:
            shapes = {"got": got.shape, "expected": expected.shape}
            return not_yet("shape", hint, call=call, **shapes, **where)
        index = first_difference(got, expected)
        place = f" at {list(index)}" if index else ""
        both = in_digits_that_differ(got[index], expected[index])
        return not_yet("value", hint, call=call, place=place, **both, **where)


def hint_on_shape(got, expected):
    """Return the hint on a wrong shape, or None."""
    kinds = {
        "shape_number": expected == (),
        "shape_array": got == (),
        "shape_turned": got == expected[::-1],
        "shape_longer": bool(got and expected) and got == (expected[0] + 1, *expected[1:]),
        "shape_shorter": bool(got and expected) and got == (expected[0] - 1, *expected[1:]),
    }
    return next((WORDS[key]["hint"] for key, fits in kinds.items() if fits), None)


def common_factor(pairs):
    """Return by which factor all numbers are off, or None."""
    got, expected = (
        np.concatenate([np.ravel(one) for one in side]) for side in zip(*pairs, strict=True)
    )
    if got.shape != expected.shape or not np.isfinite(got).all() or not np.isfinite(expected).all():
        return None
    factor = got @ expected / (expected @ expected)
    fits = np.allclose(got, factor * expected, rtol=1e-6, atol=1e-12)
    return float(f"{factor:.6g}") if fits else None


def warning_in_words(warned):
    """Return a sentence on the first warning that an attempt caused, if any."""
    if not warned:
        return ""
    return WORDS["warns"].format(warning=f"{warned[0].category.__name__}, {warned[0].message}")


def first_difference(got, expected):
    """Return the index of a number that differs, in the first such row the one farthest off."""
    wrong = ~close(got, expected)
    if wrong.ndim == 0:
        return ()
    row = int(np.argwhere(wrong)[0, 0])
    with np.errstate(invalid="ignore"):
        off = np.nan_to_num(abs(got[row] - expected[row]), nan=np.inf)
    farthest = np.unravel_index(np.where(wrong[row], off, -1).argmax(), off.shape)
    return row, *map(int, farthest)


def in_digits_that_differ(got, expected):
    """Return two numbers as text, with six digits, or with as many as show that they differ."""
    for digits in range(6, 18):
        texts = {"got": f"{got:.{digits}g}", "expected": f"{expected:.{digits}g}"}
        if len(set(texts.values())) == 2:
            break
    return texts


def call_in_words(name, arguments):
    """Return the call of an attempt if it is short, else "its result"."""
    call = f"{name}({', '.join(map(argument_in_words, arguments))})"
    return call if len(call) < 80 and "<" not in call else said("result")


def argument_in_words(value):
    """Return how an argument is written."""
    if isinstance(value, np.random.Generator):
        return "rng"
    return repr(value.tolist() if isinstance(value, np.ndarray) else value)


@dataclass(frozen=True)
class OptimizerCheck(FunctionCheck):
    """A check of an optimizer: a class with `update(params, grads)`.

    Its `inputs` return the hyperparameters, of which the last may be left out. The outcome of a
    case is the path of the parameters, shape (updates, numbers in params). In about half of the
    cases both arrays have one shape, and a state that the keys share raises no error.
    """

    count: ClassVar = 12
    wanted: ClassVar = "the class itself, without parentheses"

    def cases(self):
        """Return the hidden inputs: hyperparameters, params, and the grads of six updates."""
        rng, inputs = self.rng(), self.defined(self.inputs)
        return [(inputs(rng), *self.params_and_gradients(rng)) for _ in range(self.count)]

    def params_and_gradients(self, rng):
        """Return two arrays, and gradients of many orders of magnitude."""
        shapes = {"W": (2, 3), "b": (2, 3) if rng.random() < 0.5 else (4,)}
        params = {key: draws.short(rng.normal(size=shape)) for key, shape in shapes.items()}
        return params, [
            {key: draws.gradients(rng, shape) for key, shape in shapes.items()} for _ in range(6)
        ]

    def run(self, attempt, case):
        """Return the path of the parameters in one case."""
        hyperparameters, params, gradients = copy.deepcopy(case)
        arrays = dict(params)
        optimizer = attempt(*hyperparameters)
        path = []
        for grads, kept in zip(gradients, case[2], strict=True):
            optimizer.update(params, grads)
            for attribute, value in getattr(optimizer, "__dict__", {}).items():
                if value is params:
                    raise Slip("alias", attribute=attribute)
            if params.keys() != arrays.keys() or grads.keys() != kept.keys():
                raise Slip("keys")
            if any(params[key] is not array for key, array in arrays.items()):
                raise Slip("rebound")
            if any(not same(grads[key], kept[key]) for key in kept):
                raise Slip("grads")
            path.append(flat(arrays))
        return Outcome(np.array(path))

    def hint_at_sight(self, cases, pairs):
        """Return the hint on what the wrong paths show by themselves, or None."""
        if len(pairs) < len(cases):
            return None
        moves = [
            (got - flat(params), expected - flat(params))
            for (_, params, _), (got, expected) in zip(cases, pairs, strict=True)
        ]
        factor = common_factor(moves)
        if factor is not None:
            return WORDS[{-1: "uphill", 0: "still"}.get(factor, "steps")]["hint"].format(
                factor=factor
            )
        firsts = [params["W"].size for _, params, _ in cases]
        only_first = all(
            close(got[:, :n], expected[:, :n]).all() and not got[:, n:].any()
            for n, (got, expected) in zip(firsts, moves, strict=True)
        )
        return WORDS["first_key"]["hint"] if only_first else None

    def verdict_on_difference(self, case, got, expected, hint, where):
        """Return the Verdict on paths that differ, with the story of the first such number."""
        hyperparameters, params, gradients = case
        row, column = first_difference(got, expected)
        story = [f"{flat(grads)[column]:g}" for grads in gradients[: row + 1]]
        return not_yet(
            "update",
            hint,
            call=call_in_words(self.name, hyperparameters),
            start=f"{flat(params)[column]:g}",
            gradients=", ".join(story),
            **in_digits_that_differ(got[row, column], expected[row, column]),
            **where,
        )


def flat(arrays):
    """Return all numbers of a dict of arrays in one row."""
    return np.concatenate([array.ravel() for array in arrays.values()])
