"""A multilayer perceptron whose parameters lie in one dict, as the optimizers want them.

Every operation works on the last two axes, so a network may also hold many networks of one
shape: parameters of shape (..., inputs, outputs) are that many networks, side by side.
"""

import copy
from collections import deque
from itertools import pairwise
from numbers import Real
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from helpers import doors

# Our matrices are small: more threads of the BLAS library would mostly wait for each other, above
# all where a search or a race has a thread of its own on every core.
threadpool_limits(1, user_api="blas")


class Activation(NamedTuple):
    """What a hidden layer does to its sums, and the slope of that in terms of its output."""

    function: callable
    slope: callable


@np.errstate(over="ignore")  # Where exp overflows to infinity, 0 is right.
def sigmoid(z):
    """Return 1 / (1 + exp(-z))."""
    return 1 / (1 + np.exp(-z))


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, lambda a: a * (1 - a)),
    "tanh": Activation(np.tanh, lambda a: 1 - a * a),
    "relu": Activation(lambda z: np.maximum(z, 0), lambda a: a > 0),
}

# Standard deviation of the initial weights between `inputs` and `outputs` units.
INITIAL = {
    "xavier": lambda inputs, outputs: np.sqrt(2 / (inputs + outputs)),
    "he": lambda inputs, outputs: np.sqrt(2 / inputs),
}


class MultilayerPerceptron:
    """Layers of sums and activations, and class scores at the end.

    Parameters
    ----------
    sizes : sequence of int
        Units of each layer, from the inputs to the classes: (64, 50, 10).
    activation : {"relu", "sigmoid", "tanh"}
        Of the hidden layers; the last layer gives plain scores.
    initial : {"he", "xavier"}, float or callable
        Standard deviation of the initial weights, which are normal with mean 0. "xavier" is
        √(2 / (inputs + outputs)) (Glorot and Bengio, 2010), "he" is √(2 / inputs) (He, Zhang,
        Ren and Sun, 2015). With 0 all weights are zero. A callable gets the numbers of inputs
        and outputs of a layer. Biases always start at zero.
    seed : int
        The same seed gives the same weights.

    Attributes
    ----------
    params : dict of ndarray of float
        W1, b1, W2, b2, ...: weights of shape (inputs, outputs), biases of shape (1, outputs).

    Raises
    ------
    TypeError, ValueError
        If an argument is not one of those above.
    """

    def __init__(self, sizes, activation="relu", initial="he", seed=0):
        self.sizes = checked_sizes(sizes)
        self.depth = len(self.sizes) - 1
        self.activation = doors.one_of("activation", activation, ACTIVATIONS)
        self.params = {}
        rng = np.random.default_rng(doors.whole_number("seed", seed))
        for layer, (inputs, outputs) in enumerate(pairwise(self.sizes), start=1):
            deviation = initial_deviation(initial, inputs, outputs)
            self.params[f"W{layer}"] = deviation * rng.standard_normal((inputs, outputs))
            self.params[f"b{layer}"] = np.zeros((1, outputs))

    def activations(self, x):
        """Return what each hidden layer puts out: a list of arrays, shape (..., n, units)."""
        _images, *activations = self._inputs_of_layers(self._checked_images(x))
        return activations

    def scores(self, x):
        """Return the score of each class, shape (..., n, classes), for images (..., n, inputs).

        The softmax of the scores gives the probabilities; the largest score is the answer.
        """
        inputs = self._inputs_of_layers(self._checked_images(x))
        (arriving,) = deque(inputs, maxlen=1)  # the last layer's; the others are forgotten at once
        return self._sums(self.depth, arriving)

    def loss(self, x, t):
        """Return the mean softmax cross-entropy in nats, shape (...), of images with labels `t`."""
        x, t = self._checked_examples(x, t)
        scores = self.scores(x)
        labels = np.broadcast_to(t, scores.shape[:-1])[..., None]
        of_labels = np.take_along_axis(scores, labels, axis=-1)
        return (log_sum_exp(scores) - of_labels).mean(axis=(-2, -1))

    def accuracy(self, x, t):
        """Return the share of images, 0 to 1, shape (...), whose largest score is the label `t`."""
        x, t = self._checked_examples(x, t)
        return (self.scores(x).argmax(axis=-1) == t).mean(axis=-1)

    def gradient(self, x, t):
        """Return the gradient of the loss: a dict with the keys and shapes of `params`.

        By backpropagation (Rumelhart, Hinton and Williams, 1986), for images `x`, shape
        (..., n, inputs), with labels `t`, shape (..., n).
        """
        return self._backpropagate(x, t)[0]

    def activation_gradients(self, x, t):
        """Return the gradient of the loss with respect to each array that `activations` gives."""
        return self._backpropagate(x, t)[1]

    def _inputs_of_layers(self, x):
        """Yield what enters each layer: the images, then every hidden activation."""
        yield x
        for layer in range(1, self.depth):
            x = ACTIVATIONS[self.activation].function(self._sums(layer, x))
            yield x

    def _sums(self, layer, x):
        """Return what the units of a layer add up from their inputs."""
        sums = x @ self.params[f"W{layer}"]
        sums += self.params[f"b{layer}"]
        return sums

    def _backpropagate(self, x, t):
        """Return the gradients with respect to the parameters and to the hidden activations."""
        x, t = self._checked_examples(x, t)
        inputs = list(self._inputs_of_layers(x))
        one_hot = t[..., None] == np.arange(self.sizes[-1])
        delta = (softmax(self._sums(self.depth, inputs[-1])) - one_hot) / t.shape[-1]
        grads, activation_grads = {}, []
        for layer in range(self.depth, 0, -1):
            grads[f"b{layer}"] = delta.sum(axis=-2, keepdims=True)
            grads[f"W{layer}"] = inputs[layer - 1].mT @ delta
            if layer > 1:
                activation_grads.append(delta @ self.params[f"W{layer}"].mT)
                delta = activation_grads[-1] * ACTIVATIONS[self.activation].slope(inputs[layer - 1])
        return {key: grads[key] for key in self.params}, activation_grads[::-1]

    def _checked_images(self, x):
        return doors.numbers("x", x, (..., "n", self.sizes[0]))

    def _checked_examples(self, x, t):
        x, t = self._checked_images(x), np.asarray(t)
        classes = self.sizes[-1]
        if t.dtype.kind not in "iu":
            raise TypeError(f"t must hold integer labels, got dtype {t.dtype}")
        if t.shape != x.shape[:-1]:
            raise ValueError(f"t must have one label for each image, {x.shape[:-1]}, got {t.shape}")
        if t.min() < 0 or t.max() >= classes:
            raise ValueError(
                f"t must hold labels from 0 to {classes - 1}, got {t.min()} to {t.max()}"
            )
        return x, t


def side_by_side(networks, copies):
    """Return one network that holds `copies` times all of `networks`, which stay as they are.

    Its parameters have two leading axes, (copies, networks); its losses and accuracies have
    this shape, and a learning rate of shape (copies, 1, 1, 1) gives each copy its own.

    Raises
    ------
    ValueError
        If the networks differ in their layers, or there are none.
    """
    shapes = {tuple(np.shape(param) for param in network.params.values()) for network in networks}
    if len(shapes) != 1:
        raise ValueError(f"networks must all have the same layers, got shapes {sorted(shapes)}")
    together = copy.copy(networks[0])
    together.params = {
        key: np.array([[network.params[key] for network in networks]] * copies)
        for key in together.params
    }
    return together


def softmax(scores):
    """Return the probabilities exp(s) / Σ exp(s) along the last axis, without overflow."""
    # A row for each class, also of a single vector: adding up rows is what numpy does fast.
    rows = scores[np.newaxis].mT.copy()
    exponentials = np.exp(rows - rows.max(axis=-2, keepdims=True))
    return (exponentials / exponentials.sum(axis=-2, keepdims=True)).mT[0]


def log_sum_exp(scores):
    """Return log Σ exp(s) along the last axis, which stays as length 1, without overflow."""
    highest = scores.max(axis=-1, keepdims=True)
    return highest + np.log(np.exp(scores - highest).sum(axis=-1, keepdims=True))


def initial_deviation(initial, inputs, outputs):
    """Return the standard deviation that `initial` means for one layer, or raise an error."""
    if isinstance(initial, str) and initial in INITIAL:
        return INITIAL[initial](inputs, outputs)
    accepted = (
        f"initial must be one of {list(INITIAL)}, a function of inputs and outputs "
        "or a standard deviation, at least 0"
    )
    deviation = initial(inputs, outputs) if callable(initial) else initial
    if isinstance(deviation, bool) or not isinstance(deviation, Real | str):
        raise TypeError(f"{accepted}, got {deviation!r}")
    if isinstance(deviation, str) or not 0 <= deviation < np.inf:
        raise ValueError(f"{accepted}, got {deviation!r}")
    return deviation


def bell_average(function, mean_square):
    """Return the mean of `function(z)` over normal z with mean 0 and this mean square."""
    bell = np.linspace(-8, 8, 1601)
    shares = np.exp(-(bell**2) / 2)
    return np.sum(shares * function(np.sqrt(mean_square) * bell)) / np.sum(shares)


def predicted_mean_squares(sizes, activation, initial, mean_square):
    """Return the mean square of each hidden layer's activations, predicted for random weights.

    The sums of a wide layer are normal with mean 0 and mean square n σ² q, for n inputs of mean
    square q and weights of standard deviation σ; the activation does the rest (He et al., arXiv
    1502.01852, for ReLU; Poole et al., arXiv 1606.05340, in general).

    Parameters
    ----------
    sizes, activation, initial
        As of a `MultilayerPerceptron`.
    mean_square : float
        Of the pixels.

    Returns
    -------
    list of float
        One for each hidden layer.
    """
    function = ACTIVATIONS[doors.one_of("activation", activation, ACTIVATIONS)].function
    predicted = []
    for inputs, outputs in pairwise(checked_sizes(sizes)[:-1]):
        of_sums = inputs * initial_deviation(initial, inputs, outputs) ** 2 * mean_square
        mean_square = bell_average(lambda z: function(z) ** 2, of_sums)
        predicted.append(mean_square)
    return predicted


def calibrated(network, x):
    """Scale the weights, layer by layer, until the sums of each have standard deviation 1 on `x`.

    As Mishkin and Matas do (arXiv 1511.06422), but from any start, over all images and units.

    Parameters
    ----------
    network : MultilayerPerceptron
        Changed in place.
    x : ndarray, shape (n, inputs)
        Images.

    Returns
    -------
    MultilayerPerceptron
        The same network.
    """
    for layer in range(1, network.depth + 1):
        arriving = [x, *network.activations(x)][layer - 1]
        network.params[f"W{layer}"] /= (arriving @ network.params[f"W{layer}"]).std()
    return network


def checked_sizes(sizes):
    """Return `sizes` as a tuple of at least two positive integers, or raise an error."""
    if len(doors.numbers("sizes", sizes, ("n",))) < 2:
        raise ValueError(f"sizes must name at least the inputs and the classes, got {sizes}")
    return tuple(doors.whole_number("sizes", size, lowest=1) for size in sizes)
