"""A reader tries each explorer: hand, keys, eyes closed, saved, shut down, reopened, restarted."""

import base64
import io
import re
import time

import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from helpers import explorers
from helpers.descent import descend
from helpers.explorers.game import random_range, score_of
from helpers.explorers.words import SUPERSCRIPTS
from helpers.landscapes import ravine
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum
from tools.browser import FINISHED, run_all_cells
from tools.run_notebooks import METADATA, WIDGET_VIEW

IMPORTS = "from helpers import explorers\nfrom helpers.optimizers import Momentum"
SHOWN = {
    "Descent": "explorers.Descent()",
    "BlindfoldGame": "explorers.BlindfoldGame()",
    "RateMap": "explorers.RateMap()",
    "StepInspector": "explorers.StepInspector()",
    "Race": "explorers.Race()",
    "Slope": "explorers.Slope()",
    "Turned": "explorers.Turned(degrees=30)",
    "Search": "explorers.Search()",
    "Signal": "explorers.Signal()",
}
SLIDERS = {
    "Descent": "learning rate η",
    "BlindfoldGame": "direction °",
    "RateMap": "momentum α",
    "StepInspector": "β₁",
    "Race": "Momentum η",
    "Slope": "start y",
    "Turned": "angle °",
    "Search": "trials",
    "Signal": "scale σ√n",
}
PATIENCE = 40  # seconds
PLAIN = {chr(written): chr(plain) for plain, written in SUPERSCRIPTS.items()}

PIXELS = "(stage) => [...stage.querySelectorAll('canvas')].map((c) => c.toDataURL()).join()"
DRAWN = """(stage) => [...stage.querySelectorAll("canvas:last-child")].every((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some(Boolean);
})"""
# The focused element, then the same without focus: outlines, borders and shadows on and around it.
FOCUS = """(output) => {
    const element = document.activeElement;
    const looks = () => {
        const { outline, border, boxShadow, backgroundColor } = getComputedStyle(element);
        return [outline, border, boxShadow, backgroundColor].join();
    };
    const focused = looks();
    element.blur();
    const blurred = looks();
    element.focus();
    return { inside: output.contains(element), seen: focused !== blurred,
        name: element.ariaLabel || element.outerHTML.slice(0, 120) };
}"""
# Play, and look at each frame until it has stopped: how many different pictures were shown?
PICTURES = """async (stage) => {
    const play = stage.querySelectorAll(".stage-transport button")[1], seen = new Set();
    play.click();
    while (play.textContent.includes("Pause")) {
        await new Promise(requestAnimationFrame);
        seen.add(stage.querySelectorAll("canvas")[1].toDataURL());
    }
    return seen.size;
}"""
# What of an explorer is cut, leaves it, or lies on something else.
CUT = """(stage) => {
    const box = (part) => part.getBoundingClientRect(), frame = box(stage), found = [];
    const name = (part) => part.ariaLabel || part.textContent || part.className;
    const kinds = ["name", "switch", "counter", "panel", "readout"].map((kind) => `.stage-${kind}`);
    const parts = [...stage.querySelectorAll(["button", "input", "select", ...kinds].join())];
    const seen = parts.filter((part) => part.checkVisibility());
    seen.forEach((part, i) => {
        const { left, right, top, bottom } = box(part);
        const fits = part.type === "range" || part.scrollWidth <= part.clientWidth + 1;
        if (!fits) found.push(`${name(part)} is cut`);
        if (left < frame.left - 1 || right > frame.right + 1) found.push(`${name(part)} leaves`);
        for (const other of seen.slice(i + 1).filter((other) => !part.contains(other))) {
            const their = box(other);
            const across = Math.min(right, their.right) - Math.max(left, their.left);
            const down = Math.min(bottom, their.bottom) - Math.max(top, their.top);
            if (across > 1 && down > 1) found.push(`${name(part)} lies on ${name(other)}`);
        }
    });
    found.push(...cutTexts);
    cutTexts.clear();
    return found;
}"""
# Collect texts that leave the canvas on which they are written.
WATCH_TEXTS = """window.cutTexts = new Set();
const canvas = CanvasRenderingContext2D.prototype, write = canvas.fillText;
canvas.fillText = function (text, x, y, widest = Infinity) {
    const { width, actualBoundingBoxLeft, actualBoundingBoxRight } = this.measureText(text);
    const squeezed = Math.min(1, widest / width);
    const right = (x + squeezed * actualBoundingBoxRight) * this.getTransform().a;
    if (x < squeezed * actualBoundingBoxLeft || right > this.canvas.width + 1) cutTexts.add(text);
    write.call(this, text, x, y, widest);
};"""
# Pictures are ready a second late, and counted.
SLOW_PICTURES = """const ready = createImageBitmap;
window.pictures = 0;
window.createImageBitmap = async (png) => {
    window.pictures++;
    await new Promise((wake) => setTimeout(wake, 1000));
    return ready(png);
};"""
CONTROLS = "select, input, .stage button, .stage-panel[tabindex='0']"


class OpenNotebook:
    """A notebook in a page of JupyterLab."""

    def __init__(self, page, lab, name, sources):
        self.page, self.path, self.codes = page, lab.folder / name, len(sources)
        cells = [new_code_cell(source) for source in sources]
        nbformat.write(new_notebook(cells=cells, metadata=METADATA), self.path)
        self.errors, self.sent, self.received = [], [], []
        page.set_default_timeout(PATIENCE * 1000)
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("websocket", self._on_websocket)
        self.address = f"{lab.url}/doc/tree/notebooks/{name}"
        page.goto(self.address)

    def _on_console(self, message):
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location})")

    def _on_websocket(self, socket):
        if "/channels" in socket.url:
            socket.on("framesent", lambda frame: self.sent.append(frame))
            socket.on("framereceived", lambda frame: self.received.append(frame))

    def run(self):
        run_all_cells(self.page)
        self.page.wait_for_function(FINISHED, arg=self.codes, timeout=3 * PATIENCE * 1000)

    def saved_outputs(self):
        """Save with Ctrl+S, wherever the focus is, and return the outputs in the file."""
        name = self.path.name
        with self.page.expect_response(lambda r: r.request.method == "PUT" and name in r.url):
            self.page.keyboard.press("Control+s")
        cells = nbformat.read(self.path, as_version=4).cells
        return [output for cell in cells for output in cell.outputs]

    def choose(self, menu, item):
        """Choose an item of a menu of JupyterLab."""
        self.page.get_by_role("menuitem", name=menu, exact=True).click()
        self.page.get_by_text(item, exact=True).click()


class ShownExplorer:
    """An explorer on the screen, and what a reader can do with it."""

    def __init__(self, notebook, i):
        self.notebook, self.page = notebook, notebook.page
        self.output = self.page.locator(".jp-OutputArea-output:has(.stage)").nth(i)
        self.stage = self.output.locator(".stage")
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
        return self.output.get_by_role("textbox", name=f"{name}, in digits", exact=True)

    def value(self, name):
        return number(self.box(name).input_value())

    def fill(self, values):
        """Write numbers into the boxes of these names."""
        for name, value in values.items():
            self.box(name).fill(str(value))
            self.press("Enter")
            self.eventually(lambda name=name, value=value: self.value(name) == value)

    def slider(self, name):
        return self.output.get_by_role("slider", name=name, exact=True)

    def panel(self, i=0):
        return self.output.locator(".stage-panel").nth(i)

    def at(self, spec, x, y):
        """Return the place on the screen of a point of a panel with linear axes."""
        area = self.panel().bounding_box()
        scale = area["width"] / spec.size[0]
        left, top, width, height = spec.box
        (x0, x1), (y0, y1) = spec.window
        return (
            area["x"] + scale * (left + width * (x - x0) / (x1 - x0)),
            area["y"] + scale * (top + height * (y1 - y) / (y1 - y0)),
        )

    def button(self, name):
        return self.output.get_by_role("button", name=name)

    def tab_to(self, element, key="Tab"):
        for _ in range(60):
            if element.evaluate("(element) => element === document.activeElement"):
                return
            self.press(key)
        pytest.fail(f"{key} does not lead to {element}")

    def look_at(self, key):
        self.stage.get_by_role("slider", name="step", exact=True).focus()
        self.press(key)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def words(self):
        return self.output.locator(".stage-status").text_content()

    def said(self, pattern):
        """Return the numbers that the groups of a pattern find in the words of the state."""
        found = re.search(pattern, self.words())
        return found and [number(text) for text in found.groups()]

    def results(self):
        """Return the results of the worked lines along x and along y."""
        lines = self.output.locator(".stage-readout").inner_text()
        return [number(text) for text in re.findall(r"^[xy]: .* = (\S+)$", lines, re.M)]

    def row_texts(self, name):
        """Return what stands in a row of the table."""
        head = self.page.locator(":scope > :first-child", has_text=re.compile(f"^{name}$"))
        row = self.output.locator(".stage-readout tr").filter(has=head)
        return row.locator("td").all_inner_texts()

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


def number(text):
    """Return the number that is written, such as −1.234·10⁻⁵."""
    plain = "".join(PLAIN.get(sign, sign) for sign in text.replace("−", "-"))
    return float(plain.replace("·10", "e"))


@pytest.fixture(scope="module")
def notebook(context, lab):
    """Yield a notebook of all explorers, run once."""
    page = context.new_page()
    page.add_init_script(WATCH_TEXTS)
    opened = OpenNotebook(page, lab, "explorers.ipynb", [IMPORTS, *SHOWN.values()])
    opened.run()
    yield opened
    page.close()


@pytest.fixture
def shown(notebook):
    """Return a function that finds an explorer by its name, as it was at first."""

    def find(name):
        notebook.page.bring_to_front()
        explorer = ShownExplorer(notebook, list(SHOWN).index(name))
        explorer.button("Start again" if name == "BlindfoldGame" else "Reset").click()
        notebook.page.wait_for_timeout(300)
        return explorer

    return find


def test_explorers_live_without_an_error_and_leave_only_pictures_in_the_file(notebook):
    for i in range(len(SHOWN)):
        explorer = ShownExplorer(notebook, i)
        assert explorer.output.locator(".jp-RenderedImage").count() == 0
    outputs = notebook.saved_outputs()
    assert [sorted(output.data) for output in outputs] == [["image/png", "text/plain"]] * len(SHOWN)
    assert notebook.errors == []


@pytest.mark.parametrize("name", SHOWN)
def test_a_slider_changes_the_picture_and_its_box(shown, name):
    explorer = shown(name)
    if name == "Race":
        explorer.look_at("End")
    pixels, value = explorer.pixels(), explorer.value(SLIDERS[name])
    explorer.slider(SLIDERS[name]).focus()
    explorer.press("ArrowLeft")
    explorer.wait_for_other_pixels(pixels)
    assert explorer.value(SLIDERS[name]) < value


def test_a_drag_ends_with_what_the_kernel_computes(shown):
    explorer = shown("Descent")
    track = explorer.slider("learning rate η").bounding_box()
    middle = track["y"] + track["height"] / 2
    explorer.page.mouse.move(track["x"] + 0.797 * track["width"], middle)
    explorer.page.mouse.down()
    for share in np.linspace(0.79, 0.6, 40):
        explorer.page.mouse.move(track["x"] + share * track["width"], middle)
        explorer.page.wait_for_timeout(10)
    explorer.page.mouse.up()
    lr = explorer.value("learning rate η")
    assert 0.05 < lr < 0.15
    run = descend(SGD(lr), ravine)
    explorer.eventually_reads(lambda: explorer.said(r"loss (\S+) at"), [run.losses[-1]])
    explorer.eventually_reads(lambda: explorer.row("x")[:1], [run.positions[-1, 0]])


@pytest.mark.parametrize("zoom", ["1", "1.5"])
@pytest.mark.parametrize(
    ("name", "boxes", "point"),
    [
        ("Descent", ("start x", "start y"), (-5.0, -1.5)),
        ("RateMap", ("learning rate η", "momentum α"), (1.2, 0.4)),
    ],
)
def test_boxes_follow_a_click_and_arrow_keys_on_the_map(shown, name, boxes, point, zoom):
    explorer = shown(name)
    explorer.stage.evaluate("(stage, zoom) => (stage.style.zoom = zoom)", zoom)
    explorer.panel().scroll_into_view_if_needed()
    explorer.page.wait_for_timeout(300)
    spec = getattr(explorers, name)().shown.panels[0]
    pixel = np.ptp(spec.window, axis=1) / spec.box[2:]

    def boxes_follow(wanted):
        return explorer.eventually(
            lambda: np.all(abs([explorer.value(box) for box in boxes] - wanted) < 1.5 * pixel)
        )

    before = np.array([explorer.value(box) for box in boxes])
    x, _ = explorer.at(spec, *point)
    explorer.page.mouse.click(x, explorer.panel().bounding_box()["y"] + 8)  # on the title
    explorer.page.wait_for_timeout(200)
    assert boxes_follow(before)
    pixels, wanted = explorer.pixels(), np.array(point)
    explorer.page.mouse.click(*explorer.at(spec, *point))
    explorer.wait_for_other_pixels(pixels)
    assert boxes_follow(wanted)
    stride = pixel * spec.box[2] / 40
    for key, way in (("ArrowRight", (1, 0)), ("ArrowUp", (0, 1)), ("ArrowUp", (0, 1))):
        wanted = wanted + stride * way
        explorer.press(key)
        assert boxes_follow(wanted), key
    explorer.stage.evaluate("(stage) => (stage.style.zoom = '')")


def test_canvases_have_the_pixels_of_the_screen_when_zoomed(shown):
    explorer = shown("Slope")
    width = "(stage) => stage.querySelector('canvas').width"
    before = explorer.stage.evaluate(width)
    explorer.stage.evaluate("(stage) => (stage.style.zoom = 1.5)")
    assert explorer.eventually(lambda: explorer.stage.evaluate(width) > 1.2 * before)
    explorer.stage.evaluate("(stage) => (stage.style.zoom = '')")


def test_play_does_not_ask_the_kernel(shown):
    explorer = shown("Descent")
    sent = explorer.notebook.sent
    explorer.page.wait_for_timeout(500)
    explorer.button("Play").click()
    before = len(sent)
    for _ in range(10):
        explorer.wait_for_other_pixels(explorer.pixels())
    assert len(sent) == before
    explorer.button("Pause").click()
    explorer.button("Next").click()
    assert explorer.eventually(lambda: len(sent) > before)  # a message would have been seen


def test_a_reader_who_wants_little_motion_sees_steps_only(shown):
    explorer = shown("Slope")
    assert explorer.stage.evaluate(PICTURES) > 30
    explorer.page.emulate_media(reduced_motion="reduce")
    assert explorer.stage.evaluate(PICTURES) <= 11  # ten steps
    explorer.page.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize("name", SHOWN)
def test_each_control_is_reached_by_tab_and_shows_its_focus(shown, name):
    explorer = shown(name)
    controls = explorer.output.locator(CONTROLS)
    controls.nth(1).focus()
    explorer.press("Shift+Tab")
    for _ in range(controls.count()):
        focused = explorer.output.evaluate(FOCUS)
        assert focused["inside"], f"after {focused['name']}"
        assert focused["seen"], focused["name"]
        explorer.press("Tab")
    assert not explorer.output.evaluate(FOCUS)["inside"]


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing(shown, notebook, theme):
    shown("Race").look_at("End")
    notebook.page.get_by_role("menuitem", name="Settings", exact=True).click()
    notebook.page.get_by_text("Theme", exact=True).first.hover()
    notebook.page.get_by_text(theme, exact=True).click()
    notebook.page.wait_for_timeout(1500)
    for i in range(len(SHOWN)):
        ShownExplorer(notebook, i)
        handle = f"explorer-{i}"
        notebook.page.locator(".explorer").nth(i).evaluate("(el, id) => (el.id = id)", handle)
        found = Axe().run(notebook.page, context=f"#{handle}").response["violations"]
        faults = [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found]
        assert faults == [], list(SHOWN)[i]


def test_nothing_is_cut_or_lies_on_something_else_at_any_width(shown, notebook):
    shown("Race").look_at("End")
    faults = {}
    for width in (600, 760, 900, 1280, 1920):
        notebook.page.set_viewport_size({"width": width, "height": 900})
        for i, name in enumerate(SHOWN):
            if found := ShownExplorer(notebook, i).stage.evaluate(CUT):
                faults[width, name] = found
    notebook.page.set_viewport_size({"width": 1280, "height": 720})
    assert faults == {}


def test_a_button_keeps_the_focus_and_keys_stay_in_the_explorer(shown, notebook):
    explorer = shown("Descent")
    cells = notebook.page.locator(".jp-CodeCell").count()
    explorer.button("Undo").focus()
    explorer.press("Enter", "a", "b", "x", "ArrowRight")
    assert notebook.page.locator(".jp-CodeCell").count() == cells
    assert explorer.button("Undo").evaluate("(button) => button === document.activeElement")
    explorer.look_at("End")
    explorer.button("Next").focus()
    explorer.press("Enter")
    assert explorer.button("Next").evaluate("(button) => button === document.activeElement")
    explorer.box("learning rate η").focus()
    explorer.press("ArrowUp")
    assert 0.95 < explorer.value("learning rate η") < 1
    explorer.fill({"steps": 13})
    explorer.box("steps").fill("12.7")
    explorer.press("Enter")
    assert explorer.eventually(lambda: explorer.value("steps") == 13)
    assert explorer.words().startswith("After 13 steps")


def test_descent_shows_the_numbers_of_descend(shown):
    explorer = shown("Descent")
    explorer.fill({"start x": -6, "start y": 1.5, "learning rate η": 0.9, "steps": 12})
    run = descend(SGD(0.9), ravine, (-6, 1.5), 12)
    explorer.eventually_reads(
        lambda: explorer.said(r"After (\S+) steps: loss (\S+) at \((\S+), (\S+)\)"),
        [12, run.losses[12], *run.positions[12]],
    )
    explorer.look_at("End")
    for k in 12, 11:
        (x, y), (g_x, g_y) = run.positions[k], run.gradients[k]
        explorer.eventually_reads(lambda: explorer.row("x")[:3], [x, g_x, run.losses[k]])
        explorer.eventually_reads(lambda: explorer.row("y")[:2], [y, g_y])
        explorer.button("Back").click()


def test_a_click_on_the_loss_curve_goes_to_its_step(shown):
    explorer = shown("Descent")
    spec = explorers.Descent().shown.panels[1]
    explorer.panel(1).scroll_into_view_if_needed()
    area = explorer.panel(1).bounding_box()
    scale = area["width"] / spec.size[0]
    x = area["x"] + scale * (spec.box[0] + spec.box[2] * 12 / 30)
    explorer.page.mouse.click(x, area["y"] + scale * (spec.box[1] + 50))
    explorer.eventually_reads(
        lambda: explorer.row("x")[:1], [descend(SGD(0.95), ravine).positions[12, 0]]
    )


def test_rate_map_shows_the_numbers_of_descend(shown):
    explorer = shown("RateMap")
    lr, momentum = 0.5, 0.3
    explorer.fill({"learning rate η": lr, "momentum α": momentum})
    factors = [
        max(abs(np.linalg.eigvals([[1 - lr * c, momentum], [-lr * c, momentum]])))
        for c in (1 / 10, 2)  # the curvatures of x²/20 + y²
    ]
    run = descend(Momentum(lr, momentum), ravine, steps=30)
    explorer.eventually_reads(
        lambda: explorer.said(r"^Convergence factor (\S+): .* Loss after 30 steps: (\S+)\.$"),
        [max(factors), run.losses[-1]],
    )
    explorer.eventually_reads(lambda: explorer.row(r"convergence factor.*"), factors)


def test_step_inspector_shows_the_numbers_of_descend(shown):
    explorer = shown("StepInspector")
    explorer.fill({"start x": -6, "start y": 1.5, "steps": 8})
    explorer.fill({"learning rate η": 0.2, "β₁": 0.8, "β₂": 0.99})
    run = descend(Adam(0.2, 0.8, 0.99), ravine, (-6, 1.5), 8)
    explorer.eventually_reads(
        lambda: explorer.said(r"^After (\d+) steps: loss (\S+)"), [8, run.losses[8]]
    )
    explorer.look_at("End")
    for k in 8, 7:
        m, v = run.states["m"][k], run.states["v"][k]
        lines = [m, v, m / (1 - 0.8**k), v / (1 - 0.99**k), run.positions[k]]
        explorer.eventually_reads(explorer.results, np.ravel(lines).tolist())
        explorer.button("Back").click()


def test_race_shows_the_numbers_of_descend_and_its_end_only_at_the_end(shown):
    explorer = shown("Race")
    assert explorer.eventually(lambda: "AdaGrad" not in explorer.words())
    rules = {SGD: 0.9, Momentum: 0.2, AdaGrad: 1.2, Adam: 0.4}
    explorer.fill({"start x": -6, "start y": 1.5, "steps": 12})
    explorer.fill({f"{rule.__name__} η": lr for rule, lr in rules.items()})
    losses = {
        rule.__name__: descend(rule(lr=lr), ravine, (-6, 1.5), 12).losses
        for rule, lr in rules.items()
    }
    explorer.look_at("End")
    explorer.eventually_reads(
        lambda: explorer.said(r"^At the end: \w+ \((\S+)\)"),
        [min(run[12] for run in losses.values())],
    )
    for k in 12, 11:
        now = {name: values[k] for name, values in losses.items()}
        explorer.eventually_reads(lambda: explorer.row("loss f"), list(now.values()))
        assert explorer.row_texts("loss f")[-1] == min(now, key=now.get)
        explorer.button("Back").click()


def test_words_follow_play_and_only_the_last_are_read_aloud(shown):
    explorer = shown("Race")
    status = explorer.output.locator(".stage-status")
    says = "(at, [words, live]) => at.textContent.startsWith(words) && at.ariaLive === live"
    explorer.button("Play").click()
    assert explorer.eventually(lambda: status.evaluate(says, ["Leads now", "off"]))
    assert explorer.eventually(lambda: status.evaluate(says, ["At the end", "polite"]))


def test_the_blindfold_game_is_played_by_keyboard_and_hides_the_map(shown):
    explorer = shown("BlindfoldGame")
    landscape = random_range(1)
    twin = explorers.BlindfoldGame(seed=1)
    twin.press("Lift the blindfold")
    picture = twin.shown.panels[0].image
    places = [np.array(landscape.start)]
    for k in range(3):
        felt = landscape(places[k]), np.linalg.norm(landscape.gradient(places[k]))
        explorer.eventually_reads(
            lambda: explorer.said(r"^Step (\d+) of 20: height (\S+), slope (\S+), "), [k, *felt]
        )
        explorer.panel().focus()
        for key in "ArrowLeft", "ArrowUp":
            pixels = explorer.pixels()
            explorer.press(key)
            explorer.wait_for_other_pixels(pixels)
        explorer.page.wait_for_timeout(300)
        explorer.press("Enter")
        explorer.eventually_reads(lambda: explorer.said(r"^Step (\d+)"), [k + 1])
        angle, length = np.deg2rad(explorer.value("direction °")), explorer.value("length")
        places.append(places[k] + length * np.array([np.sin(angle), np.cos(angle)]))
    assert not any(picture in message for message in explorer.notebook.received)
    explorer.tab_to(explorer.button("Lift the blindfold"), "Shift+Tab")
    explorer.press("Space")
    plain = descend(SGD(0.3), landscape, landscape.start, 3)
    scores = [
        score_of(landscape, [plain.losses[0], end])
        for end in (landscape(places[-1]), plain.losses[-1])
    ]
    explorer.eventually_reads(
        lambda: explorer.said(r"^You went (\d+)\s% .* in 3 steps\. .* η 0\.3: (\d+)\s%"), scores
    )
    assert explorer.eventually(
        lambda: any(picture in message for message in explorer.notebook.received)
    )


def test_an_explorer_outlives_its_kernel(page, lab):
    """Press, drag, save, shut down, reopen: the picture. Run, restart: it plays, and says so."""
    notebook = OpenNotebook(
        page, lab, "one_explorer.ipynb", ["from helpers import explorers\nexplorers.Descent()"]
    )
    notebook.run()
    explorer = ShownExplorer(notebook, 0)
    explorer.button("Bounces forever").click()
    explorer.slider("learning rate η").focus()
    explorer.press("ArrowLeft")
    (output,) = notebook.saved_outputs()
    assert WIDGET_VIEW not in output.data
    stored = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"])))
    assert stored.width > 800
    notebook.choose("Kernel", "Shut Down Kernel")
    page.wait_for_timeout(1000)
    page.goto(notebook.address)
    picture = page.locator(".jp-OutputArea-output img")
    picture.wait_for()
    assert "Error displaying widget" not in page.content()
    run_all_cells(page)
    explorer = ShownExplorer(notebook, 0)
    notebook.choose("Kernel", "Restart Kernel…")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.get_by_text("Run this cell to set the controls").wait_for()
    pixels = explorer.pixels()
    explorer.button("Play").click()
    explorer.wait_for_other_pixels(pixels)
    run_all_cells(page)
    explorer = ShownExplorer(notebook, 0)
    explorer.button("Bounces forever").click()
    explorer.eventually_reads(lambda: explorer.said(r"loss (\S+) at"), [4.004])


def test_an_explorer_is_drawn_though_its_state_is_sent_again_while_it_opens(page, lab):
    page.add_init_script(SLOW_PICTURES)
    again = f"{IMPORTS}\nexplorer = explorers.Descent()\ndisplay(explorer)\nexplorer.send_state()"
    notebook = OpenNotebook(page, lab, "sent_again.ipynb", [again])
    notebook.run()
    page.locator(".stage-status", has_text="After 30 steps").wait_for()
    assert page.evaluate("pictures") == 1
    assert notebook.errors == []
