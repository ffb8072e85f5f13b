"""Explorers driven without a browser: every control, what is shown, and what is said."""

import gc
import io
import json
import re
import runpy
import subprocess
import sys
from functools import partial

import ipywidgets as widgets
import matplotlib
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from helpers import figures
from helpers.descent import descend, sweep
from helpers.explorers import BlindfoldGame, Descent, Race, RateMap, StepInspector, one_descent
from helpers.explorers.controls import RATES, NumberBox
from helpers.explorers.inspector import FORMULAS
from helpers.explorers.rate_map import contraction
from helpers.explorers.stage import Explorer
from helpers.landscapes import LANDSCAPES, mountains, plateau, ravine, round_bowl, saddle
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum
from tools.run_notebooks import ROOT, WIDGET_VIEW, run

RULES = [SGD, Momentum, AdaGrad, Adam]
ODD_NUMBERS = [0.0, -0.0, -1e300, 1e300, float("inf"), float("-inf"), float("nan"), 1e-300]


@pytest.fixture(autouse=True)
def errors_are_raised(monkeypatch):
    monkeypatch.setattr(Explorer, "strict", True)


def descendants(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from descendants(child)


def controls(explorer):
    """Return the widgets that a reader can reach, in order."""
    kinds = (
        widgets.FloatSlider,
        widgets.FloatLogSlider,
        widgets.IntSlider,
        NumberBox,
        widgets.BoundedIntText,
        widgets.Dropdown,
        widgets.Checkbox,
        widgets.Button,
    )
    return [widget for widget in descendants(explorer) if isinstance(widget, kinds)]


def column(values):
    return values if isinstance(values, list) else np.frombuffer(values)


def shown(explorer, name):
    """Return the number of that name at the chosen step, as the browser reads it."""
    values = column(explorer.stage.scene["numbers"][name])
    return values[min(explorer.stage.step, len(values) - 1)]


def words(explorer):
    return explorer.stage.scene["status"]


def check_whole(explorer):
    """Check that what the browser got can be drawn."""
    scene, panels = explorer.stage.scene, explorer.stage.panels
    assert words(explorer)
    assert explorer.stage.alarm == ""
    assert 0 <= explorer.stage.step <= scene["last"]
    for panel in panels:
        assert panel["png"].startswith(b"\x89PNG")
    for mark in scene["marks"]:
        assert mark["panel"] < len(panels)
        width = 4 if mark["kind"] == "arrow" else 2
        data = np.frombuffer(mark["data"])
        assert len(data) >= width
        assert len(data) % width == 0
        assert not np.isnan(data).any()
    for values in scene["numbers"].values():
        assert len(column(values)) in (1, *range(scene["last"] + 1, 302))
    assert set(re.findall(r"{(\w+)}", scene["template"])) <= scene["numbers"].keys()


MAKERS = {
    "descent": lambda: Descent(Momentum, ravine),
    "descent of Adam": lambda: Descent(Adam, mountains, steps=60),
    "game": BlindfoldGame,
    "rates": RateMap,
    **{f"inspector of {rule.__name__}": (lambda rule=rule: StepInspector(rule)) for rule in RULES},
    "race": Race,
}


@pytest.fixture(params=MAKERS.values(), ids=MAKERS)
def explorer(request):
    return request.param()


# ---- every control, through its whole range and beyond ------------------------------------------


def values_of(control):
    """Return a strategy of what a reader can do with a control."""
    if isinstance(control, widgets.Dropdown):
        return st.sampled_from(control.options).map(
            lambda option: option[1] if isinstance(option, tuple) else option
        )
    if isinstance(control, widgets.Checkbox):
        return st.booleans()
    if isinstance(control, widgets.FloatLogSlider):
        return st.floats(control.min, control.max).map(lambda power: 10**power)
    if isinstance(control, widgets.IntSlider | widgets.BoundedIntText):
        return st.integers(control.min - 2, min(control.max, 60) + 2) | st.just(control.max)
    low, high = control.min, control.max
    return st.floats(low, high) | st.sampled_from([low, high, *ODD_NUMBERS])


def use(explorer, data):
    """Do one thing that a reader can do."""
    things = [*controls(explorer), "grab", "step", "enter"]
    thing = things[data.draw(st.integers(0, len(things) - 1), label="control")]
    if thing == "grab":
        grips = sorted(explorer._shown.grips)
        if grips:
            (x0, x1), (y0, y1) = explorer._shown.panels[grips[0]].window
            point = data.draw(st.tuples(st.floats(x0, x1), st.floats(y0, y1)), label="point")
            explorer.stage.grabbed = [grips[0], *point]
    elif thing == "step":
        last = explorer.stage.scene["last"]
        explorer.stage.step = data.draw(st.integers(0, last), label="step")
    elif thing == "enter":
        explorer.stage._handle_custom_msg("enter", [])
    elif isinstance(thing, widgets.Button):
        thing.click()
    else:
        thing.value = data.draw(values_of(thing), label=getattr(thing, "description", "box"))


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@settings(max_examples=8, deadline=None, database=None)
@given(data=st.data())
def test_no_combination_of_controls_raises_warns_or_shows_a_broken_picture(make, data):
    explorer = make()
    for _ in range(6):
        use(explorer, data)
        check_whole(explorer)
    assert plt.get_fignums() == []
    picture = explorer.picture()
    with matplotlib.rc_context(figures.STYLE):
        picture.figure.draw_without_rendering()
    assert picture.alt


@pytest.mark.parametrize("value", ODD_NUMBERS)
def test_a_number_box_takes_the_nearest_number_or_keeps_its_own(value):
    box = NumberBox(value=0.5, min=0.25, max=2.0)
    box.value = value
    assert box.value == (0.5 if np.isnan(value) else np.clip(value, 0.25, 2.0))


@pytest.mark.parametrize("text", ["abc", "", None])
def test_a_number_box_refuses_text(text):
    box = NumberBox(value=0.5, min=0.25, max=2.0)
    with pytest.raises(traitlets.TraitError):
        box.value = text
    assert box.value == 0.5


def test_slider_and_box_follow_each_other_but_not_the_browsers_rounding():
    dial = Descent(SGD).dials["lr"]
    dial.slider.value = 10 ** round(np.log10(0.95), 2)  # what the browser makes of 0.95
    assert dial.box.value == 0.95
    dial.slider.value = 0.5
    assert dial.box.value == dial.value == 0.5
    dial.box.value = 0.002
    assert dial.slider.value == 0.002


# ---- the numbers on the screen ------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES)
def test_descent_shows_what_descend_computes(rule):
    explorer = Descent(rule, mountains, start=(1.0, -1.0), steps=40, lr=0.05)
    run_ = descend(rule(**explorer.settings), mountains, (1.0, -1.0), 40)
    path, curve = (np.frombuffer(m["data"]).reshape(-1, 2) for m in explorer.stage.scene["marks"])
    np.testing.assert_array_equal(path, run_.positions)
    np.testing.assert_allclose(curve[:, 1], run_.losses - mountains(mountains.minima[0]))
    explorer.stage.step = 17
    assert shown(explorer, "x0") == run_.positions[17, 0]
    assert shown(explorer, "y1") == run_.gradients[17, 1]
    assert shown(explorer, "f") == run_.losses[17]
    for i, values in enumerate(run_.states.values(), start=2):
        assert shown(explorer, f"x{i}") == values[17, 0]


def test_noise_is_added_to_the_gradient_and_is_the_same_each_time():
    explorer = Descent(SGD)
    exact = explorer.stage.scene["marks"][0]["data"]
    explorer.noise.value = 0.5
    noisy = explorer.stage.scene["marks"][0]["data"]
    assert noisy != exact
    explorer.reset()
    assert explorer.stage.scene["marks"][0]["data"] == exact
    explorer.noise.value = 0.5
    assert explorer.stage.scene["marks"][0]["data"] == noisy


def test_a_walk_or_a_lift_shows_the_last_step_also_after_going_back():
    game = BlindfoldGame()
    for step in 1, 2, 3:
        game.stage.step = 0
        game.walk()
        assert game.stage.step == step
    game.stage.step = 1
    game.lift()
    assert game.stage.step == 3


@pytest.mark.parametrize(
    ("make", "first"), [(StepInspector, 1), (partial(Descent, SGD, steps=12), 12)]
)
def test_reset_returns_to_how_an_explorer_began_and_draws_once(make, first):
    explorer = make()
    explorer.steps.value, explorer.stage.step = 20, 7
    drawn = []
    explorer.stage.observe(drawn.append, "scene")
    explorer.reset()
    assert explorer.stage.step == first
    assert len(drawn) == 1


def test_best_rate_here_is_the_best_of_a_sweep():
    explorer = Descent(Momentum, ravine)
    explorer.best_rate()
    rates = sweep(lambda lr: Momentum(lr, 0.9), ravine, lr=RATES)
    assert explorer.dials["lr"].value == pytest.approx(rates.best["lr"], rel=1e-3)


def numbers_put_in(formula, explorer, axis, before_step):
    """Compute the right side of a worked line from the numbers that it shows."""
    left = formula.rsplit(" = ", 1)[0].replace("{eps}", "0")
    text = re.sub(r"{(\w+)}", lambda match: f"({shown(explorer, match[1] + '_' + axis)!r})", left)
    for sign, code in {"−": "-", "·": "*", "²": "**2", "ε": str(before_step)}.items():
        text = text.replace(sign, code)
    text = re.sub(r"√(\([^()]*(?:\([^()]*\))?[^()]*\))", r"np.sqrt(\1)", text)
    return eval(text.replace("np.float64", ""))


@pytest.mark.parametrize("rule", RULES)
def test_the_inspectors_lines_are_true(rule):
    """Left and right of the last equals sign agree, for each line, axis and step."""
    explorer = StepInspector(rule, lr=0.2)
    eps = getattr(rule(), "eps", 0.0)
    for step in (1, 2, 7, 30):
        explorer.stage.step = step
        for worked in FORMULAS[rule.__name__].values():
            result = re.search(r"{(\w+)}$", worked)[1]
            for axis in "xy":
                computed = numbers_put_in(worked, explorer, axis, eps)
                assert computed == pytest.approx(shown(explorer, f"{result}_{axis}"), rel=1e-9)


def test_exact_rate_is_the_spectral_radius():
    for lr, momentum, curvature in [(0.1, 0.9, 2), (1.336, 0.403, 2), (1.9, 0.2, 2), (0.5, 0, 2)]:
        step = np.array(
            [[1 - lr * curvature, momentum], [-lr * curvature, momentum]]
        )  # (θ, v) to the next
        radius = abs(np.linalg.eigvals(step)).max()
        assert contraction(lr, momentum, curvature) == pytest.approx(radius)


def test_rate_map_finds_its_best_point_on_the_exact_rate():
    explorer = RateMap()
    best = explorer.presets()["Best point"]
    explorer.choose(best)
    shown_rates = [float(explorer.stage.scene["numbers"][f"rate_{axis}"][0]) for axis in "xy"]
    assert shown_rates == pytest.approx([np.sqrt(best[1])] * 2, abs=1e-3)
    rate = max(shown_rates)
    for lr, momentum in [(1.0, 0.4), (1.336, 0.5), (1.4, 0.3)]:
        explorer.choose((lr, momentum))
        numbers = explorer.stage.scene["numbers"]
        assert max(float(numbers["rate_x"][0]), float(numbers["rate_y"][0])) > rate


def test_rate_map_refuses_a_landscape_that_is_no_bowl():
    with pytest.raises(ValueError, match="landscape must be a bowl"):
        RateMap(mountains)
    assert RateMap(round_bowl).curvatures == (1.0, 1.0)


def test_race_says_who_leads_now_and_at_the_end():
    explorer = Race()
    assert words(explorer).startswith("At the end: AdaGrad")
    losses = {
        name: descend(rule(lr=explorer.rates[name].value), ravine).losses
        for name, rule in Race.rules.items()
    }
    for step in (1, 5, 20, 30):
        explorer.stage.step = step
        first = min(losses, key=lambda name: losses[name][step])
        assert shown(explorer, "leader") == first
        assert shown(explorer, f"place_{first}") == "1"


def test_race_leaves_out_who_is_switched_off_and_who_diverged():
    explorer = Race()
    explorer.switches["AdaGrad"].value = False
    assert "AdaGrad" not in words(explorer)
    assert shown(explorer, "place_AdaGrad") == "off"
    explorer.ground.menu.value = LANDSCAPES["Rosenbrock"]
    assert "SGD (out at step" in words(explorer)
    for switch in explorer.switches.values():
        switch.value = False
    assert words(explorer) == "Nobody runs: switch on an optimizer."


# ---- the game -----------------------------------------------------------------------------------


def test_the_map_is_hidden_until_the_blindfold_is_lifted():
    """Nothing that is sent depends on the mountains but heights and slopes where one has been."""
    game, other = BlindfoldGame(seed=3), BlindfoldGame(seed=4)
    game.walk()
    other.walk()
    assert game.stage.panels[0] == other.stage.panels[0]
    sent = json.dumps(game.get_state(), default=str) + game.stage.scene["template"]
    assert not re.search(r"minim|valley at", sent)
    assert [mark["kind"] for mark in game.stage.scene["marks"]] == ["curve", "arrow", "arrow"]
    game.lift()
    assert [mark["kind"] for mark in game.stage.scene["marks"]].count("path") == 2
    assert game.stage.panels[0]["png"] != other.stage.panels[0]["png"]


def test_the_game_is_walked_with_keys_alone():
    game = BlindfoldGame(seed=3)
    start = game.positions[0]
    game.stage.grabbed = [0, 0.0, 1.5]
    game.stage._handle_custom_msg("enter", [])
    np.testing.assert_allclose(game.positions[-1], start + np.array([0, 1.5]), atol=1e-12)
    for _ in range(30):
        game.stage._handle_custom_msg("enter", [])
    assert len(game.positions) == 21
    assert "No steps left" in words(game)
    assert game.walk_button.disabled


def test_gradient_descent_walks_as_many_steps_and_both_are_scored():
    game = BlindfoldGame(seed=5)
    for _ in range(4):
        game.walk()
    game.lift()
    plain = np.frombuffer(game.stage.scene["marks"][0]["data"]).reshape(-1, 2)
    run_ = descend(SGD(game.plain_rate), game.landscape, game.positions[0], 4)
    np.testing.assert_array_equal(plain, run_.positions)
    deepest = game.landscape(game.landscape.minima[0])
    heights = game.landscape(np.array(game.positions))
    score = round(100 * max(0, heights[0] - heights[-1]) / (heights[0] - deepest))
    assert f"You went {score} %" in words(game)


# ---- what is said -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("explorer", "said"),
    [
        (lambda: Descent(SGD, LANDSCAPES["Rosenbrock"]), "Diverged at step"),
        (lambda: Descent(SGD, ravine, lr=1.5), "It diverges."),
        (lambda: Descent(SGD, ravine, start=(0, 0)), "The start is on a minimum"),
        (lambda: Descent(SGD, saddle, start=(0, 0)), "The start is on flat ground"),
        (lambda: Descent(SGD, ravine, steps=0), "No step yet"),
        (lambda: Descent(AdaGrad, plateau, lr=0.001, steps=100), "It hardly moves"),
        (lambda: RateMap(), "each step shrinks the distance to 94.9 %"),
    ],
)
def test_what_happens_is_said_in_words(explorer, said):
    assert said in words(explorer())


def test_an_error_in_a_callback_fails_in_tests(monkeypatch):
    explorer = Descent(SGD)
    monkeypatch.setattr(one_descent, "outcome", lambda run: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        explorer.steps.value = 10


def test_an_error_in_a_callback_is_told_to_a_reader_in_one_line(monkeypatch):
    monkeypatch.setattr(Explorer, "strict", False)
    explorer = Descent(SGD)
    before = explorer.stage.scene
    with monkeypatch.context() as broken:
        broken.setattr(one_descent, "outcome", lambda run: 1 / 0)
        explorer.steps.value = 10
        assert explorer.stage.alarm.startswith("ZeroDivisionError: division by zero")
        assert "\n" not in explorer.stage.alarm
        assert explorer.stage.scene == before
        explorer.reset()
        assert explorer.stage.alarm
    explorer.steps.value = 20
    assert explorer.stage.alarm == ""
    assert explorer.stage.scene["last"] == 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": -1.0}, "lr must be"),
        ({"lr": 20.0}, "lr must be a number from 0.0001 to 10, got 20.0"),
        ({"lr": "fast"}, "lr must be a number .* got fast"),
        ({"momentum": 0.9}, "numbers must be among lr, got momentum"),
        ({"steps": 301}, "steps must be a number from 0 to 300, got 301"),
        ({"start": (9, 0)}, "start x must be a number from -8 to 8, got 9"),
        ({"steps": -1}, "steps must be"),
        ({"start": (1, 2, 3)}, "start must have shape"),
    ],
)
def test_wrong_arguments_raise_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        Descent(SGD, **arguments)


# ---- display ------------------------------------------------------------------------------------


def test_display_has_three_forms(explorer):
    data, metadata = explorer._repr_mimebundle_()
    assert data[WIDGET_VIEW]["model_id"] == explorer.model_id
    image = Image.open(io.BytesIO(data["image/png"]))
    image.load()
    assert image.width >= metadata["image/png"]["width"]
    assert metadata["image/png"]["alt"] in data["text/plain"]
    assert data["text/plain"].startswith("Explorer: ")
    assert "\n" not in data["text/plain"]
    assert re.search(r"\d", data["text/plain"])


def test_the_picture_follows_the_state(explorer):
    before = explorer.picture().png()
    next(
        w for w in controls(explorer) if isinstance(w, widgets.FloatSlider | NumberBox)
    ).value = 0.3
    if explorer.stage.scene["last"]:
        explorer.stage.step = 0
    assert explorer.picture().png() != before


def test_the_still_layer_is_sent_only_when_it_changes():
    explorer = Descent(SGD)
    sent = []
    explorer.stage.observe(lambda change: sent.append(change["name"]))
    explorer.dials["lr"].value = 0.3
    assert sent == ["scene"]
    explorer.ground.menu.value = mountains
    assert "panels" in sent


def test_500_changes_leave_no_memory_and_no_figures():
    def megabytes():
        gc.collect()
        with open("/proc/self/statm") as status:
            return int(status.read().split()[1]) * 4096 / 1e6

    explorer = Descent(Momentum)
    rates = np.linspace(0.01, 0.5, 600)
    for rate in rates[:100]:
        explorer.dials["lr"].value = rate
    before = megabytes()
    for rate in rates[100:]:
        explorer.dials["lr"].value = rate
    assert megabytes() - before < 5
    assert plt.get_fignums() == []


def test_a_stored_notebook_passes_nbval_and_shows_pictures_in_html(tmp_path):
    cells = [
        "from helpers import explorers\nfrom helpers.optimizers import Momentum",
        "explorers.Descent(Momentum)",
    ]
    path = tmp_path / "small.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells]), path)
    run(path)
    (output,) = nbformat.read(path, as_version=4).cells[1].outputs
    assert output.data.keys() == {"image/png", "text/plain"}
    options = [f"--config-file={ROOT / 'pyproject.toml'}", "-p", "no:xdist", "-p", "no:cov", "-q"]
    subprocess.run([sys.executable, "-m", "pytest", *options, path], cwd=ROOT, check=True)
    html, _ = HTMLExporter().from_filename(path)
    assert "data:image/png;base64" in html


# ---- the browser's side and the server's ---------------------------------------------------------


def test_the_javascript_is_short_and_fetches_nothing():
    source = (ROOT / "helpers" / "explorers" / "stage.js").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 250
    assert not re.search(r"https?:|\bimport\b|fetch\(", source)


def test_make_labs_server_sends_at_once():
    from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

    calls = []

    class Handler(KernelWebsocketHandler):
        def __init__(self):
            pass

        def set_nodelay(self, value):
            calls.append(("nodelay", value))

    original = KernelWebsocketHandler.open
    try:
        KernelWebsocketHandler.open = lambda self, kernel_id: calls.append(("open", kernel_id))
        runpy.run_path(str(ROOT / "tools" / "lab_config.py"))
        Handler().open("one")
    finally:
        KernelWebsocketHandler.open = original
    assert calls == [("nodelay", True), ("open", "one")]
