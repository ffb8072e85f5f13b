"""What nbval does not look at: the form in which the notebooks are stored."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools.run_notebooks import ROOT, find_notebooks, normalize

SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes"}
CAPTION = re.compile(r"\*Figure (\d+)\.(\d+)\. \S")
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b")


@pytest.fixture(params=find_notebooks(), ids=lambda path: str(path.relative_to(ROOT)))
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def has_picture(cell):
    """Tell whether a cell shows a figure; an explorer shows a picture too, but tells for itself."""
    pictures = [
        output.data for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    return any(not data["text/plain"].startswith("Explorer: ") for data in pictures)


def test_the_lecture_has_notebooks():
    assert find_notebooks()


def test_is_valid(notebook):
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))


def test_every_code_cell_has_run_in_order(notebook):
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


def test_no_output_is_an_error_a_warning_or_a_memory_address(notebook):
    for output in outputs(notebook):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        assert not ADDRESS.search(text), text


def test_is_stored_as_make_notebooks_stores_it(path, notebook):
    normalize(notebook)
    assert path.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n"


def test_every_cell_has_a_place_in_the_slides(notebook):
    types = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in notebook.cells]
    assert set(types) <= SLIDE_TYPES


def test_every_picture_has_a_text_alternative_and_is_followed_by_its_caption(notebook):
    for output in outputs(notebook):
        if "image/png" in output.get("data", {}):
            assert output.metadata.get("image/png", {}).get("alt")
    for cell, following in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        if has_picture(cell):
            assert following
            assert CAPTION.match(following.source), following.source


def test_captions_are_numbered_in_order(path, notebook):
    captions = [
        (int(match[1]), int(match[2]))
        for cell in notebook.cells
        if cell.cell_type == "markdown" and (match := CAPTION.match(cell.source))
    ]
    chapter = int(path.name[:2])
    assert captions == [(chapter, number + 1) for number in range(len(captions))]


LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def test_links_to_files_lead_somewhere(path, notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for target in LINK.findall(text):
        assert (path.parent / target).exists(), target


def test_links_of_the_pages_lead_somewhere():
    for page in ROOT.glob("*.md"):
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            assert (ROOT / target).exists(), f"{page.name}: {target}"


def is_solution(path):
    return path.parent.name == "solutions"


def test_has_a_readable_size(path, notebook):
    assert path.stat().st_size < 1_000_000
    assert (4 if is_solution(path) else 20) <= len(notebook.cells)
    for cell in code_cells(notebook):
        assert len(cell.source.splitlines()) <= 20, cell.source


def test_a_changed_digit_in_a_stored_output_fails(tmp_path):
    """Also: an unchanged output passes, and so does one where only a memory address differs."""
    stored = {
        "print(1 / 7)": "0.14285714285714285\n",
        "print(2 / 7)": "0.2857142857142858\n",
        "print(hex(id(object())))": "0x7f0000000000\n",
    }
    cells = [
        new_code_cell(source, execution_count=1, outputs=[new_output("stream", text=text)])
        for source, text in stored.items()
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "small.ipynb")
    settings = [f"--config-file={ROOT / 'pyproject.toml'}", "-p", "no:xdist", "-p", "no:cov"]
    report = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, "-rA", "--color=no", tmp_path],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if not key.startswith("PYTEST")},
        capture_output=True,
        text=True,
        check=False,
    ).stdout
    verdicts = re.findall(r"^(PASSED|FAILED) \S*small\.ipynb::Cell (\d)", report, re.MULTILINE)
    assert sorted(verdicts, key=lambda verdict: verdict[1]) == [
        ("PASSED", "0"),
        ("FAILED", "1"),
        ("PASSED", "2"),
    ], report
