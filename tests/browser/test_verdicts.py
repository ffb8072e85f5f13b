"""Verdicts as a page shows them: their colors can be read on a light and on a dark ground."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from helpers import exercises


@pytest.mark.parametrize("ground", ["white", "#111"])
def test_a_checker_of_accessibility_finds_nothing(page, ground):
    verdicts = [
        exercises.check_best_rate(lambda lam1, lam2: 2 / (lam1 + lam2)),
        exercises.check_best_rate(lambda lam1, lam2: 1 / 0),
    ]
    assert [verdict.passed for verdict in verdicts] == [True, False]
    shown = "".join(f"<div class='verdict'>{verdict._repr_html_()}</div>" for verdict in verdicts)
    page.set_content(f"<body style='background: {ground}'><main>{shown}</main></body>")
    found = Axe().run(page, context=".verdict").response
    assert found["violations"] == []
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}
    for verdict, text in zip(verdicts, page.locator(".verdict").all_inner_texts(), strict=True):
        assert text.split()[1:] == repr(verdict).replace("`", "").split()  # after the mark
