"""Training: the loop does what it says, and a race is the runs that it stands for."""

from copy import deepcopy
from itertools import chain

import numpy as np
import pytest
import tqdm.notebook
import tqdm.std

from helpers import training
from helpers.digits import Digits, Split, load_digits
from helpers.networks import MultilayerPerceptron, side_by_side
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum
from helpers.training import History, Minibatches, RaceResult, race, train

RULES = {"SGD": SGD, "Momentum": Momentum, "AdaGrad": AdaGrad, "Adam": Adam}


@pytest.fixture(scope="module")
def few():
    """Few digits, so that a run takes milliseconds."""
    data = load_digits()
    return Digits(*(Split(x[:100], t[:100]) for x, t in (data.train, data.validation, data.test)))


def small_network(seed=0):
    return MultilayerPerceptron((64, 12, 10), seed=seed)


def test_training_is_the_loop_written_out(few):
    taught, by_hand = small_network(), small_network()
    history = train(taught, SGD(lr=0.1), few, epochs=2, batch_size=30, seed=7)
    losses = [by_hand.loss(*few.train)]
    rng = np.random.default_rng(7)
    for _ in range(2):
        order = rng.permutation(100)
        for chosen in (order[:30], order[30:60], order[60:90], order[90:]):
            grads = by_hand.gradient(few.train.x[chosen], few.train.t[chosen])
            for key in grads:
                by_hand.params[key] -= 0.1 * grads[key]
        losses.append(by_hand.loss(*few.train))
    np.testing.assert_array_equal(history.training_loss, losses)
    assert history.validation_accuracy[-1] == by_hand.accuracy(*few.validation)
    assert history.test_accuracy[-1] == by_hand.accuracy(*few.test)
    assert history.diverged_at is None
    for key, param in by_hand.params.items():
        np.testing.assert_array_equal(taught.params[key], param)


@pytest.mark.parametrize("optimizer", [SGD(0.3), Momentum(0.03), AdaGrad(0.03), Adam(0.01)])
def test_training_lowers_the_loss_and_learns_to_read(optimizer):
    network, digits = MultilayerPerceptron((64, 50, 10)), load_digits()
    history = train(network, optimizer, digits, epochs=15)
    for recorded in (history.training_loss, history.validation_accuracy, history.test_accuracy):
        assert recorded.shape == (16,)
    assert history.training_loss[-1] < 0.2 * history.training_loss[0]
    assert history.validation_accuracy[0] < 0.3
    assert history.validation_accuracy[-1] > 0.9
    assert history.test_accuracy[-1] > 0.85


def test_validation_and_test_images_do_not_touch_the_training(few):
    other = Digits(few.train, *(Split(1 - x, 9 - t) for x, t in (few.validation, few.test)))
    one, two = small_network(), small_network()
    train(one, Adam(), few, epochs=2)
    train(two, Adam(), other, epochs=2)
    for key, param in one.params.items():
        np.testing.assert_array_equal(param, two.params[key])


def test_a_batch_may_be_larger_than_the_data(few):
    ((x, t),) = Minibatches(few.train, batch_size=500, seed=0)
    assert (x.shape, t.shape) == ((100, 64), (100,))


def test_divergence_is_recorded_without_a_warning(few):
    history = train(small_network(), SGD(lr=1e200), few, epochs=3)
    assert history.diverged_at == 1
    assert len(history.training_loss) == 4
    assert np.isfinite(history.training_loss[0])
    assert not np.isfinite(history.training_loss[1:]).any()


@pytest.mark.parametrize("fewest", [6, 3])  # all runs of a rule side by side, or in two pieces
def test_a_race_is_the_runs_it_stands_for(few, fewest, monkeypatch):
    monkeypatch.setattr(training, "FEWEST", fewest)
    monkeypatch.setattr(training, "CORES", 2)
    rates = {name: [0.01, 0.1, 1e200] for name in RULES}
    results = race(RULES, rates, small_network, few, epochs=3, batch_size=32, seeds=[4, 9])
    assert list(results) == list(RULES)
    for name, result in results.items():
        np.testing.assert_array_equal(result.rates, rates[name])
        assert result.history.training_loss.shape == (4, 3, 2)
        for i, rate in enumerate(rates[name]):
            for j, seed in enumerate([4, 9]):
                optimizer = RULES[name](rate)
                alone = train(small_network(seed), optimizer, few, 3, 32, seed)
                run = result.history[i, j]
                np.testing.assert_allclose(run.measures, alone.measures, rtol=1e-9)
                assert run.diverged_at == alone.diverged_at
    assert results["SGD"].history.diverged_at == 1
    assert results["SGD"].history[0, 0].diverged_at is None


def test_a_race_may_look_after_some_epochs_only(few):
    rates = {name: [0.01, 0.1] for name in RULES}
    all_epochs = race(RULES, rates, small_network, few, epochs=4, seeds=[4, 9])
    some = race(RULES, rates, small_network, few, epochs=(1, 4), seeds=[4, 9])
    for name, result in some.items():
        np.testing.assert_array_equal(
            result.history.measures, all_epochs[name].history.measures[[1, 4]]
        )


def test_the_best_rate_has_the_highest_final_validation_accuracy_over_the_seeds():
    measures = np.zeros((2, 3, 3, 2))  # epochs + 1, quantities, rates, seeds
    measures[-1, 1] = [[0.5, 0.7], [0.9, 0.9], [1.0, 0.1]]
    measures[-1, 2] = [[1, 1], [0, 0], [0, 0]]  # The test accuracy must not matter.
    result = RaceResult(np.array([0.1, 1.0, 10.0]), History(measures))
    assert result.best_index == 1
    assert result.best_rate == 1.0


NO_NETWORK = "network must be one such as MultilayerPerceptron.*, got "
NO_DIGITS = r"digits must be Digits, as of load_digits\(\), got "


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
        ({"epochs": 1.5}, TypeError, "epochs must be a whole number, got 1.5"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"batch_size": "all"}, TypeError, "batch_size must be a whole number, got 'all'"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"seed": None}, TypeError, "seed must be a whole number, got None"),
        ({"seed": [1, 2]}, TypeError, r"seed must be a whole number, got \[1, 2\]"),
        ({"optimizer": SGD}, TypeError, r"an object, got the class SGD; make one: SGD\("),
        ({"optimizer": SGD(-1)}, ValueError, "lr must be finite and at least 0, got -1"),
        ({"optimizer": {"lr": 1}}, TypeError, r"must have a method update\(params, grads\)"),
        ({"network": "net"}, TypeError, f"{NO_NETWORK}'net'"),
        ({"network": MultilayerPerceptron}, TypeError, f"{NO_NETWORK}<class"),
        ({"network": SGD()}, TypeError, f"{NO_NETWORK}<.*SGD object"),
        ({"digits": "digits"}, TypeError, f"{NO_DIGITS}'digits'"),
        ({"digits": load_digits().train}, TypeError, f"{NO_DIGITS}an object of Split"),
    ],
)
def test_what_cannot_train_is_named(few, wrong, error, message):
    right = {"network": small_network(), "optimizer": SGD(), "digits": few}
    with pytest.raises(error, match=message):
        train(**(right | wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rates": {"SGD": [1]}}, r"rates must be for \['Adam', 'SGD'\], got \['SGD'\]"),
        ({"rates": {"SGD": [1], "Adam": [1, 2]}}, "equally many .*'SGD': 1, 'Adam': 2"),
        ({"rates": {"SGD": [], "Adam": []}}, r"rates\['SGD'\] must be a non-empty list .* \[\]"),
        ({"rates": {"SGD": 0.1, "Adam": 1}}, r"rates\['SGD'\] must be a non-empty list .* 0.1"),
        ({"rates": [0.1]}, r"rates must be a dict of names .*, got \[0.1\]"),
        ({"rules": [SGD]}, r"rules must be a dict of names .*, got \[<class"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"epochs": ()}, r"epochs must be a non-empty list of numbers, got \(\)"),
        ({"epochs": (1, 2.5)}, "epochs must be a whole number, got 2.5"),
        ({"seeds": []}, r"seeds must be a non-empty list of numbers, got \[\]"),
        ({"seeds": 5}, "seeds must be a non-empty list of numbers, got 5"),
        ({"seeds": [0.5]}, "seed must be a whole number, got 0.5"),
        ({"make_network": small_network()}, "make_network must be a function, got <.*Multilayer"),
        (
            {"make_network": MultilayerPerceptron},
            "make_network must be a function of a seed, such as",
        ),
        ({"make_network": lambda seed: None}, f"{NO_NETWORK}None"),
        ({"digits": "digits"}, f"{NO_DIGITS}'digits'"),
    ],
)
def test_an_unfair_or_empty_race_and_what_cannot_race_is_named(few, wrong, message):
    right = {"rules": {"SGD": SGD, "Adam": Adam}, "rates": {"SGD": [1], "Adam": [1]}}
    right |= {"make_network": small_network, "digits": few}
    with pytest.raises((TypeError, ValueError), match=message):
        race(**(right | wrong))


@pytest.mark.parametrize("bar", [tqdm.std.tqdm, tqdm.notebook.tqdm])
@pytest.mark.parametrize(("setting", "disabled"), [("1", True), ("", False)])
def test_progress_bars_can_be_turned_off_everywhere(bar, setting, disabled, monkeypatch, capsys):
    monkeypatch.setattr(training, "tqdm", bar)
    monkeypatch.setenv("TQDM_DISABLE", setting)
    with training.progress(3) as updates:
        assert updates.disable == disabled
        updates.update()
        assert updates.n == (0 if disabled else 1)
    assert capsys.readouterr() == ("", "")  # A run this short shows no bar at all.


def test_the_bar_counts_every_update(few, monkeypatch):
    bars = []
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(
        training, "tqdm", lambda **how: bars.append(tqdm.std.tqdm(**how)) or bars[-1]
    )
    train(small_network(), SGD(), few, epochs=2, batch_size=30)
    assert (bars[0].n, bars[0].total) == (8, 8)


@pytest.mark.parametrize(
    ("runs", "cores", "lengths"),
    [
        (10, 2, [10]),
        (20, 2, [20]),
        (35, 1, [35]),
        (35, 2, [18, 17]),
        (35, 16, [18, 17]),
        (65, 1, [33, 32]),
        (256, 2, [64, 64, 64, 64]),
    ],
)
def test_every_core_gets_as_many_runs_as_pay(runs, cores, lengths, monkeypatch):
    monkeypatch.setattr(training, "CORES", cores)
    pieces = training.in_pieces(list(range(runs)))
    assert list(chain(*pieces)) == list(range(runs))
    assert [len(piece) for piece in pieces] == lengths


def test_the_bar_of_a_race_counts_its_pieces_and_stands_alone(few, monkeypatch):
    bars = []

    def bar(**how):
        bars.append((tqdm.std.tqdm(**how), how["disable"]))
        return bars[-1][0]

    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(training, "tqdm", bar)
    rates = {name: [0.01, 0.1] for name in RULES}
    race(RULES, rates, small_network, few, epochs=1, seeds=[4, 9])
    shown = [bar for bar, hidden in bars if not hidden]
    assert [(bar.n, bar.total) for bar in shown] == [(len(RULES), len(RULES))]


def test_an_error_in_the_middle_leaves_network_and_optimizer_as_they_were(few):
    class Tiring(Momentum):
        def update(self, params, grads):
            super().update(params, grads)
            if np.abs(params["b2"]).max() > 0.01:
                raise RuntimeError("tired")

    network, optimizer = small_network(), Tiring(lr=0.1)
    arrays, before = dict(network.params), deepcopy(network.params)
    with pytest.raises(RuntimeError, match="tired"):
        train(network, optimizer, few)
    assert optimizer.v is None
    for key, array in arrays.items():
        assert network.params[key] is array
        np.testing.assert_array_equal(array, before[key])


def test_the_memory_of_another_network_is_refused(few):
    optimizer = Momentum()
    train(small_network(), optimizer, few, epochs=1)
    kept = deepcopy(optimizer.v)
    with pytest.raises(ValueError, match="optimizer's memory v"):
        train(MultilayerPerceptron((64, 5, 10)), optimizer, few)
    np.testing.assert_equal(optimizer.v, kept)


def test_networks_side_by_side_have_the_same_layers():
    with pytest.raises(ValueError, match="networks must all have the same layers"):
        side_by_side([small_network(), MultilayerPerceptron((64, 12, 12, 10))], copies=1)
