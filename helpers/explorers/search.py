"""The explorer of searches: where trials are placed, what they find, and the best so far."""

from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from helpers.explorers.controls import RATE, Dial, Menu
from helpers.explorers.panels import CURVE, HALF, Mark, axes, shade_image, with_image
from helpers.explorers.runs import curve
from helpers.explorers.stage import DARK, Explorer, View
from helpers.explorers.words import SUPERSCRIPTS, WORDS, said, sign, table
from helpers.looks import OTHER_LOOKS

SAY = WORDS["search"]
WAYS, SCALES = ("grid", "random", "Latin"), ("log", "linear")
FILE = Path(__file__).parents[1] / "data" / "rate_decay.npz"
IMAGES = np.array([360, 359])  # of the validation and of the test part
GUESSING = 10  # percent of the images
DECAYS = (-8, 0)  # exponents
LIGHT = {"color": "#FFFFFF", "marker": "o", "linestyle": "-"}
BEST, TEST = {**OTHER_LOOKS[1], "marker": "D"}, OTHER_LOOKS[2]


class Search(Explorer):
    """A search over learning rate and weight decay, on a map of trials that were measured.

    The network has 16 hidden units and trains with SGD for 10 epochs. A trial is that of the
    nearest point of the map, with one of its four seeds.

    Parameters
    ----------
    way : {"grid", "random", "Latin"}
        How trials are placed. A grid has as many as fit into a square.
    trials : int
        From 4 to 64.
    low, high : float
        Ends of the range of the learning rate, from 1e-4 to 10.
    scale : {"log", "linear"}
        On which the rates lie between the ends. The decay is always from 1e-8 to 1, on a log scale.
    seed : int
        From 0 to 99.

    Raises
    ------
    ValueError
        If a parameter is not as above, or `low` is not below `high`.
    """

    def __init__(self, way="random", trials=16, low=1e-3, high=10.0, scale="log", seed=0):
        controls = [
            Menu("way", SAY["way"], way, WAYS),
            Dial("trials", SAY["trials"], trials, 4, 64, step=1),
            Dial("low", SAY["low"], low, **RATE),
            Dial("high", SAY["high"], high, **RATE),
            Menu("scale", SAY["scale"], scale, SCALES),
            Dial("seed", SAY["seed"], seed, 0, 99, step=1),
        ]
        if not low < high:
            raise ValueError(f"low must be below high, {high:g}, got {low!r}")
        presets = {
            SAY["on_grid"]: {"way": "grid"},
            SAY["at_random"]: {"way": "random"},
            SAY["too_short"]: {"low": 1e-4, "high": 0.05},
            SAY["too_wide"]: {"low": 1e-4, "high": 10.0},
            SAY["again"]: lambda values: {"seed": (values["seed"] + 1) % 100},
        }
        super().__init__(controls, presets)

    def follow(self, values, changed):
        """Keep the upper end a tenth of a decade above the lower one, if need be by moving it."""
        low, high = values["low"], values["high"]
        if high < 1.25 * low and "high" in changed and "low" not in changed:
            return {**values, "low": max(RATE["low"], high / 1.25), "high": max(high, 1.25e-4)}
        if high < 1.25 * low:
            return {**values, "low": min(low, 8.0), "high": min(RATE["high"], 1.25 * low)}
        return values

    def view(self, values):
        """Return what to show."""
        rates, decays = places(**values)
        validation, test = results(rates, decays)
        best = np.maximum.accumulate(validation)
        winner = np.array([validation[: k + 1].argmax() for k in range(len(validation))])
        before = np.concatenate([[0], np.arange(len(rates))])  # the trial of each step
        chosen = winner[before]
        on_map = np.stack([np.log10(rates), np.log10(decays)], -1)
        on_rates = np.stack([np.log10(rates), validation], -1)
        ends = [np.full(2, np.log10(values[end])) for end in ("low", "high")]
        said_at = [
            SAY["words"].format(
                k=k + 1,
                trials=len(rates),
                validation=best[k],
                lr=said(float(rates[winner[k]]), 2),
                test=test[winner[k]],
                different=len(np.unique(rates[: k + 1])),
            )
            for k in range(len(rates))
        ]
        return View(
            panels=[accuracy_map(), rate_panel(), best_panel(len(rates))],
            marks=[
                *(Mark(0, "line", np.stack([end, DECAYS], -1), LIGHT) for end in ends),
                Mark(0, "dots", on_map, LIGHT),
                Mark(0, "point", on_map[chosen], BEST),
                Mark(1, "dots", on_rates, DARK, SAY["trial"]),
                Mark(1, "point", on_rates[chosen], BEST),
                curve(np.append(GUESSING, best), BEST, SAY["best_validation"], panel=2),
                curve(np.append(GUESSING, test[winner]), TEST, SAY["its_test"], panel=2),
            ],
            words=[SAY["opening"].format(trials=len(rates)), *said_at],
            alt=SAY["alt"].format(
                **{**values, "trials": len(rates)},
                **{"validation": best[-1], "lr": rates[winner[-1]], "test": test[winner[-1]]},
            ),
            last=len(rates),
            **table(
                [SAY["trial_k"], SAY["rate"], SAY["decay"], SAY["validation"]],
                [
                    [SAY["this"], *map(from_one, (rates, decays, validation))],
                    [SAY["best"], *map(from_one, (rates[winner], decays[winner], best))],
                ],
            ),
            key=", ".join([sign(SAY["best"], BEST), sign(SAY["its_test"], TEST), SAY["shades"]]),
            pace=4.0,
            future=False,
        )


def from_one(values):
    """Return the texts of a value of each trial, with a dash before the first."""
    return ["–", *(said(float(value), 3) for value in values)]


@cache
def measured():
    """Return the rates and decays of the map, and percentages, shape (2, decays, rates, seeds)."""
    with np.load(FILE) as arrays:
        right = arrays["right"].astype(float)
        return arrays["rates"], arrays["decays"], 100 * right / IMAGES[:, None, None, None]


def places(way, trials, low, high, scale, seed):
    """Return the learning rates and decays that a search tries, in the order of its trials."""
    rng = np.random.default_rng(seed)
    if way == "grid":
        values = int(np.sqrt(trials))
        side = (np.arange(values) + 0.5) / values
        shares = np.array([(x, y) for y in side for x in side])
    elif way == "random":
        shares = rng.random((trials, 2))
    else:
        strata = [rng.permutation(trials) + rng.random(trials) for _ in range(2)]
        shares = np.transpose(strata) / trials
    x, y = shares.T
    rates = low + (high - low) * x if scale == "linear" else low * (high / low) ** x
    return rates, 10.0 ** (DECAYS[0] + (DECAYS[1] - DECAYS[0]) * y)


def results(rates, decays):
    """Return the validation and the test accuracy of each trial, from the nearest of the map."""
    all_rates, all_decays, accuracies = measured()
    column = nearest(all_rates, rates)
    row = nearest(all_decays, decays)
    return accuracies[:, row, column, np.arange(len(rates)) % accuracies.shape[-1]]


def nearest(stops, values):
    """Return the number of the stop next to each value, on a log scale."""
    return np.abs(np.log10(stops)[:, None] - np.log10(values)).argmin(axis=0)


def powers(low, high, step=1):
    """Return ticks at the exponents of powers of ten."""
    return [(p, "10" + str(p).translate(SUPERSCRIPTS)) for p in range(low, high + 1, step)]


@lru_cache(maxsize=1)
def accuracy_map():
    """Return the still map of mean validation accuracy over rate and decay."""
    rates, decays, accuracies = measured()
    half_x, half_y = (np.log10(each[1] / each[0]) / 2 for each in (rates, decays))
    window = (
        (np.log10(rates[0]) - half_x, np.log10(rates[-1]) + half_x),
        (np.log10(decays[0]) - half_y, np.log10(decays[-1]) + half_y),
    )
    ticks = {"xticks": powers(-4, 1), "yticks": powers(-8, 0, 2)}
    panel = axes(window, HALF, **ticks, **SAY["map"])
    return with_image(panel, shade_image(accuracies[0].mean(axis=-1), 0, 100))


@lru_cache(maxsize=1)
def rate_panel():
    """Return axes for accuracy against the learning rate."""
    (low, high), _ = accuracy_map().window
    return axes(((low, high), (0, 100)), CURVE, xticks=powers(-4, 1), **SAY["projection"])


@lru_cache(maxsize=8)
def best_panel(trials):
    """Return axes for the best so far; they change in steps only."""
    across = next(n for n in (16, 36, 64) if n >= trials)
    window = ((0, across), (70, 100))
    return axes(window, CURVE, steps=True, **SAY["progress"])
