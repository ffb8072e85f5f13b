"""The handouts: what is on the paper, and what a student's must not hold."""

import re

import nbformat
import pytest

from helpers.predictions import Prediction, plain
from tools import browser, handout
from tools.run_notebooks import ROOT

PATH = ROOT / "notebooks" / "02_sgd.ipynb"
CORE = handout.core(nbformat.read(PATH, as_version=4))
ASKED = [
    Prediction(name)
    for cell in CORE
    for name in re.findall(r'^predict\("(\w+)"\)$', cell.source, re.MULTILINE)
]


def words(text):
    return " ".join(text.split())


@pytest.fixture(params=[False, True], ids=["student", "teacher"])
def printed(page, request):
    """Return whether it is the teacher's, its text, and the PDF."""
    page.set_content(handout.page(PATH, teacher=request.param))
    page.emulate_media(media="print")
    pdf = handout.print_page(page)
    return request.param, words(page.locator("body").inner_text()), pdf


def test_paper_holds_what_it_should(printed):
    teacher, text, pdf = printed
    headings = [cell.source for cell in CORE if cell.source.startswith("## ")]
    assert ASKED
    assert headings
    for heading in headings:
        assert heading.splitlines()[0].strip("# ") in text
    for question in ASKED:
        assert words(plain(question.table["question"])) in text
        for answer in question.answers.values():
            assert words(plain(answer["answer"])) in text
            assert (words(plain(answer["reason"])) in text) == teacher
    assert text.count("Speaker notes: ") == (len(headings) if teacher else 0)
    assert not re.search(r"\\[a-z]+|\$", text)
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert {(round(float(x)), round(float(y))) for x, y in sizes} == {(595, 842)}
    assert not teacher or "\N{CHECK MARK}" in text


def test_what_answers_a_question_stands_on_another_page():
    html = handout.page(PATH)
    assert html.count('class="overleaf"') == len(ASKED)
    assert ".overleaf { break-after: page;" in html


def test_without_a_browser_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(browser, "find_browser", lambda: None)
    with pytest.raises(SystemExit, match="Install both"):
        handout.main([PATH])
