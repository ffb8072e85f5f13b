"""Descents and sweeps: the record against a replay by hand, the grid against single descents."""

import doctest
from itertools import product

import numpy as np
import pytest

from helpers import descent
from helpers.descent import descend, sweep
from helpers.landscapes import (
    LANDSCAPES,
    Landscape,
    beale,
    mountains,
    ravine,
    rosenbrock,
)
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum

CANONICAL = {
    SGD: {"lr": 0.95},
    Momentum: {"lr": 0.1, "momentum": 0.9},
    AdaGrad: {"lr": 1.5},
    Adam: {"lr": 0.3},
}
MEMORY = {SGD: (), Momentum: ("v",), AdaGrad: ("h",), Adam: ("m", "v")}

every_rule = pytest.mark.parametrize("rule", CANONICAL, ids=lambda rule: rule.__name__)

# A loss without a slope to speak of, on which a step leads out of the numbers all the same.
cliff = Landscape(
    name="cliff",
    formula="1",
    value=lambda x, y: np.ones_like(x),
    slope=lambda x, y: (np.full_like(x, 1e308), np.zeros_like(y)),
    window=((-1, 1), (-1, 1)),
    minima=(),
    start=(0.0, 0.0),
)

# One descent -------------------------------------------------------------------------------------


@every_rule
@pytest.mark.parametrize("name", LANDSCAPES)
@pytest.mark.parametrize("steps", [0, 1, np.int64(12)])
def test_record_equals_a_replay_by_hand(steps, name, rule):
    landscape, optimizer = LANDSCAPES[name], rule(lr=0.001)
    params = {"theta": np.array(landscape.start)}
    states = {key: [np.zeros(2)] for key in MEMORY[rule]}
    positions = [params["theta"].copy()]
    for _ in range(steps):
        optimizer.update(params, {"theta": landscape.gradient(params["theta"])})
        positions.append(params["theta"].copy())
        for key, values in states.items():
            values.append(getattr(optimizer, key)["theta"].copy())
    trajectory = descend(rule(lr=0.001), landscape, steps=steps)
    assert trajectory.landscape is landscape
    assert trajectory.steps == steps
    assert trajectory.diverged_at is None
    np.testing.assert_array_equal(trajectory.positions, positions)
    np.testing.assert_array_equal(trajectory.losses, landscape(positions))
    np.testing.assert_array_equal(trajectory.gradients, landscape.gradient(positions))
    kept = {key: np.array(values) for key, values in states.items()} if steps else {}
    np.testing.assert_equal(trajectory.states, kept)


@pytest.mark.parametrize(
    ("rule", "loss"),
    [(SGD, "1.3e-02"), (Momentum, "4.8e-02"), (AdaGrad, "7.2e-04"), (Adam, "1.0e-01")],
)
def test_canonical_scene_ends_at_the_losses_of_the_lecture(rule, loss):
    trajectory = descend(rule(**CANONICAL[rule]), ravine, start=(-7, 2), steps=30)
    assert f"{trajectory.losses[-1]:.1e}" == loss
    np.testing.assert_array_equal(
        trajectory.positions, descend(rule(**CANONICAL[rule]), ravine).positions
    )


@pytest.mark.parametrize("start", [(1, 2), [1.0, 2.0], np.array([1.0, 2.0])])
def test_start_may_be_chosen_and_is_only_read(start):
    positions = descend(SGD(lr=0.1), ravine, start=start, steps=3).positions
    assert tuple(positions[0]) == (1.0, 2.0)
    assert tuple(positions[1]) == pytest.approx((0.99, 1.6))
    assert tuple(start) == (1, 2)
    assert ravine.start == (-7.0, 2.0)


@every_rule
def test_a_second_descent_goes_on_from_the_first(rule):
    optimizer = rule(lr=0.1)
    first = descend(optimizer, ravine, steps=4)
    second = descend(optimizer, ravine, start=first.positions[-1], steps=5)
    whole = descend(rule(lr=0.1), ravine, steps=9)
    np.testing.assert_array_equal(second.positions, whole.positions[4:])
    for name, states in second.states.items():
        np.testing.assert_array_equal(states, whole.states[name][4:])


# What a learner may write.


class Averaging:
    def __init__(self, lr):
        self.lr = lr
        self.average = {}
        self.notes = {"author": "a learner"}
        self.count = 0

    def update(self, params, grads):
        self.count += 1
        for key in params:
            self.average[key] = 0.5 * self.average.get(key, 0) + 0.5 * grads[key]
            params[key] = params[key] - self.lr * self.average[key]


def test_plain_class_of_a_learner_is_recorded_too():
    trajectory = descend(Averaging(lr=0.1), ravine, steps=2)
    assert trajectory.states.keys() == {"average"}
    first = np.array([-0.35, 2.0])  # half of the gradient at (-7, 2)
    np.testing.assert_allclose(trajectory.states["average"][:2], [[0, 0], first])
    np.testing.assert_allclose(trajectory.positions[1], [-7 + 0.035, 2 - 0.2])
    second = first / 2 + ravine.gradient(trajectory.positions[1]) / 2
    np.testing.assert_allclose(trajectory.states["average"][2], second)


def test_plain_class_of_a_learner_can_be_swept_too():
    swept = sweep(Averaging, ravine, steps=5, lr=[0.1, 0.5])
    for end, lr in zip(swept.positions, [0.1, 0.5], strict=True):
        alone = descend(Averaging(lr), ravine, steps=5)
        np.testing.assert_allclose(end, alone.positions[-1], rtol=1e-12)


class Slotted:
    __slots__ = ("counts", "lr", "v")

    def __init__(self, lr):
        self.lr = lr
        self.v = {"position": [0, 0]}
        self.counts = {"position": 0}

    def update(self, params, grads):
        self.counts["position"] += 1
        self.v = {key: -self.lr * grad for key, grad in grads.items()}
        for key in params:
            params[key] += self.v[key]


def test_slots_and_memories_of_whole_numbers_are_recorded_too():
    optimizer = Slotted(lr=0.1)
    trajectory = descend(optimizer, ravine, steps=3)
    np.testing.assert_array_equal(
        trajectory.positions, descend(SGD(0.1), ravine, steps=3).positions
    )
    assert trajectory.states.keys() == {"v"}
    np.testing.assert_array_equal(trajectory.states["v"][0], [0, 0])
    np.testing.assert_allclose(trajectory.states["v"][1:], np.diff(trajectory.positions, axis=0))


def test_an_error_of_the_learners_own_update_shows_and_leaves_the_memory_alone():
    class Typo(Slotted):
        def update(self, params, grads):
            super().update(params, grads)
            if self.counts["position"] == 2:
                params["position"] -= self.rate

    optimizer = Typo(lr=0.1)
    with pytest.raises(AttributeError, match="rate"):
        descend(optimizer, ravine)
    assert optimizer.counts == {"position": 0}
    assert optimizer.v == {"position": [0, 0]}


# Divergence --------------------------------------------------------------------------------------


def test_diverging_descent_ends_where_the_loss_leaves_the_numbers():
    # y = 2 (-2)^k: its square is 4^(k + 1), beyond the largest number, 2^1024, from k = 511.
    trajectory = descend(SGD(lr=1.5), ravine, steps=5000)
    assert trajectory.diverged_at == trajectory.steps == 511
    assert np.isfinite(trajectory.losses[:-1]).all()
    assert trajectory.losses[-1] == np.inf
    assert trajectory.positions[:, 1].tolist() == [2.0 * (-2.0) ** k for k in range(512)]


@pytest.mark.parametrize("steps", [6, 7, 5000])
def test_rosenbrock_throws_too_large_a_rate_out_in_six_steps(steps):
    trajectory = descend(SGD(lr=0.01), rosenbrock, steps=steps)
    assert trajectory.diverged_at == trajectory.steps == 6
    assert np.isfinite(trajectory.losses[:-1]).all()
    assert not np.isfinite(trajectory.losses[-1])
    assert len(trajectory.gradients) == 7


def test_descent_that_has_not_diverged_yet_says_so():
    assert descend(SGD(lr=0.01), rosenbrock, steps=5).diverged_at is None
    assert descend(SGD(lr=1.5), ravine, steps=510).diverged_at is None


def test_position_outside_the_numbers_is_divergence_even_where_the_loss_is_finite():
    trajectory = descend(SGD(lr=10.0), cliff, steps=5)
    assert trajectory.diverged_at == 1
    assert trajectory.positions[-1, 0] == -np.inf
    assert trajectory.losses.tolist() == [1.0, 1.0]
    assert sweep(SGD, cliff, steps=5, lr=[0.0, 10.0]).losses.tolist() == [1.0, np.inf]


@every_rule
@pytest.mark.parametrize("name", LANDSCAPES)
def test_no_rate_makes_a_descent_warn(name, rule):
    warned_about = np.geterr()
    for lr in (10.0, 1e150, 1e308):
        descend(rule(lr=lr), LANDSCAPES[name], steps=40)
        sweep(rule, LANDSCAPES[name], steps=40, lr=[lr])
    assert np.geterr() == warned_about


# Wrong input -------------------------------------------------------------------------------------

WRONG_STEPS = [
    (-1, ValueError, "steps must be at least 0, got -1"),
    (3.0, TypeError, "steps must be a whole number, got 3.0"),
    ("3", TypeError, "steps must be a whole number, got '3'"),
    (None, TypeError, "steps must be a whole number, got None"),
]
WRONG_STARTS = [
    ((np.nan, 0), ValueError, r"start must be finite, got \(nan, 0\)"),
    ((0, np.inf), ValueError, r"start must be finite, got \(0, inf\)"),
    ("here", TypeError, "start must be .*, got 'here'"),
    (("1", "2"), TypeError, r"start must be .*, got \('1', '2'\)"),
    (1.0, ValueError, "start must be .*, got 1.0"),
    ((1, 2, 3), ValueError, r"start must be .*, got \(1, 2, 3\)"),
]


@pytest.mark.parametrize(("steps", "error", "message"), WRONG_STEPS)
def test_wrong_steps_are_an_error(steps, error, message):
    optimizer = Momentum()
    with pytest.raises(error, match=message):
        descend(optimizer, ravine, steps=steps)
    assert optimizer.v is None
    with pytest.raises(error, match=message):
        sweep(SGD, ravine, steps=steps, lr=[0.1])


@pytest.mark.parametrize(("start", "error", "message"), WRONG_STARTS)
def test_wrong_start_is_an_error(start, error, message):
    with pytest.raises(error, match=message):
        descend(SGD(), ravine, start=start)
    with pytest.raises(error, match=message):
        sweep(SGD, ravine, start=start, lr=[0.1])


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        (0.1, ValueError, "lr must be a non-empty list of numbers, got 0.1"),
        ([], ValueError, r"lr must be a non-empty list of numbers, got \[\]"),
        ([[0.1]], ValueError, r"lr must be a non-empty list of numbers, got \[\[0.1\]\]"),
        (["a"], TypeError, r"lr must be a non-empty list of numbers, got \['a'\]"),
        ([True], TypeError, r"lr must be a non-empty list of numbers, got \[True\]"),
        ([[1], [1, 2]], TypeError, r"lr must be a non-empty list of numbers, got \[\[1\], \[1, 2"),
        ([0.1, -0.1], ValueError, "lr must be finite and at least 0, got array"),
        ([np.nan], ValueError, "lr must be finite and at least 0, got array"),
    ],
)
def test_wrong_grid_is_an_error(grid, error, message):
    with pytest.raises(error, match=message):
        sweep(SGD, ravine, lr=grid)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: descend(SGD, ravine), r"optimizer .* got the class SGD; make one: SGD\(lr=0.1\)"),
        (lambda: descend({"lr": 0.1}, ravine), r"must have a method update.*got {'lr': 0.1}"),
        (lambda: descend(SGD(), "ravine"), "landscape must be a Landscape.*got 'ravine'"),
        (lambda: sweep(SGD(0.1), ravine, lr=[1]), "object of SGD; hand over the class itself, SGD"),
        (lambda: sweep({"SGD": SGD}, ravine, lr=[1]), "rule must be a class .* object of dict"),
        (lambda: sweep(SGD, SGD, lr=[1]), "landscape must be a Landscape.*got <class"),
        (lambda: sweep(lambda lr: lr, ravine, lr=[1]), r"must have a method update"),
        (lambda: sweep(SGD, ravine, momentum=[0.9]), "momentum"),
        (lambda: sweep(SGD, ravine, steps=5000, lr=[1.5, 2.0]).best, "all of these diverged"),
        (lambda: descend(SGD(), ravine, np.zeros((3, 2))), "start must be two numbers, got array"),
    ],
)
def test_what_cannot_be_run_is_told_apart(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


# A whole grid at once ----------------------------------------------------------------------------

GRIDS = [
    (SGD, {"lr": [0.01, 0.5, 0.95]}),
    (Momentum, {"lr": [0.01, 0.1], "momentum": [0.0, 0.5, 0.9]}),
    (Momentum, {"momentum": [0.0, 0.5, 0.9], "lr": [0.01, 0.1]}),
    (AdaGrad, {"lr": [0.1, 1.5], "eps": [1e-7, 0.1]}),
    (
        Adam,
        {"lr": [0.1, 0.3], "beta1": [0.5, 0.9, 0.99], "beta2": [0.9, 0.999], "eps": [1e-8, 0.1]},
    ),
]


@pytest.fixture(params=[1, 7, 16_384], ids=lambda count: f"blocks of {count}")
def blocks(request, monkeypatch):
    monkeypatch.setattr(descent, "POSITIONS_IN_A_BLOCK", request.param)


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("landscape", [ravine, mountains], ids=lambda landscape: landscape.name)
@pytest.mark.parametrize(("rule", "grids"), GRIDS)
def test_sweep_equals_separate_descents(rule, grids, landscape):
    swept = sweep(rule, landscape, start=(1.5, 0.7), steps=20, **grids)
    shape = tuple(len(grid) for grid in grids.values())
    assert swept.losses.shape == shape
    assert swept.positions.shape == (*shape, 2)
    assert list(swept.grids) == list(grids)
    for name, grid in grids.items():
        np.testing.assert_array_equal(swept.grids[name], grid)
    for cell in np.ndindex(shape):
        chosen = {name: grid[i] for (name, grid), i in zip(grids.items(), cell, strict=True)}
        alone = descend(rule(**chosen), landscape, start=(1.5, 0.7), steps=20)
        np.testing.assert_allclose(swept.positions[cell], alone.positions[-1], rtol=1e-11)
        assert swept.losses[cell] == pytest.approx(alone.losses[-1], rel=1e-11)


@pytest.mark.usefixtures("blocks")
def test_several_starts_are_the_first_axes():
    starts = np.random.default_rng(1).uniform(-2, 2, (3, 4, 2))
    given = starts.copy()
    grids = {"lr": [0.01, 0.1], "momentum": [0.0, 0.5, 0.9]}
    swept = sweep(Momentum, ravine, start=starts, steps=20, **grids)
    assert swept.losses.shape == (3, 4, 2, 3)
    assert swept.positions.shape == (3, 4, 2, 3, 2)
    for i, j in product(range(3), range(4)):
        alone = sweep(Momentum, ravine, start=starts[i, j], steps=20, **grids)
        np.testing.assert_allclose(swept.positions[i, j], alone.positions, rtol=1e-12)
        np.testing.assert_allclose(swept.losses[i, j], alone.losses, rtol=1e-12)
    np.testing.assert_array_equal(starts, given)


@pytest.mark.parametrize(("limit", "count"), [(16_384, 1), (30, 1), (29, 2), (10, 3), (1, 5)])
def test_first_grid_is_cut_into_blocks(monkeypatch, limit, count):
    monkeypatch.setattr(descent, "POSITIONS_IN_A_BLOCK", limit)
    made = []

    def making(**hyperparameters):
        made.append(hyperparameters)
        return Momentum(**hyperparameters)

    grids = {"lr": [0.1, 0.2, 0.3, 0.4, 0.5], "momentum": [0.0, 0.5, 0.9]}
    sweep(making, ravine, start=np.ones((2, 2)), steps=1, **grids)
    assert len(made) == count
    assert np.concatenate([each["lr"].ravel() for each in made]).tolist() == grids["lr"]
    assert all(each["momentum"].ravel().tolist() == grids["momentum"] for each in made)


def test_no_steps_of_a_sweep_leave_every_cell_at_the_start():
    swept = sweep(SGD, ravine, steps=0, lr=[0.1, 0.2])
    assert swept.positions.tolist() == [[-7.0, 2.0]] * 2


def test_sweep_over_nothing_is_one_descent():
    swept = sweep(lambda: SGD(lr=0.95), ravine)
    assert swept.losses == descend(SGD(lr=0.95), ravine).losses[-1]
    assert swept.best == {}


def test_best_is_the_lowest_loss_of_all_cells_and_starts():
    grids = {"lr": [0.01, 0.1, 0.3], "momentum": [0.0, 0.5, 0.9]}
    swept = sweep(Momentum, ravine, steps=20, **grids)
    i, j = min(np.ndindex(3, 3), key=lambda cell: swept.losses[cell])
    assert swept.best == {"lr": grids["lr"][i], "momentum": grids["momentum"][j]}
    assert all(type(value) is float for value in swept.best.values())
    # On the x axis a larger rate is better; from the second start it wins by far.
    starts = [(-7, 2), (1e-6, 0)]
    assert sweep(SGD, ravine, start=starts, steps=20, lr=[0.1, 0.8, 1.2]).best == {"lr": 1.2}


def test_loss_is_infinite_in_exactly_the_cells_whose_descent_diverges():
    grids = {"lr": [0.001, 0.01, 0.02, 0.05, 0.1], "momentum": [0.0, 0.5, 0.9]}
    losses = sweep(Momentum, beale, steps=60, **grids).losses
    diverged = [
        descend(Momentum(lr, momentum), beale, steps=60).diverged_at is not None
        for lr, momentum in product(*grids.values())
    ]
    assert 0 < sum(diverged) < 15
    np.testing.assert_array_equal(losses.ravel() == np.inf, diverged)
    assert np.isfinite(losses.ravel()[~np.array(diverged)]).all()


def test_diverged_cells_do_not_disturb_the_best():
    # Rosenbrock's values become inf - inf, which is not a number.
    swept = sweep(SGD, rosenbrock, steps=20, lr=[0.01, 0.001])
    assert np.isnan(swept.positions[0]).any()
    assert swept.losses[0] == np.inf
    assert swept.best == {"lr": 0.001}


def test_example_in_the_docstring():
    results = doctest.testmod(descent)
    assert results.attempted > 0
    assert results.failed == 0
