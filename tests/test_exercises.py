"""Exercises: every solution passes, every anticipated mistake is named, and nothing raises."""

import linecache
import re
import subprocess
import sys
import threading
import time
import warnings
from itertools import pairwise

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from helpers import attempts, exercises
from helpers.descent import descend
from helpers.landscapes import from_function, ravine
from helpers.optimizers import SGD, Adam, Momentum
from tools.run_notebooks import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks" / "solutions").glob("0*_solutions.ipynb"))
CHECK_CELL = re.compile(r"exercises\.check_(\w+)\((\w+)\)")


def read_solutions():
    """Return name -> (source, what the source defines) from the solutions' notebooks."""
    found = {}
    for path in NOTEBOOKS:
        cells = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        for source, check in pairwise(cells):
            if match := CHECK_CELL.fullmatch(check):
                found[match[1]] = (source, match[2])
    return found


SOLUTIONS = read_solutions()
CHECKS = {
    name.removeprefix("check_"): check
    for name, check in vars(exercises).items()
    if name.startswith("check_")
}
CLASSES = [name for name in CHECKS if name[0].isupper()]
FUNCTIONS = [name for name in CHECKS if name not in {*CLASSES, "sgd_wins"}]


def define(source, name):
    """Run source as a notebook does and return what it calls `name`."""
    file = f"<cell {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    cell = {
        "__name__": "__main__",
        "np": np,
        "pairwise": pairwise,
        "from_function": from_function,
        "time": time,
    }
    exec(compile(source, file, "exec"), cell)
    return cell[name]


def verdict_on(name, source):
    return CHECKS[name](define(source, SOLUTIONS[name][1]))


def edited(name, *edits):
    """Return the source of a solution with each (old, new) replaced everywhere."""
    source = SOLUTIONS[name][0]
    for old, new in edits:
        assert old in source
        source = source.replace(old, new)
    return source


@pytest.fixture
def short_limit(monkeypatch):
    monkeypatch.setattr(attempts, "TIME_LIMIT", 0.2)


# Right solutions


def test_every_check_has_a_solution():
    assert SOLUTIONS.keys() == CHECKS.keys()
    assert len(NOTEBOOKS) == 6


@pytest.mark.parametrize("name", CHECKS)
def test_accepts_the_solution_every_time(name):
    verdict = verdict_on(name, SOLUTIONS[name][0])
    assert verdict.passed is True
    assert re.fullmatch(r"Right: [^\n]+\.", repr(verdict))
    assert verdict_on(name, SOLUTIONS[name][0]) == verdict


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_stored_solutions_show_a_right_verdict_after_each_check(path):
    checks = [
        cell
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code" and CHECK_CELL.fullmatch(cell.source)
    ]
    assert len(checks) == 3
    for cell in checks:
        assert cell.outputs[0].data["text/plain"].startswith("Right: ")


EQUIVALENT = [
    (
        "MyMomentum",
        ("- self.lr * grads", "+ self.lr * grads"),
        ("params[key] += self.v[key]", "params[key] -= self.v[key]"),
    ),
    ("MyMomentum", ("class MyMomentum", "print('hello')\nclass MyMomentum")),
    ("Nesterov", ("params[key] += ", "params[key][...] = params[key] + ")),
    ("MyAdaGrad", ("self.h[key] += ", "self.h[key] = self.h[key] + ")),
    ("best_pair", ("max(lam1, lam2) / min(lam1, lam2)", "lam1 / lam2")),
    ("minibatch_sgd", ("lr * 2", "lr")),
    ("minibatch_sgd", ("w, b = 0.0, 0.0", "w, b = rng.normal(size=2)")),
    ("band", ("low, middle, high = ", "return "), ("    return low, middle, high", "")),
    ("forward_difference", ("return gradient", "return gradient.tolist()")),
    ("deepest_valley", ("walks = 15", "walks = 10")),
]


@pytest.mark.parametrize("change", EQUIVALENT, ids=lambda change: change[0])
def test_accepts_other_right_solutions(change):
    name, *edits = change
    assert verdict_on(name, edited(name, *edits)).passed is True


def test_accepts_the_lecture_rules_with_their_own_checks_of_arguments():
    assert exercises.check_MyMomentum(Momentum).passed
    assert exercises.check_MyAdam(Adam).passed


# Mistakes: an edit of the solution, and words of the hint that names it

STEP = "self.lr * grads[key]"
ADAGRAD_STEP = "self.lr * grads[key] / (np.sqrt(self.h[key]) + 1e-7)"
RMS_ROOT = "(np.sqrt(self.h[key]) + self.eps)"
ADAM_ROOT = "(np.sqrt(v_hat) + self.eps)"
KEYED = [
    ("self.v = {key: np.zeros_like(params[key]) for key in params}", "self.v = 0.0"),
    ("self.v[key]", "self.v"),
]
KEYED_H = [
    ("self.h = {key: np.zeros_like(params[key]) for key in params}", "self.h = 0.0"),
    ("self.h[key] += ", "self.h = self.h + "),
    ("self.h[key]", "self.h"),
]
KEYED_MV = [
    (f"self.{name} = {{key: np.zeros_like(params[key]) for key in params}}", f"self.{name} = 0.0")
    for name in "mv"
] + [(f"self.{name}[key]", f"self.{name}") for name in "mv"]
COUNT_LATE = [
    ("        self.t += 1\n", ""),
    ("+ self.eps)", "+ self.eps)\n        self.t += 1"),
]
COUNT_KEYS = [
    (
        "        self.t += 1\n        for key in params:",
        "        for key in params:\n            self.t += 1",
    )
]
REPLACED_BY_ROOT = (
    "np.sqrt(max(lam1, lam2) / min(lam1, lam2))",
    "max(lam1, lam2) / min(lam1, lam2)",
)
LR_OF_PAIR = "4 / (np.sqrt(lam1) + np.sqrt(lam2)) ** 2"

MISTAKES = [
    # 01
    ("gradient_evaluations", "biases are parameters too.", (" + outputs", "")),
    (
        "gradient_evaluations",
        "biases are parameters too, and each parameter takes two",
        (" + outputs", ""),
        ("2 * parameters", "parameters"),
    ),
    (
        "gradient_evaluations",
        "input layer has no biases",
        ("+ outputs", "+ outputs"),
        ("2 * parameters", "2 * (parameters + sizes[0])"),
    ),
    ("gradient_evaluations", "takes two evaluations", ("2 * parameters", "parameters")),
    ("gradient_evaluations", "cost of forward differences", ("2 * parameters", "parameters + 1")),
    ("gradient_evaluations", "height in the middle", ("2 * parameters", "2 * parameters + 1")),
    ("gradient_evaluations", "these are the units", ("2 * parameters", "2 * sum(sizes)")),
    (
        "forward_difference",
        "this is the central difference",
        ("f(position)) / h", "f(2 * position - ahead)) / (2 * h)"),
    ),
    ("forward_difference", "divisor is the distance", ("/ h", "/ (2 * h)")),
    (
        "forward_difference",
        "backward difference",
        ("+= h", "-= h"),
        ("f(ahead) - f(position)", "f(position) - f(ahead)"),
    ),
    ("forward_difference", "changes an array that it was given", ("position.copy()", "position")),
    ("forward_difference", "not divided by the step", (" / h", "")),
    ("forward_difference", "2h apart", ("f(position)) / h", "f(2 * position - ahead)) / h")),
    (
        "forward_difference",
        "sign is turned round",
        ("f(ahead) - f(position)", "f(position) - f(ahead)"),
    ),
    ("forward_difference", "all coordinates at once", ("ahead[axis] += h", "ahead += h")),
    ("deepest_valley", "one walk ends in the valley", ("walks = 15", "walks = 1")),
    (
        "deepest_valley",
        "one walk ends in the valley",
        ("walks = 15", "walks = 1"),
        ("rng.uniform((x_min, y_min), (x_max, y_max))", "np.array(landscape.start)"),
    ),
    ("deepest_valley", "share them among the walks", ("steps // walks", "steps")),
    (
        "deepest_valley",
        "keep the lowest",
        (
            "        if landscape(position) < landscape(lowest):\n            lowest",
            "        lowest",
        ),
    ),
    ("deepest_valley", "more walks from random starts", ("walks = 15", "walks = 2")),
    # 02
    ("best_rate", "stability limit", ("(lam1 + lam2)", "max(lam1, lam2)")),
    ("best_rate", "steep axis alone", ("2 / (lam1 + lam2)", "1 / max(lam1, lam2)")),
    ("best_rate", "flat axis alone", ("2 / (lam1 + lam2)", "1 / min(lam1, lam2)")),
    ("best_rate", "limit of the flat axis", ("(lam1 + lam2)", "min(lam1, lam2)")),
    ("best_rate", "factor 2 is missing", ("2 / ", "1 / ")),
    ("best_rate", "upside down", ("2 / (lam1 + lam2)", "(lam1 + lam2) / 2")),
    (
        "best_rate",
        "best rate with momentum",
        ("2 / (lam1 + lam2)", "4 / (lam1**0.5 + lam2**0.5) ** 2"),
    ),
    ("DecayingSGD", "t counts from 1", ("self.t)", "(self.t + 1))")),
    (
        "DecayingSGD",
        "once for each key",
        ("        self.t += 1", "            self.t += 1"),
        ("        rate = self.lr / (1 + self.decay * self.t)\n", ""),
        ("rate * grads", "self.lr / (1 + self.decay * self.t) * grads"),
    ),
    (
        "DecayingSGD",
        "rebound, not updated in place",
        ("params[key] -= rate", "params[key] = params[key] - rate"),
    ),
    ("DecayingSGD", "rate was applied twice", ("-= rate", "-= self.lr * rate")),
    ("DecayingSGD", "computed from the last one", ("rate = self.lr", "rate = self.lr = self.lr")),
    (
        "DecayingSGD",
        "each update divides by 1 + decay",
        ("(1 + self.decay * self.t)", "(1 + self.decay) ** self.t"),
    ),
    (
        "DecayingSGD",
        "starts one update early",
        ("(1 + self.decay * self.t)", "(1 + self.decay) ** (self.t + 1)"),
    ),
    ("DecayingSGD", "rate never falls", ("        self.t += 1", "        self.t = 0")),
    (
        "minibatch_sgd",
        "full batch",
        ("batch = order[first : first + batch_size]", "batch = order"),
        ("range(0, len(x), batch_size)", "range(1)"),
    ),
    ("minibatch_sgd", "batch_size times too long", ("np.mean", "np.sum")),
    (
        "minibatch_sgd",
        "last, smaller batch of an epoch is left out",
        ("range(0, len(x), batch_size)", "range(0, len(x) - batch_size + 1, batch_size)"),
    ),
    (
        "minibatch_sgd",
        "samples are used in an epoch",
        ("order[first : first + batch_size]", "rng.integers(len(x), size=batch_size)"),
    ),
    (
        "minibatch_sgd",
        "samples are used in an epoch",
        ("order[first : first + batch_size]", "order[:batch_size]"),
    ),
    ("minibatch_sgd", "rng is never used", ("rng.permutation", "np.arange")),
    ("minibatch_sgd", "uphill", ("-= lr", "+= lr")),
    ("minibatch_sgd", "times as far", ("lr * 2", "lr * 3")),
    ("minibatch_sgd", "return (w, b)", ("return w, b", "return w")),
    # 03
    (
        "MyMomentum",
        "average form of momentum",
        (f"- {STEP}", "+ (1 - self.momentum) * grads[key]"),
        ("params[key] += ", "params[key] -= self.lr * "),
    ),
    ("MyMomentum", "climbs uphill", (f"- {STEP}", f"+ {STEP}")),
    ("MyMomentum", "share one velocity", *KEYED),
    (
        "MyMomentum",
        "rebound, not updated in place",
        ("params[key] += ", "params[key] = params[key] + "),
    ),
    ("MyMomentum", "rate was applied twice", ("params[key] += ", "params[key] += self.lr * ")),
    ("MyMomentum", "rate was not applied", (STEP, "grads[key]")),
    ("MyMomentum", "v is not kept", ("if self.v is None", "if True")),
    (
        "MyMomentum",
        "not to the gradient",
        ("self.momentum * self.v[key] - ", "self.v[key] - self.momentum * "),
    ),
    (
        "MyMomentum",
        "arrays in params stay as they were",
        ("            params[key] += ", "            param = params[key] + "),
    ),
    ("best_pair", "root is forgotten", REPLACED_BY_ROOT),
    ("best_pair", "square is forgotten", ("(root + 1)) ** 2", "(root + 1))")),
    (
        "best_pair",
        "root of κ and the square",
        REPLACED_BY_ROOT,
        ("(root + 1)) ** 2", "(root + 1))"),
    ),
    (
        "best_pair",
        "order is lr, momentum",
        ("return lr, ((root - 1) / (root + 1)) ** 2", "return ((root - 1) / (root + 1)) ** 2, lr"),
    ),
    ("best_pair", "without momentum", (LR_OF_PAIR, "2 / (lam1 + lam2)")),
    ("best_pair", "not λ₁ + λ₂", (LR_OF_PAIR, "4 / (lam1 + lam2)")),
    ("best_pair", "divisor is to be squared", ("np.sqrt(lam2)) ** 2", "np.sqrt(lam2))")),
    (
        "Nesterov",
        "plain momentum",
        (f"params[key] += self.momentum * self.v[key] - {STEP}", "params[key] += self.v[key]"),
    ),
    (
        "Nesterov",
        "lacks the gradient",
        (
            f"params[key] += self.momentum * self.v[key] - {STEP}",
            "params[key] += self.momentum * self.v[key]",
        ),
    ),
    ("Nesterov", "α times the velocity", ("params[key] += self.momentum * ", "params[key] += ")),
    ("Nesterov", "share one velocity", *KEYED),
    # 04
    ("MyAdaGrad", "h was replaced, not added to", ("self.h[key] += ", "self.h[key] = ")),
    (
        "MyAdaGrad",
        "epsilon is inside the root",
        ("(np.sqrt(self.h[key]) + 1e-7)", "np.sqrt(self.h[key] + 1e-7)"),
    ),
    ("MyAdaGrad", "epsilon is missing", (" + 1e-7", "")),
    ("MyAdaGrad", "epsilon is 1e-8", ("1e-7", "1e-8")),
    ("MyAdaGrad", "h adds g;", (" ** 2", "")),
    ("MyAdaGrad", "h adds |g|", ("grads[key] ** 2", "abs(grads[key])")),
    ("MyAdaGrad", "root of h is missing", ("np.sqrt(self.h[key])", "self.h[key]")),
    ("MyAdaGrad", "one number for a whole array", ("grads[key] ** 2", "np.sum(grads[key] ** 2)")),
    (
        "MyAdaGrad",
        "one number for all parameters",
        (
            "self.h[key] += grads[key] ** 2",
            "self.h[key] += sum(np.sum(g**2) for g in grads.values())",
        ),
    ),
    ("MyAdaGrad", "share one h", *KEYED_H),
    (
        "MyAdaGrad",
        "rebound, not updated in place",
        ("params[key] -= ", "params[key] = params[key] - "),
    ),
    ("MyAdaGrad", "rate was applied twice", ("-= self.lr", "-= self.lr * self.lr")),
    ("MyAdaGrad", "walks uphill", ("params[key] -= ", "params[key] += ")),
    (
        "RMSProp",
        "AdaGrad's sum",
        ("self.h[key] = self.decay * self.h[key] + (1 - self.decay) * ", "self.h[key] += "),
    ),
    ("RMSProp", "h only grows", ("self.decay * self.h[key] + ", "self.h[key] + ")),
    (
        "RMSProp",
        "weights are swapped",
        (
            "self.decay * self.h[key] + (1 - self.decay)",
            "(1 - self.decay) * self.h[key] + self.decay",
        ),
    ),
    ("RMSProp", "h averages g;", (" ** 2", "")),
    ("RMSProp", "epsilon is inside the root", (RMS_ROOT, "np.sqrt(self.h[key] + self.eps)")),
    ("RMSProp", "epsilon is missing", (" + self.eps", "")),
    ("effective_rates", "h before each step", ("axis=0)", "axis=0) - gradients**2")),
    (
        "effective_rates",
        "not a mean",
        ("axis=0)", "axis=0) / np.arange(1, len(gradients) + 1)[:, None]"),
    ),
    ("effective_rates", "own gradient alone", ("np.cumsum(gradients**2, axis=0)", "gradients**2")),
    ("effective_rates", "runs over time", ("axis=0", "axis=1")),
    (
        "effective_rates",
        "sum runs over all numbers",
        ("np.cumsum(gradients**2, axis=0)", "np.cumsum(gradients**2)"),
    ),
    ("effective_rates", "rates of the last step", ("np.cumsum(", "np.sum(")),
    (
        "effective_rates",
        "array is turned",
        ("return ", "return np.transpose("),
        ("+ 1e-7)", "+ 1e-7))"),
    ),
    ("effective_rates", "these are the steps", ("return ", "return gradients * ")),
    ("effective_rates", "epsilon is inside the root", ("(np.sqrt(h) + 1e-7)", "np.sqrt(h + 1e-7)")),
    ("effective_rates", "epsilon is missing", (" + 1e-7", "")),
    # 05
    ("corrected_average", "plain average", ("m / (1 - beta**t)", "m")),
    ("corrected_average", "uses t - 1", ("start=1", "start=0")),
    ("corrected_average", "uses t + 1", ("start=1", "start=2")),
    (
        "corrected_average",
        "back into the recursion",
        (
            "        corrected.append(m / (1 - beta**t))",
            "        m = m / (1 - beta**t)\n        corrected.append(m)",
        ),
    ),
    (
        "corrected_average",
        "weights are swapped",
        ("beta * m + (1 - beta)", "(1 - beta) * m + beta"),
    ),
    (
        "corrected_average",
        "swapped everywhere",
        ("    m, corrected", "    beta = 1 - beta\n    m, corrected"),
    ),
    ("corrected_average", "power t is missing", ("beta**t", "beta")),
    ("corrected_average", "last average", ("np.array(corrected)", "corrected[-1]")),
    (
        "MyAdam",
        "correction of m and v is missing",
        (" / (1 - self.beta1**self.t)", ""),
        (" / (1 - self.beta2**self.t)", ""),
    ),
    ("MyAdam", "only m is corrected", (" / (1 - self.beta2**self.t)", "")),
    ("MyAdam", "only v is corrected", (" / (1 - self.beta1**self.t)", "")),
    ("MyAdam", "bias correction uses t - 1", *COUNT_LATE),
    ("MyAdam", "bias correction uses t + 1", ("None, None, 0", "None, None, 1")),
    ("MyAdam", "once for each key", *COUNT_KEYS),
    ("MyAdam", "share one m and v", *KEYED_MV),
    ("MyAdam", "epsilon is inside the root", (ADAM_ROOT, "np.sqrt(v_hat + self.eps)")),
    (
        "MyAdam",
        "folded form",
        (" / (1 - self.beta1**self.t)", ""),
        (" / (1 - self.beta2**self.t)", ""),
        ("-= self.lr", "-= self.lr * np.sqrt(1 - self.beta2**self.t) / (1 - self.beta1**self.t)"),
    ),
    ("MyAdam", "epsilon is missing", (" + self.eps", "")),
    ("MyAdam", "epsilon is 1e-7", ("1e-8", "1e-7")),
    (
        "MyAdam",
        "beta1 and beta2 are swapped",
        (
            "beta1, self.beta2, self.eps = lr, beta1, beta2, eps",
            "beta2, self.beta1, self.eps = lr, beta1, beta2, eps",
        ),
    ),
    (
        "MyAdam",
        "growing sum, as in AdaGrad",
        ("self.beta2 * self.v[key] + (1 - self.beta2) * ", "self.v[key] + "),
    ),
    ("MyAdam", "v only grows", ("self.beta2 * self.v[key] + ", "self.v[key] + ")),
    ("MyAdam", "v averages m²", ("grads[key] ** 2", "self.m[key] ** 2")),
    ("MyAdam", "v averages g;", (" ** 2", "")),
    ("MyAdam", "back into m and v", ("m_hat", "self.m[key]"), ("v_hat", "self.v[key]")),
    ("MyAdam", "rate was applied twice", ("-= self.lr", "-= self.lr * self.lr")),
    (
        "MyAdam",
        "rebound, not updated in place",
        ("params[key] -= ", "params[key] = params[key] - "),
    ),
    ("MyAdam", "walks uphill", ("params[key] -= ", "params[key] += ")),
    ("AMSGrad", "plain Adam", ("v_hat = self.v_max", "v_hat = self.v")),
    (
        "AMSGrad",
        "maximum is not kept",
        (
            "            self.v[key] = ",
            "            last = self.v[key]\n            self.v[key] = ",
        ),
        ("np.maximum(self.v_max[key], ", "np.maximum(last, "),
    ),
    (
        "AMSGrad",
        "maximum replaced v",
        (
            "self.v_max[key] = np.maximum(self.v_max[key], self.v[key])",
            "self.v_max[key] = self.v[key] = np.maximum(self.v_max[key], self.v[key])",
        ),
    ),
    (
        "AMSGrad",
        "taken of m",
        ("self.v_max[key], self.v[key])", "self.v_max[key], self.m[key])"),
        ("m_hat = self.m[key]", "m_hat = self.v_max[key]"),
        ("v_hat = self.v_max[key]", "v_hat = self.v[key]"),
    ),
    (
        "AMSGrad",
        "taken of the corrected v",
        (
            "self.v_max[key], self.v[key])",
            "self.v_max[key], self.v[key] / (1 - self.beta2**self.t))",
        ),
        ("v_hat = self.v_max[key] / (1 - self.beta2**self.t)", "v_hat = self.v_max[key]"),
    ),
    (
        "AMSGrad",
        "bias correction is missing",
        (" / (1 - self.beta1**self.t)", ""),
        (" / (1 - self.beta2**self.t)", ""),
    ),
    (
        "AMSGrad",
        "share one state",
        *KEYED_MV,
        ("self.v_max = {key: np.zeros_like(params[key]) for key in params}", "self.v_max = 0.0"),
        ("self.v_max[key]", "self.v_max"),
    ),
    ("AMSGrad", "once for each key", *COUNT_KEYS),
    # 06
    (
        "fair_choice",
        "best single run; take",
        (
            "means = validation_losses.mean(axis=0)",
            "mask = np.isfinite(validation_losses).all(axis=0)\n"
            "    means = np.where(mask, validation_losses.min(axis=0), np.inf)",
        ),
    ),
    ("fair_choice", "best single run, and it diverged (inf)", (".mean(", ".min(")),
    (
        "fair_choice",
        "best single run, and it diverged with",
        ("validation_losses.mean(", "np.nanmin(validation_losses, "),
    ),
    (
        "fair_choice",
        "diverged run (nan) was left out",
        ("validation_losses.mean(", "np.nanmean(validation_losses, "),
    ),
    (
        "fair_choice",
        "diverged run (nan or inf) was left out",
        (
            "validation_losses.mean(axis=0)",
            "np.mean(validation_losses, axis=0, where=np.isfinite(validation_losses))",
        ),
    ),
    (
        "fair_choice",
        "np.argmin takes nan",
        ("    means = np.where(np.isfinite(means), means, np.inf)\n", ""),
    ),
    ("fair_choice", "index of the rate", ("rates[np.argmin(means)]", "np.argmin(means)")),
    ("fair_choice", "lowest mean loss", ("rates[np.argmin(means)]", "np.min(means)")),
    ("fair_choice", "has the highest loss; ", ("np.inf", "0"), ("argmin", "argmax")),
    (
        "fair_choice",
        "has the highest loss (inf",
        ("    means = np.where(np.isfinite(means), means, np.inf)\n", ""),
        ("argmin", "nanargmax"),
    ),
    (
        "fair_choice",
        "median over seeds",
        ("validation_losses.mean(", "np.median(validation_losses, "),
    ),
    ("band", "axis is wrong", ("axis=0", "axis=1")),
    ("band", "axis is missing", (", axis=0", "")),
    ("band", "middle is the mean", ("return low, middle", "return low, losses.mean(axis=0)")),
    ("band", "smallest and the largest", ("[0.1, 0.5, 0.9]", "[0, 0.5, 1]")),
    ("band", "quartiles", ("[0.1, 0.5, 0.9]", "[0.25, 0.5, 0.75]")),
    (
        "band",
        "standard deviation, which",
        (
            "return low, middle, high",
            "m, s = losses.mean(axis=0), losses.std(axis=0)\n    return m - s, m, m + s",
        ),
    ),
    (
        "band",
        "standard deviation (n - 1)",
        (
            "return low, middle, high",
            "m, s = losses.mean(axis=0), losses.std(axis=0, ddof=1)\n    return m - s, m, m + s",
        ),
    ),
    ("band", "counts to 100", ("np.quantile", "np.percentile")),
    (
        "band",
        "order is low, middle, high",
        ("return low, middle, high", "return high, middle, low"),
    ),
    (
        "band",
        "three arrays",
        ("return low, middle, high", "return np.array([low, middle, high]).T"),
    ),
    ("sgd_wins", "start is already the minimum", ("start=(3, 2)", "start=(0, 0)")),
    ("sgd_wins", "too easy", ("x**2 + y**2", "np.maximum(0, x**2 + y**2 - 1)")),
    ("sgd_wins", "axes differ in scale", ("x**2 + y**2", "x**2 / 100 + y**2")),
    ("sgd_wins", "without a minimum has no winner", ("x**2 + y**2", "x * y")),
]


@pytest.mark.parametrize(
    ("name", "words", "edits"), [(name, words, edits) for name, words, *edits in MISTAKES]
)
def test_names_the_mistake(name, words, edits):
    verdict = verdict_on(name, edited(name, *edits))
    assert verdict.passed is False
    assert words in repr(verdict)
    assert "\n" not in repr(verdict)


def test_every_hint_of_a_mistake_is_tested():
    for name, check in CHECKS.items():
        if isinstance(check, attempts.Comparison):
            words = [words for tested, words, *_ in MISTAKES if tested == name]
            for hint in check.mistakes:
                assert any(each in hint for each in words), hint


# Attempts that may do anything


def blank(name):
    """Return the source of a solution with `...` for every body."""
    if name == "sgd_wins":
        return "my_landscape = ..."
    heads = [line for line in SOLUTIONS[name][0].splitlines() if "def " in line]
    if name not in CLASSES:
        return f"{heads[0]} ..."
    return f"class {name}:\n" + "\n".join(f"{head} ..." for head in heads)


def with_body(name, body):
    """Return the source of an attempt whose function, or update, has this body only."""
    if name == "sgd_wins":
        body = body.replace("\n", "\n        ")
        return (
            f"def f(x, y):\n    if (x, y) != (3, 2):\n        {body}\n    return x\n"
            "my_landscape = from_function(f, ((-4, 4), (-4, 4)), (3, 2))"
        )
    source = SOLUTIONS[name][0]
    head = re.search(r"[ \t]*def update.*\n" if name in CLASSES else r"def .*\n", source)
    indent = " " * (8 if name in CLASSES else 4)
    return source[: head.end()] + indent + body.replace("\n", "\n" + indent)


@pytest.mark.parametrize("name", CHECKS)
def test_untouched_is_not_attempted_yet(name):
    verdict = verdict_on(name, blank(name))
    assert verdict.passed is None
    assert repr(verdict) == f"Not attempted yet: {name}."


@pytest.mark.parametrize(
    "source",
    [
        "def best_rate(lam1, lam2):\n    ...  # your code",
        "def best_rate(lam1, lam2):\n    pass",
        "def best_rate(lam1, lam2):\n    'The best rate.'",
        "def best_rate(lam1, lam2):\n    'The best rate.'\n    ...",
        "def best_rate(lam1, lam2):\n    return ...",
        "best_rate = ...",
    ],
)
def test_other_forms_of_untouched(source):
    assert verdict_on("best_rate", source).passed is None


@pytest.mark.parametrize(
    "source",
    [
        "class MyMomentum: ...",
        "class MyMomentum:\n    def __init__(self, lr):\n        self.lr = lr\n"
        "    def update(self, params, grads): ...",
        "from helpers.optimizers import Momentum\n"
        "class MyMomentum(Momentum):\n    def update(self, params, grads): ...",
    ],
)
def test_other_forms_of_an_untouched_class(source):
    assert verdict_on("MyMomentum", source).passed is None


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_missing_return_is_named(name):
    verdict = verdict_on(name, with_body(name, "answer = 1"))
    assert verdict.passed is False
    assert repr(verdict) == f"Not yet: {name} returns None.  Hint: a `return` is missing."


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(("value", "kind"), [(None, "None"), (3, "an int"), ("x", "a str")])
def test_something_else_than_asked_for_is_named(name, value, kind):
    verdict = CHECKS[name](value)
    assert verdict.passed is False
    assert f"the check of {name} was given {kind}." in verdict.message
    assert "hand over" in verdict.hint


def test_an_optimizer_in_place_of_its_class_and_a_function_in_place_of_a_landscape():
    assert "without parentheses" in exercises.check_MyMomentum(Momentum()).hint
    assert "from_function" in exercises.check_sgd_wins(lambda x, y: x**2 + y**2).hint


@pytest.mark.parametrize("name", CHECKS)
def test_an_exception_is_shown_as_theirs_with_its_line(name):
    source = with_body(name, "number = 0\n1 / number")
    line = source[: source.index("1 / number")].count("\n") + 1
    verdict = verdict_on(name, source)
    assert verdict.passed is False
    assert f"ZeroDivisionError: division by zero, in line {line}: `1 / number`" in verdict.message


@pytest.mark.parametrize("body", ["import sys; sys.exit()", "raise KeyboardInterrupt", "raise"])
def test_no_exception_gets_through(body):
    assert verdict_on("best_rate", with_body("best_rate", body)).passed is False


def test_an_exception_inside_numpy_is_shown_at_the_line_of_the_learner():
    body = "return np.linalg.inv(np.zeros((2, 2)))"
    message = verdict_on("best_rate", with_body("best_rate", body)).message
    assert f"LinAlgError: Singular matrix, in line 2: `{body}`" in message


def test_wrong_arguments_of_a_definition_have_no_line():
    assert "MyMomentum raises TypeError: " in (
        message := verdict_on(
            "MyMomentum",
            edited("MyMomentum", ("lr, momentum):", "lr):"), ("lr, momentum, None", "lr, 1, None")),
        ).message
    )
    assert "in line" not in message


@pytest.mark.parametrize("name", CHECKS)
def test_an_endless_loop_is_stopped_and_said_so(name, monkeypatch):
    threads = threading.active_count()
    with monkeypatch.context() as patch:
        patch.setattr(attempts, "TIME_LIMIT", 0.2)
        verdict = verdict_on(name, with_body(name, "while True:\n    pass"))
    assert verdict.passed is False
    assert re.search(rf"{name} was stopped after 0.2 seconds, in line \d+: `", verdict.message)
    assert threading.active_count() == threads
    assert verdict_on(name, SOLUTIONS[name][0]).passed is True


@pytest.mark.usefixtures("short_limit")
@pytest.mark.parametrize("handler", ["except Exception", "except BaseException"])
def test_a_loop_that_catches_exceptions_is_stopped(handler):
    threads = threading.active_count()
    body = f"for _ in range(3):\n    try:\n        while True: pass\n    {handler}:\n        pass"
    verdict = verdict_on("best_rate", with_body("best_rate", body))
    assert "best_rate was stopped after 0.2 seconds" in verdict.message
    assert threading.active_count() == threads


@pytest.mark.usefixtures("short_limit")
def test_a_sleeping_attempt_is_stopped_when_it_wakes():
    threads = set(threading.enumerate())
    verdict = verdict_on("best_rate", with_body("best_rate", "time.sleep(2)"))
    assert "best_rate was stopped after 0.2 seconds" in verdict.message
    for sleeping in set(threading.enumerate()) - threads:
        sleeping.join(timeout=5)
        assert not sleeping.is_alive()


def test_the_limit_is_three_seconds():
    assert attempts.TIME_LIMIT == 3


WRONG_SHAPES = {
    "gradient_evaluations": "[1, 2]",
    "forward_difference": "np.zeros((3, 3))",
    "deepest_valley": "np.zeros(3)",
    "best_rate": "[1.0]",
    "minibatch_sgd": "1.0",
    "best_pair": "1.0",
    "effective_rates": "np.zeros((50, 50))",
    "corrected_average": "0.0",
    "fair_choice": "[0.1, 0.2]",
    "band": "np.zeros(3)",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_shape_is_named(name):
    shape = np.shape(eval(WRONG_SHAPES[name], {"np": np}))
    verdict = verdict_on(name, with_body(name, f"return {WRONG_SHAPES[name]}"))
    assert verdict.passed is False
    assert f"shape {shape}" in verdict.message or f"shape is {shape}" in verdict.message


@pytest.mark.parametrize("name", CLASSES)
def test_a_wrong_shape_in_a_rule_is_an_exception_of_theirs(name):
    body = "for key in params:\n    params[key] -= np.ones((5, 5))"
    message = verdict_on(name, with_body(name, body)).message
    assert f"{name} raises ValueError: " in message
    assert "`params[key] -= np.ones((5, 5))`" in message


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("'1'", "returns a str"),
        ("{}", "returns a dict"),
        ("(k for k in 'ab')", "returns a generator"),
        ("[[1, 2], [3]]", "parts of different lengths"),
        ("np.array([None, 1])", "returns a ndarray"),
    ],
)
def test_what_is_not_numbers_is_named(name, value, words):
    assert words in verdict_on(name, with_body(name, f"return {value}")).message


HARD_CODED = {
    "gradient_evaluations": "return 101770",
    "forward_difference": "return np.zeros(len(position))",
    "deepest_valley": "return np.array([3.55, 2.18])",
    "best_rate": "return 2 / 2.1",
    "minibatch_sgd": "return 2.0, 1.0",
    "best_pair": "return 1.336, 0.403",
    "effective_rates": "return np.full(gradients.shape, lr)",
    "corrected_average": "return gradients",
    "fair_choice": "return rates[0]",
    "band": "return losses[:3]",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_hard_coded_answer_fails(name):
    assert verdict_on(name, with_body(name, HARD_CODED[name])).passed is False


def test_least_squares_is_not_mini_batches():
    verdict = verdict_on("minibatch_sgd", with_body("minibatch_sgd", "return np.polyfit(x, t, 1)"))
    assert "finds the line, but not as asked" in verdict.message


@pytest.mark.parametrize("name", CLASSES)
def test_a_rule_that_does_nothing_or_a_constant_fails(name):
    for body in ("self.lr = 1", "for key in params:\n    params[key] -= 0.1"):
        assert verdict_on(name, with_body(name, body)).passed is False


@pytest.mark.parametrize("name", CLASSES)
def test_changed_gradients_are_noticed(name):
    source = edited(
        name,
        (
            "        for key in params:\n",
            "        for key in params:\n            grads[key] *= 2\n",
        ),
    )
    assert "changes grads" in verdict_on(name, source).message


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("corrected_average", "gradients"),
        ("effective_rates", "gradients"),
        ("fair_choice", "validation_losses"),
        ("fair_choice", "rates"),
        ("band", "losses"),
        ("minibatch_sgd", "x"),
    ],
)
def test_changed_arguments_are_noticed(name, array):
    source = SOLUTIONS[name][0].replace("):\n", f"):\n    {array} *= 2\n", 1)
    assert "changes an array that it was given" in verdict_on(name, source).message


# What a verdict says


def test_an_unknown_mistake_gets_the_first_difference_and_the_general_hint():
    verdict = verdict_on("best_rate", edited("best_rate", ("2 /", "1.999 /")))
    number = r"[\d.e+-]+"
    assert re.search(
        rf"differs in case 1 of 20: {number}, should be {number} \({number} away\)", verdict.message
    )
    assert verdict.hint == exercises.check_best_rate.hint


def test_the_place_of_a_difference_is_said():
    late = edited(
        "MyMomentum",
        (
            "for key in params:\n            self.v[key] = self.momentum * ",
            "for key in params:\n            self.v[key] = 1.01 * self.momentum * ",
        ),
    )
    assert "after update 2, should be" in verdict_on("MyMomentum", late).message
    tripled = edited("effective_rates", ("return ", "h[:, 1:] *= 3\n    return "))
    assert " at [0, 1], should be" in verdict_on("effective_rates", tripled).message


@pytest.mark.filterwarnings("error")
def test_a_warning_is_named_in_the_hint_and_leaks_nowhere():
    before = warnings.filters[:]
    verdict = verdict_on("best_rate", with_body("best_rate", "return np.log(-np.float64(lam1))"))
    assert "Your code warns: RuntimeWarning, invalid value encountered in log." in verdict.hint
    assert warnings.filters == before


def test_a_right_attempt_may_warn_and_print(capsys):
    source = edited(
        "best_rate", ("return", "np.log(-np.float64(lam1))\n    print('hello')\n    return")
    )
    verdict = verdict_on("best_rate", source)
    assert verdict.passed is True
    assert capsys.readouterr().out == "hello\n" * 20


def test_hidden_inputs_differ_between_cases_and_are_the_same_at_every_call():
    inputs = []
    check = exercises.check_best_rate
    for _ in range(2):
        check(lambda a, b: inputs.append((a, b)) or 2 / (a + b))
    assert len(set(inputs)) == 20
    assert inputs[:20] == inputs[20:]


def test_many_looks_at_the_height_pass_with_a_remark():
    grid = """
def deepest_valley(landscape, rng, steps):
    x, y = np.meshgrid(np.linspace(-8, 8, 100), np.linspace(-5, 5, 100))
    places = np.stack([x.ravel(), y.ravel()], axis=-1)
    return places[np.argmin(landscape(places))]
"""
    verdict = verdict_on("deepest_valley", grid)
    assert verdict.passed is True
    assert "It asked for 10000 heights" in verdict.message


def test_hidden_mountains_have_exact_slopes_and_a_start_in_another_valley():
    for landscape, _ in exercises.check_deepest_valley.cases():
        numerical = from_function(landscape.value, landscape.window, landscape.start)
        places = np.random.default_rng(1).uniform(-5, 5, size=(50, 2))
        np.testing.assert_allclose(
            landscape.gradient(places), numerical.gradient(places), atol=1e-7
        )
        deepest = landscape(landscape.minima[0])
        np.testing.assert_allclose(landscape.gradient(landscape.minima[0]), 0, atol=1e-6)
        grid = np.stack(np.meshgrid(np.linspace(-8, 8, 161), np.linspace(-5, 5, 101)), axis=-1)
        assert deepest <= landscape(grid).min() < deepest + 0.1
        way = descend(SGD(lr=0.1), landscape, steps=500)
        assert way.losses[-1] > deepest + 0.3


def test_the_winner_is_said_with_its_factor():
    verdict = exercises.check_sgd_wins(ravine)
    assert re.search(r"tuned Adam ends 2\.\d times lower than tuned SGD", verdict.message)


def test_a_draw_is_said():
    verdict = exercises.check_sgd_wins.verdict_on_heights(1e-3, 1.05e-3)
    assert (verdict.passed, verdict.message) == (False, "Not yet: a draw.")


def test_a_landscape_in_plain_python_that_overflows_gets_an_answer():
    edits = ("x**2 + y**2", "__import__('math').cosh(x) + y**2")
    verdict = verdict_on("sgd_wins", edited("sgd_wins", edits))
    assert verdict.passed or "OverflowError" in verdict.message


def test_no_widgets_and_no_pictures_are_needed():
    code = "import sys, helpers.exercises; print({'ipywidgets', 'matplotlib'} & sys.modules.keys())"
    command = [sys.executable, "-c", code]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == "set()\n"


# In a notebook


def test_checks_work_in_a_kernel_and_leave_it_usable():
    cells = [
        "from helpers import attempts, exercises\nattempts.TIME_LIMIT = 0.3",
        "def best_rate(lam1, lam2):\n    while True:\n        pass",
        "exercises.check_best_rate(best_rate)",
        "def best_rate(lam1, lam2):\n    print('seen')\n    return 1 / 0",
        "exercises.check_best_rate(best_rate)",
        "import time\ndef best_rate(lam1, lam2):\n    time.sleep(600)",
        "exercises.check_best_rate(best_rate)",
        "def best_rate(lam1, lam2): ...",
        "exercises.check_best_rate(best_rate)",
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in cells])
    NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": ROOT}}
    ).execute()
    stopped, failed, asleep, untouched = (notebook.cells[k].outputs for k in (2, 4, 6, 8))
    assert "stopped after 0.3 seconds, in line" in stopped[0].data["text/plain"]
    assert failed[0].text == "seen\n" * 20
    assert (
        "ZeroDivisionError: division by zero, in line 3: `return 1 / 0`"
        in failed[1].data["text/plain"]
    )
    assert "stopped after 0.3 seconds." in asleep[0].data["text/plain"]
    assert untouched[0].data["text/plain"] == "Not attempted yet: best_rate."
