"""The form of a notebook: its opening, sections, notes and minutes, small steps, slides."""

import ast
import re
from statistics import median

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_notebooks import has_picture
from test_taught_code import definitions, helper_definitions, without_docstrings

from tools.run_notebooks import ROOT, find_lessons

LECTURE = find_lessons()
OPENING = re.compile(
    r"^A lesson takes (\d+) minutes; alone, with the exercises, plan (\d+)\. You need ",
    re.MULTILINE,
)
NOTES = re.compile(
    r"<details>\n<summary>Speaker notes: (.+)</summary>\n\n\*\*(\d+) minutes?\b.*\n\n</details>",
    re.DOTALL,
)
FORMULA = re.compile(r"\$\$.*?\$\$", re.DOTALL)
DEEPER, CLOSING = "Going deeper", ["Summary", "Exercises", "Next, and sources"]
TAUGHT = {without_docstrings(definition) for definition in helper_definitions().values()}


def slide_type(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type")


def is_notes(cell):
    return slide_type(cell) == "notes"


def headings(notebook):
    """Return (index, level, text) for each heading that begins a cell."""
    found = [
        (i, re.match(r"(#+) (.*)", cell.source))
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
    ]
    return [(i, len(match[1]), match[2].strip()) for i, match in found if match]


def lesson_and_alone(notebook):
    """Return the minutes that the first cell announces, or None."""
    found = OPENING.search(notebook.cells[0].source)
    return found and (int(found[1]), int(found[2]))


def minutes_of_the_core(notebook):
    """Return the sum of the minutes that the notes before "Going deeper" name."""
    end = next((i for i, _, text in headings(notebook) if text == DEEPER), None)
    notes = [NOTES.fullmatch(cell.source) for cell in notebook.cells[:end] if is_notes(cell)]
    return sum(int(found[2]) for found in notes if found)


def minutes_alone(notebook):
    """Estimate the minutes of a reader who is alone with a notebook."""
    texts = [text for text in prose(notebook) if len(text.split()) > 6]  # not a bare heading
    figures = sum(map(has_picture, notebook.cells))
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    exercises = sum("exercises.check_" in source for source in code)
    return 1.5 * (len(texts) + figures) + (len(code) - figures) + 15 * exercises


def wrong_minutes(notebook):
    """Yield what is wrong with the minutes that a notebook announces."""
    if not (announced := lesson_and_alone(notebook)):
        yield "the first cell names no minutes"
        return
    lesson, alone = announced
    if lesson > 45:
        yield f"a lesson of {lesson} minutes"
    if lesson != minutes_of_the_core(notebook):
        yield f"a lesson of {lesson} minutes, with notes for {minutes_of_the_core(notebook)}"
    if not 0.75 <= alone / minutes_alone(notebook) <= 1.25:
        yield f"alone {alone} minutes, estimated {minutes_alone(notebook):.0f}"


def wrong_sections(notebook):
    """Yield what is wrong with the headings and their order."""
    first, *rest = headings(notebook)
    if first[:2] != (0, 1):
        yield "the title is not the first cell"
    sections = [text for _, level, text in rest if level == 2]
    if sections[-4:] != [DEEPER, *CLOSING] or len(sections) < 5:
        yield f"sections {sections}"
    for i, level, text in rest:
        if level not in (2, 3):
            yield f"{text!r}: level {level}"
        if slide_type(notebook.cells[i]) not in ("slide", "subslide")[: level - 1]:
            yield f"{text!r}: slide type {slide_type(notebook.cells[i])}"


def wrong_notes(notebook):
    """Yield what is wrong with the speaker notes: one before each section of core and deeper."""
    named, part = {}, "core"
    for i, level, text in headings(notebook)[1:]:
        if level == 2:
            part = {DEEPER: "deeper", CLOSING[0]: "closing"}.get(text, part)
        needs_notes = (part, level) in {("core", 2), ("deeper", 3)}
        before = notebook.cells[i - 1]
        found = NOTES.fullmatch(before.source) if is_notes(before) else None
        if found:
            named[i - 1] = text
            if found[1] != text:
                yield f"notes of {found[1]!r} before {text!r}"
        elif needs_notes:
            yield f"no notes before {text!r}"
    for i, cell in enumerate(notebook.cells):
        if is_notes(cell) and i not in named:
            yield f"notes in cell {i} are malformed or stand before no heading"


def prose(notebook):
    """Return the words of each cell of text that is neither notes, table nor caption."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown" and not is_notes(cell)]
    return [
        cell.source for cell in cells if not re.search(r"\A\*Figure|^\|", cell.source, re.MULTILINE)
    ]


def lines_of(source):
    """Return the lines of code of a cell, without what is taught word for word as in helpers."""
    taught = set()
    for definition in definitions(source).values():
        lines = range(definition.lineno, definition.end_lineno + 1)
        if without_docstrings(definition) in TAUGHT:
            taught |= set(lines)
    lines = [line for n, line in enumerate(source.splitlines(), 1) if n not in taught]
    return [line for line in lines if line.strip() and not line.strip().startswith("#")]


def long_steps(notebook):
    """Yield where a notebook's steps are too long."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    if median(len(lines_of(source)) for source in code) > 4:
        yield "the median of the code cells is above 4 lines"
    for source in code:
        if len(lines_of(source)) > 12:
            yield f"{len(lines_of(source))} lines of code: {source.splitlines()[0]}"
    words = [(text, len(FORMULA.sub("", text).split())) for text in prose(notebook)]
    if median(count for _, count in words) > 40:
        yield "the median of the prose is above 40 words"
    for text, count in words:
        if count > 100:
            yield f"{count} words: {text[:40]}"


def wrong_cells(notebook):
    """Yield what is wrong with the place of imports and figures."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    if slide_type(code[0]) != "skip" or not imports(code[0].source, everything=True):
        yield "the first code cell is not the imports, of slide type skip"
    for cell in code[1:]:
        if imports(cell.source):
            yield f"an import outside of the first code cell: {cell.source.splitlines()[0]}"
    for cell in filter(shows_picture, code):
        if slide_type(cell) not in {"slide", "subslide"}:
            yield f"a picture starts no slide: {cell.source.splitlines()[-1]}"
    for cell in filter(has_picture, code):
        if any(output.output_type == "stream" for output in cell.outputs):
            yield f"printed lines beside a figure: {cell.source.splitlines()[-1]}"


def imports(source, everything=False):
    """Tell whether a cell imports from outside of helpers, or imports and does nothing else."""
    nodes = ast.parse(source).body
    if everything:
        return all(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes)
    return any(
        isinstance(node, ast.Import)
        or (isinstance(node, ast.ImportFrom) and not node.module.startswith("helpers"))
        for node in nodes
    )


def shows_picture(cell):
    """Tell whether a cell shows a figure or an explorer."""
    return any("image/png" in output.get("data", {}) for output in cell.outputs)


RULES = [wrong_minutes, wrong_sections, wrong_notes, long_steps, wrong_cells]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("path", LECTURE, ids=lambda path: path.stem)
def test_notebook_has_the_form(path, rule):
    assert list(rule(nbformat.read(path, as_version=4))) == []


@pytest.mark.parametrize("path", LECTURE, ids=lambda path: path.stem)
def test_readme_names_the_minutes(path):
    lesson, alone = lesson_and_alone(nbformat.read(path, as_version=4))
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("minutes: lesson, alone |")[1]
    row = next(line for line in table.splitlines() if f"notebooks/{path.name}" in line)
    assert row.endswith(f"| {lesson}, {alone} |")


def text(source, slide="fragment"):
    return new_markdown_cell(source, metadata={"slideshow": {"slide_type": slide}})


def code(source, slide="subslide", *outputs):
    return new_code_cell(
        source, outputs=list(outputs), metadata={"slideshow": {"slide_type": slide}}
    )


def notes(name, minutes=5):
    words = f"**{minutes} minutes.** Ask.\n\nExpected: something."
    return text(
        f"<details>\n<summary>Speaker notes: {name}</summary>\n\n{words}\n\n</details>", "notes"
    )


FIGURE = new_output("display_data", {"image/png": "", "text/plain": "Figure: a line."})
PRINTED = new_output("stream", text="1\n")
OPENING_WORDS = """# 9 · Small

A lesson takes 10 minutes; alone, with the exercises, plan 20. You need nothing."""
CELLS = [
    text(OPENING_WORDS, "slide"),
    code("import numpy as np\n\nfrom helpers import figures", "skip"),
    notes("One"),
    text("## One", "slide"),
    code("figures.curves(1)", "subslide", FIGURE),
    text("*Figure 9.1. A line.*"),
    notes("Two"),
    text("## Two", "slide"),
    text("## Going deeper", "slide"),
    notes("More"),
    text("### More", "subslide"),
    text("## Summary", "slide"),
    text("## Exercises", "slide"),
    code("exercises.check_sgd(SGD)"),
    text("## Next, and sources", "slide"),
]


def replaced(index, cell):
    return [*CELLS[:index], *([cell] if cell else []), *CELLS[index + 1 :]]


def test_a_small_notebook_of_this_form_passes():
    notebook = new_notebook(cells=CELLS)
    assert [fault for rule in RULES for fault in rule(notebook)] == []


@pytest.mark.parametrize(
    ("rule", "cells", "fault"),
    [
        (wrong_minutes, replaced(0, text("# 9 · Small")), "the first cell names no minutes"),
        (
            wrong_minutes,
            replaced(0, text(OPENING_WORDS.replace("10 minutes", "50 minutes"))),
            "a lesson of 50 minutes",
        ),
        (
            wrong_minutes,
            replaced(2, notes("One", 6)),
            "a lesson of 10 minutes, with notes for 11",
        ),
        (
            wrong_minutes,
            replaced(13, code("1")),
            "alone 20 minutes, estimated 5",
        ),
        (wrong_sections, CELLS[1:], "the title is not the first cell"),
        (
            wrong_sections,
            replaced(11, None),
            "sections ['One', 'Two', 'Going deeper', 'Exercises', 'Next, and sources']",
        ),
        (wrong_sections, replaced(7, text("#### Two", "slide")), "'Two': level 4"),
        (wrong_sections, replaced(7, text("## Two", "subslide")), "'Two': slide type subslide"),
        (wrong_notes, replaced(2, None), "no notes before 'One'"),
        (wrong_notes, replaced(2, notes("Zwei")), "notes of 'Zwei' before 'One'"),
        (wrong_notes, replaced(9, None), "no notes before 'More'"),
        (
            wrong_notes,
            replaced(5, notes("Lost")),
            "notes in cell 5 are malformed or stand before no heading",
        ),
        (
            long_steps,
            replaced(4, code("\n".join(["x = 1"] * 13))),
            "13 lines of code: x = 1",
        ),
        (
            long_steps,
            [cell if cell.cell_type != "code" else code("x = 1\n" * 5) for cell in CELLS],
            "the median of the code cells is above 4 lines",
        ),
        (
            long_steps,
            [*CELLS, *(text("word " * 41) for _ in range(9))],
            "the median of the prose is above 40 words",
        ),
        (long_steps, [*CELLS, text("word " * 101)], "101 words: word word"),
        (
            wrong_cells,
            replaced(1, code("x = 1", "skip")),
            "the first code cell is not the imports, of slide type skip",
        ),
        (
            wrong_cells,
            replaced(13, code("import os")),
            "an import outside of the first code cell: import os",
        ),
        (
            wrong_cells,
            replaced(4, code("figures.curves(1)", "fragment", FIGURE)),
            "a picture starts no slide: figures.curves(1)",
        ),
        (
            wrong_cells,
            replaced(4, code("figures.curves(1)", "subslide", PRINTED, FIGURE)),
            "printed lines beside a figure: figures.curves(1)",
        ),
    ],
)
def test_a_wrong_form_is_noticed(rule, cells, fault):
    assert any(found.startswith(fault) for found in rule(new_notebook(cells=cells)))


def test_a_taught_class_may_be_long_and_a_changed_one_not():
    taught = (ROOT / "helpers" / "optimizers.py").read_text(encoding="utf-8")
    assert lines_of(ast.unparse(definitions(taught)["Adam"])) == []
    assert len(lines_of(ast.unparse(definitions(taught.replace("+", "-"))["Adam"]))) > 12
