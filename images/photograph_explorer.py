"""Photograph the race in a real JupyterLab: explorer.png, and explorer.gif while it plays.

python -m images.photograph_explorer
"""

import io
import tempfile
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from tools.browser import chromium, jupyter_lab
from tools.run_notebooks import METADATA

HERE = Path(__file__).resolve().parent
CELL = "from helpers import explorers\n\nexplorers.Race()"
FRAMES = 31


def main():
    with tempfile.TemporaryDirectory() as folder:
        notebook = new_notebook(cells=[new_code_cell(CELL)], metadata=METADATA)
        nbformat.write(notebook, Path(folder) / "race.ipynb")
        with jupyter_lab(Path(folder)) as address, chromium() as browser:
            page = browser.new_page(
                viewport={"width": 1000, "height": 1150}, device_scale_factor=1.5
            )
            page.goto(f"{address}/doc/tree/race.ipynb")
            page.locator(".jp-CodeCell").click(timeout=60_000)
            page.keyboard.press("Shift+Enter")
            stage = page.locator(".stage")
            stage.locator("canvas").first.wait_for(timeout=60_000)
            page.wait_for_timeout(1000)
            page.mouse.move(0, 0)
            photograph(stage, FRAMES - 1)  # who has come to the end sees all of the race
            page.wait_for_timeout(1000)
            explorer = page.locator(".jp-OutputArea-output").last.screenshot()
            few_colors(explorer).save(HERE / "explorer.png", optimize=True)
            frames = [photograph(stage, step) for step in range(FRAMES)]
    frames[0].save(
        HERE / "explorer.gif",
        save_all=True,
        append_images=frames[1:] + frames[-1:] * 10,
        duration=120,
        loop=0,
        optimize=True,
    )


def photograph(stage, step):
    """Return the stage at a step, in few colors and small enough for a page."""
    slider = stage.get_by_role("slider", name="step", exact=True)
    slider.evaluate(
        "(slider, step) => { slider.value = step; slider.dispatchEvent(new Event('input')); }", step
    )
    stage.page.wait_for_timeout(50)
    return few_colors(stage.screenshot(), shrink=2)


def few_colors(png, shrink=1):
    """Return a screenshot smaller in size, and in 256 colors."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    size = picture.width // shrink, picture.height // shrink
    return picture.resize(size).quantize(256, Image.Quantize.FASTOCTREE)


if __name__ == "__main__":
    main()
