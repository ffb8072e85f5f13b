"""Predict questions: the reader commits to an answer before the output of the cell is shown.

The question stands in the text above a cell, and the cell that answers it begins with, say,
`predict("zigzag")`. What each answer shows stands in `predictions.toml`.
"""

import tomllib
from pathlib import Path

import ipywidgets as widgets
from IPython.display import display

QUESTIONS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
JUST_SHOW = "just show"

# What was chosen since the kernel started: a cell that runs again does not ask again.
chosen = {}

# The outputs after an open question wait, and so do the caption or the figure of the next cell.
STYLE = """<style>
.jp-OutputArea-child:has(.prediction-open) ~ .jp-OutputArea-child { display: none !important; }
.jp-Cell:has(.prediction-open) + .jp-MarkdownCell:not(:has(h2)),
.jp-Cell:has(.prediction-open) + .jp-CodeCell .jp-Cell-outputWrapper,
.jp-Cell:has(.prediction-open) + .jp-CodeCell + .jp-MarkdownCell:not(:has(h2)) {
  visibility: hidden;
}
.prediction { align-items: center; flex-flow: row wrap; overflow: visible; }
.prediction p, .prediction button { font-size: var(--jp-content-font-size1, 14px); }
.prediction p { line-height: 1.4; margin: 2px 8px; }
</style>"""


class Prediction(widgets.Box):
    """Buttons for the answers; what the cell shows after them waits for a choice.

    In a front end that is neither JupyterLab nor Notebook the output does not wait. Parameters and
    errors are those of `predict`.
    """

    def __init__(self, name):
        if name not in QUESTIONS:
            raise ValueError(f"name must be one of {', '.join(QUESTIONS)}; got {name!r}")
        self.name = name
        answers = {f"({letter})": letter for letter in QUESTIONS[name] if letter != "right"}
        self.buttons = widgets.ToggleButtons(
            options=[*answers.items(), (JUST_SHOW, JUST_SHOW)],
            value=chosen.get(name),
            style={"button_width": "auto"},
        )
        self.words = widgets.HTML(layout={"flex": "1 1 400px"})
        super().__init__([self.buttons, self.words, widgets.HTML(STYLE)])
        self.add_class("prediction")
        self.buttons.observe(self.answer, "value")
        self.answer()

    def answer(self, _change=None):
        """Ask for a choice, or show what the one that was made shows."""
        choice = chosen[self.name] = self.buttons.value
        if choice is None:
            self.add_class("prediction-open")
            self.words.value = "<p>Choose, and the cell shows its answer.</p>"
        else:
            self.remove_class("prediction-open")
            self.words.value = "" if choice == JUST_SHOW else f"<p>{verdict(self.name, choice)}</p>"

    def __repr__(self):
        return " ".join(label for label, _ in self.buttons.options if label != JUST_SHOW) + "?"


def verdict(name, choice):
    """Return, as HTML, whether a choice is right and what it shows."""
    right, reason = QUESTIONS[name]["right"], QUESTIONS[name][choice]
    if choice == right:
        return f"<b>({choice}) is right.</b> {reason}"
    return f"<b>Not ({choice}).</b> {reason} <b>It is ({right}).</b>"


def predict(name):
    """Show the buttons of a question, and what follows in the cell once one is pressed.

    Parameters
    ----------
    name : str
        Of a question in `predictions.toml`.

    Raises
    ------
    ValueError
        If there is no such question.
    """
    display(Prediction(name))
