"""Run the notebooks that students hand in, and say for each exercise what its check says.

    python tools/homework.py FOLDER

A notebook `STUDENT/NAME.ipynb` or `NAME_STUDENT.ipynb` in the folder is one submission. Each runs
in a process of its own with a time limit, without network where the system allows it. The table
goes to the screen and to `verdicts.csv` in the folder. This runs code that others wrote: see
TEACHING.md.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[1]
TIME_LIMIT = 300  # seconds for one notebook
HEAD = ["file", "exercise", "verdict", "hint"]
CHECK = re.compile(r"exercises\.check_(\w+)\(")

# Runs in the student's process: the code cells one after another, each with the exercises that it
# checks. A verdict is kept; where none comes, the first error since the exercise before it.
RUNNER = """
import json, sys
from pathlib import Path
from helpers import exercises
from IPython.core.interactiveshell import InteractiveShell
WORDS = {True: "right", False: "not yet", None: "not attempted"}
verdicts, error = {}, ""
def keeping(name, check):
    def checked(attempt):
        verdict = check(attempt)
        said = verdict.message if verdict.passed is False else ""
        verdicts[name] = [WORDS[verdict.passed], verdict.hint or said]
        return verdict
    return checked
for name, check in exercises.CHECKS.items():
    setattr(exercises, "check_" + name, keeping(name, check))
shell = InteractiveShell.instance()
for source, names in json.loads(Path(sys.argv[1]).read_text()):
    ran = shell.run_cell(source)
    raised = ran.error_before_exec or ran.error_in_exec
    if raised and not error:
        error = f"{type(raised).__name__}: {raised}"
    for name in names:
        verdicts.setdefault(name, ["did not run", error])
        error = ""
    Path(sys.argv[2]).write_text(json.dumps(verdicts))
"""


def without_network():
    """Return what a command begins with so that it has no network, or nothing."""
    wrapped = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None:
        return []
    works = subprocess.run([*wrapped, "true"], capture_output=True, check=False).returncode == 0
    return wrapped if works else []


def verdicts_on(path, time_limit=TIME_LIMIT):
    """Return a pair (verdict, hint or reason) for each exercise of a notebook, by its name."""
    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception:
        return {"": ("did not run", "no notebook")}
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    asked = [(source, CHECK.findall(source)) for source in sources]
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "cells.json"), Path(folder, "verdicts.json")
        given.write_text(json.dumps(asked))
        command = [*without_network(), sys.executable, "-c", RUNNER, str(given), str(found)]
        own = {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg", "TQDM_DISABLE": "1", "HOME": folder}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        late = ""
        try:
            subprocess.run(
                command,
                env={**os.environ, **own},
                cwd=folder,
                timeout=time_limit,
                check=False,
                stdin=subprocess.DEVNULL,
                **quiet,
            )
        except subprocess.TimeoutExpired:
            late = f"stopped after {time_limit} s"
        kept = json.loads(found.read_text()) if found.exists() else {}
    return {
        name: tuple(kept.get(name, ("did not run", late))) for _, names in asked for name in names
    }


def main(folder):
    rows = []
    for path in sorted(Path(folder).rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            for name, verdict in verdicts_on(path).items():
                rows.append([str(path.relative_to(folder)), name, *verdict])
                print("  ".join(f"{text:<24}" for text in rows[-1]).rstrip(), flush=True)
    with Path(folder, "verdicts.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([HEAD, *rows])


if __name__ == "__main__":
    main(sys.argv[1])
