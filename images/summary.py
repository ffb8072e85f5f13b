"""Draw the summary sheet: the letters and the four rules on one page of A4.

    python -m images.summary

writes images/summary.pdf. What the sheet says is written elsewhere: formulas and tables in the
notebooks, the code and the meaning of the letters in helpers/optimizers.py.
"""

import hashlib
import inspect
import json
import re
import textwrap

import matplotlib
import nbformat
from matplotlib.figure import Figure

from helpers import optimizers
from helpers.figures import LOOKS
from tools.run_notebooks import ROOT

RULES = {
    "SGD": "02_sgd.ipynb",
    "Momentum": "03_momentum.ipynb",
    "AdaGrad": "04_adagrad.ipynb",
    "Adam": "05_adam.ipynb",
}
LETTERS = {"lr": "η", "momentum": "α", "beta1, beta2": "β₁, β₂", "eps": "ε"}
WIDTH, HEIGHT = 8.27, 11.69  # A4, in inches
LEFT, INDENT = 0.65, 2.15
SHEET = ROOT / "images" / "summary.pdf"


def prose(notebook):
    cells = nbformat.read(ROOT / "notebooks" / notebook, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def formulas(notebook):
    """Return the LaTeX of the rule: the notebook's first assignments that end with that to θ."""
    found = []
    for latex in re.findall(r"\$\$?([^$]*\\leftarrow[^$]*)\$", "\n".join(prose(notebook))):
        found += [part.strip() for part in re.split(r"\\q?quad", latex) if part.strip()]
        if found[-1].startswith(r"\theta"):
            return found
    raise ValueError(f"{notebook} prints no rule that ends with an assignment to θ")


def summary(notebook):
    """Return the idea and its line for each row of the notebook's summary table."""
    (table,) = [text for text in prose(notebook) if text.startswith("## Summary")]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    return [(idea, line.replace("`", "")) for idea, line, _ in rows[2:]]


def code(name):
    """Return the lines of the rule: its numbers, and its update without the docstring."""
    source = inspect.getsource(vars(optimizers)[name])
    body = source.partition("def update(self, params, grads):\n")[2]
    lines = textwrap.dedent(body.partition('"""\n')[2]).splitlines()
    return [f"{name}{inspect.signature(vars(optimizers)[name])}", *lines]


def letters():
    """Return code name, rule and meaning for all that the docstrings of the rules explain."""
    found = {}
    for name in RULES:
        docstring = inspect.getdoc(vars(optimizers)[name])
        for names, meaning in re.findall(r"^(\w[\w, ]*) : .*\n((?:    .*\n?)+)", docstring, re.M):
            found.setdefault(names, (name, " ".join(meaning.split())))
    return [(names, *rest) for names, rest in found.items()]


def contents():
    """Return all that the sheet says."""
    rules = {
        name: {"formulas": formulas(book), "code": code(name), "summary": summary(book)}
        for name, book in RULES.items()
    }
    return {"letters": letters(), "rules": rules}


def fingerprint(said):
    """Return a short text that changes with what the sheet says; the file carries it."""
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:16]


class Page:
    """A page that is written from top to bottom."""

    def __init__(self):
        self.figure, self.y = Figure(figsize=(WIDTH, HEIGHT)), 0.55

    def down(self, inches):
        self.y += inches

    def write(self, x, text, **look):
        look = {"fontsize": 8.2, "color": "black", "va": "baseline", **look}
        self.figure.text(x / WIDTH, 1 - self.y / HEIGHT, text, **look)

    def rows(self, rows, step):
        """Write rows of texts, each with its place from the left."""
        for row in rows:
            self.down(step)
            for x, text, look in row:
                self.write(x, text, **look)

    def heading(self, text, color, marker):
        """Write a heading behind the marker of a rule, under a line across the page."""
        self.down(0.13)
        line = {"color": color, "linewidth": 1.5, "transform": self.figure.transFigure}
        y = 1 - self.y / HEIGHT
        ends = [LEFT / WIDTH, 1 - LEFT / WIDTH]
        self.figure.add_artist(matplotlib.lines.Line2D(ends, [y, y], **line))
        self.down(0.24)
        spot = [(LEFT + 0.06) / WIDTH], [1 - (self.y - 0.05) / HEIGHT]
        if marker:
            line |= {"marker": marker, "markersize": 6, "linestyle": ""}
            self.figure.add_artist(matplotlib.lines.Line2D(*spot, **line))
        self.write(LEFT + (0.2 if marker else 0), text, fontsize=12, weight="bold")


def draw(said):
    """Return the sheet as a matplotlib figure."""
    bold, mono = {"weight": "bold"}, {"family": "monospace"}
    page = Page()
    page.write(LEFT, "Four rules on one page", fontsize=17, weight="bold")
    page.down(0.27)
    page.write(LEFT, "θ (params) are the parameters, g (grads) is the gradient of the loss at θ.")
    page.heading("Letters", "black", None)
    page.rows(
        [
            [
                (LEFT, LETTERS.get(names, names), bold),
                (LEFT + 0.6, names, mono),
                (INDENT, f"{rule}: {meaning}", {}),
            ]
            for names, rule, meaning in said["letters"]
        ],
        0.14,
    )
    for name, rule in said["rules"].items():
        page.heading(name, LOOKS[name]["color"], LOOKS[name]["marker"])
        latex = [f"${formula}$" for formula in rule["formulas"]]
        lines = [latex[i : i + 3] for i in range(0, len(latex), 3)]
        page.down(-0.26)
        page.rows(
            [
                [(INDENT + 1.9 * i, formula, {"fontsize": 11}) for i, formula in enumerate(line)]
                for line in lines
            ],
            0.26,
        )
        page.down(0.08)
        page.rows([[(LEFT, line, {**mono, "fontsize": 7.2})] for line in rule["code"]], 0.12)
        page.down(0.05)
        page.rows(
            [[(LEFT, idea, bold), (INDENT, line, {})] for idea, line in rule["summary"]], 0.14
        )
    if page.y > HEIGHT - 0.4:
        raise ValueError(f"the sheet needs {page.y:.2f} inches, the page has {HEIGHT - 0.4:.2f}")
    return page.figure


def main():
    said = contents()
    metadata = {
        "Title": "Four rules on one page",
        "Keywords": fingerprint(said),
        "CreationDate": None,
    }
    with matplotlib.rc_context({"pdf.fonttype": 42}):
        draw(said).savefig(SHEET, metadata=metadata)


if __name__ == "__main__":
    main()
