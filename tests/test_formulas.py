"""The update rules as the notebooks print them, read from their LaTeX, against the classes."""

import re

import nbformat
import numpy as np
import pytest
from test_latex import evaluated, python_of

from helpers.optimizers import SGD, AdaGrad, Adam, Momentum
from tools.run_notebooks import ROOT


def printed_rule(name, first):
    """Return the assignments, (target, LaTeX), of the first display whose target is `first`.

    From there to the assignment to θ, in the order of the notebook.
    """
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    found = []
    for formula in re.findall(r"\$\$?([^$]*\\leftarrow[^$]*)\$", text):
        for assignment in re.split(r"\\q?quad", formula):
            if "\\leftarrow" in assignment:
                target, expression = assignment.split("\\leftarrow")
                target = python_of(target)
                if found or target == first:
                    found.append((target, expression))
                if found and target == "theta":
                    return found
    raise AssertionError(f"{name} prints no rule that begins with {first} and ends with theta")


@pytest.mark.parametrize(
    ("notebook", "first", "optimizer", "values"),
    [
        ("02_sgd.ipynb", "theta", SGD(0.3), {"eta": 0.3}),
        ("03_momentum.ipynb", "v", Momentum(0.3, 0.8), {"eta": 0.3, "alpha": 0.8}),
        ("04_adagrad.ipynb", "h", AdaGrad(0.3, 0.5), {"eta": 0.3, "varepsilon": 0.5}),
        (
            "05_adam.ipynb",
            "m",
            Adam(0.3, 0.8, 0.95, 1e-3),
            {"eta": 0.3, "beta1": 0.8, "beta2": 0.95, "varepsilon": 1e-3},
        ),
    ],
    ids=["SGD", "Momentum", "AdaGrad", "Adam"],
)
def test_printed_rule_is_what_the_class_does(notebook, first, optimizer, values):
    rule = printed_rule(notebook, first)
    rng = np.random.default_rng(0)
    theta = rng.normal(size=5)
    params = {"theta": theta.copy()}
    values = values | {"theta": theta, "v": 0.0, "h": 0.0, "m": 0.0}
    for t in range(1, 8):
        gradient = rng.normal(size=5)
        values |= {"g": gradient, "t": t}
        for target, latex in rule:
            values[target] = evaluated(latex, **values)
        optimizer.update(params, {"theta": gradient})
        np.testing.assert_allclose(values["theta"], params["theta"], rtol=1e-12)
