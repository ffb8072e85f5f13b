"""Predict questions: the reader commits to an answer before the next cell shows it.

A cell that asks is `predict("zigzag")` and no more. The questions, their answers and what each
answer shows are data, in a file for each notebook. The page needs no kernel and no script: each
answer is a `<details>` that opens. Where a page keeps the style, what the next cell shows waits.
"""

import difflib
import html
import re
import tomllib
from functools import cache
from pathlib import Path

from IPython.display import display

HERE = Path(__file__).parent
STYLE = (HERE / "style.css").read_text(encoding="utf-8")


@cache
def questions():
    """Return the table of each question of the series under its name."""
    found = {}
    for path in sorted(HERE.glob("*.toml")):
        found |= read(path)
    return found


def read(path):
    """Return the questions of one file; an error names the file."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: {error}") from error


def predict(name):
    """Ask a question; its answers open in the page.

    Parameters
    ----------
    name : str
        Of a question in one of the files beside this module.

    Raises
    ------
    ValueError
        If there is no such question.
    """
    display(Prediction(name))


class Prediction:
    """A question with its answers, as HTML and as plain text.

    Parameters and errors are those of `predict`.
    """

    def __init__(self, name):
        if name not in list(questions()):  # a list, too, can be looked for there
            near = difflib.get_close_matches(str(name), questions())
            near = f"; nearest are {', '.join(near)}" if near else ""
            raise ValueError(f"name must be that of a question; got {name!r}{near}")
        self.name, self.table = name, questions()[name]
        self.answers = {key: value for key, value in self.table.items() if isinstance(value, dict)}

    def __repr__(self):
        answers = [f"({letter}) {shown['answer']}" for letter, shown in self.answers.items()]
        return plain("\n".join([f"Predict. {self.table['question']}", *answers]))

    def _repr_html_(self):
        return "\n".join(
            [
                '<section class="prediction">',
                f"<style>\n{STYLE}</style>",
                f"<p><b>Predict.</b> {self.table['question']}</p>",
                *map(self._answer, self.answers),
                self._details("just show", "The next cell shows it."),
                "</section>",
            ]
        )

    def _answer(self, letter):
        answer, reason = self.answers[letter]["answer"], self.answers[letter]["reason"]
        return self._details(f"({letter}) {answer}", f"{self._mark(letter)} {reason}")

    def _details(self, button, words):
        # Keys on the button are not for JupyterLab, where "a" would insert a cell.
        return (
            f'<details name="predict-{self.name}">'
            f'<summary data-lm-suppress-shortcuts="true">{button}</summary>\n'
            f"<p>{words}</p></details>"
        )

    def _mark(self, letter):
        if letter == self.table["right"]:
            return '<b class="prediction-right">✓ Right.</b>'
        return '<b class="prediction-wrong">✗ No.</b>'


def plain(text):
    """Return simple HTML as plain text."""
    return html.unescape(re.sub(r"<[^>]*>", "", text))
