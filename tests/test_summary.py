"""The summary sheet says what the notebooks and the docstrings say now."""

import os
import re

import pytest

from images import summary
from tools.browser import INSTALL, find_browser


def test_stored_sheet_is_drawn_from_what_is_written_now():
    mark = summary.fingerprint(summary.contents())
    assert mark.encode() in summary.SHEET.read_bytes(), "run python -m images.summary"


def test_a_sheet_that_is_too_long_for_its_page_is_refused():
    if find_browser() is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(INSTALL)
    said = summary.contents()
    said["letters"] *= 10
    with pytest.raises(ValueError, match="needs 2 pages"):
        summary.printed(said)


def test_every_rule_has_its_formula_code_and_table():
    for name, rule in summary.contents()["rules"].items():
        assert rule["formulas"][-1].startswith(r"\theta"), name
        assert rule["code"][0].startswith(f"{name}(lr="), name
        assert any("params[key]" in line for line in rule["code"]), name
        assert len(rule["summary"]) >= 5, name


def test_every_number_of_a_rule_has_its_letter_explained():
    explained = {name for names, *_ in summary.letters() for name in names.split(", ")}
    numbers = {
        name
        for rule in summary.contents()["rules"].values()
        for name in re.findall(r"(\w+)=", rule["code"][0])
    }
    assert numbers <= explained
