"""The update rules as the notebooks print them, read from their LaTeX, against the classes."""

import re

import nbformat
import numpy as np
import pytest

from helpers.optimizers import SGD, AdaGrad, Adam, Momentum
from tools.run_notebooks import ROOT

TOKEN = re.compile(r"\\[A-Za-z]+|\d+|[A-Za-z]|[-+/^_{}()]")
SPACING = re.compile(r"\\q?quad|\\[,;! ]|\\left(?!arrow)|\\right(?!arrow)|~")


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
                target, expression = SPACING.sub(" ", assignment).split("\\leftarrow")
                target = variable(TOKEN.findall(target))
                if found or target == first:
                    found.append((target, expression))
                if found and target == "theta":
                    return found
    raise AssertionError(f"{name} prints no rule that begins with {first} and ends with theta")


def variable(tokens):
    """Return a Python name for the tokens of a letter with its hat and subscript."""
    hat = "_hat" if "\\hat" in tokens else ""
    letters = [token.strip("\\") for token in tokens if token not in {"\\hat", "{", "}", "_", "t"}]
    return "".join(letters) + hat


class Formula:
    """Evaluates an expression in LaTeX by recursive descent; letters are looked up in `values`."""

    def __init__(self, latex, values):
        self.tokens, self.values = TOKEN.findall(latex), values

    def value(self):
        result = self.sum()
        assert not self.tokens, f"cannot read {self.tokens}"
        return result

    def sum(self):
        result = -self.product_after("-") if self.next_is("-") else self.product()
        while self.next_is("+", "-"):
            sign = 1 if self.tokens.pop(0) == "+" else -1
            result = result + sign * self.product()
        return result

    def product_after(self, sign):
        assert self.tokens.pop(0) == sign
        return self.product()

    def product(self):
        result = self.power()
        while self.tokens and not self.next_is("+", "-", ")", "}"):
            if self.next_is("/"):
                self.tokens.pop(0)
                result = result / self.power()
            elif self.next_is("\\cdot"):
                self.tokens.pop(0)
            else:
                result = result * self.power()
        return result

    def power(self):
        base = self.atom()
        if self.next_is("^"):
            self.tokens.pop(0)
            base = base ** (self.group() if self.next_is("{") else self.atom())
        return base

    def atom(self):
        token = self.tokens.pop(0)
        if token == "(":
            result = self.sum()
            assert self.tokens.pop(0) == ")"
            return result
        if token == "\\frac":
            return self.group() / self.group()
        if token == "\\sqrt":
            return np.sqrt(self.group() if self.next_is("{") else self.atom())
        if token.isdigit():
            return int(token)
        return self.values[self.name(token)]

    def name(self, token):
        tokens = [token]
        if token == "\\hat":
            if self.next_is("{"):
                self.tokens.pop(0)
                tokens.append(self.tokens.pop(0))
                assert self.tokens.pop(0) == "}"
            else:
                tokens.append(self.tokens.pop(0))
        if self.next_is("_"):
            self.tokens.pop(0)
            tokens.append(self.tokens.pop(0))
        return variable(tokens) if tokens != ["t"] else "t"

    def group(self):
        assert self.tokens.pop(0) == "{"
        result = self.sum()
        assert self.tokens.pop(0) == "}"
        return result

    def next_is(self, *tokens):
        return bool(self.tokens) and self.tokens[0] in tokens


def test_formula_is_read_as_it_is_written():
    values = {"eta": 0.5, "g": 3.0, "h": 16.0, "beta1": 0.9, "m_hat": 7.0, "t": 2}
    for latex, expected in {
        r"\eta g": 1.5,
        r"g - \eta\, g / \sqrt{h}": 3 - 1.5 / 4,
        r"\frac{\eta}{\sqrt{h} + 1} g^2": 0.5 / 5 * 9,
        r"\hat m / (1 - \beta_1^t)": 7 / (1 - 0.81),
        r"-\eta \hat{m} + 2": -1.5,
    }.items():
        assert Formula(SPACING.sub(" ", latex), values).value() == pytest.approx(expected), latex


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
            values[target] = Formula(latex, values).value()
        optimizer.update(params, {"theta": gradient})
        np.testing.assert_allclose(values["theta"], params["theta"], rtol=1e-12)
