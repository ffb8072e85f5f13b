"""The explorer of a random network: how a signal fares from layer to layer, and the way back."""

from functools import lru_cache

import numpy as np

from helpers.digits import load_digits
from helpers.explorers.controls import Dial, Menu
from helpers.explorers.panels import CURVE, MAP, Mark, axes
from helpers.explorers.runs import curve
from helpers.explorers.stage import DARK, Explorer, View
from helpers.explorers.words import WORDS, said, sign, table
from helpers.looks import OTHER_LOOKS
from helpers.networks import ACTIVATIONS, MultilayerPerceptron, bell_average

SAY = WORDS["signal"]
IMAGES, BINS = 100, 40
REACH = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, 3.0)}
LOW, HIGH = 1e-8, 1e4
OF_A_UNIT, BACK, BARS, PREDICTED = OTHER_LOOKS[1:5]


class Signal(Explorer):
    """An untrained network with images in it: histograms layer by layer, and what becomes of them.

    The steps are the layers; step 0 are the pixels.

    Parameters
    ----------
    activation : {"relu", "sigmoid", "tanh"}
    scale : float
        Standard deviation of the weights times the root of a unit's inputs, 0.01 to 30.
    depth : int
        Hidden layers, 1 to 15.
    width : int
        Units in each of them, 10 to 100.
    seed : int
        Of the weights, 0 to 99.

    Raises
    ------
    TypeError, ValueError
        If a parameter is not as above.
    """

    def __init__(self, activation="relu", scale=2**0.5, depth=5, width=50, seed=0):
        controls = [
            Dial("scale", SAY["scale"], scale, 0.01, 30.0, "log", step=0.02, wide=True),
            Menu("activation", SAY["activation"], activation, tuple(ACTIVATIONS)),
            Dial("depth", SAY["depth"], depth, 1, 15, step=1),
            Dial("width", SAY["width"], width, 10, 100, step=5),
            Dial("seed", SAY["seed"], seed, 0, 99, step=1),
        ]
        names = SAY["presets"]
        starts = [
            lambda values: {"scale": 0.01 * values["width"] ** 0.5},
            {"scale": 3**-0.5},
            {"scale": 1.0},
            {"scale": 2**0.5},
            lambda values: {"scale": values["width"] ** 0.5},
        ]
        super().__init__(controls, dict(zip(names, starts, strict=True)))

    def view(self, values):
        """Return what to show."""
        layers = measured(**values)
        predicted = predicted_spreads(values["activation"], values["scale"], values["depth"])
        spread = np.array([a.std() for a in layers["activations"]])
        of_a_unit = np.array([a.std(axis=0).mean() for a in layers["activations"]])
        back = np.array([np.sqrt(np.mean(g**2)) for g in layers["slopes"]])
        lines = {
            "spread": (spread, DARK, "curve"),
            "of_a_unit": (of_a_unit, OF_A_UNIT, "curve"),
            "predicted": (predicted, PREDICTED, "line"),
            "back": (back, BACK, "curve"),
        }
        settings = {name: self.parts[name].text(value) for name, value in values.items()}
        ratio = back[1] / back[-1] if back[-1] > 0 else np.nan
        told = {"verdict": verdict(spread, of_a_unit), "ratio": said(ratio, 2)}
        told |= {"spread": said(spread[-1], 2), "of_a_unit": said(of_a_unit[-1], 2)}
        return View(
            panels=[histogram_panel(values["activation"]), lines_panel(values["depth"])],
            marks=[
                *bars(layers["activations"], values["activation"]),
                *(
                    curve(np.clip(line, LOW, HIGH), look, SAY[name], kind=kind)
                    for name, (line, look, kind) in lines.items()
                ),
            ],
            words=SAY["words"].format(**settings, **told),
            alt=SAY["alt"].format(**settings, **told),
            last=values["depth"],
            **table(
                [SAY["layer"], *(SAY[name] for name in lines)],
                [["{k}", *(line for line, *_ in lines.values())]],
            ),
            key=", ".join(sign(SAY[name], look) for name, (_, look, _) in lines.items()),
            pace=2.0,
        )


@lru_cache(maxsize=64)
def measured(activation, scale, depth, width, seed):
    """Return activations and slopes of each layer, the pixels first, of a random network."""
    network = MultilayerPerceptron(
        (64, *[width] * depth, 10), activation, lambda inputs, outputs: scale / inputs**0.5, seed
    )
    x, t = load_digits().train.x[:IMAGES], load_digits().train.t[:IMAGES]
    activations, slopes = network.activations(x), network.activation_gradients(x, t)
    of_sums = slopes[0] * ACTIVATIONS[activation].slope(activations[0])
    slopes = [of_sums @ network.params["W1"].T, *slopes]
    return {"activations": [x, *activations], "slopes": [IMAGES * slope for slope in slopes]}


def predicted_spreads(activation, scale, depth):
    """Return the standard deviation of the pixels and, as predicted, of each layer."""
    x = load_digits().train.x[:IMAGES]
    function, mean_square, spreads = ACTIVATIONS[activation].function, np.mean(x**2), [x.std()]
    for _ in range(depth):
        of_sums = scale**2 * mean_square
        mean_square = bell_average(lambda z: function(z) ** 2, of_sums)
        spreads.append(np.sqrt(max(mean_square - bell_average(function, of_sums) ** 2, 0)))
    return np.array(spreads)


def verdict(spread, of_a_unit):
    """Say what has become of the images in the last layer."""
    if spread[-1] < 1e-3 * spread[0]:
        return SAY["died"]
    if of_a_unit[-1] < 0.02 * spread[-1]:
        return SAY["forgotten"]
    if spread[-1] > 100 * spread[0]:
        return SAY["exploded"]
    return SAY["alive"]


def bars(activations, activation):
    """Return the marks of a histogram: a bar for each bin, with its height in each layer."""
    low, high = REACH[activation]
    edges = np.linspace(low, high, BINS + 1)
    inside = [np.clip(a, low, high) for a in activations]
    shares = np.array([np.histogram(a, edges)[0] / a.size for a in inside])
    middles, flat = (edges[1:] + edges[:-1]) / 2, np.zeros(len(activations))
    solid = BARS | {"linestyle": "-"}
    return [
        Mark(0, "segment", np.stack([flat + middle, flat, flat, share], -1), solid)
        for middle, share in zip(middles, shares.T, strict=True)
    ]


@lru_cache(maxsize=4)
def histogram_panel(activation):
    """Return axes for the shares of activations in each bin."""
    return axes((REACH[activation], (0, 0.4)), MAP, **SAY["histogram"])


@lru_cache(maxsize=16)
def lines_panel(depth):
    """Return axes for sizes layer by layer."""
    across, apart = (5, 1) if depth <= 5 else (15, 3)
    window, ticks = ((0, across), (LOW, HIGH)), [(k, str(k)) for k in range(0, across + 1, apart)]
    return axes(window, CURVE, yscale="log", steps=True, xticks=ticks, **SAY["lines"])
