"""A teacher presents: real keys and buttons, the speaker window, sizes, a restart."""

import itertools
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect

from helpers import explorers
from helpers.landscapes import ravine
from helpers.optimizers import SGD
from helpers.predictions import questions
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
    ("slide", new_markdown_cell("## Going deeper\n\nFor those who want more.")),
]
TITLE, THOUGHTS, QUESTION, ANSWER, EXPLORER, SECOND, CODE, DEEPER = range(1, 9)
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


@pytest.fixture
def lesson(present, presenting):
    cells = [cell for _, cell in LESSON]
    for kind, cell in LESSON:
        cell.metadata["slideshow"] = {"slide_type": kind}
    path = presenting.folder / "lesson.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), path)
    return present(path)


def test_keys_turn_the_slides_after_every_press(lesson):
    turns = itertools.cycle(zip(FORWARD, BACK, strict=True))
    for slide, presses in ((QUESTION, ANSWERS), (EXPLORER, SIGNS.values())):
        lesson.go_to(slide)
        for press in presses:
            for _ in range(2):
                lesson.press_on(press)
                forward, back = next(turns)
                lesson.key(forward, leads_to=slide + 1)
                lesson.key(back, leads_to=slide)
        assert slide == EXPLORER or lesson.page.locator(".prediction [open]").count() == 1
    for button in "On", "Back":
        lesson.page.locator(f"#presenter-bar [aria-label={button}]").click()
    lesson.key("Space", leads_to=SECOND)


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


def test_back_shows_the_previous_slide_whole_and_on_asks_for_no_answer(lesson):
    page = lesson.page
    second = page.locator(".presenter-shown", has_text="A second thought.")
    lesson.key("Space", leads_to=THOUGHTS)
    expect(second).to_have_css("opacity", "0")
    lesson.key("Space", leads_to=THOUGHTS)
    expect(second).to_have_css("opacity", "1")
    lesson.key("Space", leads_to=QUESTION)
    expect(page.locator(".prediction [open]")).to_have_count(0)
    lesson.key("PageUp", leads_to=THOUGHTS)
    expect(second).to_have_css("opacity", "1")
    lesson.key("PageDown", leads_to=QUESTION)
    lesson.key("PageDown", leads_to=ANSWER)
    expect(page.locator(".presenter-shown .jp-OutputArea-output")).to_be_visible()
    expect(page.locator(".prediction [open]")).to_have_text("just show\nThe next cell shows it.")


def test_code_is_changed_and_run_and_the_slide_stays(lesson):
    page = lesson.page
    lesson.go_to(CODE)
    output = page.locator(".presenter-shown .jp-OutputArea-output")
    expect(output).to_have_text("42")
    page.locator(".presenter-shown .cm-line").last.click()
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type(" + 1 ")
    assert lesson.place() == CODE
    page.keyboard.press("Shift+Enter")
    expect(output).to_have_text("43")
    assert lesson.place() == CODE
    page.keyboard.press("d")
    page.keyboard.press("x")
    lesson.key("ArrowDown", leads_to=DEEPER)
    lesson.key("ArrowUp", leads_to=CODE)
    page.locator(".presenter-shown .cm-line").last.click()
    lesson.key("PageDown", leads_to=DEEPER)  # a clicker, out of the code


def test_contents_lead_to_a_section(lesson):
    page = lesson.page
    page.keyboard.press("c")
    sections = page.locator("#presenter-contents li")
    expect(sections).to_have_text(
        ["A small lesson", "The first section (5)", "The second section (7)", "Going deeper"]
    )
    sections.nth(2).locator("button").click()
    assert lesson.place() == SECOND
    lesson.key("Space", leads_to=CODE)


def test_after_a_restart_one_press_brings_everything_back(lesson):
    page = lesson.page
    lesson.go_to(EXPLORER)
    page.get_by_role("button", name="Run all anew").click()
    page.get_by_text("running …").wait_for()
    lesson.wait_until_run()
    assert lesson.place() == EXPLORER
    status = page.locator(".presenter-shown .stage-status")
    before = status.inner_text()
    page.locator(".presenter-shown .stage-buttons button").nth(1).click()
    expect(status).not_to_have_text(before)
    lesson.key("Space", leads_to=SECOND)


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)], ids=str)
def test_everything_grows_with_the_screen_and_the_hand_stays_exact(lesson, size):
    page, (width, height) = lesson.page, size
    page.set_viewport_size({"width": width, "height": height})
    lesson.go_to(EXPLORER)
    texts = page.locator(".presenter-shown :is(button, span, td, p, input)")
    sizes = texts.evaluate_all(
        "(all) => all.filter((one) => one.getClientRects().length && one.textContent)"
        ".map((one) => parseFloat(getComputedStyle(one).fontSize) * one.currentCSSZoom)"
    )
    assert min(sizes) >= 0.03 * height
    box = page.locator(".presenter-shown .stage-grabs").bounding_box()
    assert box["height"] > 0.25 * height
    panel = explorers.Descent(SGD, ravine).shown.panels[0]
    (left, _, inside, _), ((low, high), _) = panel.box, panel.window
    for share in 0.4, 0.6:
        page.mouse.click(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
        expected = low + (share * panel.size[0] - left) / inside * (high - low)
        start = page.get_by_label("start x, in digits")
        expect(start).to_have_value(re.compile("^" + f"{expected:.4f}"[:3].replace("-", "−")))


def test_speaker_window_tells_and_drives(lesson):
    page = lesson.page
    lesson.go_to(THOUGHTS)
    page.keyboard.press("Space")
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    expect(speaker.locator("#title")).to_have_text("The first section")
    expect(speaker.locator("#notes")).to_contain_text("Ask first.")
    expect(speaker.locator("#notes mjx-container")).to_be_visible()
    expect(speaker.locator("#section")).to_have_text(re.compile(r"0:0[1-9] of 5 min"))
    expect(speaker.locator("#lesson")).to_contain_text("of 12 min")
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
    speaker.close()
    lesson.key("Space", leads_to=CODE)
