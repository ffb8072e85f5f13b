"""A reader runs each notebook in JupyterLab and tries each explorer."""

import base64
import io
import re
import time

import nbformat
import numpy as np
import pytest
from PIL import Image

from helpers import explorers
from helpers.descent import descend
from helpers.explorers.game import score_of
from helpers.landscapes import mountain_range, ravine
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum
from tools.browser import FINISHED, run_all_cells
from tools.run_notebooks import find_notebooks

LECTURE = [path for path in find_notebooks() if path.parent.name == "notebooks"]
NAMES = ["Descent", "BlindfoldGame", "RateMap", "StepInspector", "Race"]
WITH_A_START = ["Descent", "StepInspector", "Race"]
PATIENCE = 60  # seconds

PIXELS = "(stage) => [...stage.querySelectorAll('canvas')].map((c) => c.toDataURL()).join()"
DRAWN = """(stage) => [...stage.querySelectorAll("canvas")].every((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some(Boolean);
})"""
IMAGES = """(stage) => [...stage.querySelectorAll("img")].map((image) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    canvas.getContext("2d").drawImage(image, 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
})"""
# The focused element, then the same without focus: outlines, borders and shadows on and around it.
FOCUS = """() => {
    const element = document.activeElement, stop = element.closest(".jp-OutputArea-output");
    const looks = () => {
        const found = [];
        for (let part = element; part && part !== stop; part = part.parentElement)
            for (const pseudo of [null, "::before", "::after"]) {
                const { outline, border, boxShadow, backgroundColor, content } =
                    getComputedStyle(part, pseudo);
                found.push([outline, border, boxShadow, backgroundColor, content].join());
            }
        return found.join("|");
    };
    const focused = looks();
    element.blur();
    const blurred = looks();
    element.focus();
    return { inside: Boolean(stop?.querySelector(".stage")), seen: focused !== blurred,
        name: element.ariaLabel || element.outerHTML.slice(0, 120) };
}"""


CONTROLS = "select, input:enabled, button:enabled, .noUi-handle, .stage-grabs"


def names_of_explorers(path):
    """Return the names of a notebook's explorers, in order."""
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    return re.findall(r"^explorers\.(\w+)\(", code, re.MULTILINE)


class OpenNotebook:
    """A notebook in a page of JupyterLab, from a copy without outputs, with all its cells run."""

    def __init__(self, page, lab, path):
        self.page, self.copy = page, lab.folder / f"run_{path.name}"
        notebook = nbformat.read(path, as_version=4)
        self.code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell in self.code:
            cell.outputs, cell.execution_count = [], None
        self.explorers = names_of_explorers(path)
        nbformat.write(notebook, self.copy)
        self.errors, self.sent, self.received = [], [], []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", self._on_websocket)
        page.goto(f"{lab.url}/doc/tree/notebooks/{self.copy.name}")
        run_all_cells(page)

    def _on_console(self, message):
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location})")

    def _on_websocket(self, socket):
        if "/channels" in socket.url:
            socket.on("framesent", lambda frame: self.sent.append(frame))
            socket.on("framereceived", lambda frame: self.received.append(frame))

    def wait_until_run(self):
        self.page.wait_for_function(FINISHED, arg=len(self.code), timeout=3 * PATIENCE * 1000)

    def _is_save(self, response):
        return response.request.method == "PUT" and self.copy.name in response.url

    def outputs(self):
        """Save the notebook and return the outputs that JupyterLab wrote."""
        with self.page.expect_response(self._is_save):
            self.page.keyboard.press("Control+s")
        return [
            output
            for cell in nbformat.read(self.copy, as_version=4).cells
            for output in cell.get("outputs", [])
        ]

    def shown(self, name):
        """Return the first explorer of this name."""
        live = self.page.locator(".jp-OutputArea-output:has(.stage)")
        return ShownExplorer(self, live.nth(self.explorers.index(name)))


class ShownExplorer:
    """An explorer on the screen, and what a reader can do with it."""

    def __init__(self, notebook, output):
        self.notebook, self.page, self.output = notebook, notebook.page, output
        self.stage = output.locator(".stage")
        self.stage.scroll_into_view_if_needed()
        self.page.wait_for_function(DRAWN, arg=self.stage.element_handle())

    def pixels(self):
        return self.stage.evaluate(PIXELS)

    def wait_for_other_pixels(self, before):
        self.page.wait_for_function(
            f"([stage, before]) => ({PIXELS})(stage) !== before",
            arg=[self.stage.element_handle(), before],
        )

    def box(self, name):
        return self.output.get_by_role("spinbutton", name=name, exact=True)

    def value(self, name):
        return float(self.box(name).input_value())

    def fill(self, values):
        """Write numbers into the boxes of these names."""
        for name, value in values.items():
            self.box(name).fill(str(value))
            self.press("Enter")

    def slider(self, name):
        return self.output.locator(".widget-slider", has_text=name).get_by_role("slider")

    def panel(self, i=0):
        return self.output.locator(".stage-panel").nth(i)

    def button(self, name):
        return self.output.get_by_role("button", name=name)

    def tab_to(self, element, key="Tab"):
        for _ in range(50):
            if element.evaluate("(element) => element === document.activeElement"):
                return
            self.press(key)
        pytest.fail(f"{key} does not lead to {element}")

    def look_at_the_end(self):
        self.stage.get_by_role("slider", name="step").focus()
        self.press("End")

    def images(self):
        """Return the pixels of the still pictures."""
        return [pixels_of(base64.b64decode(image)) for image in self.stage.evaluate(IMAGES)]

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def said(self, pattern):
        """Return the numbers that the groups of a pattern find in the words of the state."""
        found = re.search(pattern, self.output.locator(".stage-status").text_content())
        return found and [number(text) for text in found.groups()]

    def results(self):
        """Return the results of the worked lines along x and along y."""
        lines = self.output.locator(".stage-readout").inner_text()
        return [number(text) for text in re.findall(r"^[xy]: .* = (\S+)$", lines, re.M)]

    def row_texts(self, name):
        """Return what stands in a row of the table."""
        head = self.page.locator(":scope > :first-child", has_text=re.compile(f"^{name}$"))
        row = self.output.locator(".stage-readout tr").filter(has=head)
        return row.locator("td:not(:first-child)").all_inner_texts()

    def row(self, name):
        """Return the numbers in a row of the table."""
        return [number(text) for text in self.row_texts(name) if re.search(r"\d", text)]

    def eventually(self, holds):
        """Wait until something holds, and say whether it does."""
        deadline = time.monotonic() + PATIENCE
        while not (result := holds()) and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        return result

    def eventually_reads(self, read, wanted):
        """Wait until numbers that are read are those wanted, up to the four digits shown."""
        wanted = pytest.approx(wanted, rel=6e-4, abs=1e-9)
        self.eventually(lambda: read() == wanted)
        assert read() == wanted


def pixels_of(png):
    return Image.open(io.BytesIO(png)).convert("RGB").tobytes()


def number(text):
    """Return the number that is written, such as −1.234·10−5."""
    return float(text.replace("−", "-").replace("·10", "e"))


def on_panel(panel, x, y):
    """Return the pixel of a point, from the upper left corner of a panel with linear axes."""
    left, top, width, height = panel["box"]
    (x0, x1), (y0, y1) = panel["window"]
    return {
        "x": left + width * (x - x0) / (x1 - x0),
        "y": top + height * (y1 - y) / (y1 - y0),
    }


@pytest.fixture(scope="module")
def run(context, lab):
    """Yield a function that returns a notebook of the lecture, opened and run once, in front."""
    opened = {}

    def open_once(path):
        if path not in opened:
            opened[path] = OpenNotebook(context.new_page(), lab, path)
            opened[path].wait_until_run()
        opened[path].page.bring_to_front()
        return opened[path]

    yield open_once
    for notebook in opened.values():
        notebook.page.close()


@pytest.fixture
def shown(run):
    """Return a function that finds an explorer by its name in the lecture."""

    def find(name):
        path = next(path for path in LECTURE if name in names_of_explorers(path))
        return run(path).shown(name)

    return find


@pytest.mark.parametrize("path", LECTURE, ids=lambda path: path.stem)
def test_notebook_runs_and_shows_its_explorers(run, path):
    """All cells run in JupyterLab without an error, also in the console; the explorers live."""
    notebook = run(path)
    outputs = notebook.outputs()
    assert outputs
    assert [output.ename for output in outputs if output.output_type == "error"] == []
    assert notebook.explorers
    for explorer in map(notebook.shown, notebook.explorers):
        assert explorer.output.locator(".jp-RenderedImage").count() == 0
    assert notebook.errors == []


@pytest.mark.parametrize(
    ("name", "slider"),
    [
        ("Descent", "learning rate η"),
        ("BlindfoldGame", "direction °"),
        ("RateMap", "momentum α"),
        ("StepInspector", "β₁"),
        ("Race", "Momentum η"),
    ],
)
def test_a_slider_changes_the_picture(shown, name, slider):
    explorer = shown(name)
    pixels, value = explorer.pixels(), explorer.value(slider)
    explorer.slider(slider).focus()
    explorer.press("ArrowLeft" if value else "ArrowRight")
    explorer.wait_for_other_pixels(pixels)
    assert explorer.eventually(lambda: explorer.value(slider) != value)


@pytest.mark.parametrize(
    ("name", "boxes", "point"),
    [
        *((name, ("start x", "start y"), (-5.0, -1.5)) for name in WITH_A_START),
        ("RateMap", ("learning rate η", "momentum α"), (1.2, 0.4)),
    ],
)
def test_boxes_follow_a_click_and_arrow_keys_on_the_map(shown, name, boxes, point):
    explorer = shown(name)
    panel = getattr(explorers, name)().stage.panels[0]
    pixel = np.ptp(panel["window"], axis=1) / panel["box"][2:]

    def boxes_follow(wanted):
        return explorer.eventually(
            lambda: np.all(abs([explorer.value(box) for box in boxes] - wanted) < pixel)
        )

    pixels, wanted = explorer.pixels(), np.array(point)
    explorer.panel().click(position=on_panel(panel, *point))
    explorer.wait_for_other_pixels(pixels)
    assert boxes_follow(wanted)
    stride = pixel * panel["box"][2] / 40
    for key, way in (("ArrowRight", (1, 0)), ("ArrowUp", (0, 1)), ("ArrowUp", (0, 1))):
        wanted = wanted + stride * way
        explorer.press(key)
        assert boxes_follow(wanted), key


@pytest.mark.parametrize("name", NAMES)
def test_play_does_not_ask_the_kernel(shown, name):
    explorer = shown(name)
    if name == "BlindfoldGame":
        explorer.button("Start again").click()
        for k in range(3):
            explorer.eventually_reads(lambda: explorer.said(r"^Step (\d)"), [k])
            explorer.button("Walk").click()
        explorer.eventually_reads(lambda: explorer.said(r"^Step (\d)"), [3])
    sent = explorer.notebook.sent
    explorer.button("Play").click()
    before = len(sent)
    for _ in range(10):
        explorer.wait_for_other_pixels(explorer.pixels())
    assert len(sent) == before
    explorer.button("Pause").click()
    explorer.button("Next").click()
    assert explorer.eventually(lambda: len(sent) > before)  # a message would have been seen


@pytest.mark.parametrize("name", NAMES)
def test_each_control_is_reached_by_tab_and_shows_its_focus(shown, name):
    explorer = shown(name)
    controls = explorer.output.locator(CONTROLS)
    controls.first.focus()
    for _ in range(controls.count()):
        focused = explorer.page.evaluate(FOCUS)
        assert focused["inside"], f"after {focused['name']}"
        assert focused["seen"], focused["name"]
        explorer.press("Tab")
    assert not explorer.page.evaluate(FOCUS)["inside"]


def test_descent_shows_the_numbers_of_descend(shown):
    explorer = shown("Descent")
    explorer.fill({"start x": -6, "start y": 1.5, "learning rate η": 0.9, "steps": 12})
    run = descend(SGD(0.9), ravine, (-6, 1.5), 12)
    explorer.eventually_reads(
        lambda: explorer.said(r"After (\S+) steps: loss (\S+) at \((\S+), (\S+)\)"),
        [12, run.losses[12], *run.positions[12]],
    )
    explorer.look_at_the_end()
    for k in 12, 11:
        (x, y), (g_x, g_y) = run.positions[k], run.gradients[k]
        explorer.eventually_reads(lambda: explorer.row("x"), [x, g_x, run.losses[k]])
        explorer.eventually_reads(lambda: explorer.row("y"), [y, g_y])
        explorer.button("Back").click()


def test_rate_map_shows_the_numbers_of_descend(shown):
    explorer = shown("RateMap")
    lr, momentum = 0.5, 0.3
    explorer.fill({"learning rate η": lr, "momentum α": momentum})
    rates = [
        max(abs(np.linalg.eigvals([[1 - lr * c, momentum], [-lr * c, momentum]])))
        for c in (1 / 10, 2)  # the curvatures of x²/20 + y²
    ]
    run = descend(Momentum(lr, momentum), ravine, steps=30)
    explorer.eventually_reads(
        lambda: explorer.said(r"Exact rate (\S+): .* Loss after 30 steps: (\S+)\.$"),
        [max(rates), run.losses[-1]],
    )
    explorer.eventually_reads(lambda: explorer.row(r"exact rate.*"), rates)


def test_step_inspector_shows_the_numbers_of_descend(shown):
    explorer = shown("StepInspector")
    explorer.fill({"start x": -6, "start y": 1.5, "steps": 8})
    explorer.fill({"learning rate η": 0.2, "β₁": 0.8, "β₂": 0.99})
    run = descend(Adam(0.2, 0.8, 0.99), ravine, (-6, 1.5), 8)
    explorer.eventually_reads(
        lambda: explorer.said(r"^After (\d+) steps: loss (\S+)"), [8, run.losses[8]]
    )
    explorer.look_at_the_end()
    for k in 8, 7:
        m, v = run.states["m"][k], run.states["v"][k]
        lines = [m, v, m / (1 - 0.8**k), v / (1 - 0.99**k), run.positions[k]]
        explorer.eventually_reads(explorer.results, np.ravel(lines).tolist())
        explorer.button("Back").click()


def test_race_shows_the_numbers_of_descend(shown):
    explorer = shown("Race")
    rules = {SGD: 0.9, Momentum: 0.2, AdaGrad: 1.2, Adam: 0.4}
    explorer.fill({"start x": -6, "start y": 1.5, "steps": 12})
    explorer.fill({f"{rule.__name__} η": lr for rule, lr in rules.items()})
    losses = {
        rule.__name__: descend(rule(lr=lr), ravine, (-6, 1.5), 12).losses
        for rule, lr in rules.items()
    }
    explorer.eventually_reads(
        lambda: explorer.said(r"^At the end: \w+ \((\S+)\)"),
        [min(run[12] for run in losses.values())],
    )
    explorer.look_at_the_end()
    for k in 12, 11:
        now = {name: values[k] for name, values in losses.items()}
        explorer.eventually_reads(lambda: explorer.row("loss f"), list(now.values()))
        assert explorer.row_texts("loss f")[-1] == min(now, key=now.get)
        explorer.button("Back").click()


def test_the_blindfold_game_is_played_by_keyboard_and_hides_the_map(shown):
    explorer = shown("BlindfoldGame")
    landscape = mountain_range(np.random.default_rng(1))
    twin = explorers.BlindfoldGame(seed=1)
    twin.lift()
    picture = twin.stage.panels[0]["png"]
    explorer.output.locator("select").focus()
    explorer.tab_to(explorer.button("Start again"))
    explorer.press("Space")
    places = [np.array(landscape.start)]
    for k in range(3):
        felt = landscape(places[k]), np.linalg.norm(landscape.gradient(places[k]))
        explorer.eventually_reads(
            lambda: explorer.said(r"^Step (\d+) of 20: height (\S+), slope (\S+)\. "), [k, *felt]
        )
        explorer.tab_to(explorer.panel())
        for key in "ArrowLeft", "ArrowUp":
            pixels = explorer.pixels()
            explorer.press(key)
            explorer.wait_for_other_pixels(pixels)
        explorer.press("Enter")
        explorer.eventually_reads(lambda: explorer.said(r"^Step (\d+)"), [k + 1])
        angle, length = np.deg2rad(explorer.value("direction °")), explorer.value("length")
        places.append(places[k] + length * np.array([np.cos(angle), np.sin(angle)]))
    assert pixels_of(picture) not in explorer.images()
    assert not any(picture in message for message in explorer.notebook.received)
    explorer.tab_to(explorer.button("Lift the blindfold"), "Shift+Tab")
    explorer.press("Space")
    plain = descend(SGD(0.3), landscape, landscape.start, 3)
    scores = [
        score_of(landscape, plain.losses[0], end)
        for end in (landscape(places[-1]), plain.losses[-1])
    ]
    explorer.eventually_reads(
        lambda: explorer.said(r"^You went (\d+) % .* in 3 steps\. .* η 0\.3: (\d+) %"), scores
    )
    assert explorer.eventually(lambda: pixels_of(picture) in explorer.images())
    assert any(picture in message for message in explorer.notebook.received)
