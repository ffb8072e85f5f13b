"""TEACHING.md: its plans name sections that exist, at the minutes of their speaker notes."""

import re

import nbformat
import pytest
from test_form import LECTURE, NOTES, is_notes, lesson_and_alone

from tools.run_notebooks import ROOT

NOTEBOOKS = {path.name[1]: nbformat.read(path, as_version=4) for path in LECTURE}


def notes(number):
    """Return the speaker notes of a notebook: for each section its minutes and paragraphs."""
    found = [NOTES.fullmatch(cell.source) for cell in NOTEBOOKS[number].cells if is_notes(cell)]
    return {match[1]: (int(match[2]), match[0].split("\n\n")[1:-1]) for match in found}


def plan(title):
    """Return a plan of TEACHING.md: its text and the cells of its table, row by row."""
    text = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    section = text.split(f"\n## {title}: ")[1].split("\n## ")[0]
    return section, re.findall(r"^\| (\d) \| (?:(\d+) \| )?(.*) \|$", section, re.MULTILINE)


def planned(sections):
    """Return the minutes of each section named in a cell of a plan."""
    return {
        name: int(minutes) for name, minutes in re.findall(r"(.+?) \((\d+)\)(?:, |$)", sections)
    }


@pytest.mark.parametrize("title", ["45 minutes", "90 minutes", "Nine sessions"])
def test_plans_name_sections_and_the_minutes_of_their_notes(title):
    for number, _, sections in plan(title)[1]:
        of_notes = {name: minutes for name, (minutes, _) in notes(number).items()}
        assert planned(sections).items() <= of_notes.items()


@pytest.mark.parametrize("available", [45, 90])
def test_plan_fits_its_time_and_says_what_it_adds_up_to(available):
    text, rows = plan(f"{available} minutes")
    total = sum(sum(planned(sections).values()) for *_, sections in rows)
    assert re.search(rf"^{total} minutes\b", text, re.MULTILINE)
    assert 0.8 * available < total < available


def test_shortest_plan_reaches_algorithm_1():
    number, _, sections = plan("45 minutes")[1][-1]
    assert (number, list(planned(sections))[-1]) == ("5", "Algorithm 1")


def test_sessions_are_the_cores():
    sessions = {number: int(minutes) for number, minutes, _ in plan("Nine sessions")[1]}
    assert sessions == {
        number: lesson_and_alone(notebook)[0] for number, notebook in NOTEBOOKS.items()
    }


@pytest.mark.parametrize("number", NOTEBOOKS)
def test_notes_ask_and_answer(number):
    for section, (_, paragraphs) in notes(number).items():
        asks = [text for text in paragraphs if text.startswith("**Ask.** ")]
        answers = [text for text in paragraphs if re.match(r"\*[^*]+[?!]\* \S", text)]
        assert len(asks) == 1, section
        assert len(paragraphs) == 1 + len(asks) + len(answers), section
