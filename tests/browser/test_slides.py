"""A notebook is presented slide by slide, and what a class could not see or read is reported.

One notebook is walked through; with SLIDES=all in the environment (`make slides`) every one is.
"""

import os

import nbformat
import pytest

from tools.run_notebooks import find_lessons

LECTURE = find_lessons()
WALKED = LECTURE if os.environ.get("SLIDES") == "all" else LECTURE[3:4]

# What is wrong with the slide in view. Text is measured in heights of the screen.
LOOK = """() => {
    const shown = [...document.querySelectorAll(".presenter-shown")];
    const all = (selector) => shown.flatMap((cell) => [...cell.querySelectorAll(selector)]);
    const visible = (element) => element.getClientRects().length > 0;
    const name = (element) => [element.localName, ...element.classList].slice(0, 3).join(".");
    const floor = document.querySelector("#presenter-bar").getBoundingClientRect().top;
    const bottom = Math.max(...shown.map((cell) => cell.getBoundingClientRect().bottom));
    const faults = [];
    if (bottom > floor + 1) faults.push(`${Math.round(bottom - floor)} px too high`);
    if (bottom < innerHeight / 5 && !all("h1, h2, h3").length)
        faults.push(`only ${Math.round((100 * bottom) / innerHeight)} % full`);
    for (const element of all("pre, table, mjx-container, img, .stage-row, .stage-readout")) {
        const { right } = element.getBoundingClientRect();
        const over = Math.max(right - innerWidth, element.scrollWidth - element.clientWidth);
        if (visible(element) && element.clientWidth && over > 2)
            faults.push(`${name(element)} ${Math.round(over)} px too wide`);
    }
    const texts = ".cm-line, pre, p, li, td, th, summary, button, .stage span, .stage-dial > input";
    for (const element of all(texts).filter(visible)) {
        const size = parseFloat(getComputedStyle(element).fontSize) * element.currentCSSZoom;
        if (size < 0.03 * innerHeight) faults.push(`${name(element)} in ${size.toFixed(1)} px`);
    }
    for (const element of all(".jp-RenderedImage img, .stage-panel").filter(visible)) {
        const { height } = element.getBoundingClientRect();
        if (height < 0.2 * innerHeight) faults.push(`${name(element)} only ${height} px high`);
    }
    const cells = [...document.querySelectorAll(".presenter-now .jp-Notebook-cell")];
    return { cells: shown.map((cell) => cells.indexOf(cell)), faults: [...new Set(faults)] };
}"""


@pytest.mark.parametrize("path", WALKED, ids=lambda path: path.stem)
def test_every_slide_can_be_seen_and_read(present, path):
    """The space bar leads to every cell; each slide fits the screen, and nothing is too small."""
    cells = nbformat.read(path, as_version=4).cells
    presented = present(path)
    faults, seen = [], set()
    while True:
        look = presented.page.evaluate(LOOK)
        first = cells[look["cells"][0]]
        words = f"slide {presented.place()} ({first.id}, {first.source.splitlines()[0]:.40})"
        faults += [f"{words}: {fault}" for fault in look["faults"]]
        seen |= set(look["cells"])
        if not presented.goes_on():
            break
    kept = [i for i, cell in enumerate(cells) if slide_type(cell) not in {"notes", "skip"}]
    assert sorted(seen) == kept
    assert not faults, "\n".join(["", *faults])


def slide_type(cell):
    return cell.metadata.slideshow.slide_type
