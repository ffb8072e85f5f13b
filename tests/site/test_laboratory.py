"""The laboratory: Python in the browser runs notebooks, explorers and exercises, without a network.

Pyodide's files are local here; `conftest.py` checks each against the hash that Pyodide gives.
"""

import re

import nbformat
import pytest

from tests.site.conftest import Look
from tools.browser import FINISHED, run_all_cells
from tools.run_notebooks import ROOT, find_notebooks

PATIENCE = 150_000  # milliseconds
PATIENCE_TO_RUN = 600_000  # notebook 5 trains networks, which is slow in a browser
FAULTS = ["application/vnd.jupyter.error", "application/vnd.jupyter.stderr"]
# What the browser asks of every server by itself, and an error of JupyterLab's own cells.
NOT_OURS = ("/favicon.ico", "_onCellInViewportChanged")
PIXELS = "(stage) => [...stage.querySelectorAll('canvas')].map((c) => c.toDataURL()).join()"
TRIED = [path for path in find_notebooks() if path.name in ("01_adventurer.ipynb", "05_adam.ipynb")]


class Laboratory:
    """A notebook in the laboratory, opened as a reader does who comes for the first time."""

    def __init__(self, browser, address, path):
        self.context = browser.new_context(viewport={"width": 1280, "height": 800})
        self.context.set_default_timeout(PATIENCE)
        notebook = path.relative_to(ROOT).as_posix()
        self.address = f"{address}/lab/lab/index.html?path={notebook}"
        self.code = len(code_of(path))
        self.open()

    def open(self):
        self.look = Look(self.context, self.address)
        self.page = self.look.page
        self.page.locator(".jp-CodeCell").nth(self.code - 1).wait_for(state="attached")

    def forget_what_was_fetched(self):
        """Empty the browser's cache, as the days do until a reader returns."""
        self.context.new_cdp_session(self.page).send("Network.clearBrowserCache")

    def menu(self, menu, item):
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_role("menuitem", name=item, exact=True).click()

    def run(self):
        """Run all cells of the notebook, without the outputs that are stored in it."""
        self.menu("Edit", "Clear Outputs of All Cells")
        run_all_cells(self.page)
        self.page.wait_for_function(FINISHED, arg=self.code, timeout=PATIENCE_TO_RUN)

    def write(self, source):
        """Write a new cell and return it."""
        cells = self.page.locator(".jp-CodeCell")
        cell = cells.nth(cells.count())
        self.page.locator(".jp-Notebook-footer").click()
        cell.locator(".cm-content").fill(source)
        return cell

    def answer(self, source):
        """Return what a new cell with this source prints."""
        output = self.write(source).locator(".jp-OutputArea-output").first
        self.page.keyboard.press("Control+Enter")
        output.wait_for()
        return output.text_content()


def first_exercise(path):
    """Return the name of the first function that a notebook asks for, and its solution."""
    asked = re.findall(r"^exercises\.check_(\w+)\(", "\n".join(code_of(path)), re.MULTILINE)
    solutions = path.parent / "solutions" / f"{path.name[:2]}_solutions.ipynb"
    imports, *cells = code_of(solutions)
    for name in asked:
        for source in cells:
            if source.startswith(f"def {name}("):
                return name, f"{imports}\n\n{source.partition('exercises.')[0]}"
    raise ValueError(f"{path.name} asks for no function")


def code_of(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"]


@pytest.fixture(scope="module", params=TRIED, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture(scope="module")
def laboratory(browser, address, path):
    """Yield the laboratory with a notebook that has been run from top to bottom."""
    laboratory = Laboratory(browser, address, path)
    laboratory.run()
    yield laboratory
    laboratory.context.close()


def test_notebook_runs_from_top_to_bottom(laboratory):
    for kind in FAULTS:
        found = laboratory.page.locator(f"[data-mime-type='{kind}']")
        assert found.all_inner_texts() == []
    errors = [error for error in laboratory.look.errors if not any(s in error for s in NOT_OURS)]
    assert (errors, laboratory.look.outside) == ([], [])


def test_an_explorer_follows_a_slider(laboratory):
    page = laboratory.page
    for answer in page.locator(".prediction details:first-of-type").all():
        answer.evaluate("(answer) => answer.open = true")
    output = page.locator(".jp-OutputArea-output:has(.stage)").last
    stage = output.locator(".stage")
    stage.scroll_into_view_if_needed()
    stage.locator("canvas").first.wait_for()
    before = stage.evaluate(PIXELS)
    output.locator("input[type=range]:not([aria-label=step])").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function(
        f"([stage, before]) => ({PIXELS})(stage) !== before",
        arg=[stage.element_handle(), before],
    )


def test_an_exercise_is_answered_wrong_and_right(laboratory, path):
    name, solution = first_exercise(path)
    check = f"exercises.check_{name}({name})"
    wrong = laboratory.answer(f"def {name}(*args, **kwargs):\n    return 0\n\n{check}")
    assert "Not yet" in wrong
    right = laboratory.answer(f"{solution}\n\n{check}")
    assert "Right" in right


def test_an_endless_attempt_is_stopped(laboratory, path):
    name, _ = first_exercise(path)
    attempt = f"def {name}(*args, **kwargs):\n    while True:\n        pass"
    said = laboratory.answer(f"{attempt}\n\nexercises.check_{name}({name})")
    assert f"{name} was stopped after 3 seconds" in said


def test_stored_outputs_are_shown_as_they_were_printed(browser, address):
    laboratory = Laboratory(browser, address, TRIED[0])
    printed = laboratory.page.locator("[data-mime-type='application/vnd.jupyter.stdout']")
    shown = [text.strip() for text in printed.all_inner_texts()]
    laboratory.context.close()
    cells = nbformat.read(TRIED[0], as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    stored = [output.text.strip() for output in outputs if output.output_type == "stream"]
    assert shown == stored


def test_a_returning_reader_finds_the_changed_notebook_and_the_fresh_one(
    browser, address, site, instead
):
    path = TRIED[0]
    laboratory = Laboratory(browser, address, path)
    laboratory.write("# mine")
    laboratory.page.keyboard.press("Control+S")
    laboratory.page.get_by_text("Saving completed").wait_for()
    publish(path.relative_to(ROOT), site, instead, title="A fresh title")
    laboratory.forget_what_was_fetched()
    laboratory.page.close()

    laboratory.open()
    page = laboratory.page
    page.get_by_text("# mine").wait_for()
    page.locator(".jp-DirListing").get_by_text(path.name).click()
    page.keyboard.press("F2")
    page.keyboard.type("mine")
    page.keyboard.press("Enter")
    page.get_by_role("tab", name="mine.ipynb").wait_for()
    page.locator(".jp-DirListing").get_by_text(path.name).dblclick()
    page.get_by_role("heading", name="A fresh title").wait_for()
    laboratory.context.close()


def publish(path, site, instead, title):
    """Serve a notebook with another title."""
    notebook = nbformat.read(site / "lab" / "files" / path, as_version=4)
    notebook.cells[0].source = f"# {title}"
    fresh = instead / "lab" / "files" / path
    fresh.parent.mkdir(parents=True)
    nbformat.write(notebook, fresh)
