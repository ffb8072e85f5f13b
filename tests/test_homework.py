"""Homework: small made-up submissions get their verdicts, whatever they do."""

import csv
import re

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from helpers.exercises import CHECKS
from tools import homework

NAME, CHECK = next(
    (name, check) for name, check in CHECKS.items() if type(check).__name__ == "FunctionCheck"
)
DEFINED = re.findall(r"^def (\w+)", CHECK.solution, re.MULTILINE)[-1]
IMPORTS = f"import numpy as np\nfrom helpers import exercises\n{CHECK.imports}"


def hand_in(folder, student, *code):
    cells = [new_code_cell(source) for source in [IMPORTS, *code]]
    (folder / student).mkdir()
    nbformat.write(new_notebook(cells=cells), folder / student / "lesson.ipynb")


def test_each_submission_gets_its_verdict(tmp_path, monkeypatch, capsys):
    asked = f"exercises.check_{NAME}({DEFINED})"
    hand_in(tmp_path, "right", CHECK.solution, asked)
    hand_in(tmp_path, "wrong", f"def {DEFINED}(*arguments):\n    return 0.123", asked)
    hand_in(tmp_path, "blank", f"def {DEFINED}(*arguments):\n    ...", asked)
    hand_in(tmp_path, "broken", "1 +", asked)
    hand_in(
        tmp_path, "raising", f"def {DEFINED}(*arguments):\n    raise LookupError('lost')", asked
    )
    hand_in(tmp_path, "endless", "while True:\n    pass", asked)
    (tmp_path / "none.ipynb").write_text("not a notebook")
    limited, limits = homework.verdicts_on, {"endless": 5}
    monkeypatch.setattr(
        homework, "verdicts_on", lambda path: limited(path, limits.get(path.parent.name, 60))
    )
    homework.main(tmp_path)
    with (tmp_path / "verdicts.csv").open(encoding="utf-8") as file:
        rows = {row["file"].split("/")[0]: row for row in csv.DictReader(file)}
    verdicts = {student: row["verdict"] for student, row in rows.items()}
    assert verdicts == {
        "right": "right",
        "wrong": "not yet",
        "blank": "not attempted",
        "broken": "did not run",
        "raising": "not yet",
        "endless": "did not run",
        "none.ipynb": "did not run",
    }
    assert rows["wrong"]["hint"]
    assert rows["broken"]["hint"].startswith("SyntaxError")
    assert "lost" in rows["raising"]["hint"]
    assert rows["blank"]["hint"] == ""
    assert rows["endless"]["hint"] == "stopped after 5 s"
    assert "not attempted" in capsys.readouterr().out
