"""The four rules: against PyTorch, against arithmetic by hand, and for any arrays."""

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from helpers.landscapes import LANDSCAPES
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum

RULES = {"SGD": SGD, "Momentum": Momentum, "AdaGrad": AdaGrad, "Adam": Adam}

with np.load(Path(__file__).with_name("torch_trajectories.npz"), allow_pickle=False) as file:
    RECORDED = dict(file)
RATES = json.loads(RECORDED["about"].item())["rates"]

every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


def memory(optimizer):
    """Return what an optimizer remembers: every attribute that is no hyperparameter."""
    return {name: value for name, value in vars(optimizer).items() if name in ("m", "v", "h", "t")}


def random_dict(shapes, seed):
    rng = np.random.default_rng(seed)
    return {key: np.array(rng.normal(size=shape)) for key, shape in shapes.items()}


# Against PyTorch (record_torch.py made the record) ----------------------------------------------


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("scene", ["ravine", "Rosenbrock", "Himmelblau"])
def test_descent_equals_that_of_pytorch(scene, rule):
    recorded = RECORDED[f"{scene}/{rule}"]
    optimizer, params = RULES[rule](lr=RATES[scene][rule]), {"position": recorded[0].copy()}
    positions = [recorded[0]]
    for _ in recorded[1:]:
        grads = {"position": LANDSCAPES[scene].gradient(params["position"])}
        optimizer.update(params, grads)
        positions.append(params["position"].copy())
    assert len(positions) > 30
    # All positions are of order 1 to 10: relative above 1, absolute below.
    np.testing.assert_allclose(positions, recorded, rtol=1e-12, atol=1e-12)


def assert_equals_pytorch(name, rule, **given):
    """See that a rule moves a dict of several shapes as the record under this name says."""
    keys = ["number", "vector", "matrix", "tensor"]
    params = {key: RECORDED[f"params/{key}"].copy() for key in keys}
    optimizer = rule(lr=RATES["dict"][name], **given)
    for step in range(len(RECORDED["grads/number"])):
        optimizer.update(params, {key: RECORDED[f"grads/{key}"][step] for key in keys})
        for key in keys:
            recorded = RECORDED[f"dict/{name}/{key}"][step]
            np.testing.assert_allclose(params[key], recorded, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", RULES)
def test_dict_of_several_shapes_equals_that_of_pytorch(name):
    assert_equals_pytorch(name, RULES[name])


def test_record_spans_what_it_should():
    sizes = np.concatenate([np.abs(RECORDED[key]).ravel() for key in RECORDED if "grads/" in key])
    assert 1e-6 < sizes.min() < 2e-6
    assert 5 < sizes.max() < 10
    assert {RECORDED[f"params/{key}"].ndim for key in ("number", "vector", "matrix")} == {0, 1, 2}


def test_defaults_are_those_of_the_lecture():
    assert vars(SGD()) == {"lr": 0.01}
    assert vars(Momentum()) == {"lr": 0.01, "momentum": 0.9, "v": None}
    assert vars(AdaGrad()) == {"lr": 0.01, "eps": 1e-7, "h": None}
    state = {"m": None, "v": None, "t": 0}
    assert vars(Adam()) == {"lr": 0.001, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8} | state


# Epsilon ----------------------------------------------------------------------------------------


def first_step(optimizer, gradient):
    params = {"theta": np.array([0.0])}
    optimizer.update(params, {"theta": np.array([gradient])})
    return -params["theta"].item()


@pytest.mark.parametrize("rule", [AdaGrad, Adam])
def test_zero_gradient_moves_nothing_and_without_epsilon_is_nan_with_a_warning(rule):
    assert first_step(rule(lr=1.0), 0.0) == 0
    with pytest.warns(RuntimeWarning, match="invalid value encountered in divide"):
        assert np.isnan(first_step(rule(lr=1.0, eps=0), 0.0))


# Any arrays, in place ---------------------------------------------------------------------------


@every_rule
@settings(max_examples=25, deadline=None, derandomize=True)
@given(shapes=st.dictionaries(st.text(), array_shapes(min_dims=0, max_dims=3, max_side=3)))
def test_any_dict_of_arrays_moves_as_each_of_its_numbers_would(rule, shapes):
    params = random_dict(shapes, seed=1)
    before, arrays = deepcopy(params), dict(params)
    all_grads = [random_dict(shapes, seed) for seed in (2, 3, 4)]
    optimizer = rule(lr=0.1)
    for grads in all_grads:
        given_grads = deepcopy(grads)
        optimizer.update(params, grads)
        for key in grads:
            np.testing.assert_array_equal(grads[key], given_grads[key])
    assert params.keys() == shapes.keys()
    for key, shape in shapes.items():
        assert params[key] is arrays[key]
        for where in np.ndindex(shape):
            alone, single = rule(lr=0.1), {"number": np.array([before[key][where]])}
            for grads in all_grads:
                alone.update(single, {"number": np.array([grads[key][where]])})
            assert params[key][where] == pytest.approx(single["number"].item(), rel=1e-13)


@every_rule
def test_every_part_of_the_memory_has_the_keys_and_shapes_of_the_params(rule):
    shapes = {"W": (2, 3), "b": (3,), "scale": ()}
    params = random_dict(shapes, seed=1)
    optimizer = rule()
    assert all(value in (None, 0) for value in memory(optimizer).values())
    optimizer.update(params, random_dict(shapes, seed=2))
    remembered = {name: value for name, value in memory(optimizer).items() if name != "t"}
    assert set(remembered) == {SGD: set(), Momentum: {"v"}, AdaGrad: {"h"}, Adam: {"m", "v"}}[rule]
    for value in remembered.values():
        assert {key: np.shape(array) for key, array in value.items()} == shapes


@every_rule
def test_single_precision_stays_single(rule):
    params = {"theta": np.ones(3, dtype=np.float32)}
    rule(lr=0.1).update(params, {"theta": np.ones(3, dtype=np.float32)})
    assert params["theta"].dtype == np.float32
    assert params["theta"][0] < 1
