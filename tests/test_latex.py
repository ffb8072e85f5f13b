"""Formulas in LaTeX read as Python, as far as the lecture's formulas need it."""

import re

import numpy as np

SPACING = re.compile(r"\\q?quad|\\[,;! ]|\\left(?!arrow)|\\right(?!arrow)|~")
TOKEN = re.compile(r"\\?[A-Za-z]_hat|\\[A-Za-z]+\d?|[A-Za-z]\d?|\d+\.?\d*|\S")
FUNCTIONS = {"frac": lambda a: lambda b: a / b, "sqrt": np.sqrt, "max": np.maximum}
SIGNS = {"{": "(", "}": ")", "^": "**"}


def python_of(latex):
    """Return a formula as Python: a letter keeps its number and its hat, and loses its step t."""
    text = re.sub(r"_t\b|_\{t\}", "", SPACING.sub(" ", latex).replace(r"\cdot", "*"))
    text = re.sub(r"_\{?(\d)\}?", r"\1", text)
    text = re.sub(r"\\hat\s*(?:\{(\w)\}|(\w))", r"\1\2_hat", text)
    python, after_factor = "", False
    for token in TOKEN.findall(text):
        name = token.lstrip("\\")
        if after_factor and (name[0].isalnum() or name == "("):
            python += "*"
        python += SIGNS.get(name, name)
        after_factor = (name[0].isalnum() or name in ")}") and name not in FUNCTIONS
    return python


def evaluated(latex, **values):
    """Return what a formula comes to for these values of its letters."""
    return eval(python_of(latex), FUNCTIONS | values)


def test_a_formula_is_read_as_it_is_written():
    values = {"eta": 0.5, "g": 3.0, "h": 16.0, "beta1": 0.9, "m_hat": 7.0, "t": 2, "x": 2, "y": 5}
    for latex, expected in {
        r"\eta g": 1.5,
        r"g_t - \eta\, g / \sqrt{h}": 3 - 1.5 / 4,
        r"\frac{\eta}{\sqrt{h} + 1} g^2": 0.5 / 5 * 9,
        r"\hat m_t / (1 - \beta_1^t)": 7 / (1 - 0.81),
        r"-\eta \cdot \hat{m} + 2": -1.5,
        r"\frac{x^2}{4} + 3 xy \max(0, y) - \sqrt{x + 2}": 1 + 150 - 2,
        r"g^{2 t}": 81,
    }.items():
        assert evaluated(latex, **values) == expected, latex
