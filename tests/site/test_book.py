"""The book: every page opens without a network, and what it shows answers without a kernel."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.site.conftest import Look
from tools.run_notebooks import ROOT, find_notebooks

PAGES = [
    "index.html",
    *(str(path.relative_to(ROOT).with_suffix(".html")) for path in find_notebooks()),
]
LECTURE = [page for page in PAGES if page.count("/") == 1]
PIXELS = "(stage) => [...stage.querySelectorAll('canvas')].map((c) => c.toDataURL()).join()"
HIDDEN = """() => [...document.querySelectorAll("article :is(.cell_output, p, img)")]
    .filter((part) => part.checkVisibility() && getComputedStyle(part).visibility === "hidden")
    .map((part) => part.textContent.slice(0, 60) || part.outerHTML.slice(0, 60))"""
# What a page scrolls sideways, and paper cuts off.
WIDE = """() => [...document.querySelectorAll("article :is(pre, div.math, .cell_output)")]
    .filter((part) => part.checkVisibility() && part.scrollWidth > part.clientWidth + 1)
    .map((part) => part.textContent.slice(0, 60))"""
WIDTH = "document.documentElement.scrollWidth"
# Takes the marks off what code repeats: words of one kind have one color on one ground, and axe
# takes twice as long with all of them.
UNMARK_REPEATED = """() => {
    const kinds = new Set();
    for (const word of document.querySelectorAll("article .highlight span[class]")) {
        const kind = `${word.closest("div[class^=highlight-]").className} ${word.className}`;
        if (kinds.has(kind)) word.replaceWith(...word.childNodes);
        kinds.add(kind);
    }
}"""
# What the book answers for: its text and its explorers, without the theme's bars.
OURS = {"include": [["article"]]}


@pytest.fixture(scope="module")
def looked(context, address, request):
    """Yield a look at a page on which all explorers stand."""
    look = Look(context, f"{address}/{request.param}")
    wait_for_explorers(look.page)
    yield look
    look.page.close()


def wait_for_explorers(page):
    page.wait_for_load_state("load")
    for cell in page.locator("script[type='application/vnd.jupyter.widget-view+json']").all():
        cell.locator("xpath=..").locator(".stage canvas").first.wait_for(state="attached")


every_page = pytest.mark.parametrize("looked", PAGES, indirect=True)
every_notebook = pytest.mark.parametrize("looked", LECTURE, indirect=True)


@every_page
def test_page_opens_without_errors_and_asks_nothing_of_the_network(looked):
    assert looked.page.locator("article h1").count() == 1
    assert (looked.errors, looked.outside) == ([], [])


@every_page
def test_axe_finds_nothing(looked):
    looked.page.evaluate(UNMARK_REPEATED)
    only = {"resultTypes": ["violations"]}
    found = Axe().run(looked.page, context=OURS, options=only).response["violations"]
    table = [f"{fault['id']}: {fault['nodes'][0]['html']}" for fault in found]
    assert not table, "\n".join(["", *table])


@every_page
def test_page_fits_a_phone(looked):
    looked.page.set_viewport_size({"width": 390, "height": 844})
    width = looked.page.evaluate(WIDTH)
    looked.page.set_viewport_size({"width": 1280, "height": 800})
    assert width == 390


@every_notebook
def test_in_print_nothing_waits_and_nothing_is_cut_off(looked):
    looked.page.set_viewport_size({"width": 720, "height": 960})
    looked.page.emulate_media(media="print")
    wide, hidden = looked.page.evaluate(WIDE), looked.page.evaluate(HIDDEN)
    options = looked.page.locator(".prediction summary", has_text="(b)").filter(visible=True)
    shown = options.count()
    looked.page.emulate_media(media="screen")
    looked.page.set_viewport_size({"width": 1280, "height": 800})
    assert (wide, hidden) == ([], [])
    assert shown == looked.page.locator(".prediction").count()


@every_notebook
def test_predictions_answer_and_then_nothing_is_hidden(looked):
    questions = looked.page.locator(".prediction")
    assert questions.count()
    assert looked.page.evaluate(HIDDEN), "nothing waits for a prediction"
    for question in questions.all():
        answer = question.locator("details").first
        assert not answer.locator("p").is_visible()
        answer.locator("summary").click()
        assert answer.locator("p").is_visible()
    assert looked.page.evaluate(HIDDEN) == []


@every_notebook
def test_explorers_play(looked):
    for answer in looked.page.locator(".prediction details:first-of-type").all():
        answer.evaluate("(answer) => answer.open = true")
    for stage in looked.page.locator(".stage").all():
        buttons = [stage.get_by_role("button", name=name) for name in ("Play", "Back")]
        pressed = [button for button in buttons if button.is_enabled()]
        if pressed:  # a game that has not begun has nothing to play
            before = stage.evaluate(PIXELS)
            pressed[0].click()
            looked.page.wait_for_function(
                f"([stage, before]) => ({PIXELS})(stage) !== before",
                arg=[stage.element_handle(), before],
            )


@every_notebook
def test_the_dials_of_explorers_that_are_not_off_answer(looked):
    for answer in looked.page.locator(".prediction details:first-of-type").all():
        answer.evaluate("(answer) => answer.open = true")
    for stage in looked.page.locator(".stage").all():
        assert "This page has no kernel" in stage.get_by_role("status").inner_text()
        stage.get_by_role("slider", name="step", exact=True).press("End")
        for dial in stage.locator(".stage-dial input[type=range]:enabled").all():
            before, text = stage.evaluate(PIXELS), dial.get_attribute("aria-valuetext")
            for _ in range(3):
                dial.press("ArrowLeft" if dial.input_value() != "0" else "End")
            assert dial.get_attribute("aria-valuetext") != text
            assert stage.evaluate(PIXELS) != before
        others = stage.locator(".stage-dial :is(select, input:not([type=range])):enabled")
        assert others.count() == 0


@every_notebook
def test_button_leads_to_the_notebook_in_the_laboratory(looked, site):
    href = looked.page.locator(".btn-laboratory").get_attribute("href")
    start, _, notebook = href.partition("?path=")
    assert (site / "notebooks" / start).resolve() == site / "lab" / "lab" / "index.html"
    assert (site / "lab" / "files" / notebook).is_file()


@pytest.mark.parametrize("path", LECTURE)
def test_page_opens_as_a_file(context, site, path):
    look = Look(context, f"file://{site}/{path}")
    wait_for_explorers(look.page)
    look.page.close()
    assert (look.errors, look.outside) == ([], [])


@pytest.mark.parametrize(
    ("menu", "link", "end"),
    [
        ("Toggle primary sidebar", "3 · Momentum: a walker with mass", "03_momentum.html"),
        ("Toggle secondary sidebar", "The zigzag", "02_sgd.html#the-zigzag"),
    ],
)
def test_contents_on_a_phone_open_close_and_lead_on(context, address, menu, link, end):
    page = Look(context, f"{address}/notebooks/02_sgd.html").page
    page.set_viewport_size({"width": 390, "height": 844})
    button, opened = page.get_by_role("button", name=menu), page.locator("dialog[open]")
    button.click()
    opened.wait_for()
    page.keyboard.press("Escape")
    opened.wait_for(state="hidden")
    assert button.evaluate("(button) => button === document.activeElement")
    button.press("Enter")
    opened.get_by_role("link", name=link, exact=True).press("Enter")
    page.wait_for_url(f"**/notebooks/{end}")
    opened.wait_for(state="hidden")
    page.close()


def test_a_dark_page_is_printed_in_the_light_theme(context, address):
    page = Look(context, f"{address}/notebooks/02_sgd.html").page
    theme = "document.documentElement.dataset.theme"
    page.evaluate(f"{theme} = 'dark'")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    printed = page.evaluate(theme)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    after = page.evaluate(theme)
    page.close()
    assert (printed, after) == ("light", "dark")


def test_search_finds_a_section_and_tells_no_answer(context, address):
    page = Look(context, f"{address}/search.html?q=zigzag").page
    found = page.locator("#search-results li:has(a[href$='02_sgd.html#the-zigzag']) .context")
    found.wait_for()
    text = found.inner_text()
    page.close()
    assert "Predict." in text
    assert "Right." not in text
