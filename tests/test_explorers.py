"""Explorers driven without a browser: every control, what is shown, and what is said."""

import asyncio
import gc
import io
import json
import re
import subprocess
import sys
from functools import partial

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook
from PIL import Image

from helpers.data import make_rate_decay
from helpers.descent import descend, sweep
from helpers.digits import load_digits
from helpers.explorers import (
    BlindfoldGame,
    Descent,
    Race,
    RateMap,
    Search,
    Signal,
    Slope,
    StepInspector,
    Turned,
    one_descent,
    search,
    stage,
)
from helpers.explorers.controls import Dial, Menu, Switch
from helpers.explorers.inspector import FORMULAS
from helpers.explorers.rate_map import convergence_factor
from helpers.explorers.runs import curvatures, noisy
from helpers.explorers.signal import measured
from helpers.explorers.stage import Explorer, coarse_to_fine
from helpers.explorers.words import filled, said
from helpers.landscapes import (
    LANDSCAPES,
    from_function,
    mountains,
    plateau,
    ravine,
    round_bowl,
    saddle,
)
from helpers.looks import LOOKS
from helpers.networks import MultilayerPerceptron
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum
from tools.run_notebooks import ROOT, WIDGET_VIEW, run

RULES = [SGD, Momentum, AdaGrad, Adam]
ODD_TEXTS = ["", "abc", "nan", "inf", "-1e400", "1e300", "−3", "0,5", " 7 ", "1e-300"]


@pytest.fixture(autouse=True)
def errors_are_raised(monkeypatch):
    monkeypatch.setattr(Explorer, "strict", True)


MAKERS = {
    "descent": lambda: Descent(Momentum, ravine),
    "descent of Adam": lambda: Descent(Adam, mountains, steps=60),
    "game": BlindfoldGame,
    "rates": RateMap,
    **{f"inspector of {rule.__name__}": (lambda rule=rule: StepInspector(rule)) for rule in RULES},
    "race": Race,
    "slope": Slope,
    "slope of the plateau": lambda: Slope(plateau, "x", steps=40),
    "turned": Turned,
    "search": Search,
    "search on a grid": lambda: Search("grid", 30, 0.01, 1.0, "linear"),
    "signal": Signal,
    "signal of sigmoid": lambda: Signal("sigmoid", 1, depth=8, width=30),
}


@pytest.fixture(params=MAKERS.values(), ids=MAKERS)
def explorer(request):
    return request.param()


def told(explorer, **message):
    """Send what the browser would send."""
    explorer._receive(explorer, message, [])


def mark(explorer, i):
    """Return the data of a mark as the browser reads them, in rows."""
    spec = explorer.scene["marks"][i]
    wide = 4 if spec["kind"] in ("arrow", "segment", "box") else 2
    return np.frombuffer(explorer.scene["data"], "<f4")[spec["from"] : spec["to"]].reshape(-1, wide)


def number(text):
    """Return the number that is written, such as −1.234·10⁻⁵."""
    plain = text.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789"))
    return float(plain.replace("·10", "e").replace("∞", "inf").replace("–", "nan"))


def shown(explorer, name):
    """Return the number of that name at the shown step, unrounded."""
    values = explorer.shown.numbers[name]
    return values[min(explorer.step, len(values) - 1)]


def plain(html):
    """Return the text of HTML, without the sign of a look before a name."""
    return re.sub("<.*?>", "", re.sub("<i.*?</i>\u00a0", "", html))


def values(explorer, row, column):
    """Return what stands in a cell of the table, unrounded: a text, or a value for each step."""
    lines = re.findall(r"<tr>(.*?)</tr>", explorer.shown.template)
    (head, *rows) = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", line) for line in lines]
    (cells,) = [cells for cells in rows if cells[0] == row]
    cell = cells[[plain(name) for name in head].index(column)]
    return explorer.shown.numbers[cell[1:-1]] if cell.startswith("{") else cell


def cell(explorer, row, column):
    """Return what stands in a cell of the table at the shown step, unrounded."""
    found = values(explorer, row, column)
    return found if isinstance(found, str) else found[explorer.step]


def words(explorer):
    return explorer.shown.words_at(explorer.step)


def check_whole(explorer):
    """Check that what the browser got can be drawn."""
    scene, panels = explorer.scene, explorer.panels
    assert words(explorer)
    assert explorer.alarm == ""
    assert 0 <= explorer.step <= scene["last"]
    assert len(scene["words"]) == scene["last"] + 1 or isinstance(scene["words"], str)
    assert all(panels[key]["image"][:4] in (b"", b"\x89PNG") for key in scene["panels"])
    for i, spec in enumerate(scene["marks"]):
        assert spec["panel"] < len(scene["panels"])
        assert len(mark(explorer, i)) >= 1
        assert not np.isnan(mark(explorer, i)).any()
    for texts in scene["columns"].values():
        assert len(texts) in (1, *range(scene["last"] + 1, 302))
        assert not any("nan" in text or "inf" in text for text in texts)
    assert set(re.findall(r"{(\w+)}", scene["template"])) <= scene["columns"].keys()
    assert scene["values"].keys() == explorer.parts.keys()


# ---- every control, through its whole range and beyond ------------------------------------------


def texts_of(control):
    """Return a strategy of what a reader can do with a control."""
    if isinstance(control, Menu):
        return st.sampled_from(control.options)
    if isinstance(control, Switch):
        return st.booleans()
    stops = st.sampled_from([control.text(value) for value in control.stops or [control.value]])
    if control.name == "steps":  # long runs take their time
        return st.integers(0, 40).map(str) | st.sampled_from(["300", *ODD_TEXTS])
    return stops | st.sampled_from(ODD_TEXTS) | st.floats(-10, 10).map(str)


def use(explorer, data):
    """Do one thing that a reader can do; what was no number is refused in a line."""
    things = [*explorer.parts.values(), *explorer.actions, "grab", "step", "probe", "fan"]
    thing = things[data.draw(st.integers(0, len(things) - 1), label="control")]
    if thing == "step":
        told(explorer, do="step", step=data.draw(st.integers(0, explorer.scene["last"])))
    elif thing in ("grab", "probe"):
        panel = data.draw(st.integers(0, len(explorer.shown.panels) - 1), label="panel")
        (x0, x1), (y0, y1) = explorer.shown.panels[panel].window
        x, y = data.draw(st.tuples(st.floats(x0, x1), st.floats(y0, y1)), label="point")
        if thing == "probe" or panel in explorer.shown.grips:
            told(explorer, do=thing, panel=panel, x=x, y=y)
    elif thing == "fan":
        dials = [name for name, part in explorer.parts.items() if part.stops]
        name = data.draw(st.sampled_from(dials))
        for _, (_, view, step) in zip(range(3), explorer.fan(name), strict=False):
            assert 0 <= step <= view.last
    elif isinstance(thing, str):
        told(explorer, do="press", name=thing, n=1)
    else:
        text = data.draw(texts_of(thing), label=thing.name)
        try:
            told(explorer, do="set", values={thing.name: text}, n=1)
        except ValueError:
            assert text in ODD_TEXTS


def test_a_number_beyond_a_whole_edge_of_the_window_is_a_number_all_the_same():
    explorer = Slope(plateau, "x", steps=3)
    told(explorer, do="set", values={"start": "9.0"}, n=1)
    assert explorer.values["start"] == 8.0
    assert isinstance(explorer.values["start"], float)


@pytest.mark.parametrize("make", [Descent, StepInspector])
def test_a_run_that_nearly_leaves_the_finite_numbers_is_shown_without_a_warning(make):
    explorer = make(SGD, lr=10.0, steps=130)
    assert np.abs(explorer.shown.marks[0].data).max() > 1e150
    json.dumps(explorer.scene["zoom"], allow_nan=False)
    explorer.picture()


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@settings(max_examples=6, deadline=None, database=None)
@given(data=st.data())
def test_no_combination_of_controls_raises_warns_or_shows_a_broken_picture(make, data):
    explorer = make()
    for _ in range(6):
        use(explorer, data)
        check_whole(explorer)
    png, size = explorer.picture()
    assert Image.open(io.BytesIO(png)).size == tuple(round(1.25 * side) for side in size)
    json.dumps(explorer.charts_of(explorer.values))
    assert explorer.shown.alt
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("text", "wanted"), [("0.5", 0.5), ("−3", 0.25), ("1e300", 2.0), ("0,7", 0.7), (" 1 ", 1.0)]
)
def test_a_dial_takes_the_nearest_number_of_its_range(text, wanted):
    assert Dial("a", "a", 0.5, 0.25, 2.0).read(text) == wanted


@pytest.mark.parametrize("text", ["abc", "", "nan", "inf", None])
def test_a_dial_refuses_what_is_no_number(text):
    with pytest.raises((ValueError, TypeError)):
        Dial("a", "a", 0.5, 0.25, 2.0).read(text)


@pytest.mark.parametrize("scale", ["linear", "log", "memory"])
def test_the_stops_of_a_dial_are_in_its_range_and_each_is_nearest_to_itself(scale):
    dial = Dial("a", "a", 0.5, 0.001, 0.999, scale=scale)
    assert dial.stops == sorted(dial.stops)
    assert dial.stops[0] == dial.low
    assert dial.stops[-1] == dial.high
    assert [dial.nearest(stop) for stop in dial.stops] == list(range(len(dial.stops)))


def test_a_whole_number_stays_one():
    explorer = Descent(SGD)
    explorer.set(steps="12.7")
    assert explorer.values["steps"] == 13
    assert explorer.scene["values"]["steps"] == "13"


def test_undo_takes_back_a_drag_as_one_change_and_then_a_preset():
    explorer = Descent(SGD)
    explorer.press("Bounces forever, η 1")
    for rate in ("0.5", "0.4", "0.3"):
        explorer.set(lr=rate)
    explorer.press("Undo")
    assert explorer.values["lr"] == 1.0
    explorer.press("Undo")
    assert explorer.values == explorer.first
    assert "Undo" in explorer.scene["off"]


def test_a_kept_run_stays_in_gray_until_the_map_is_another():
    explorer = Descent(SGD)
    path = mark(explorer, 0)
    explorer.press("Keep this run")
    explorer.set(lr="0.5")
    assert explorer.kept["marks"][0]["color"] == "#777777"
    np.testing.assert_array_equal(
        np.frombuffer(explorer.kept["data"], "<f4")[: path.size].reshape(-1, 2), path
    )
    assert "learning rate η 0.95" in explorer.kept["words"]
    explorer.set(landscape="mountains")
    assert explorer.kept == {}


def test_a_preset_says_what_it_changed():
    explorer = Descent(AdaGrad)
    explorer.press("Stuck on the plateau")
    assert explorer.scene["note"] == "Set landscape plateau, start x −7.5, steps 300."


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", LANDSCAPES)
def test_a_landscape_that_is_chosen_brings_a_rate_that_goes_down(rule, name):
    explorer = Descent(rule)
    explorer.set(landscape=name)
    run_ = descend(rule(**explorer.settings(explorer.values)), LANDSCAPES[name])
    assert run_.losses[-1] < run_.losses[0]


@pytest.mark.parametrize(
    ("make", "first"), [(StepInspector, 1), (partial(Descent, SGD, steps=12), 12), (Race, 0)]
)
def test_reset_returns_to_how_an_explorer_began(make, first):
    explorer = make()
    explorer.set(steps="20")
    explorer.look_at(7)
    explorer.press("Reset")
    assert explorer.step == first == explorer.scene["jump"]
    assert explorer.values == explorer.first


# ---- the fan ------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_what_is_computed_ahead_is_what_a_change_shows(make):
    explorer = make()
    name = next(name for name, part in explorer.parts.items() if part.stops)
    ahead = {i: (view, step) for i, view, step in explorer.fan(name)}
    stops = explorer.parts[name].stops
    assert len(ahead) in range(min(len(stops), 100), 202)
    for i in (min(ahead), sorted(ahead)[len(ahead) // 2]):
        view, step = ahead[i]
        at_end = make()
        at_end.set(**{name: at_end.parts[name].text(stops[i])})
        assert at_end.shown.words == view.words
        assert at_end.step == step
        for one, other in zip(at_end.shown.marks, view.marks, strict=True):
            np.testing.assert_array_equal(one.data, other.data)


@pytest.mark.parametrize(
    "make", [Descent, BlindfoldGame, RateMap, StepInspector, Race, Slope, Turned, Search, Signal]
)
def test_a_page_without_a_kernel_has_what_a_change_of_a_main_dial_shows(make):
    explorer = make()
    explorer.store()
    assert bool(explorer.stored) == (make is not BlindfoldGame)
    for name, fan in explorer.stored.items():
        ahead, part = fan[len(fan) // 2], explorer.parts[name]
        assert part.label in explorer.scene["note"]
        changed = make()
        changed.set(**{name: part.stops[ahead["i"]]})
        shown = {**explorer.scene, **ahead}
        assert shown["jump"] is None  # the step that is looked at stays
        for key in (*stage.SENT_AS_IT_IS, "marks", "data"):
            assert shown[key] == changed.scene[key], key
        for ours, other in zip(shown["panels"], changed.scene["panels"], strict=True):
            assert explorer.panels[ours] == changed.panels[other]


def test_the_fan_is_sent_in_parts_and_stops_when_it_is_out_of_date(monkeypatch):
    explorer, sent = Descent(SGD), []
    monkeypatch.setattr(explorer, "send", lambda message, buffers: sent.append((message, buffers)))
    asyncio.run(explorer._send_fan("lr", 1))
    stops = [scene["i"] for message, _ in sent for scene in message["scenes"]]
    assert sorted(stops) == sorted(i for i, _, _ in explorer.fan("lr"))
    assert all(len(message["scenes"]) == len(buffers) for message, buffers in sent)
    assert all(len(texts) == 1 for texts in sent[0][0]["scenes"][0]["columns"].values())
    sent.clear()
    monkeypatch.setattr(stage, "CLOSE_TOGETHER", 0)

    async def change_meanwhile():
        work = asyncio.create_task(explorer._send_fan("lr", 1))
        await asyncio.sleep(0.02)
        explorer.set(steps="5")
        await work

    asyncio.run(change_meanwhile())
    assert 0 < sum(len(message["scenes"]) for message, _ in sent) < len(stops)


def test_maps_that_are_new_are_sent_ahead_too(monkeypatch):
    explorer, sent = Turned(), []
    monkeypatch.setattr(explorer, "send", lambda message, buffers: sent.append((message, buffers)))
    asyncio.run(explorer._send_fan("degrees", 1))
    images = {
        key: buffers[spec["image"]]
        for message, buffers in sent
        for key, spec in message["specs"].items()
    }
    assert len(images) == 90
    assert all(image.startswith(b"\x89PNG") for image in images.values())
    json.dumps([message for message, _ in sent])


def test_coarse_comes_before_fine():
    order = coarse_to_fine(range(100))
    assert sorted(order) == list(range(100))
    assert order[:7] == list(range(0, 100, 16))


def test_a_change_is_acknowledged_even_if_it_fails(monkeypatch):
    monkeypatch.setattr(Explorer, "strict", False)
    explorer = Descent(SGD)
    told(explorer, do="set", values={"lr": "0.5"}, n=1)
    assert explorer.scene["n"] == 1
    told(explorer, do="set", values={"lr": "fast"}, n=2)
    assert explorer.scene["n"] == 2
    assert explorer.alarm.startswith("ValueError: could not convert")
    assert explorer.values["lr"] == 0.5


# ---- the numbers on the screen ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.3504, "−0.3504"),
        (12345.6, "12350"),
        (1234567.0, "1.235·10⁶"),
        (0.00012, "0.00012"),
        (-3.21e-33, "−3.21·10⁻³³"),
        (float("inf"), "∞"),
        (float("nan"), "–"),
    ],
)
def test_a_number_is_written_in_one_way(value, text):
    assert said(value) == text


def test_live_and_stored_form_say_the_same():
    explorer = Descent(SGD)
    text = filled(explorer.shown.template, explorer.scene["columns"], 30)
    assert "step 30" in text
    assert "−0.3504\t−0.03504\t0.01333" in text


@pytest.mark.parametrize("rule", RULES)
def test_descent_shows_what_descend_computes(rule):
    explorer = Descent(rule, mountains, start=(1.0, -1.0), steps=40, lr=0.05)
    run_ = descend(rule(**explorer.settings(explorer.values)), mountains, (1.0, -1.0), 40)
    np.testing.assert_allclose(mark(explorer, 0), run_.positions, rtol=1e-6)
    above = run_.losses - mountains(mountains.minima[0])
    np.testing.assert_allclose(mark(explorer, 1)[:, 1], above, rtol=1e-6)
    explorer.look_at(17)
    assert cell(explorer, "x", "θ") == run_.positions[17, 0]
    assert cell(explorer, "y", "gradient g") == run_.gradients[17, 1]
    assert cell(explorer, "x", "loss f") == run_.losses[17]
    html = filled(explorer.shown.template, explorer.scene["columns"], 17)
    written = html.splitlines()[1].split("\t")[3 + len(run_.states)]
    assert number(written) == pytest.approx(run_.losses[17], rel=1e-3)
    for name, state in run_.states.items():
        assert cell(explorer, "x", name) == state[17, 0]


def test_the_loss_by_axis_adds_up_to_the_loss():
    explorer = Descent(SGD, ravine)
    parts = [cell(explorer, axis, "its part of f") for axis in "xy"]
    assert sum(parts) == pytest.approx(cell(explorer, "x", "loss f"))
    assert number(cell(explorer, "x", "factor 1 − ηλ")) == pytest.approx(1 - 0.95 * 0.1)
    assert number(cell(explorer, "y", "factor 1 − ηλ")) == pytest.approx(1 - 0.95 * 2)
    assert curvatures(mountains) is None
    assert "its part of f" not in Descent(SGD, mountains).shown.template


def test_noise_shows_twenty_runs_and_a_new_draw_on_request():
    explorer = Descent(SGD)
    exact = explorer.scene["data"]
    explorer.set(noise="0.5")
    kinds = [spec["kind"] for spec in explorer.scene["marks"]]
    assert kinds.count("faint") == 40
    drawn = explorer.scene["data"]
    explorer.press("New draw of the noise")
    assert explorer.scene["data"] != drawn
    explorer.press("Undo")
    assert explorer.scene["data"] == drawn
    explorer.press("Reset")
    assert explorer.scene["data"] == exact


def test_without_noise_the_noisy_runs_are_those_of_descend():
    positions = noisy(Momentum(0.1), ravine, ravine.start, 30, 0.0, 0)
    wanted = descend(Momentum(0.1), ravine).positions
    np.testing.assert_allclose(positions, np.repeat(wanted[:, np.newaxis], 20, 1), atol=1e-14)


def test_noise_has_the_standard_deviation_it_says():
    flat = from_function(lambda x, y: 0 * x, ((-1, 1), (-1, 1)), (0, 0))
    positions = noisy(SGD(1.0), flat, (0, 0), 200, 0.5, 1)
    assert np.diff(positions, axis=0).std() == pytest.approx(0.5, rel=0.05)


def test_best_rate_here_is_the_best_of_a_fine_sweep():
    explorer = Descent(SGD, ravine)
    explorer.press("Best rate here")
    rates = sweep(SGD, ravine, lr=np.linspace(0.5, 1, 5001))
    assert explorer.values["lr"] == pytest.approx(rates.best["lr"], abs=2e-4)
    explorer = Descent(Momentum, ravine)
    losses = sweep(lambda lr: Momentum(lr, 0.9), ravine, lr=explorer.parts["lr"].stops).losses
    explorer.press("Best rate here")
    assert cell(explorer, "x", "loss f") <= losses.min()


def test_best_rate_here_makes_nothing_worse_on_the_mountains_and_counts_the_noise():
    explorer = Descent(SGD, mountains)
    explorer.press("Best rate here")
    losses = sweep(SGD, mountains, lr=explorer.parts["lr"].stops).losses
    assert descend(SGD(explorer.values["lr"]), mountains).losses[-1] <= losses.min()
    explorer = Descent(SGD)
    explorer.set(noise="1")
    before = number(re.search(r"loss (\S+)\.", words(explorer))[1])
    explorer.press("Best rate here")
    assert number(re.search(r"loss (\S+)\.", words(explorer))[1]) < before
    assert explorer.values["lr"] < 0.9


@pytest.mark.parametrize("make", [Descent, StepInspector])
def test_the_chart_on_the_dial_has_its_lowest_point_and_the_limit(make):
    explorer = make(SGD)
    chart = explorer.charts_of(explorer.values)["lr"]
    heights = [int(y) for y in re.findall(r",(\d+)", chart["path"])]
    losses = sweep(SGD, ravine, lr=explorer.parts["lr"].stops).losses
    lowest = int(np.argmin(losses))
    assert heights[lowest] == max(heights)  # pixels count from the top
    assert chart["marks"] == [[400, "2/λ = 1"], [lowest, "lowest 0.933"]]


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
        explorer.look_at(step)
        for worked in FORMULAS[rule.__name__].values():
            result = re.search(r"{(\w+)}$", worked)[1]
            for axis in "xy":
                computed = numbers_put_in(worked, explorer, axis, eps)
                assert computed == pytest.approx(shown(explorer, f"{result}_{axis}"), rel=1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_the_close_up_holds_the_step(rule):
    explorer = StepInspector(rule)
    run_ = descend(rule(**explorer.settings(explorer.values)), ravine)
    x0, x1, y0, y1 = np.transpose(explorer.scene["zoom"]["1"])
    for places in (run_.positions[1:], run_.positions[:-1]):
        assert (x0[1:] < places[:, 0]).all()
        assert (places[:, 0] < x1[1:]).all()
        assert (y0[1:] < places[:, 1]).all()
        assert (places[:, 1] < y1[1:]).all()
    explorer.look_at(0)
    assert words(explorer).startswith("Step 0: no step was made")


def test_convergence_factor_is_the_spectral_radius():
    for lr, momentum, curvature in [(0.1, 0.9, 2), (1.336, 0.403, 2), (1.9, 0.2, 2), (0.5, 0, 2)]:
        step = np.array(
            [[1 - lr * curvature, momentum], [-lr * curvature, momentum]]
        )  # (θ, v) to the next
        radius = abs(np.linalg.eigvals(step)).max()
        assert convergence_factor(lr, momentum, curvature) == pytest.approx(radius)


def test_rate_map_finds_its_best_point_exactly():
    explorer = RateMap()
    explorer.press("Best point")
    alpha = explorer.values["momentum"]
    factors = [
        cell(explorer, "convergence factor, the larger |root|", f"along {axis}") for axis in "xy"
    ]
    assert factors == [f"{np.sqrt(alpha):.4f}"] * 2 == ["0.6345"] * 2
    for lr, momentum in [(1.0, 0.4), (1.336, 0.5), (1.4, 0.3)]:
        factors = [convergence_factor(lr, momentum, curvature) for curvature in (0.1, 2)]
        assert max(factors) > np.sqrt(alpha)


def test_rate_map_shows_the_roots():
    explorer = RateMap()
    explorer.set(lr="0.5", momentum="0.3")
    roots = np.linalg.eigvals([[1 - 0.5 * 2, 0.3], [-0.5 * 2, 0.3]])
    drawn = [complex(*mark(explorer, i)[0]) for i in (4, 5)]
    np.testing.assert_allclose(sorted(drawn, key=np.imag), sorted(roots, key=np.imag), rtol=1e-6)


def test_rate_map_refuses_a_landscape_that_is_no_bowl():
    flat = from_function(lambda x, y: 0 * x, ((-1, 1), (-1, 1)), (0, 0))
    for landscape in (mountains, flat):
        with pytest.raises(ValueError, match="landscape must be a bowl"):
            RateMap(landscape)
    assert RateMap(round_bowl).curvatures == (1.0, 1.0)


def race_to_its_end():
    explorer = Race()
    explorer.look_at(explorer.shown.last)
    return explorer


def test_race_tells_nothing_of_the_end_before_it_was_seen():
    explorer = Race()
    assert explorer.step == 0
    assert not explorer.scene["future"]
    assert explorer.charts_of(explorer.values) == {}
    assert "AdaGrad" not in words(explorer) + explorer.shown.alt
    explorer.set(bet="AdaGrad")
    explorer.look_at(30)
    assert words(explorer).startswith("At the end: AdaGrad (0.0007219), SGD")
    assert words(explorer).endswith("You bet on AdaGrad, and it won.")
    assert explorer.charts_of(explorer.values).keys() == Race.rules.keys()


def test_race_says_who_leads_at_each_step():
    explorer = race_to_its_end()
    losses = {
        name: descend(rule(lr=explorer.values[name]), ravine).losses
        for name, rule in Race.rules.items()
    }
    for step in (1, 5, 20, 30):
        explorer.look_at(step)
        first = min(losses, key=lambda name: losses[name][step])
        assert cell(explorer, "loss f", "leads") == first
        assert cell(explorer, "rank", first) == 1


def test_race_leaves_out_who_is_switched_off_and_who_diverged():
    explorer = race_to_its_end()
    explorer.set(on_AdaGrad=False)
    assert "AdaGrad" not in words(explorer)
    assert cell(explorer, "rank", "AdaGrad") == "off"
    explorer.set(on_AdaGrad=True)
    explorer.change({"landscape": "Rosenbrock", "SGD": 0.95})
    assert "SGD (out at step" in words(explorer)
    for name in Race.rules:
        explorer.set(**{f"on_{name}": False})
    assert words(explorer) == "Nobody runs: switch on an optimizer."


def test_each_start_has_the_color_of_its_winner():
    explorer = race_to_its_end()
    explorer.press("Winner by start")
    panel = explorer.shown.panels[2]
    image = Image.open(io.BytesIO(panel.image)).convert("RGB")
    start = (49 * image.width // 98, image.height // 66)  # the middle of the uppermost row
    losses = {
        name: descend(rule(lr=explorer.values[name]), ravine, (0, 4)).losses[-1]
        for name, rule in Race.rules.items()
    }
    winner = min(losses, key=losses.get)
    assert "#{:02X}{:02X}{:02X}".format(*image.getpixel(start)) == LOOKS[winner]["color"]


def test_slope_is_gradient_descent_in_one_dimension():
    explorer = Slope(lr=0.3, steps=5)
    y, f = mark(explorer, 2).T
    np.testing.assert_allclose(y, 2 * 0.4 ** np.arange(6), rtol=1e-6)  # y ← y − η · 2 y
    np.testing.assert_allclose(f, y**2, rtol=1e-5)
    explorer.look_at(0)
    assert cell(explorer, "", "−η · slope") == pytest.approx(-0.3 * 4)
    explorer.press("Best rate here")
    assert explorer.values["lr"] == 0.5
    explorer.set(lr="1.2", steps="100")
    assert "higher than at the start" in words(explorer)


def test_turned_shows_rules_of_a_learner_on_the_turned_valley():
    explorer = Turned({"plain": lambda: SGD(0.5)}, degrees=45)
    explorer.press("Axes swapped, 90°")
    run_ = descend(SGD(0.5), ravine)
    assert words(explorer) == f"Turned by 90°. Loss after 30 steps: plain {said(run_.losses[-1])}."
    x, y = mark(explorer, 0).T
    np.testing.assert_allclose(np.stack([y, -x], -1), run_.positions, atol=1e-5)


# ---- the search ---------------------------------------------------------------------------------


def trials_of(explorer):
    """Return exponents of rate and decay, and the validation accuracy, of all trials."""
    (x, y), (_, accuracy) = mark(explorer, 2).T, mark(explorer, 4).T
    return x, y, accuracy


def test_the_map_of_searches_is_measured():
    rates, decays, accuracies = search.measured()
    np.testing.assert_allclose(rates, make_rate_decay.RATES)
    np.testing.assert_allclose(decays, make_rate_decay.DECAYS)
    columns, rows = [16, 28], [0, 12]
    again = make_rate_decay.counts(rates[columns], decays[rows])
    parts = np.array([360, 359])[:, None, None, None]
    np.testing.assert_allclose(accuracies[:, rows][:, :, columns], 100 * again / parts)


def test_a_search_finds_what_the_nearest_trials_of_the_map_found():
    explorer = Search(seed=3)
    rates, decays, accuracies = search.measured()
    x, y, accuracy = trials_of(explorer)
    assert len(x) == 16
    for k in range(16):
        column, row = abs(np.log10(rates) - x[k]).argmin(), abs(np.log10(decays) - y[k]).argmin()
        assert accuracy[k] == pytest.approx(accuracies[0, row, column, k % 4])
    winner = accuracy.argmax()
    assert f"Best so far: {accuracy.max():.1f}\u00a0%" in words(explorer)
    assert f"at η = {said(10.0 ** float(x[winner]), 2)}" in words(explorer)
    explorer.look_at(5)
    assert f"Best so far: {accuracy[:5].max():.1f}\u00a0%" in words(explorer)
    np.testing.assert_allclose(mark(explorer, 6)[1:, 1], np.maximum.accumulate(accuracy))


@pytest.mark.parametrize(("way", "different"), [("grid", 4), ("random", 16), ("Latin", 16)])
def test_ways_of_a_search_try_so_many_rates(way, different):
    explorer = Search(way)
    x, y, _ = trials_of(explorer)
    assert f"{different} different learning rates" in words(explorer)
    if way == "grid":  # the middles of four parts
        assert sorted(set(x)) == pytest.approx([-2.5, -1.5, -0.5, 0.5])
    if way == "Latin":
        assert sorted(np.floor((x + 3) * 4)) == list(range(16))
        assert sorted(np.floor((y + 8) * 2)) == list(range(16))


def test_a_search_on_a_linear_scale_has_its_rates_in_the_last_decade():
    explorer = Search(trials=64, scale="linear")
    assert np.mean(trials_of(explorer)[0] > 0) > 0.8


def test_a_new_draw_has_other_trials_and_the_ends_of_a_range_do_not_cross():
    explorer = Search()
    before = trials_of(explorer)[0]
    explorer.press("New draw")
    assert explorer.values["seed"] == 1
    assert np.any(trials_of(explorer)[0] != before)
    for name, value in (("low", "10"), ("high", "0.0001")):
        explorer.set(**{name: value})
        assert 1e-4 <= explorer.values["low"] < explorer.values["high"] <= 10


# ---- the signal --------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_signal_shows_what_a_random_network_makes_of_images(activation):
    explorer = Signal(activation, 2.0, depth=3, width=40, seed=7)
    network = MultilayerPerceptron((64, 40, 40, 40, 10), activation, lambda n, _: 2 / n**0.5, 7)
    x, t = (part[:100] for part in load_digits().train)
    layers = [x, *network.activations(x)]
    spread, of_a_unit = [a.std() for a in layers], [a.std(axis=0).mean() for a in layers]
    np.testing.assert_allclose(values(explorer, "{k}", "std of all"), spread)
    np.testing.assert_allclose(values(explorer, "{k}", "of a unit over the images"), of_a_unit)
    slopes = [np.sqrt(np.mean((100 * g) ** 2)) for g in network.activation_gradients(x, t)]
    np.testing.assert_allclose(values(explorer, "{k}", "slopes coming back")[1:], slopes)
    for step in (0, 3):
        bars = np.array([mark(explorer, i)[step] for i in range(40)])
        assert bars[:, 3].sum() == pytest.approx(1)
        assert (bars[:, 0] @ bars[:, 3]) == pytest.approx(layers[step].clip(max=3).mean(), abs=0.05)


def test_slopes_of_the_pixels_agree_with_differences():
    pixel = measured("tanh", 1.0, 2, 20, 0)["slopes"][0][:, 27]
    network = MultilayerPerceptron((64, 20, 20, 10), "tanh", lambda n, _: n**-0.5, 0)
    x, t = (part[:100] for part in load_digits().train)
    for i in (0, 99):
        ahead, behind = x[[i]], x[[i]]
        ahead[0, 27] += 1e-6
        behind[0, 27] -= 1e-6
        difference = (network.loss(ahead, t[[i]]) - network.loss(behind, t[[i]])) / 2e-6
        assert pixel[i] == pytest.approx(difference, rel=1e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_the_predicted_spread_is_that_of_wide_networks(activation):
    seeds = [Signal(activation, 1.5, width=100, seed=seed) for seed in range(10)]
    seen = np.mean([values(signal, "{k}", "std of all") for signal in seeds], axis=0)
    np.testing.assert_allclose(seen, values(seeds[0], "{k}", "predicted std"), rtol=0.1)


def test_the_starts_of_the_lecture_set_the_scale_and_the_signal_is_judged():
    explorer = Signal("sigmoid", width=64)
    for start, scale, said_ in [
        ("σ = 0.01", 0.08, "the units differ, but the images are forgotten"),
        ("Xavier, 1", 1.0, "the units differ, but the images are forgotten"),
        ("σ = 1", 8.0, "the images are still there"),
    ]:
        explorer.press(start)
        assert explorer.values["scale"] == pytest.approx(scale)
        assert said_ in words(explorer)
    explorer.set(activation="relu")
    for start, said_ in [
        ("σ = 0.01", "died out"),
        ("PyTorch, 0.577", "still there"),
        ("He, √2", "still there"),
        ("σ = 1", "explodes"),
    ]:
        explorer.press(start)
        assert said_ in words(explorer)


# ---- the game -----------------------------------------------------------------------------------


def test_the_map_is_hidden_until_the_blindfold_is_lifted():
    """Nothing that is sent depends on the mountains but heights and slopes where one has been."""
    game, other = BlindfoldGame(seed=3), BlindfoldGame(seed=4)
    game.press("Walk")
    other.press("Walk")
    assert game.scene["panels"][0] == other.scene["panels"][0]
    sent = json.dumps(game.get_state(), default=str) + game.scene["template"]
    assert not re.search(r"minim|valley at", sent)
    assert [spec["kind"] for spec in game.scene["marks"]] == ["curve", "arrow", "arrow"]
    assert not any(spec["image"] for spec in game.panels.values())
    game.press("Lift the blindfold")
    assert [spec["kind"] for spec in game.scene["marks"]].count("path") == 3
    assert any(spec["image"] for spec in game.panels.values())


def test_the_game_is_walked_with_keys_alone_and_north_is_up():
    game = BlindfoldGame(seed=3)
    assert game.scene["buttons"][0] == "Walk"  # what Enter presses on the compass
    (start,) = game.values["walked"]
    told(game, do="grab", panel=0, x=0.0, y=1.5)
    assert game.values["direction"] == 0
    told(game, do="press", name="Walk")
    np.testing.assert_allclose(game.values["walked"][-1], np.add(start, (0, 1.5)), atol=1e-12)
    game.set(direction="90", length="1")
    np.testing.assert_allclose(game.aim(game.values), (1, 0), atol=1e-12)
    for _ in range(30):
        told(game, do="press", name="Walk")
    assert len(game.values["walked"]) == 21
    assert "No steps left" in words(game)
    assert "Walk" in game.scene["off"]


def test_the_slope_is_told_in_words():
    game = BlindfoldGame(seed=3)
    x, y = game.landscape_of(game.values).gradient(game.values["walked"][0])
    assert f"uphill toward {round(np.rad2deg(np.arctan2(x, y))) % 360}°" in words(game)


def test_gradient_descent_walks_as_many_steps_and_all_are_scored():
    game = BlindfoldGame(seed=5)
    for _ in range(4):
        game.press("Walk")
    game.press("Lift the blindfold")
    landscape, walked = game.landscape_of(game.values), np.array(game.values["walked"])
    run_ = descend(SGD(game.plain_rate), landscape, walked[0], 4)
    np.testing.assert_allclose(mark(game, 0), run_.positions, rtol=1e-6)
    heights, deepest = landscape(walked), landscape(landscape.minima[0])
    score = round(100 * max(0, heights[0] - heights[-1]) / (heights[0] - deepest))
    assert f"You went {score}\u00a0%" in words(game)
    game.press("New mountains")
    assert len(game.values["walked"]) == 1
    game.press("Lift the blindfold")
    assert f"Your scores so far: {score}\u00a0%, 0\u00a0%." in words(game)


def test_a_walk_or_a_lift_shows_the_last_step_also_after_going_back():
    game = BlindfoldGame()
    for step in 1, 2, 3:
        game.look_at(0)
        game.press("Walk")
        assert game.step == step
    game.look_at(1)
    game.press("Lift the blindfold")
    assert game.step == 3


# ---- what is said -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("explorer", "wanted"),
    [
        (lambda: Descent(SGD, LANDSCAPES["Rosenbrock"]), "Diverged at step"),
        (lambda: Descent(SGD, ravine, lr=1.5), "It diverges."),
        (lambda: Descent(SGD, ravine, start=(0, 0)), "The start is on a minimum"),
        (lambda: Descent(SGD, saddle, start=(0, 0)), "The start is on flat ground"),
        (lambda: Descent(SGD, ravine, steps=0), "No step yet"),
        (lambda: Descent(AdaGrad, plateau, steps=300), "It hardly moves"),
        (lambda: RateMap(), "each step shrinks the distance to 94.87\u00a0%"),
    ],
)
def test_what_happens_is_said_in_words(explorer, wanted):
    assert wanted in words(explorer())


def test_steady_small_steps_are_not_said_to_stop():
    assert "hardly" not in words(Descent(Adam, lr=0.001, steps=300))


def test_map_tells_loss_and_step_under_the_pointer(monkeypatch):
    explorer, sent = Descent(SGD), []
    monkeypatch.setattr(explorer, "send", lambda message: sent.append(message))
    told(explorer, do="probe", panel=0, x=2.0, y=1.0)
    assert sent[0]["probe"]["text"] == "at (2, 1): loss 1.2, −η g = (−0.19, −1.9)"
    assert sent[0]["probe"]["arrow"] == pytest.approx([-0.19, -1.9])
    told(explorer, do="probe", panel=1, x=2.0, y=1.0)
    assert len(sent) == 1


def test_an_error_in_a_callback_fails_in_tests(monkeypatch):
    explorer = Descent(SGD)
    monkeypatch.setattr(one_descent, "outcome", lambda run: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        told(explorer, do="set", values={"steps": "10"})


def test_an_error_in_a_callback_is_told_to_a_reader_in_one_line(monkeypatch):
    monkeypatch.setattr(Explorer, "strict", False)
    explorer = Descent(SGD)
    before = explorer.scene["data"]
    with monkeypatch.context() as broken:
        broken.setattr(one_descent, "outcome", lambda run: 1 / 0)
        told(explorer, do="set", values={"steps": "10"})
        assert explorer.alarm.startswith("ZeroDivisionError: division by zero")
        assert "\n" not in explorer.alarm
        assert explorer.scene["data"] == before
        assert explorer.values["steps"] == 30
    told(explorer, do="set", values={"steps": "20"})
    assert explorer.alarm == ""
    assert explorer.scene["last"] == 20


class Typo:
    def __init__(self, lr=0.1):
        self.lr = lr

    def update(self, params, grads):
        for key in params:
            params[key] -= self.lr * gards[key]  # noqa: F821


def test_a_typo_of_a_learner_is_shown_with_its_line(monkeypatch):
    with pytest.raises(NameError, match="gards"):
        Descent(Typo)

    class Later(SGD):
        def update(self, params, grads):
            if self.lr > 0.2:
                undefined  # noqa: B018, F821
            super().update(params, grads)

    monkeypatch.setattr(Explorer, "strict", False)
    explorer = Descent(Later)
    told(explorer, do="set", values={"lr": "0.5"})
    assert explorer.alarm.startswith("NameError: name 'undefined' is not defined (update, line ")
    assert "undefined  # noqa" in explorer.alarm
    told(explorer, do="set", values={"lr": "0.15"})
    assert explorer.alarm == ""


def raises_left(x, y):
    if np.any(np.less(x, -0.5)):
        raise ArithmeticError("no ground here")
    return x**2 + y**2


def test_odd_landscapes_of_a_learner_are_shown_or_say_their_own_error():
    window, start = ((-1, 1), (-1, 1)), (0.9, 0.9)
    holes = from_function(lambda x, y: np.where(x < 0, np.nan, x + y), window, start)
    check_whole(Descent(SGD, holes, lr=0.01))
    flat = from_function(lambda x, y: 0 * x + 2, window, start)
    check_whole(Descent(SGD, flat))
    check_whole(Slope(from_function(lambda x, y: np.log(x**2 + y**2), window, start)))
    with pytest.raises(ArithmeticError, match="no ground here"):
        Descent(SGD, from_function(raises_left, window, start))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lr": -1.0}, "lr must be"),
        ({"lr": 20.0}, "lr must be a number from 0.0001 to 10, got 20.0"),
        ({"lr": "fast"}, "lr must be a number .* got 'fast'"),
        ({"momentum": 0.9}, "numbers must be among lr, got momentum"),
        ({"steps": 301}, "steps must be a number from 0 to 300, got 301"),
        ({"start": (9, 0)}, "start x must be a number from -8 to 8, got 9"),
        ({"steps": -1}, "steps must be"),
        ({"steps": 1.5}, "steps must be a whole number"),
        ({"start": (1, 2, 3)}, "start must be two numbers"),
        ({"landscape": 3}, "landscape must be a Landscape"),
        ({"rule": SGD(0.1)}, "rule must be a class"),
    ],
)
def test_wrong_arguments_raise_at_once(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Descent(**{"rule": SGD, **arguments})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BlindfoldGame(seed=1.5), "seed must be a whole number"),
        (lambda: BlindfoldGame(seed=10_000), "seed must be a number from 0 to 9999"),
        (lambda: Slope(along="z"), 'along must be "x" or "y"'),
        (lambda: Slope(start=9), "start must be a number from -4 to 4"),
        (lambda: Search("spiral"), "must be one of grid, random, Latin, got spiral"),
        (lambda: Search(trials=3), "trials must be a number from 4 to 64"),
        (lambda: Search(low=0.1, high=0.01), "low must be below high, 0.01, got 0.1"),
        (lambda: Turned({"a": SGD(0.1)}), "rules must be a dict of names to functions"),
        (lambda: Turned({"a": lambda: 3}), "optimizer must have a method update"),
        (lambda: Turned(degrees=91), "degrees must be a number from 0 to 90"),
        (lambda: StepInspector(Typo), "rule must be one of SGD"),
        (lambda: Signal("step"), "activation must be one of"),
        (lambda: Signal(scale=0), "scale must be a number from 0.01 to 30, got 0"),
        (lambda: Signal(scale="he"), "scale must be a number .* got 'he'"),
        (lambda: Signal(depth=16), "depth must be a number from 1 to 15, got 16"),
        (lambda: Signal(width=50.5), "width must be a whole number"),
        (lambda: Signal(seed=100), "seed must be a number from 0 to 99"),
    ],
)
def test_other_explorers_refuse_wrong_arguments_too(make, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


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
    before, _ = explorer.picture()
    if explorer.shown.last:
        explorer.look_at(0 if explorer.step else 1)
    else:
        explorer.press("Walk")
    assert explorer.picture()[0] != before


def test_the_still_layer_is_sent_only_when_it_changes():
    explorer = Descent(SGD)
    sent = []
    explorer.observe(lambda change: sent.append(change["name"]))
    explorer.set(lr="0.3")
    assert sent == ["scene"]
    explorer.set(landscape="mountains")
    assert "panels" in sent


def test_500_changes_leave_no_memory():
    def megabytes():
        gc.collect()
        with open("/proc/self/statm") as status:
            return int(status.read().split()[1]) * 4096 / 1e6

    explorer = Descent(Momentum)
    rates = np.linspace(0.01, 0.5, 600)
    for rate in rates[:100]:
        explorer.set(lr=str(rate))
    before = megabytes()
    for rate in rates[100:]:
        explorer.set(lr=str(rate))
    assert megabytes() - before < 5


def test_matplotlib_is_not_waited_for():
    code = "import sys; from helpers import explorers; explorers.Descent()._repr_mimebundle_()"
    code += "; print('matplotlib' in sys.modules)"
    run_ = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run_.stdout.strip() == "False"


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


# ---- the browser's side -------------------------------------------------------------------------


def test_the_javascript_is_short_and_fetches_nothing():
    source = Explorer._esm
    code = [
        line for line in source.splitlines() if line.strip() and not line.strip().startswith("//")
    ]
    assert len(code) <= 450
    assert not re.search(r"https?:|\bimport\b|fetch\(", source)
