"""A teacher presents: real keys and buttons, the speaker window, sizes, a restart."""

import io
import itertools
import json
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from PIL import Image
from playwright.sync_api import expect

from helpers import explorers
from helpers.landscapes import ravine
from helpers.optimizers import SGD
from helpers.predictions import questions
from tests.browser.conftest import Presented, address
from tools.run_notebooks import METADATA

FIRST = next(iter(questions()))
NOTES = """<details>
<summary>Speaker notes: {}</summary>

**{} minutes.** Ask first. The slope is $\\lambda x$.

</details>"""
LESSON = [
    ("slide", new_markdown_cell("# A small lesson")),
    (
        "skip",
        new_code_cell("from helpers import explorers\nfrom helpers.predictions import predict"),
    ),
    (
        "skip",
        new_code_cell("from helpers.landscapes import ravine\nfrom helpers.optimizers import SGD"),
    ),
    ("notes", new_markdown_cell(NOTES.format("The first section", 5))),
    ("slide", new_markdown_cell("## The first section\n\nA thought.")),
    ("fragment", new_markdown_cell("A second thought.")),
    ("subslide", new_code_cell(f'predict("{FIRST}")')),
    ("subslide", new_code_cell('print("the answer")')),
    ("subslide", new_code_cell("explorers.Descent(SGD, ravine)")),
    ("notes", new_markdown_cell(NOTES.format("The second section", 7))),
    ("slide", new_markdown_cell("## The second section\n\nThe height is $x^2$.")),
    ("subslide", new_code_cell("number = 40 + 2\nprint(number)")),
    ("slide", new_markdown_cell("### A part of it\n\nWithout notes of its own.")),
    ("slide", new_markdown_cell("## Going deeper\n\nFor those who want more.")),
]
TITLE, THOUGHTS, QUESTION, ANSWER, EXPLORER, SECOND, CODE, PART, DEEPER = range(1, 10)
FORWARD = ["Space", "PageDown", "ArrowRight", "ArrowDown"]
BACK = ["PageUp", "ArrowLeft", "ArrowUp", "Shift+Space"]
ANSWERS = [f"summary >> nth={i}" for i in range(3)]
SIGNS = {
    "Play": ".stage-transport button >> nth=1",
    "the steps": ".stage-transport input",
    "a preset": ".stage-buttons button >> nth=0",
    "the map": ".stage-grabs",
    "a slider": ".stage-track input >> nth=0",
    "a number": ".stage-dial > input >> nth=0",
}
SCREENS = [(1280, 720), (1920, 1080)]
# Whether the start that an explorer names is a place, up to an error in x and in y.
STANDS_AT = """([place, error]) => ["x", "y"].every((name, i) => {
    const box = document.querySelector(`.presenter-shown [aria-label="start ${name}, in digits"]`);
    return Math.abs(Number(box.value.replace("−", "-")) - place[i]) <= error[i];
})"""

FONT_SIZE = "(element) => parseFloat(getComputedStyle(element).fontSize) * element.currentCSSZoom"


@pytest.fixture
def fresh_lesson(present, presenting):
    """Return the lesson, newly opened: no question is answered, no cell changed, no key pressed."""
    return present(written(presenting.lesson))


@pytest.fixture(scope="module")
def opened_once(context, presenting):
    page = context.new_page()
    yield Presented(page, address(presenting, written(presenting.folder / "once.ipynb")))
    page.close()


@pytest.fixture
def lesson(opened_once):
    """Return the lesson at its title, opened once for all tests that leave it as it is."""
    opened_once.page.bring_to_front()
    opened_once.resize(*SCREENS[0])
    opened_once.go_to(TITLE)
    return opened_once


def written(path):
    """Write the lesson to a path, and return it."""
    for kind, cell in LESSON:
        cell.metadata["slideshow"] = {"slide_type": kind}
    nbformat.write(new_notebook(cells=[cell for _, cell in LESSON], metadata=METADATA), path)
    return path


def test_a_fresh_start_shows_the_title_and_asks_anew(fresh_lesson, context, presenting):
    fresh_lesson.go_to(QUESTION)
    fresh_lesson.press_on(ANSWERS[0])
    opened = ".prediction [open]"
    expect(fresh_lesson.page.locator(opened)).to_have_count(1)
    fresh_lesson.key("Space", leads_to=ANSWER)
    page = fresh_lesson.page
    with page.expect_response(lambda r: r.request.method == "PUT" and "lesson" in r.url):
        page.keyboard.press("Control+s")
    fresh = Presented(context.new_page(), presenting.url)
    assert fresh.place() == TITLE
    expect(fresh.page.locator(".presenter-shown")).to_contain_text("A small lesson")
    fresh.go_to(QUESTION)
    expect(fresh.page.locator(".presenter-shown summary")).to_have_count(4)
    expect(fresh.page.locator(opened)).to_have_count(0)
    fresh.page.close()


def test_keys_turn_the_slides_after_every_press(fresh_lesson):
    turns = itertools.cycle(zip(FORWARD, BACK, strict=True))
    for slide, presses in ((QUESTION, ANSWERS), (EXPLORER, SIGNS.values())):
        fresh_lesson.go_to(slide)
        for press in presses:
            for _ in range(2):
                fresh_lesson.press_on(press)
                forward, back = next(turns)
                fresh_lesson.key(forward, leads_to=slide + 1)
                fresh_lesson.key(back, leads_to=slide)
        assert slide == EXPLORER or fresh_lesson.page.locator(".prediction [open]").count() == 1
    for button in "On", "Back":
        fresh_lesson.page.locator(f"#presenter-bar [aria-label={button}]").click()
    fresh_lesson.key("Space", leads_to=SECOND)


def test_who_comes_by_tab_moves_a_slider_with_the_arrows(lesson):
    lesson.go_to(EXPLORER)
    slider = lesson.page.locator(".presenter-shown .stage-track input").first
    for _ in range(20):
        lesson.page.keyboard.press("Tab")
        if slider.evaluate("(handle) => handle === document.activeElement"):
            break
    before = slider.input_value()
    lesson.key("ArrowRight", leads_to=EXPLORER)
    expect(slider).not_to_have_value(before)
    lesson.key("PageDown", leads_to=SECOND)


def test_back_shows_the_previous_slide_whole_and_on_asks_for_no_answer(fresh_lesson):
    page = fresh_lesson.page
    second = page.locator(".presenter-shown", has_text="A second thought.")
    fresh_lesson.key("Space", leads_to=THOUGHTS)
    expect(second).to_have_css("opacity", "0")
    fresh_lesson.key("Space", leads_to=THOUGHTS)
    expect(second).to_have_css("opacity", "1")
    fresh_lesson.key("Space", leads_to=QUESTION)
    expect(page.locator(".prediction [open]")).to_have_count(0)
    fresh_lesson.key("PageUp", leads_to=THOUGHTS)
    expect(second).to_have_css("opacity", "1")
    fresh_lesson.key("PageDown", leads_to=QUESTION)
    fresh_lesson.key("PageDown", leads_to=ANSWER)
    expect(page.locator(".presenter-shown .jp-OutputArea-output")).to_be_visible()
    expect(page.locator(".prediction [open]")).to_have_text("just show\nThe next cell shows it.")


def test_code_is_changed_and_run_and_the_slide_stays(fresh_lesson):
    page = fresh_lesson.page
    fresh_lesson.go_to(CODE)
    output = page.locator(".presenter-shown .jp-OutputArea-output")
    expect(output).to_have_text("42")
    page.locator(".presenter-shown .cm-line").last.click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type(" + 1 ")
    assert fresh_lesson.place() == CODE
    page.keyboard.press("Shift+Enter")
    expect(output).to_have_text("43")
    assert fresh_lesson.place() == CODE
    page.keyboard.press("d")
    page.keyboard.press("x")
    fresh_lesson.key("ArrowDown", leads_to=PART)
    fresh_lesson.key("ArrowUp", leads_to=CODE)
    page.locator(".presenter-shown .cm-line").last.click()
    fresh_lesson.key("PageDown", leads_to=PART)  # a clicker, out of the code


def test_contents_lead_to_a_section(lesson):
    page = lesson.page
    page.keyboard.press("c")
    sections = page.locator("#presenter-contents li")
    first, second = "The first section (5)", "The second section (7)"
    expect(sections).to_have_text(["A small lesson", first, second, "A part of it", "Going deeper"])
    sections.nth(2).locator("button").click()
    assert lesson.place() == SECOND
    lesson.key("Space", leads_to=CODE)
    lesson.bar("Contents").click()
    sections.nth(1).locator("button").click()
    assert lesson.place() == THOUGHTS


def test_clickers_darken_the_screen_and_load_nothing_anew(lesson):
    page = lesson.page
    lesson.key("Space", leads_to=THOUGHTS)
    for key in "b", ".":
        assert is_dark(page) is False
        lesson.key(key, leads_to=THOUGHTS)
        assert is_dark(page) is True
        lesson.key(key, leads_to=THOUGHTS)
    # A headless browser does not load a page anew at F5: is the key kept from it?
    assert page.evaluate(
        "document.activeElement.dispatchEvent(new KeyboardEvent("
        "'keydown', { key: 'F5', bubbles: true, cancelable: true })) === false"
    )


def test_nothing_is_saved_unless_the_teacher_saves_it(lesson, presenting):
    settings = f"{presenting.url}/lab/api/settings/@jupyterlab/docmanager-extension:plugin"
    assert json.loads(lesson.page.request.get(settings).json()["raw"]) == {"autosave": False}


def is_dark(page):
    """Tell whether nothing but black is on the screen."""
    return Image.open(io.BytesIO(page.screenshot())).convert("L").getextrema() == (0, 0)


def test_who_leaves_has_the_notebook_and_comes_back_to_the_slide(lesson):
    lesson.go_to(CODE)
    title = lesson.page.get_by_role("heading", name="A small lesson")
    expect(title).to_be_hidden()
    lesson.bar("Leave").click()
    expect(title).to_be_visible()
    expect(lesson.page.locator(".jp-NotebookPanel-toolbar")).to_be_visible()
    lesson.bar("Present").click()
    expect(title).to_be_hidden()
    lesson.key("Space", leads_to=PART)


@pytest.mark.parametrize("restarted", ["here", "elsewhere"])
def test_after_a_restart_one_press_brings_everything_back(fresh_lesson, presenting, restarted):
    page = fresh_lesson.page
    fresh_lesson.go_to(EXPLORER)
    if restarted == "elsewhere":
        restart_kernel(page, presenting)
    fresh_lesson.bar("Run all anew").click()
    page.get_by_text("running …").wait_for()
    fresh_lesson.wait_until_run()
    assert fresh_lesson.place() == EXPLORER
    status = page.locator(".presenter-shown .stage-status")
    before = status.inner_text()
    page.locator(".presenter-shown .stage-buttons button").nth(1).click()
    expect(status).not_to_have_text(before)
    fresh_lesson.key("Space", leads_to=SECOND)


def restart_kernel(page, presenting):
    """Restart the kernel of the lesson as another client of the server does."""
    sessions = page.request.get(f"{presenting.url}/api/sessions").json()
    (kernel,) = [s["kernel"]["id"] for s in sessions if s["path"] == "notebooks/lesson.ipynb"]
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    answer = page.request.post(
        f"{presenting.url}/api/kernels/{kernel}/restart",
        headers={"X-XSRFToken": cookies["_xsrf"]},
    )
    assert answer.ok


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_text_and_map_grow_with_the_screen(lesson, screen):
    lesson.resize(*screen)
    lesson.go_to(EXPLORER)
    texts = lesson.page.locator(".presenter-shown :is(button, span, td, p, input)")
    sizes = texts.evaluate_all(
        "(all) => all.filter((one) => one.getClientRects().length && one.textContent)"
        ".map((one) => parseFloat(getComputedStyle(one).fontSize) * one.currentCSSZoom)"
    )
    assert min(sizes) >= 0.03 * screen[1]
    box = lesson.page.locator(".presenter-shown .stage-grabs").bounding_box()
    assert box["height"] > 0.25 * screen[1]


@pytest.mark.parametrize("screen", SCREENS, ids=str)
def test_the_start_follows_the_hand_exactly(lesson, screen):
    lesson.resize(*screen)
    lesson.go_to(EXPLORER)
    page, shown = lesson.page, lesson.page.locator(".presenter-shown .stage-grabs")
    panel, box = explorers.Descent(SGD, ravine).shown.panels[0], shown.bounding_box()
    scale = box["width"] / panel.size[0]  # pixels of the screen in one of the panel
    left, top, width, height = axes_with_room(panel, shown.evaluate(FONT_SIZE) / scale)
    (x_low, x_high), (y_low, y_high) = panel.window
    page.mouse.move(box["x"] + scale * (left + width / 2), box["y"] + scale * (top + height / 2))
    page.mouse.down()
    for across, down in (0.2, 0.7), (0.85, 0.15), (0.3, 0.4):
        at = box["x"] + scale * (left + across * width), box["y"] + scale * (top + down * height)
        page.mouse.move(*at, steps=5)
        expected = x_low + across * (x_high - x_low), y_high - down * (y_high - y_low)
        a_pixel = (x_high - x_low) / (scale * width), (y_high - y_low) / (scale * height)
        page.wait_for_function(STANDS_AT, arg=[expected, a_pixel])
    page.mouse.up()
    page.mouse.move(box["x"], box["y"])
    page.wait_for_function(STANDS_AT, arg=[expected, a_pixel])


def axes_with_room(panel, font_size):
    """Return the box of a panel's axes where text is so large, in its pixels: as in draw.js."""
    (wide, high), (_, _, width, height) = panel.size, panel.box
    room = max(1, min(0.9 * font_size, 32) / 17)
    fits = min(1, (wide - 64 * room) / width, (high - 72 * room) / height)
    left = 52 * room + (wide - 64 * room - fits * width) / 2
    top = 30 * room + (high - 72 * room - fits * height) / 2
    return left, top, fits * width, fits * height


def test_speaker_window_tells_and_drives_with_the_one_kernel(lesson, presenting):
    kernels = connections(lesson.page, presenting)
    lesson.go_to(THOUGHTS)
    lesson.page.keyboard.press("Space")
    with lesson.page.expect_popup() as opened:
        lesson.bar("Speaker window").click()
    speaker = opened.value
    expect(speaker.locator("#title")).to_have_text("The first section")
    expect(speaker.locator("#notes")).to_contain_text("Ask first.")
    expect(speaker.locator("#notes mjx-container")).to_be_visible()
    expect(speaker.locator("#next")).to_contain_text("Predict.")
    speaker.keyboard.press("PageDown")
    assert lesson.place() == QUESTION
    lesson.go_to(EXPLORER)
    expect(speaker.locator("#next mjx-container")).to_be_visible()
    speaker.locator("#forward").click()
    assert lesson.place() == SECOND
    expect(speaker.locator("#title")).to_have_text("The second section")
    speaker.keyboard.press("Space")
    assert lesson.place() == CODE
    speaker.locator("#back").click()
    assert lesson.place() == SECOND
    speaker.locator("#contents").click()
    expect(lesson.page.locator("#presenter-contents")).to_be_visible()
    lesson.page.keyboard.press("Escape")
    speaker.locator("#dark").click()
    assert is_dark(lesson.page) is True
    speaker.locator("#dark").click()
    assert is_dark(lesson.page) is False
    assert connections(lesson.page, presenting) == kernels
    speaker.close()
    lesson.key("Space", leads_to=CODE)


def connections(page, presenting):
    """Return how many pages are connected to each kernel."""
    kernels = page.request.get(f"{presenting.url}/api/kernels").json()
    return {kernel["id"]: kernel["connections"] for kernel in kernels}


def test_speaker_window_has_a_clock_and_adds_the_minutes(fresh_lesson):
    with fresh_lesson.page.expect_popup() as opened:
        fresh_lesson.page.keyboard.press("s")
    speaker = opened.value
    spent, here, until = (speaker.locator(name) for name in ("#lesson", "#section", "#until"))
    expect(speaker.locator("#time")).to_have_text(re.compile(r"^\d{1,2}:\d\d"))
    expect(until).to_have_text("0 min")
    speaker.wait_for_timeout(1500)
    expect(spent).to_have_text("0:00 of 12 min")  # the lesson begins with the first key or press
    fresh_lesson.key("Space", leads_to=THOUGHTS)
    expect(spent).to_have_text(re.compile(r"^0:0[2-9] of 12 min"))
    speaker.locator("#clock").click()
    expect(spent).to_have_text(re.compile(r"^0:0[01] of 12 min"))
    expect(here).to_have_text(re.compile(r"^0:0[1-9] of 5 min"))
    expect(until).to_have_text("5 min")
    fresh_lesson.go_to(SECOND)
    expect(here).to_have_text(re.compile(r"^0:0\d of 7 min"))
    expect(until).to_have_text("12 min")
    fresh_lesson.go_to(PART)
    expect(speaker.locator("#notes")).to_contain_text("7 minutes.")
    expect(here).to_have_text(re.compile(r"^0:0\d of 7 min"))
    fresh_lesson.go_to(DEEPER)
    expect(speaker.locator("#notes")).to_have_text("No notes here.")
    expect(here).to_have_text(re.compile(r"^0:0\d of 0 min"))
    expect(until).to_have_text("12 min")
    speaker.close()
