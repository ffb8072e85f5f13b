"""The doors: what is refused, with which words, and that a refusal changes nothing."""

import re
from copy import deepcopy
from inspect import signature

import numpy as np
import pytest

from helpers import doors
from helpers.descent import descend
from helpers.landscapes import ravine
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum

RULES = {"SGD": SGD, "Momentum": Momentum, "AdaGrad": AdaGrad, "Adam": Adam}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)

# Hyperparameters --------------------------------------------------------------------------------

KEYWORDS = [(rule, name) for rule in RULES.values() for name in signature(rule).parameters]


@pytest.mark.parametrize(("rule", "name"), KEYWORDS)
@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("0.1", TypeError, "must be a number.*, got '0.1'"),
        (None, TypeError, "must be a number.*, got None"),
        (True, TypeError, "must be a number.*, got True"),
        ([0.1, 0.2], TypeError, r"must be a number.*, got \[0.1, 0.2\]"),
        (0.1j, TypeError, "must be a number.*, got 0.1j"),
        (np.array([True]), TypeError, r"must be a number.*, got array\(\[ True\]\)"),
        (-0.1, ValueError, "must be finite and at least 0.*, got -0.1"),
        (float("nan"), ValueError, "must be finite and at least 0.*, got nan"),
        (float("inf"), ValueError, "must be finite and at least 0.*, got inf"),
        (np.array([0.1, -1.0]), ValueError, r"must be finite and at least 0.*, got array\(\[ 0.1"),
    ],
)
def test_wrong_hyperparameter_is_an_error_at_the_door(rule, name, value, error, message):
    with pytest.raises(error, match=f"^{name} {message}"):
        descend(rule(**{name: value}), ravine)


@pytest.mark.parametrize("name", ["beta1", "beta2"])
@pytest.mark.parametrize("value", [1, 1.0, 1.5, np.array([0.9, 1.0])])
def test_decay_rate_of_one_or_more_is_an_error(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be finite and at least 0 and below 1, got"):
        descend(Adam(**{name: value}), ravine)


@pytest.mark.parametrize(
    ("rule", "name", "value"),
    [
        *(
            (*each, value)
            for each in KEYWORDS
            for value in (0, 0.5, np.float32(0.5), np.array(0.5))
        ),
        (Momentum, "momentum", 1),
        (Momentum, "momentum", 1.1),
    ],
)
def test_accepted_hyperparameters(rule, name, value):
    assert descend(rule(**{name: value}), ravine, steps=1).steps == 1


# Arrays -----------------------------------------------------------------------------------------

NEEDS_FLOATS = r"params\['b'\] must be an array of floats.*got {}; write np.array"
NEEDS_NUMBERS = r"grads\['b'\] must be an array of numbers.*got {}"
NEEDS_SHAPE = r"grads\['b'\] must have the shape of params\['b'\], \(2,\), got {}"

# Which of the two dicts, what it holds under its second key, and the error.
WRONG_ARRAYS = {
    "params of integers": ("params", np.array([1, 2]), TypeError, NEEDS_FLOATS.format("int64")),
    "params a float": ("params", 1.0, TypeError, NEEDS_FLOATS.format("float")),
    "params a numpy float": ("params", np.float64(1), TypeError, NEEDS_FLOATS.format("float64")),
    "params a list": ("params", [1.0, 2.0], TypeError, NEEDS_FLOATS.format("list")),
    "grads longer": ("grads", np.ones(3), ValueError, NEEDS_SHAPE.format(r"\(3,\)")),
    "grads that would broadcast": ("grads", np.ones(1), ValueError, NEEDS_SHAPE.format(r"\(1,\)")),
    "grads a float": ("grads", 1.0, ValueError, NEEDS_SHAPE.format(r"\(\)")),
    "grads a list": ("grads", [1.0, 2.0], TypeError, NEEDS_NUMBERS.format("list")),
    "grads of text": ("grads", np.array(["1", "2"]), TypeError, NEEDS_NUMBERS.format("<U1")),
    "grads complex": ("grads", np.array([1j, 2]), TypeError, NEEDS_NUMBERS.format("complex128")),
}


def two_vectors():
    return {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 4.0])}


def update_behind_the_door(optimizer, params, grads):
    doors.arrays(params, grads)
    doors.memory(optimizer, params)
    doors.Watched(optimizer, lambda _params: None).update(params, grads)


def assert_error_changes_nothing(optimizer, params, grads, error, message):
    """See that the update fails and leaves the params and the optimizer as they were."""
    before, optimizer_before = deepcopy(params), deepcopy(vars(optimizer))
    with pytest.raises(error, match=message):
        update_behind_the_door(optimizer, params, grads)
    np.testing.assert_equal(params, before)
    np.testing.assert_equal(vars(optimizer), optimizer_before)


@pytest.fixture(params=["fresh", "used"])
def optimizer_of(request):
    """Return a function that makes an optimizer of a rule, with or without a memory."""

    def make(rule):
        optimizer = rule(lr=0.1)
        if request.param == "used":
            optimizer.update(two_vectors(), two_vectors())
        return optimizer

    return make


@every_rule
@pytest.mark.parametrize(
    ("which", "wrong", "error", "message"), WRONG_ARRAYS.values(), ids=WRONG_ARRAYS
)
def test_wrong_second_array_is_an_error_and_changes_nothing(
    optimizer_of, rule, which, wrong, error, message
):
    dicts = {"params": two_vectors(), "grads": two_vectors()}
    dicts[which]["b"] = wrong
    assert_error_changes_nothing(optimizer_of(rule), **dicts, error=error, message=message)


@every_rule
@pytest.mark.parametrize("which", ["params", "grads"])
def test_different_keys_are_an_error_and_change_nothing(optimizer_of, rule, which):
    dicts = {"params": two_vectors(), "grads": two_vectors()}
    del dicts[which]["b"]
    params, grads = (re.escape(str(list(each))) for each in dicts.values())
    message = f"grads must have the keys of params, {params}, got {grads}"
    assert_error_changes_nothing(optimizer_of(rule), **dicts, error=ValueError, message=message)


@every_rule
@pytest.mark.parametrize("which", ["params", "grads"])
@pytest.mark.parametrize("wrong", [np.ones(2), [1.0], None])
def test_what_is_no_dict_is_an_error_and_changes_nothing(optimizer_of, rule, which, wrong):
    dicts = {"params": two_vectors(), "grads": two_vectors()} | {which: wrong}
    message = f"params and grads must be dicts of arrays, got .*{type(wrong).__name__}"
    assert_error_changes_nothing(optimizer_of(rule), **dicts, error=TypeError, message=message)


@pytest.mark.parametrize("rule", [Momentum, AdaGrad, Adam])
@pytest.mark.parametrize(
    "others",
    [
        {"a": np.ones(2), "c": np.ones(2)},
        {"a": np.ones(2)},
        {"a": np.ones(2), "b": np.ones(3)},
        {"a": np.ones(2), "b": np.ones((3, 2))},
    ],
    ids=["another key", "a key less", "another shape", "a shape that would broadcast"],
)
def test_memory_of_other_params_is_an_error_and_changes_nothing(rule, others):
    optimizer = rule(lr=0.1)
    optimizer.update(two_vectors(), two_vectors())
    message = r"params must have the keys and shapes of the optimizer's memory [mvh], .*'b': \(2,\)"
    assert_error_changes_nothing(
        optimizer, deepcopy(others), others, error=ValueError, message=message
    )


def test_keys_that_cannot_be_sorted_are_told_too():
    params = {0: np.ones(1), "b": np.ones(1)}
    with pytest.raises(ValueError, match=r"keys of params, \[0, 'b'\], got \[\]"):
        doors.arrays(params, {})
