"""Train a network on the digits by mini-batches, and race several optimizers fairly."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import ceil
from threading import current_thread, main_thread

import numpy as np
from tqdm.auto import tqdm

from helpers import doors
from helpers.networks import MultilayerPerceptron, side_by_side

tqdm.monitor_interval = 0  # no thread that looks after the bars: a Python in the browser has none
FEWEST, LANES = 16, 64  # networks side by side: fewer are slower, more are no faster
CORES = os.cpu_count() or 1


def recorded(loop):
    """Put a door before the taught loop: it checks what goes in and returns a History."""

    @np.errstate(all="ignore")  # A diverging run is recorded, not warned about.
    def train(network, optimizer, digits, epochs=10, batch_size=32, seed=0):
        epochs = doors.whole_number("epochs", epochs, lowest=1)
        seed = doors.whole_number("seed", seed)
        batches = Minibatches(doors.digits(digits).train, batch_size, seed)
        doors.memory(doors.optimizer(optimizer), doors.network(network).params)
        with (
            doors.unchanged_on_error(optimizer, network.params),
            progress(epochs * len(batches)) as bar,
        ):
            watched = doors.Watched(optimizer, lambda _params: bar.update())
            return History(loop(network, watched, digits, epochs, batch_size, seed))

    train.__doc__ = loop.__doc__
    return train


@recorded
def train(network, optimizer, digits, epochs=10, batch_size=32, seed=0):
    """Train `network` in place and return how it went.

    Parameters
    ----------
    network : MultilayerPerceptron
    optimizer : object with `update(params, grads)`
    digits : Digits
        Gradients come from its training images alone.
    epochs : int
        Passes over the training images, at least 1.
    batch_size : int
        Images in a mini-batch, at least 1; the last one of an epoch may be smaller.
    seed : int
        Order of the mini-batches.

    Returns
    -------
    History

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, a hyperparameter of the optimizer not in its range, or its
        memory of another network. An error leaves network and optimizer as they were.
    """
    batches = Minibatches(digits.train, batch_size, seed)
    history = [evaluate(network, digits)]
    for _ in range(epochs):
        for x, t in batches:
            grads = network.gradient(x, t)
            optimizer.update(network.params, grads)
        history.append(evaluate(network, digits))
    return history


def evaluate(network, digits):
    """Return the training loss, the validation accuracy and the test accuracy of a network."""
    return (
        network.loss(*digits.train),
        network.accuracy(*digits.validation),
        network.accuracy(*digits.test),
    )


class Minibatches:
    """The images of a split, a few at a time, in a new random order at every pass.

    Parameters
    ----------
    split : Split
        n images and their labels.
    batch_size : int
    seed : int or sequence of int
        With an int, a pass yields pairs x, t of shapes (batch_size, 64) and (batch_size,). With
        a sequence of s seeds x and t have a leading axis s: one order for each.
    """

    def __init__(self, split, batch_size, seed):
        self.split = split
        self.batch_size = doors.whole_number("batch_size", batch_size, lowest=1)
        self.lanes = np.shape(seed)
        seeds = [seed] if np.ndim(seed) == 0 else seed
        self.rngs = [np.random.default_rng(doors.whole_number("seed", each)) for each in seeds]

    def __len__(self):
        return -(-len(self.split.x) // self.batch_size)

    def __iter__(self):
        n = len(self.split.x)
        order = np.reshape([rng.permutation(n) for rng in self.rngs], (*self.lanes, n))
        for first in range(0, n, self.batch_size):
            chosen = order[..., first : first + self.batch_size]
            yield self.split.x.take(chosen, axis=0), self.split.t[chosen]


def progress(updates):
    """Count the updates; a run of more than a second shows a bar, which goes when it is over.

    No bar in a thread beside the main one, nor where the environment sets TQDM_DISABLE, which
    tqdm's bar for notebooks ignores.
    """
    disable = bool(os.environ.get("TQDM_DISABLE")) or current_thread() is not main_thread()
    return tqdm(total=updates, leave=False, delay=1, disable=disable)


class History:
    """How a training run went: what `evaluate` saw before it and after every epoch.

    Attributes
    ----------
    training_loss : ndarray, shape (epochs + 1, ...)
        Mean cross-entropy of all training images, in nats. Further axes as in the network.
    validation_accuracy, test_accuracy : ndarray, shape (epochs + 1, ...)
        Shares of images, 0 to 1. Choose by the first, report the second.
    """

    def __init__(self, measures):
        self.measures = np.array(measures)
        self.training_loss, self.validation_accuracy, self.test_accuracy = np.moveaxis(
            self.measures, 1, 0
        )

    def __getitem__(self, lane):
        """Return the History of one of several runs: of a race, `history[rate, seed]`, by index."""
        return History(self.measures[(slice(None), slice(None), *np.atleast_1d(lane))])

    @property
    def diverged_at(self):
        """The first row with a loss that is not finite (of any run, if several), or None.

        Of `train` it is the first such epoch.
        """
        diverged = ~np.isfinite(self.training_loss.reshape(len(self.measures), -1)).all(axis=1)
        return int(diverged.argmax()) if diverged.any() else None


@dataclass(frozen=True)
class RaceResult:
    """What one rule of a race did.

    Attributes
    ----------
    rates : ndarray, shape (rates,)
        Learning rates it was given.
    history : History
        Its arrays have shape (epochs + 1, rates, seeds), or (looks, rates, seeds) of a race that
        looked only after some epochs.
    """

    rates: np.ndarray
    history: History

    @property
    def best_index(self):
        """Index of the rate with the highest final validation accuracy, averaged over seeds.

        Of equals, the first.
        """
        return int(self.history.validation_accuracy[-1].mean(axis=-1).argmax())

    @property
    def best_rate(self):
        """The rate at `best_index`."""
        return float(self.rates[self.best_index])


def race(rules, rates, make_network, digits, epochs=20, batch_size=32, seeds=(0, 1, 2, 3, 4)):
    """Train the same networks on the same mini-batches with several optimizers and rates.

    The run of a rule with rate r and seed s is `train(make_network(s), rule(r), digits,
    epochs, batch_size, s)`; up to LANES of them run side by side, which is faster, and each
    core has its own.

    Parameters
    ----------
    rules : dict of str to callable
        Makes an optimizer from a learning rate, which is an array here: {"SGD": SGD}.
    rates : dict of str to sequence of float
        Learning rates of each rule: the same number for each, so that the race is fair.
    make_network : callable
        Makes a network from a seed.
    digits : Digits
    epochs : int or sequence of int
        Passes over the training images. The networks are evaluated before the first and after
        each; with a sequence only after these.
    batch_size : int
    seeds : sequence of int
        Each gives the initial weights and the order of the mini-batches of one run.

    Returns
    -------
    dict of str to RaceResult

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, `rates` has other names than `rules`, or not equally many
        rates for each; or if there are no seeds.
    """
    rates = fair_rates(rules, rates)
    doors.digits(digits)
    doors.numbers("seeds", seeds, ("n",))
    if doors.function("make_network", make_network) is MultilayerPerceptron:
        raise TypeError(
            "make_network must be a function of a seed, such as lambda seed: "
            "MultilayerPerceptron((64, 50, 10), seed=seed), got the class itself"
        )
    networks = {seed: doors.network(make_network(seed)) for seed in seeds}
    looks = epochs_to_look_at(epochs)
    pieces = [
        (name, runs) for name in rules for runs in in_pieces(list(product(rates[name], seeds)))
    ]

    def run(piece):
        name, runs = piece
        its_rates, its_seeds = zip(*runs, strict=True)
        lanes = side_by_side([networks[seed] for seed in its_seeds], copies=1)
        optimizer = doors.optimizer(rules[name](np.reshape(its_rates, (1, -1, 1, 1))))
        watched = doors.Watched(optimizer, lambda _params: None)
        batches = Minibatches(digits.train, batch_size, its_seeds)
        measured = looks_at(lanes, watched, batches, looks, lambda: evaluate(lanes, digits))
        return measured[:, :, 0]

    measures = {name: [] for name in rules}  # of each piece: looks, what is measured, runs
    with progress(len(pieces)) as bar, map_of_threads() as map:
        for (name, _), measured in zip(pieces, map(run, pieces), strict=True):
            measures[name].append(measured)
            bar.update()
    results = {}
    for name in rules:
        together = np.concatenate(measures[name], axis=-1)
        history = History(together.reshape(len(looks), 3, -1, len(seeds)))
        results[name] = RaceResult(rates[name], history)
    return results


@np.errstate(all="ignore")  # A diverging run is a bad one, nothing else.
def looks_at(network, optimizer, batches, epochs, look):
    """Train in place; return what `look()` gave after each of `epochs`, an array."""
    looks = []
    for epoch in range(max(epochs) + 1):
        if epoch > 0:
            for x, t in batches:
                optimizer.update(network.params, network.gradient(x, t))
        if epoch in epochs:
            looks.append(look())
    return np.array(looks)


def epochs_to_look_at(epochs):
    """Return all epochs up to a number, or those of a sequence, or raise an error."""
    if np.ndim(epochs) == 0:
        return range(doors.whole_number("epochs", epochs, lowest=1) + 1)
    doors.numbers("epochs", epochs, ("n",))
    return sorted({doors.whole_number("epochs", epoch) for epoch in epochs})


def in_pieces(items):
    """Return a list cut into pieces of about the same length, for as many cores as pay.

    A piece has LANES items at most; a core that would get fewer than FEWEST gets none.
    """
    rounds = ceil(len(items) / (CORES * LANES))
    pieces = min(rounds * CORES, max(1, len(items) // FEWEST))
    length = ceil(len(items) / pieces)
    return [items[first : first + length] for first in range(0, len(items), length)]


@contextmanager
def map_of_threads():
    """Yield a `map` that keeps every core busy, or the plain one where there are no threads."""
    if sys.platform == "emscripten":  # a Python in the browser
        yield map
    else:
        with ThreadPoolExecutor(CORES) as threads:
            yield threads.map


def fair_rates(rules, rates):
    """Return the rates of each rule as an array; an error unless all have as many, at least one."""
    rates = doors.named("rates", rates, ("n",), least=1)
    if doors.named("rules", rules).keys() != rates.keys():
        raise ValueError(f"rates must be for {sorted(rules)}, got {sorted(rates)}")
    for rule in rules.values():
        doors.rule(rule)
    budgets = {name: len(values) for name, values in rates.items()}
    if len(set(budgets.values())) != 1:
        raise ValueError(f"rates must be equally many for each rule, got {budgets}")
    return rates
