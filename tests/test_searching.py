"""Search: its trials are plain trainings, and every way to run them gives the same results."""

import multiprocessing
import os
import signal
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from helpers import training
from helpers.digits import Split, load_digits
from helpers.networks import INITIAL, MultilayerPerceptron
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum
from helpers.searching import Decaying, Table, Trial, dask_workers, held_out, search, stacked
from helpers.training import train

QUICK = Trial(epochs=2)
CONFIGURATIONS = [
    {"lr": 0.3, "decay": 1e-3, "units": 8},
    {"lr": 0.01, "decay": 1e-5, "units": 16},
    {"lr": 3.0, "decay": 0.1, "units": 8},
    {"lr": 0.1},
    {"lr": 0.1, "scale": 0.5},
    {"lr": 1e200},
]


@pytest.fixture(scope="module")
def plain():
    return search(QUICK, CONFIGURATIONS, seeds=(3, 4))


def test_the_held_out_images_are_those_of_validation_then_those_of_test():
    digits = load_digits()
    np.testing.assert_array_equal(held_out().x[:360], digits.validation.x)
    np.testing.assert_array_equal(held_out().t[360:], digits.test.t)
    assert len(held_out().t) == 719


def test_a_trial_is_a_training_as_taught():
    digits = load_digits()
    network = MultilayerPerceptron((64, 16, 10), seed=5)
    history = train(network, SGD(0.3), digits, epochs=2, batch_size=64, seed=5)
    table = search(QUICK, [{"lr": 0.3}], seeds=[5])
    right = network.scores(held_out().x).argmax(axis=1) == held_out().t
    np.testing.assert_array_equal(table.right[0, 0], right)
    assert table.validation[0, 0] == pytest.approx(100 * history.validation_accuracy[-1])
    assert table.test[0, 0] == pytest.approx(100 * history.test_accuracy[-1])


def test_units_scale_and_decay_do_what_they_say():
    few = Split(*(part[:64] for part in load_digits().train))
    trial = Trial(epochs=1, images=few, hidden_layers=2)
    network = MultilayerPerceptron(
        (64, 8, 8, 10), initial=lambda *layer: 0.5 * INITIAL["he"](*layer), seed=1
    )
    order = np.random.default_rng(1).permutation(64)
    grads = network.gradient(few.x[order], few.t[order])
    for key in network.params:
        decay = 0.1 * network.params[key] if key.startswith("W") else 0
        network.params[key] -= 0.2 * (grads[key] + decay)
    right = network.scores(held_out().x).argmax(axis=1) == held_out().t
    configuration = {"lr": 0.2, "decay": 0.1, "units": 8, "scale": 0.5}
    np.testing.assert_array_equal(trial(configuration, 1), right)


def test_decay_pulls_weights_and_leaves_biases():
    params = {"W1": np.ones((2, 2)), "b1": np.ones((1, 2))}
    Decaying(SGD(0.5), 0.1).update(params, {key: np.zeros_like(params[key]) for key in params})
    np.testing.assert_allclose(params["W1"], 0.95)
    np.testing.assert_array_equal(params["b1"], 1)


def test_a_table_has_a_row_for_each_configuration_and_a_column_for_each_seed(plain):
    assert plain.right.shape == (len(CONFIGURATIONS), 2, 719)
    for i, configuration in enumerate(CONFIGURATIONS):
        for j, seed in enumerate((3, 4)):
            np.testing.assert_array_equal(plain.right[i, j], QUICK(configuration, seed))


def test_a_table_gives_columns_and_percentages():
    right = np.zeros((2, 1, 719), dtype=bool)
    right[1, 0, :90] = True
    table = Table([{"lr": 1, "decay": 2}, {"lr": 3, "decay": 4}], (0,), right)
    np.testing.assert_array_equal(table.column("decay"), [2, 4])
    np.testing.assert_allclose(table.validation, [[0], [25]])
    np.testing.assert_allclose(table.test, [[0], [0]])


def test_side_by_side_is_equal_to_the_plain_loop(plain):
    assert plain.right.any()
    table = search(QUICK, CONFIGURATIONS, seeds=(3, 4), map=stacked)
    np.testing.assert_array_equal(table.right, plain.right)


@pytest.mark.parametrize(
    ("rule", "own"),
    [
        (Momentum, {"momentum": 0.5}),
        (AdaGrad, {}),
        (Adam, {"beta1": 0.5}),
    ],
)
def test_other_rules_and_more_networks_than_lanes(rule, own, monkeypatch):
    monkeypatch.setattr(training, "FEWEST", 1)
    monkeypatch.setattr(training, "LANES", 3)
    configurations = [{"lr": lr, **own} for lr in (0.003, 0.01, 0.03, 0.1)]
    trial = Trial(rule, hidden_layers=2, epochs=1)
    one, other = (search(trial, configurations, (0, 1), map=m) for m in (map, stacked))
    np.testing.assert_array_equal(one.right, other.right)


def test_where_there_are_no_threads_networks_run_side_by_side_all_the_same(plain, monkeypatch):
    monkeypatch.setattr(training.sys, "platform", "emscripten")
    monkeypatch.setattr(training, "ThreadPoolExecutor", None)
    table = search(QUICK, CONFIGURATIONS, seeds=(3, 4), map=stacked)
    np.testing.assert_array_equal(table.right, plain.right)


def test_looks_on_the_way_are_those_of_shorter_trials():
    configurations = [{"lr": 0.1}, {"lr": 0.3}]
    for way in (map, stacked):
        looks = search(Trial(epochs=(1, 3)), configurations, map=way)
        assert looks.right.shape == (2, 1, 2, 719)
        for k, epochs in enumerate((1, 3)):
            alone = search(Trial(epochs=epochs), configurations)
            np.testing.assert_array_equal(looks.right[:, :, k], alone.right)


def test_a_process_pool_gives_equal_results(plain):
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        table = search(QUICK, CONFIGURATIONS, seeds=(3, 4), map=pool.map)
    np.testing.assert_array_equal(table.right, plain.right)


@pytest.fixture
def workers():
    pytest.importorskip("distributed")
    with dask_workers(2) as executor:
        yield executor


def test_dask_gives_equal_results_and_stays_on_this_machine(plain, workers, capfd):
    table = search(QUICK, CONFIGURATIONS, seeds=(3, 4), map=workers.map)
    np.testing.assert_array_equal(table.right, plain.right)
    addresses = workers._client.scheduler_info()["workers"]
    assert len(addresses) == 2
    assert all("//127.0.0.1:" in address for address in addresses)
    assert capfd.readouterr() == ("", "")


class Deadly:
    """A trial that kills its process, once, with the configuration that says so."""

    def __init__(self, trial, marker):
        self.trial, self.marker = trial, marker

    def __call__(self, configuration, seed):
        if configuration["lr"] == 0.1 and not self.marker.exists():
            self.marker.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return self.trial(configuration, seed)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_worker_that_dies_in_the_middle_loses_nothing(plain, workers, tmp_path):
    before = set(workers._client.run(os.getpid).values())
    deadly = Deadly(QUICK, tmp_path / "killed")
    table = search(deadly, CONFIGURATIONS, seeds=(3, 4), map=workers.map)
    np.testing.assert_array_equal(table.right, plain.right)
    assert int((tmp_path / "killed").read_text()) in before


def test_without_dask_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install distributed"), dask_workers():
        pass


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"configurations": []}, r"configurations must be a list of dicts, got \[\]"),
        ({"configurations": {"lr": 1}}, "configurations must be a list of dicts, got {'lr': 1}"),
        ({"configurations": [0.1]}, r"configurations must be a list of dicts, got \[0.1\]"),
        ({"seeds": ()}, r"seeds must be a non-empty list of numbers, got \(\)"),
        ({"seeds": 3}, "seeds must be a non-empty list of numbers, got 3"),
        ({"trial": "trial"}, "trial must be a function, got 'trial'"),
        ({"trial": len, "map": stacked}, "trial must be a Trial to run side by side, got <built"),
        ({"map": "stacked"}, "map must be a function, got 'stacked'"),
        ({"configurations": [{"lr": -1}]}, "lr must be finite and at least 0, got -1"),
        ({"configurations": [{"rate": 1}]}, "rate"),
        ({"configurations": [{"scale": "8"}]}, "scale must be a number .*, got '8'"),
        ({"configurations": [{"decay": -1}]}, "decay must be finite and at least 0, got -1"),
    ],
)
def test_what_cannot_be_searched_is_named(wrong, message):
    with pytest.raises((TypeError, ValueError), match=message):
        search(**({"trial": QUICK, "configurations": [{"lr": 0.1}]} | wrong))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rule": SGD(0.1)}, "rule must be a class of optimizers.*, got an object of SGD"),
        ({"hidden_layers": 1.5}, "hidden_layers must be a whole number, got 1.5"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"epochs": (1, 2.5)}, "epochs must be a whole number, got"),
    ],
)
def test_what_is_no_trial_is_named(wrong, message):
    with pytest.raises((TypeError, ValueError), match=message):
        Trial(**wrong)
