"""Search: a trial for each configuration of hyperparameters and each seed, and a table of them.

A configuration is a dict of hyperparameters. A trial is a function of a configuration and a seed;
it trains and tells which of the held-out images the network reads. `search` runs the trials with
whatever `map` it gets: the plain one, `stacked`, or that of an executor.
"""

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np

from helpers import doors
from helpers.digits import Split, load_digits
from helpers.networks import INITIAL, MultilayerPerceptron, side_by_side
from helpers.optimizers import SGD
from helpers.training import Minibatches, in_pieces, looks_at, map_of_threads

OF_THE_NETWORK = ("units", "scale", "decay")
INSTALL = (
    "Dask is not installed; `pip install distributed` (or this lecture's extra `scale`) does it."
)


@cache
def held_out():
    """Return the images that no training sees, a Split: first the validation, then the test."""
    digits = load_digits()
    return Split(*map(np.concatenate, zip(digits.validation, digits.test, strict=True)))


@dataclass(frozen=True)
class Table:
    """What a search found.

    Attributes
    ----------
    configurations : list of dict
    seeds : sequence of int
    right : ndarray of bool, shape (configurations, seeds, ..., 719)
        What the trials gave: whether each held-out image was read.
    """

    configurations: list
    seeds: tuple
    right: np.ndarray

    def column(self, name):
        """Return a hyperparameter of all configurations, shape (configurations,)."""
        return np.array([configuration[name] for configuration in self.configurations])

    @property
    def validation(self):
        """Accuracy on the validation images in percent, shape (configurations, seeds, ...)."""
        return 100 * self.right[..., : len(load_digits().validation.t)].mean(axis=-1)

    @property
    def test(self):
        """Accuracy on the test images in percent, shape (configurations, seeds, ...)."""
        return 100 * self.right[..., len(load_digits().validation.t) :].mean(axis=-1)


def search(trial, configurations, seeds=(0,), map=map):
    """Run a trial for each configuration with each seed.

    Parameters
    ----------
    trial : callable
        Takes a configuration and a seed, and returns an array of bool, shape (..., 719).
    configurations : list of dict
    seeds : sequence of int
    map : callable
        Gets the trial, the configurations and the seeds, and returns the results in order: the
        plain `map`, `stacked`, or the method `map` of an executor.

    Returns
    -------
    Table

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or there is no configuration or no seed.
    """
    doors.function("trial", trial)
    doors.function("map", map)
    doors.numbers("seeds", seeds, ("n",))
    are_dicts = [isinstance(each, dict) for each in np.ravel(configurations)]
    if not are_dicts or not all(are_dicts) or isinstance(configurations, dict):
        raise TypeError(f"configurations must be a list of dicts, got {configurations!r}")
    right = np.array(list(map(trial, *zip(*product(configurations, seeds), strict=True))))
    shape = (len(configurations), len(seeds), *right.shape[1:])
    return Table(configurations, seeds, right.reshape(shape))


def stacked(trial, configurations, seeds):
    """Map by side: run many networks as one, with results equal to those of the plain `map`.

    Every core has up to LANES networks at a time.

    Parameters
    ----------
    trial : Trial
    configurations, seeds : sequences of the same length

    Raises
    ------
    TypeError
        If the trial is not a Trial.
    """
    if not hasattr(trial, "stacked"):
        raise TypeError(f"trial must be a Trial to run side by side, got {doors.shown(trial)}")

    def run(places):
        return trial.stacked([configurations[i] for i in places], [seeds[i] for i in places])

    chunks, results = in_chunks(configurations), {}
    with map_of_threads() as map:
        for places, lanes in zip(chunks, map(run, chunks), strict=True):
            results |= zip(places, lanes, strict=True)
    return [results[place] for place in range(len(configurations))]


def in_chunks(configurations):
    """Return the places of those that can run side by side: a list of lists."""
    kinds = {}
    for place, configuration in enumerate(configurations):
        kind = (*configuration, configuration.get("units"))
        kinds.setdefault(kind, []).append(place)
    return [chunk for places in kinds.values() for chunk in in_pieces(places)]


@dataclass(frozen=True)
class Trial:
    """Train a network on the digits; tell which held-out images it reads.

    A configuration may hold `units` of each hidden layer (16 by default), the `scale` of the
    initial weights in units of He's (1), the weight `decay` λ (0), which adds λ W to the gradient
    of the weights W; all else goes to the rule by name, `lr` for instance.

    Attributes
    ----------
    rule : callable
        Makes an optimizer.
    hidden_layers : int
    epochs : int or tuple of int
        After which to look; with a tuple the result has a further axis, one place for each.
    batch_size : int
    images : Split, optional
        To train with; by default the training images.
    """

    rule: callable = SGD
    hidden_layers: int = 1
    epochs: int | tuple = 10
    batch_size: int = 64
    images: Split | None = None

    def __post_init__(self):
        doors.rule(self.rule)
        doors.whole_number("hidden_layers", self.hidden_layers)
        for epochs in np.ravel(self.epochs):
            doors.whole_number("epochs", epochs, lowest=1)

    def __call__(self, configuration, seed):
        """Return whether each held-out image is read, an array of bool, shape (..., 719)."""
        network = self._network(configuration, seed)
        right = self._run(network, self._optimizer(configuration), seed)
        return right if np.ndim(self.epochs) else right[0]

    def stacked(self, configurations, seeds):
        """Return a list of the results of several configurations, each with its own seed.

        The configurations must have the same keys and the same `units`.
        """
        networks = [self._network(*each) for each in zip(configurations, seeds, strict=True)]
        columns = {
            key: np.reshape([configuration[key] for configuration in configurations], (1, -1, 1, 1))
            for key in configurations[0]
        }
        lanes = side_by_side(networks, copies=1)  # parameters of shape (1, networks, ..., ...)
        right = self._run(lanes, self._optimizer(columns), list(seeds))[:, 0]
        return list(np.moveaxis(right, 1, 0) if np.ndim(self.epochs) else right[0])

    def _network(self, configuration, seed):
        hidden = [configuration.get("units", 16)] * self.hidden_layers
        scale = doors.hyperparameter("scale", configuration.get("scale", 1))
        return MultilayerPerceptron(
            (64, *hidden, 10), initial=lambda *layer: scale * INITIAL["he"](*layer), seed=seed
        )

    def _optimizer(self, configuration):
        own = {key: configuration[key] for key in configuration if key not in OF_THE_NETWORK}
        optimizer = doors.optimizer(self.rule(**own))
        if "decay" not in configuration:
            return optimizer
        return Decaying(optimizer, doors.hyperparameter("decay", configuration["decay"]))

    def _run(self, network, optimizer, seed):
        """Return what is read after the epochs to look at, shape (looks, ..., 719)."""
        batches = Minibatches(self.images or load_digits().train, self.batch_size, seed)

        def read():
            return network.scores(held_out().x).argmax(axis=-1) == held_out().t

        return looks_at(network, optimizer, batches, np.atleast_1d(self.epochs), read)


class Decaying:
    """An optimizer with weight decay: it adds λ W to the gradient of the weights, not the biases.

    Parameters
    ----------
    optimizer : object with `update(params, grads)`
    decay : float or array
        λ.
    """

    def __init__(self, optimizer, decay):
        self.optimizer, self.decay = optimizer, decay

    def update(self, params, grads):
        """Change `params` in place."""
        pulled = {
            key: grads[key] + self.decay * params[key] if key.startswith("W") else grads[key]
            for key in params
        }
        self.optimizer.update(params, pulled)


@contextmanager
def dask_workers(count=2):
    """Start a Dask cluster of worker processes on this machine, and yield an executor for it.

    Raises
    ------
    ModuleNotFoundError
        If Dask is not installed; the message says what to install.
    """
    try:
        from distributed import Client, LocalCluster
    except ModuleNotFoundError:
        raise ModuleNotFoundError(INSTALL) from None
    settings = {"n_workers": count, "threads_per_worker": 1, "processes": True}
    quiet = {"dashboard_address": None, "silence_logs": logging.CRITICAL}
    with LocalCluster(host="127.0.0.1", **settings, **quiet) as cluster, Client(cluster) as client:
        yield client.get_executor()
