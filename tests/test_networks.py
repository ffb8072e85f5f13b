"""The multilayer perceptron: its numbers against formulas, its gradients against differences."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from helpers.networks import (
    MultilayerPerceptron,
    bell_average,
    calibrated,
    log_sum_exp,
    predicted_mean_squares,
    side_by_side,
    softmax,
)

ACTIVATIONS = ["sigmoid", "tanh", "relu"]
SIZES = (6, 5, 4, 3)


@pytest.fixture
def batch():
    rng = np.random.default_rng(1)
    return rng.normal(size=(7, 6)), rng.integers(0, 3, size=7)


def network_with_biases(activation, sizes=SIZES):
    network = MultilayerPerceptron(sizes, activation, initial=0.8, seed=3)
    rng = np.random.default_rng(4)
    for key, param in network.params.items():
        if key.startswith("b"):
            param += 0.5 * rng.normal(size=param.shape)
    return network


def differences(loss, array, h=1e-6):
    """Return the central differences of `loss()` with respect to each number in `array`."""
    slopes = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + h
        above = loss()
        array[index] = kept - h
        slopes[index] = (above - loss()) / (2 * h)
        array[index] = kept
    return slopes


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("sizes", [(6, 3), (6, 5, 3), SIZES])
def test_backpropagation_agrees_with_central_differences(activation, sizes, batch):
    network = network_with_biases(activation, sizes)
    grads = network.gradient(*batch)
    assert list(grads) == list(network.params)
    for key, param in network.params.items():
        slopes = differences(lambda: network.loss(*batch), param)
        assert np.abs(slopes).max() > 1e-3
        np.testing.assert_allclose(grads[key], slopes, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_gradients_of_activations_agree_with_central_differences(activation, batch):
    network = network_with_biases(activation)
    felt = network.activation_gradients(*batch)
    hidden = network.activations(batch[0])
    assert len(felt) == len(hidden) == 2
    for layer, (slopes, units) in enumerate(zip(felt, hidden, strict=True), start=1):
        rest = MultilayerPerceptron(SIZES[layer:], activation)
        rest.params = {
            f"{kind}{k}": network.params[f"{kind}{k + layer}"]
            for k in range(1, rest.depth + 1)
            for kind in "Wb"
        }
        by_hand = differences(lambda net=rest, x=units: net.loss(x, batch[1]), units)
        np.testing.assert_allclose(slopes, by_hand, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("activation", "formula"),
    [
        ("sigmoid", lambda z: 1 / (1 + np.exp(-z))),
        ("tanh", np.tanh),
        ("relu", lambda z: np.where(z > 0, z, 0)),
    ],
)
def test_scores_and_loss_follow_the_formula(activation, formula, batch):
    network, (x, t) = network_with_biases(activation), batch
    p = network.params
    first = formula(x @ p["W1"] + p["b1"])
    second = formula(first @ p["W2"] + p["b2"])
    scores = second @ p["W3"] + p["b3"]
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    cross_entropy = -np.mean([np.log(probabilities[i, label]) for i, label in enumerate(t)])
    np.testing.assert_allclose(network.activations(x)[0], first, rtol=1e-13)
    np.testing.assert_allclose(network.activations(x)[1], second, rtol=1e-13)
    np.testing.assert_allclose(network.scores(x), scores, rtol=1e-13)
    np.testing.assert_allclose(network.loss(x, t), cross_entropy, rtol=1e-13)
    assert network.accuracy(x, t) == np.mean(scores.argmax(axis=1) == t)


def test_huge_scores_neither_overflow_nor_lose_the_loss():
    scores = np.array([[1000.0, 0.0], [-1000.0, -1001.0]])
    np.testing.assert_allclose(softmax(scores), [[1, 0], [1 / (1 + 1 / np.e), 1 / (1 + np.e)]])
    np.testing.assert_array_equal(softmax(scores[0]), softmax(scores)[0])
    np.testing.assert_array_equal(softmax(scores.astype(int)), softmax(scores))
    np.testing.assert_allclose(log_sum_exp(scores), [[1000], [-1000 + np.log(1 + 1 / np.e)]])
    network = MultilayerPerceptron((1, 2), initial=0)
    network.params["W1"] += [[1000.0, 0.0]]
    assert network.loss([[1.0]], [1]) == 1000
    np.testing.assert_array_equal(network.gradient([[1.0]], [1])["W1"], [[1, -1]])


def test_a_matrix_product_stays_on_one_core():
    libraries = [each for each in threadpool_info() if each["user_api"] == "blas"]
    assert [each["num_threads"] for each in libraries] == [1] * len(libraries)


def test_sigmoid_is_stable():
    network = MultilayerPerceptron((1, 2, 2), "sigmoid", initial=0)
    network.params["W1"] += [[1000.0, -1000.0]]
    np.testing.assert_array_equal(network.activations([[1.0]])[0], [[1, 0]])


@pytest.mark.parametrize(
    ("initial", "deviation"),
    [("he", np.sqrt(2 / 200)), ("xavier", np.sqrt(2 / 500)), (0.3, 0.3), (2, 2)],
)
def test_initial_weights_have_the_deviation_asked_for(initial, deviation):
    params = MultilayerPerceptron((200, 300, 10), initial=initial).params
    weights = params["W1"]
    assert weights.std() == pytest.approx(deviation, rel=0.015)  # 5 standard errors of 60,000
    assert abs(weights.mean()) < 5 * deviation / np.sqrt(weights.size)


def test_zero_gives_zero_weights_and_biases_always_start_at_zero():
    for initial in (0, "he"):
        params = MultilayerPerceptron(SIZES, initial=initial).params
        assert list(params) == ["W1", "b1", "W2", "b2", "W3", "b3"]
        shapes = [param.shape for param in params.values()]
        assert shapes == [(6, 5), (1, 5), (5, 4), (1, 4), (4, 3), (1, 3)]
        for key, param in params.items():
            assert param.dtype == np.float64
            assert np.any(param) == (initial == "he" and key.startswith("W"))


def test_the_seed_decides_the_weights():
    first, again, other = (MultilayerPerceptron(SIZES, seed=s).params["W2"] for s in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert np.all(first != other)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_networks_side_by_side_are_the_networks_one_by_one(activation, batch):
    networks = [MultilayerPerceptron(SIZES, activation, seed=seed) for seed in (1, 2)]
    together = side_by_side(networks, copies=3)
    x, t = batch
    both = np.stack([x, x[::-1]]), np.stack([t, t[::-1]])
    grads, losses, accuracies = (
        method(*both) for method in (together.gradient, together.loss, together.accuracy)
    )
    assert losses.shape == accuracies.shape == (3, 2)
    for copy in range(3):
        for i, network in enumerate(networks):
            own = both[0][i], both[1][i]
            np.testing.assert_allclose(losses[copy, i], network.loss(*own), rtol=1e-12)
            assert accuracies[copy, i] == network.accuracy(*own)
            for key, grad in network.gradient(*own).items():
                np.testing.assert_allclose(grads[key][copy, i], grad, rtol=1e-9, atol=1e-14)
    together.params["W1"] += 1
    np.testing.assert_array_equal(
        networks[0].params["W1"], MultilayerPerceptron(SIZES, activation, seed=1).params["W1"]
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"sizes": 5}, ValueError, "sizes must be a non-empty list of numbers, got 5"),
        ({"sizes": (5,)}, ValueError, "sizes must name at least the inputs and the classes"),
        ({"sizes": (5, 0, 3)}, ValueError, "sizes must be at least 1, got 0"),
        ({"sizes": (5, 2.5)}, TypeError, "sizes must be a whole number, got 2.5"),
        ({"sizes": (5, True)}, TypeError, "sizes must be a whole number, got True"),
        ({"activation": "step"}, ValueError, r"activation must be one of \[.*\], got 'step'"),
        ({"activation": None}, ValueError, "activation must be one of"),
        ({"activation": ["tanh"]}, ValueError, r"activation must be one of .*got \['tanh'\]"),
        ({"initial": "big"}, ValueError, r"initial must be one of .*, got 'big'"),
        ({"initial": -1.0}, ValueError, r"at least 0, got -1.0"),
        ({"initial": np.nan}, ValueError, r"at least 0, got nan"),
        ({"initial": np.inf}, ValueError, r"at least 0, got inf"),
        ({"initial": True}, TypeError, r"initial must be one of .*, got True"),
        ({"initial": [1]}, TypeError, r"initial must be one of .*, got \[1\]"),
        ({"initial": lambda inputs, outputs: -inputs}, ValueError, "at least 0, got -6"),
        ({"initial": lambda inputs, outputs: None}, TypeError, "or a standard .*, got None"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"seed": None}, TypeError, "seed must be a whole number, got None"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        MultilayerPerceptron(**({"sizes": SIZES} | arguments))


@pytest.mark.parametrize(
    ("x", "t", "error", "message"),
    [
        (np.zeros((2, 5)), [0, 1], ValueError, r"x must be .* \(..., n, 6\), got shape \(2, 5\)"),
        (np.zeros(6), [0], ValueError, r"x must be numbers of shape .*, got array"),
        (np.zeros((0, 6)), [], ValueError, r"x must be numbers of shape .*, got array\(\[\]"),
        (np.zeros((2, 6)), [0.0, 1.0], TypeError, "t must hold integer labels, got dtype float64"),
        (np.zeros((2, 6)), [0, 3], ValueError, "t must hold labels from 0 to 2, got 0 to 3"),
        (np.zeros((2, 6)), [-1, 0], ValueError, "t must hold labels from 0 to 2, got -1 to 0"),
        (np.zeros((2, 6)), [0, 1, 2], ValueError, r"t must have one label .*\(2,\), got \(3,\)"),
        (np.full((2, 6), "a"), [0, 1], TypeError, "x must be numbers of shape"),
        ([[1, 2], [3]], [0, 1], TypeError, r"x must be numbers of .*, got \[\[1, 2\], \[3\]\]"),
    ],
)
@pytest.mark.parametrize("method", ["loss", "accuracy", "gradient", "activation_gradients"])
def test_wrong_examples_are_named(method, x, t, error, message):
    with pytest.raises(error, match=message):
        getattr(MultilayerPerceptron(SIZES), method)(x, t)


def test_images_of_the_wrong_width_are_named_without_labels_too():
    for method in (MultilayerPerceptron(SIZES).scores, MultilayerPerceptron(SIZES).activations):
        with pytest.raises(ValueError, match=r"x must be numbers of shape \(..., n, 6\)"):
            method(np.zeros((2, 7)))


def test_a_start_may_be_a_function_of_inputs_and_outputs():
    sizes = (200, 300, 10)
    own = MultilayerPerceptron(sizes, initial=lambda inputs, outputs: np.sqrt(2 / inputs), seed=5)
    for key, param in MultilayerPerceptron(sizes, initial="he", seed=5).params.items():
        np.testing.assert_array_equal(own.params[key], param)


@pytest.mark.parametrize(
    ("function", "mean"),
    [
        (np.square, 3.0),
        (lambda z: z**4, 3 * 3.0**2),
        (np.cos, np.exp(-3.0 / 2)),
        (lambda z: np.maximum(z, 0) ** 2, 3.0 / 2),
    ],
)
def test_average_over_the_bell_agrees_with_closed_forms(function, mean):
    assert bell_average(function, 3.0) == pytest.approx(mean, rel=1e-9)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("initial", [0.3, "xavier", "he"])
def test_predicted_mean_squares_are_those_of_wide_random_networks(activation, initial):
    x, sizes = np.random.default_rng(2).normal(size=(20, 50)), (50, 400, 200, 300, 10)
    measured = [
        [
            np.mean(a**2)
            for a in MultilayerPerceptron(sizes, activation, initial, seed).activations(x)
        ]
        for seed in range(5)
    ]
    predicted = predicted_mean_squares(sizes, activation, initial, np.mean(x**2))
    np.testing.assert_allclose(np.mean(measured, axis=0), predicted, rtol=0.1)


def test_predicted_mean_squares_of_relu_follow_the_formula():
    assert predicted_mean_squares((4, 6, 8, 3), "relu", 0.5, 2.0) == pytest.approx([1.0, 0.75])


def test_calibrated_sums_have_standard_deviation_1():
    x = np.random.default_rng(3).normal(size=(30, 6))
    network = MultilayerPerceptron((6, 20, 20, 5), "tanh", initial=0.01, seed=1)
    assert calibrated(network, x) is network
    inputs = [x, *network.activations(x)]
    for layer, arriving in enumerate(inputs, start=1):
        assert (arriving @ network.params[f"W{layer}"]).std() == pytest.approx(1)
    assert network.scores(x).std() == pytest.approx(1)
