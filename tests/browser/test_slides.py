"""A notebook is presented slide by slide, and what a class could not see or read is reported.

A small lesson with every kind of slide is walked through, and one notebook; with SLIDES=all in the
environment (`make slides`) every notebook is.
"""

import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers import explorers, figures
from helpers.predictions import questions
from tools.run_notebooks import METADATA, find_lessons

LECTURE = find_lessons()
SCREENS = [(1280, 720), (1920, 1080)]
WALKED = LECTURE if os.environ.get("SLIDES") == "all" else LECTURE[3:4]
IMPORTS = """from helpers import explorers, figures
from helpers.descent import descend
from helpers.landscapes import ravine
from helpers.optimizers import SGD, Adam, Momentum
from helpers.predictions import predict"""
FIGURE = """runs = {}
for rule in SGD, Momentum, Adam:
    runs[rule.__name__] = descend(rule(lr=0.1), ravine, start=(-7, 2), steps=30)

# What follows is for the picture only.
losses = {name: run.losses for name, run in runs.items()}
figures.curves(losses, "step", "loss", yscale="log")"""
LONG = """for step in range(16):
    print(f"step {step:2}:", *(f"{0.95**step * k:9.6f}" for k in range(1, 9)))"""
WORDS = """## A section

A thought that takes a line or two, since a class reads it while the teacher speaks of it.

$$v \\leftarrow \\alpha v - \\eta \\frac{\\partial L}{\\partial \\theta}$$

| rule | what it keeps | what it divides by |
|:--|:--|:--|
| Momentum | a velocity | nothing |
| Adam | an average of gradients | the root of an average of squares |"""
# Each slide as its cells; those after the first are fragments.
SLIDES = [
    [new_markdown_cell(WORDS), new_markdown_cell("A second thought.")],
    [new_code_cell(f'predict("{next(iter(questions()))}")')],
    [new_code_cell(FIGURE), new_markdown_cell("*Figure 1. Three losses on the ravine.*")],
    [new_code_cell(LONG)],
]

# Pixels of text in a figure that is shown as large as a notebook shows it.
FIGURE_TEXT = figures.STYLE["font.size"] / 72 * figures.PIXELS_PER_INCH_SHOWN
# The canvases of maps keep what was written on them since they were laid out, and how large.
WATCH_MAPS = """const canvas = HTMLCanvasElement.prototype;
const drawing = CanvasRenderingContext2D.prototype;
const { get, set } = Object.getOwnPropertyDescriptor(canvas, "width"), write = drawing.fillText;
Object.defineProperty(canvas, "width", { get, set(width) {
    this.texts = [];
    set.call(this, width);
} });
drawing.fillText = function (text, ...where) {
    const size = (parseFloat(this.font) * this.getTransform().a) / devicePixelRatio;
    this.canvas.texts?.push({ text, size });
    write.call(this, text, ...where);
};"""
# What is wrong with the slide in view. Text is measured in heights of the screen.
LOOK = """async (figureText) => {
    for (const _ of "12") await new Promise(requestAnimationFrame);  // a new size has its effect
    const shown = [...document.querySelectorAll(".presenter-shown")];
    const all = (selector) => shown.flatMap((cell) => [...cell.querySelectorAll(selector)]);
    const visible = (element) => element.getClientRects().length > 0;
    const name = (element) => [element.localName, ...element.classList].slice(0, 3).join(".");
    const floor = document.querySelector("#presenter-bar").getBoundingClientRect().top;
    const top = Math.min(...shown.map((cell) => cell.getBoundingClientRect().top));
    const bottom = Math.max(...shown.map((cell) => cell.getBoundingClientRect().bottom));
    const faults = [];
    if (top < 0) faults.push(`${Math.round(-top)} px are above the screen`);
    if (bottom > floor + 1) faults.push(`${Math.round(bottom - floor)} px too high`);
    if (bottom < innerHeight / 5 && !all("h1, h2, h3").length)
        faults.push(`only ${Math.round((100 * bottom) / innerHeight)} % full`);
    const wide = ".cm-scroller, pre, table, mjx-container, img, .stage-row, .stage-readout";
    for (const element of all(wide)) {
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
    for (const line of all(".cm-line").filter(visible)) {
        const { fontSize, lineHeight } = getComputedStyle(line);
        const size = parseFloat(fontSize) * line.currentCSSZoom;
        if (line.offsetHeight > 1.5 * parseFloat(lineHeight) && size > 0.031 * innerHeight)
            faults.push(`large code is broken: ${line.textContent}`);
    }
    for (const element of all(".jp-RenderedImage img, .stage-panel").filter(visible)) {
        const { height } = element.getBoundingClientRect();
        if (height < 0.2 * innerHeight) faults.push(`${name(element)} only ${height} px high`);
    }
    for (const image of all(".jp-RenderedImage img").filter(visible)) {
        const scale = (side) => image.getBoundingClientRect()[side] / image.getAttribute(side);
        const size = figureText * Math.min(scale("width"), scale("height"));
        if (size < 0.03 * innerHeight) faults.push(`a figure with text of ${size.toFixed(1)} px`);
    }
    for (const { text, size } of all(".stage-panel canvas").flatMap(({ texts }) => texts ?? []))
        if (size < 0.03 * innerHeight) faults.push(`${text} on a map in ${size.toFixed(1)} px`);
    const figures = all(".jp-RenderedImage img").filter(visible).length;
    const captions = all("em").filter((words) => /^Figure \\d/.test(words.textContent)).length;
    if (figures !== captions) faults.push(`${figures} figures with ${captions} captions`);
    return [...new Set(faults)];
}"""
# How far below the screen an explorer's slide reaches at any of its steps.
GROWTH = """async () => {
    const shown = [...document.querySelectorAll(".presenter-shown")];
    const sliders = shown.flatMap((cell) => [...cell.querySelectorAll(".stage-transport input")]);
    const lowest = () => Math.max(...shown.map((cell) => cell.getBoundingClientRect().bottom));
    const floor = document.querySelector("#presenter-bar").getBoundingClientRect().top;
    const bottoms = [floor];
    for (const slider of sliders) {
        const stood = slider.value, last = Number(slider.max);
        for (const step of [...Array(Math.min(last, 30) + 1).keys(), last, stood]) {
            slider.value = step;
            slider.dispatchEvent(new Event("input"));
            await new Promise(requestAnimationFrame);
            bottoms.push(lowest());
        }
    }
    return Math.max(...bottoms) - floor;
}"""
CELLS = """() => {
    const cells = [...document.querySelectorAll(".presenter-now .jp-Notebook-cell")];
    return cells.flatMap((cell, i) => (cell.classList.contains("presenter-shown") ? [i] : []));
}"""


@pytest.fixture(autouse=True)
def watched_maps(page):
    """See what is written on maps."""
    page.add_init_script(WATCH_MAPS)


@pytest.fixture
def sample(presenting):
    """Return the path of a small lesson with what notebooks show, and all kinds of explorers."""
    cells = [new_markdown_cell("# A small lesson"), new_code_cell(IMPORTS)]
    cells += [cell for slide in SLIDES for cell in slide]
    cells += [new_code_cell(f"explorers.{name}()") for name in explorers.__all__]
    for cell in cells:
        cell.metadata["slideshow"] = {"slide_type": "slide"}
    cells[1].metadata["slideshow"]["slide_type"] = "skip"
    for _, *fragments in SLIDES:
        for cell in fragments:
            cell.metadata["slideshow"]["slide_type"] = "fragment"
    path = presenting.folder / "sample.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata=METADATA), path)
    return path


@pytest.mark.parametrize("path", WALKED, ids=lambda path: path.stem)
def test_every_slide_can_be_seen_and_read(present, path):
    walk(present(path), path)


def test_every_kind_of_slide_can_be_seen_and_read(present, sample):
    walk(present(sample), sample)


def walk(presented, path):
    """See that the space bar leads to every cell; each slide fits, and nothing is too small."""
    cells, faults, seen = nbformat.read(path, as_version=4).cells, [], set()
    while True:
        shown = presented.page.evaluate(CELLS)
        first = cells[shown[0]]
        words = f"slide {presented.place()} ({first.id}, {first.source.splitlines()[0]:.40})"
        faults += [f"{words} {fault}" for fault in faults_in_view(presented)]
        seen |= set(shown)
        if not presented.goes_on():
            break
    kept = [i for i, cell in enumerate(cells) if slide_type(cell) not in {"notes", "skip"}]
    assert sorted(seen) == kept
    assert not faults, "\n".join(["", *faults])


def faults_in_view(presented):
    """Yield what is wrong with a slide on each screen, at each step, with each answer open."""
    for width, height in SCREENS:
        presented.resize(width, height)
        yield from (f"at {height}p: {fault}" for fault in look(presented))
        over = presented.page.evaluate(GROWTH)
        if over > 1:
            yield f"at {height}p: {over:.0f} px too high at some step"
        for answer in presented.page.locator(".presenter-shown .prediction summary").all():
            answer.click()
            words = f"at {height}p with {answer.inner_text():.3} open"
            yield from (f"{words}: {fault}" for fault in look(presented))


def look(presented):
    return presented.page.evaluate(LOOK, FIGURE_TEXT)


def slide_type(cell):
    return cell.metadata.slideshow.slide_type
