"""A reader predicts: by mouse and by keys, with and without a kernel, after a restart."""

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

from helpers.predictions import plain, questions
from tools.browser import FINISHED, run_all_cells
from tools.run_notebooks import METADATA, find_lessons

FIRST, SECOND = list(questions())[:2]
LECTURE = find_lessons()
CELLS = [
    new_markdown_cell("# Two questions"),
    new_code_cell("from helpers.predictions import predict"),
    new_code_cell(f'predict("{FIRST}")'),
    new_code_cell('print("the answer")'),
    new_code_cell('print("a figure")'),
    new_markdown_cell("*Figure 1.1. What to see.*"),
    new_code_cell('print("another figure")'),
    new_markdown_cell("## The next section"),
    new_code_cell(f'predict("{SECOND}")'),
    new_code_cell('print("the second answer")'),
    new_markdown_cell("## The last section"),
]
WAITING = ["the answer", "a figure", "Figure 1.1. What to see."]
STANDING = ["another figure", "The next section", "The last section"]
# Keys that insert, cut, paste, retype or leave a cell where JupyterLab gets them.
KEYS = [*"abxvzmydd", "Shift+a", "ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "0", "0"]


class Reader:
    """A page of JupyterLab with a notebook of two questions."""

    def __init__(self, page, lab):
        self.page, self.lab, self.path = page, lab, lab.folder / "two_questions.ipynb"
        page.set_default_timeout(30_000)
        nbformat.write(new_notebook(cells=CELLS, metadata=METADATA), self.path)

    def open(self):
        self.page.goto("about:blank")
        self.page.goto(f"{self.lab.url}/doc/tree/notebooks/{self.path.name}")
        self.page.get_by_text("| Idle").wait_for()
        return self

    def run(self):
        run_all_cells(self.page)
        code = [cell for cell in CELLS if cell.cell_type == "code"]
        self.page.wait_for_function(FINISHED, arg=len(code))
        return self

    def save(self):
        self.page.locator(".jp-MarkdownCell").first.click()
        name = self.path.name  # JupyterLab also puts its settings and workspaces
        with self.page.expect_response(lambda r: r.request.method == "PUT" and name in r.url):
            self.page.keyboard.press("Control+s")

    def shut_down(self):
        self.page.goto("about:blank")
        sessions = f"{self.lab.url}/api/sessions"
        cookies = {cookie["name"]: cookie["value"] for cookie in self.page.context.cookies()}
        for session in self.page.request.get(sessions).json():
            answer = self.page.request.delete(
                f"{sessions}/{session['id']}", headers={"X-XSRFToken": cookies["_xsrf"]}
            )
            assert answer.ok

    def restart(self):
        self.page.get_by_role("menuitem", name="Kernel", exact=True).click()
        self.page.get_by_text("Restart Kernel…", exact=True).click()
        self.page.get_by_role("button", name="Confirm Kernel Restart").click()
        self.page.get_by_text("| Idle").wait_for()

    def question(self, name=FIRST):
        return self.page.locator(".jp-CodeCell", has_text=f'predict("{name}")')

    def button(self, words, name=FIRST):
        return self.question(name).locator("summary", has_text=words)

    def reason(self, letter, name=FIRST):
        return self.question(name).get_by_text(plain(questions()[name][letter]["reason"]))

    def output(self, words):
        return self.page.locator(".jp-OutputArea-child, .jp-RenderedMarkdown").filter(
            has_text=words, has_not=self.page.locator(".prediction")
        )

    def sees(self, waiting):
        """Tell what waits for an answer, or stands, to be in view or not."""
        for words in WAITING:
            expect(self.output(words).first).to_be_visible(visible=not waiting)
        for words in STANDING:
            expect(self.output(words).first).to_be_visible()


@pytest.fixture
def reader(page, lab):
    return Reader(page, lab)


def test_the_answer_waits_for_a_prediction_on_the_screen_and_not_on_paper(reader):
    reader.open().run().sees(waiting=True)
    expect(reader.reason("b")).to_be_hidden()
    reader.page.emulate_media(media="print")
    reader.sees(waiting=False)
    reader.page.emulate_media(media="screen")
    reader.sees(waiting=True)
    reader.button("(b)").click()
    expect(reader.reason("b")).to_be_visible()
    reader.sees(waiting=False)
    expect(reader.output("the second answer")).to_be_hidden()


def test_keys_choose_an_answer_and_do_nothing_to_the_notebook(reader):
    page = reader.open().run().page
    cells = page.locator(".jp-Notebook-cell")
    before = cells.count()
    reader.button("(a)").press("Enter")
    for key in KEYS:
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert cells.count() == before
    expect(reader.button("(a)")).to_be_focused()
    expect(reader.reason("a")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(reader.reason("b")).to_be_visible()
    expect(reader.reason("a")).to_be_hidden()  # the first answer has closed
    reader.button("just show").press("Enter")
    expect(reader.reason("b")).to_be_hidden()
    reader.sees(waiting=False)


def test_a_saved_notebook_asks_anew_without_its_kernel(reader):
    reader.open().run()
    reader.button("(a)").click()
    reader.save()
    reader.shut_down()
    reader.open().sees(waiting=True)
    reader.button("(b)").click()
    expect(reader.reason("b")).to_be_visible()
    reader.sees(waiting=False)
    reader.restart()
    expect(reader.reason("b")).to_be_visible()
    reader.button("(a)").click()
    expect(reader.reason("a")).to_be_visible()
    reader.sees(waiting=False)


def test_where_outputs_are_not_trusted_nothing_is_hidden_and_answers_open(reader):
    reader.open().run().save()
    reader.shut_down()
    notebook = nbformat.read(reader.path, as_version=4)
    notebook.cells[0].source += ", changed by someone else"
    nbformat.write(notebook, reader.path)
    reader.open().sees(waiting=False)
    assert reader.page.locator(".prediction style").count() == 0
    for letter, key in ("a", "Enter"), ("b", "Space"):
        expect(reader.reason(letter)).to_be_hidden()
        reader.button(f"({letter})").press(key)
        expect(reader.reason(letter)).to_be_visible()


def test_a_checker_of_accessibility_finds_nothing(reader):
    page, right = reader.open().run().page, questions()[FIRST]["right"]
    wrong = "a" if right != "a" else "b"
    # JupyterLab's body has no height: axe would take all in it for cut off, and look at no color.
    page.add_style_tag(content="body { overflow: visible !important; }")
    for theme in "JupyterLab Light", "JupyterLab Dark":
        for menu in "Settings", "Theme", theme:
            page.locator(".lm-MenuBar-item, .lm-Menu-item").get_by_text(menu, exact=True).click()
        page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=theme)
        for letter in right, wrong:
            reader.button(f"({letter})").click()
            expect(reader.reason(letter)).to_be_visible()
            found = Axe().run(page, context=".prediction").response
            assert found["violations"] == []
            assert {"color-contrast", "summary-name"} <= {rule["id"] for rule in found["passes"]}


def test_every_answer_of_a_notebook_waits(page, lab):
    page.set_default_timeout(60_000)
    page.goto(f"{lab.url}/doc/tree/notebooks/{LECTURE[3].name}")
    run_all_cells(page)
    cells = nbformat.read(LECTURE[3], as_version=4).cells
    page.wait_for_function(FINISHED, arg=sum(cell.cell_type == "code" for cell in cells))
    asking = page.locator(".jp-CodeCell:has(.prediction)")
    assert asking.count() == sum(cell.source.startswith("predict(") for cell in cells) > 0
    for question in asking.all():
        outputs = question.locator("+ .jp-CodeCell .jp-OutputArea-child")
        assert [output.is_visible() for output in outputs.all()] == [False] * outputs.count()
        question.locator("summary").last.click()
        assert [output.is_visible() for output in outputs.all()] == [True] * outputs.count()
