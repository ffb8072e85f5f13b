"""Measure how fast the explorers follow the hand, in a real JupyterLab in headless Chromium.

    python benchmarks/latency.py

It starts JupyterLab twice, as everyone does and as `make lab` does. An echo widget (a slider that
only sets a label) and `interact` with a new figure stand in the same notebook as the explorer:
what compares machines is the ratios.
"""

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_notebook

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.browser import FLAGS, INSTALL, find_browser, jupyter_lab, run_all_cells
from tools.run_notebooks import METADATA, ROOT

CHANGES = 80

EXPLORER = """from helpers import explorers
from helpers.landscapes import ravine
from helpers.optimizers import Momentum
explorers.Descent(Momentum, ravine)"""
ECHO = """import ipywidgets as widgets
slider, label = widgets.FloatLogSlider(0.1, min=-4, max=1, step=0.01), widgets.Label("0.1")
slider.observe(lambda change: setattr(label, "value", f"{change['new']:.4g}"), "value")
widgets.HBox([slider, label])"""
INTERACT = """import matplotlib.pyplot as plt
import numpy as np
from helpers.descent import descend
@widgets.interact(lr=widgets.FloatLogSlider(0.1, min=-4, max=1, step=0.01))
def draw(lr):
    run = descend(Momentum(lr), ravine)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
    x, y = np.meshgrid(np.linspace(-8, 8, 201), np.linspace(-4, 4, 201))
    left.contourf(x, y, ravine.value(x, y), 16)
    left.plot(*run.positions.T, "o-")
    left.set(xlim=(-8, 8), ylim=(-4, 4))
    right.semilogy(run.losses)
    plt.show()"""

# In the page: press an arrow key on a slider and resolve when what it changes is on the screen.
PAGE = """
window.cell = (i) => document.querySelectorAll(".jp-CodeCell")[i];
window.knob = (i, k = 0) => cell(i).querySelectorAll(".noUi-handle")[k];
window.press = (handle, key) =>
  handle.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
window.frame = () => new Promise(requestAnimationFrame);
window.pixels = (i) => [...cell(i).querySelectorAll("canvas")].map((c) => c.toDataURL()).join();
window.change = (i, selector, key) => new Promise((resolve) => {
  const start = performance.now();
  const shows = (node) => node.matches?.(selector) || node.querySelector?.(selector);
  const observer = new MutationObserver(async (records) => {
    if (!records.some(({ target, addedNodes }) =>
      target.matches?.(selector) || [...addedNodes].some(shows))) return;
    observer.disconnect();
    const [picture] = [...cell(i).querySelectorAll(selector)].slice(-1);
    if (picture.tagName === "IMG") await picture.decode();
    await frame();
    resolve(performance.now() - start);
  });
  observer.observe(cell(i), {
    subtree: true, childList: true, attributes: true, attributeFilter: ["width", "src"] });
  press(knob(i), key);
});
// Press an arrow key at every frame; return when it was let go.
window.hold = async (i, k, seconds, pressed) => {
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    press(knob(i, k), "ArrowRight");
    pressed?.();
    await frame();
  }
  return performance.now();
};
window.drag = async (i, k, seconds) => {
  const sent = new Map(), shown = [], stage = cell(i).querySelector(".stage output");
  const observer = new MutationObserver(() => {
    const value = Number(stage.textContent.split(" ").at(-1)), now = performance.now();
    if (sent.has(value)) shown.push([now, now - sent.get(value)]);
  });
  observer.observe(stage, { childList: true });
  const end = await hold(i, k, seconds, () =>
    sent.set(Math.round(knob(i, k).ariaValueNow), performance.now()));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  observer.disconnect();
  return shown.filter(([at]) => at <= end);
};
window.dragEcho = async (i, seconds) => {
  let shown = 0;
  const observer = new MutationObserver(() => shown++);
  const label = [...cell(i).querySelectorAll(".jp-OutputArea-output .widget-label")].at(-1);
  observer.observe(label, { childList: true, characterData: true, subtree: true });
  press(knob(i), "Home");
  const start = performance.now(), end = await hold(i, 0, seconds);
  observer.disconnect();
  return (1000 * shown) / (end - start);
};
window.born = new Promise((done) => new MutationObserver(() => {
  if (document.querySelector(".stage canvas[width]")) done(performance.now());
}).observe(document.body, { subtree: true, childList: true, attributes: true }));
window.play = async (i, seconds) => {
  const [, button] = cell(i).querySelectorAll(".stage button");
  button.click();
  let frames = 0, before = pixels(i);
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    await frame();
    const now = pixels(i);
    frames += now !== before;
    before = now;
  }
  button.click();
  return (1000 * frames) / (performance.now() - start);
};
"""


@contextmanager
def open_notebook(browser, address, folder, name, *cells):
    """Open a notebook of these cells with its kernel idle, and yield the page."""
    notebook = new_notebook(
        cells=[new_code_cell(cell) for cell in cells], metadata=nbformat.from_dict(METADATA)
    )
    nbformat.write(notebook, folder / f"{name}.ipynb")
    page = browser.new_page(viewport={"width": 1280, "height": 1700})
    page.set_default_timeout(60_000)
    page.goto(f"{address}/lab/tree/{name}.ipynb?reset")
    page.locator("[data-status=idle]").first.wait_for(timeout=60_000)
    page.wait_for_timeout(2000)
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.add_script_tag(content=PAGE)
    yield page
    page.close()


def first_picture(page):
    """Return the seconds from running a cell in a fresh kernel to a picture in it."""
    start = page.evaluate("performance.now()")
    page.keyboard.press("Control+Enter")
    return (page.evaluate("born") - start) / 1000


def changes(page, cell, selector):
    """Return the milliseconds from a key on a slider to new pixels, many times."""
    times = []
    for i in range(CHANGES + 5):
        key = "ArrowRight" if i % 20 < 10 else "ArrowLeft"
        times.append(page.evaluate(f"change({cell}, '{selector}', '{key}')"))
        page.wait_for_timeout(120 + 7 * (i % 9))
    return np.percentile(times[5:], [50, 95])


def dragging(page, cell):
    """Return pictures a second while the steps are dragged, and the lag at start and end in ms.

    From 31 to 100 steps the axes stay as they are; the counter says which step is shown.
    """
    runs = []
    for _ in range(5):
        page.get_by_role("spinbutton", name="steps").fill("31")
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        shown = np.array(page.evaluate(f"drag({cell}, 2, 1.15)"))
        third = len(shown) // 3
        rate = (len(shown) - 1) / (shown[-1, 0] - shown[0, 0]) * 1000
        runs.append((rate, np.median(shown[:third, 1]), np.median(shown[-third:, 1])))
    return np.median(runs, axis=0)


def memory_and_figures():
    """Return the megabytes that 500 changes leave in a kernel, and the figures left open."""
    code = """
import gc, os
from helpers import explorers
from helpers.optimizers import Momentum
import matplotlib.pyplot as plt
def megabytes():
    gc.collect()
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
explorer = explorers.Descent(Momentum)
def change(n):
    for i in range(n):
        explorer.dials["lr"].value = 0.01 + 0.001 * (i % 400)
change(100)
before = megabytes()
change(500)
print(megabytes() - before, len(plt.get_fignums()))
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    return map(float, run.stdout.split())


def measure(browser):
    """Measure everything and yield rows: what, measured, wanted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with jupyter_lab(folder) as address:
            with open_notebook(browser, address, folder, "first", EXPLORER) as page:
                seconds = first_picture(page)
                yield "first picture, imports counted", f"{seconds:.2f} s", "at most 1 s"
            with open_notebook(browser, address, folder, "all", EXPLORER, ECHO, INTERACT) as page:
                run_all_cells(page)
                page.locator(".jp-CodeCell >> nth=2 >> img").wait_for(timeout=60_000)
                page.wait_for_timeout(2000)
                echo = changes(page, 1, ".widget-label.jupyter-widgets")
                explorer = changes(page, 0, ".stage-readout")
                interact = changes(page, 2, ".jp-OutputArea img")
                for what, times in (("echo", echo), ("explorer", explorer), ("interact", interact)):
                    measured = "{:.0f} / {:.0f} ms".format(*times)
                    yield f"{what}: slider to pixels, p50 / p95", measured, ""
                ratios = explorer / echo
                yield "explorer / echo", "{:.2f} / {:.2f}".format(*ratios), "at most 1.2 / 1.5"
                yield "explorer / interact, p50", f"{explorer[0] / interact[0]:.2f}", "at most 0.33"
                rate, early, late = dragging(page, 0)
                yield "drag, as Jupyter comes", f"{rate:.0f} a second", ""
                yield "its lag, first / last third", f"{early:.0f} / {late:.0f} ms", "not growing"
        with (
            jupyter_lab(folder, f"--config={ROOT / 'tools' / 'lab_config.py'}") as address,
            open_notebook(
                browser, address, folder, "lab", EXPLORER, ECHO, "import time; time.sleep(10)"
            ) as page,
        ):
            page.keyboard.press("Shift+Enter")
            page.keyboard.press("Shift+Enter")
            page.locator(".stage canvas").first.wait_for()
            page.wait_for_timeout(1500)
            echo = np.median([page.evaluate("dragEcho(1, 1.15)") for _ in range(5)])
            yield "drag of the echo, make lab", f"{echo:.0f} a second", ""
            rate, early, late = dragging(page, 0)
            yield "drag, make lab", f"{rate:.0f} a second", "at least 40"
            yield "its lag, first / last third", f"{early:.0f} / {late:.0f} ms", "not growing"
            page.locator(".jp-CodeCell .cm-content").nth(2).click()
            page.keyboard.press("Control+Enter")
            page.wait_for_timeout(500)
            rate = page.evaluate("play(0, 3)")
            yield "Play, the kernel busy", f"{rate:.0f} a second", "at least 50"
    megabytes, figures = memory_and_figures()
    yield "500 changes leave in the kernel", f"{megabytes:.1f} MB", "at most 5 MB"
    yield "open figures", f"{figures:.0f}", "0"


def main():
    path = find_browser()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        sys.exit(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        for what, measured, wanted in measure(browser):
            print(f"{what:42} {measured:>20}   {wanted}", flush=True)
        browser.close()


if __name__ == "__main__":
    main()
