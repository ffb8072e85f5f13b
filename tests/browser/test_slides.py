"""Each notebook is presented slide by slide, and what a class could not see or read is reported.

All cells have run, as before a class, and in every prediction the longest answer is open.
"""

import nbformat
import pytest
from playwright.sync_api import TimeoutError as TooSlow

from tools.browser import FINISHED, run_all_cells
from tools.run_notebooks import find_notebooks

LECTURE = [path for path in find_notebooks() if path.parent.name == "notebooks"]
SMALLEST_TEXT = 16  # pixels, on a screen of 1280 x 720
SMALLEST_FIGURE = 0.6  # of the size at which the notebook shows it

LOOK = """([smallestText, smallestFigure]) => {
    const name = (element) => [element.localName, ...element.classList].join(".");
    const cells = [...document.querySelectorAll(".jp-Deck .jp-Notebook-cell")];
    const onScreen = cells.filter((cell) => cell.matches(".jp-deck-mod-onscreen"));
    const all = (selector) => onScreen.flatMap((cell) => [...cell.querySelectorAll(selector)]);
    const bottomOf = (element) => element.getBoundingClientRect().bottom;
    const faults = [];
    const over = Math.round(Math.max(...onScreen.map(bottomOf)) - innerHeight);
    if (over > 0) faults.push(`${over} px too high`);
    for (const element of all(".cm-scroller, pre, table, mjx-container, img")) {
        const over = Math.round(Math.max(
            element.scrollWidth - element.clientWidth,
            element.getBoundingClientRect().right - innerWidth,
        ));
        if (element.clientWidth && over > 1) faults.push(`${name(element)} ${over} px too wide`);
        const cut = Math.round(bottomOf(element) - bottomOf(element.closest(".jp-Cell")));
        if (cut > 1) faults.push(`${name(element)} cut by ${cut} px`);
    }
    for (const element of all(".cm-line, pre, p, li, td, .stage-readout div")) {
        const size = parseFloat(getComputedStyle(element).fontSize);
        if (size < smallestText) faults.push(`${name(element)} in ${size} px`);
    }
    for (const image of all(".jp-RenderedImage img")) {
        const box = image.getBoundingClientRect();
        const scale = Math.min(
            box.width / image.getAttribute("width"), box.height / image.getAttribute("height")
        );
        if (scale < smallestFigure) faults.push(`figure at ${Math.round(100 * scale)} %`);
    }
    return { slide: cells.indexOf(onScreen[0]), faults: [...new Set(faults)] };
}"""

IS_AT = """(index) => document.querySelectorAll(".jp-Deck .jp-Notebook-cell")[index]
    ?.matches(".jp-deck-mod-visible.jp-mod-active")"""


@pytest.fixture(params=LECTURE, ids=lambda path: path.stem)
def path(request):
    return request.param


OPEN_LONGEST = """() => {
    for (const asked of document.querySelectorAll(".prediction")) {
        const answers = [...asked.querySelectorAll("details")];
        answers.sort((one, other) => other.textContent.length - one.textContent.length);
        answers[0].open = true;
    }
}"""


@pytest.fixture
def deck(page, lab, path):
    """Yield the page that presents the notebook, at its first cell."""
    cells = nbformat.read(path, as_version=4).cells
    page.goto(f"{lab.url}/lab/workspaces/{path.stem}/tree/notebooks/{path.name}")
    run_all_cells(page)
    page.wait_for_function(FINISHED, arg=sum(cell.cell_type == "code" for cell in cells))
    page.evaluate(OPEN_LONGEST)
    page.locator(".jp-WindowedPanel-outer").evaluate("(panel) => panel.scrollTo(0, 0)")
    page.locator(".jp-Notebook-cell").first.click()
    page.locator("[data-jp-item-name=deck]").click()
    page.wait_for_function(IS_AT, arg=0)
    yield page
    page.locator(".jp-deck-mod-stop").click()  # or JupyterLab would present the next notebook
    page.locator(".jp-Deck-Remote").wait_for(state="detached")


def test_every_slide_can_be_seen_and_read(deck, path):
    """The space bar leads to every cell; each slide fits the screen, and nothing is too small."""
    cells = nbformat.read(path, as_version=4).cells
    faults = {}
    for index, cell in enumerate(cells):
        if cell.metadata.slideshow.slide_type not in {"notes", "skip"}:
            try:
                deck.wait_for_function(IS_AT, arg=index, timeout=5000)
            except TooSlow:
                pytest.fail(f"cell {index + 1} is passed over: a subslide after a subslide?")
            seen = deck.evaluate(LOOK, [SMALLEST_TEXT, SMALLEST_FIGURE])
            faults[seen["slide"]] = seen["faults"]
            deck.keyboard.press("Space")
    table = [
        f"slide of {cells[slide].id} ({cells[slide].source.splitlines()[0]:.40}): {fault}"
        for slide, found in faults.items()
        for fault in found
    ]
    assert not table, "\n".join(["", *table])
