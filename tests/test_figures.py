"""Pictures: what they hold for a reader who sees them, and for one who does not."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image

from helpers import figures
from helpers.descent import descend
from helpers.landscapes import LANDSCAPES, from_function, himmelblau, mountains, ravine
from helpers.looks import LOOKS, NAMED_LOOKS
from helpers.optimizers import SGD, AdaGrad, Adam, Momentum

RULES = {"SGD": SGD(0.95), "Momentum": Momentum(0.1), "AdaGrad": AdaGrad(1.5), "Adam": Adam(0.3)}


@pytest.fixture(scope="module")
def runs():
    return {name: descend(rule, ravine) for name, rule in RULES.items()}


def every_kind(runs):
    x = np.linspace(0.1, 1, 30)
    normal = np.random.default_rng(0).normal(size=(100, 2))
    momentum = runs["Momentum"]
    shades = {"a": np.outer(x, x), "b": np.outer(x, 1 - x)}
    names = ("η", "α", "loss")
    return {
        "surface": figures.surface(mountains),
        "profile": figures.profile(
            np.square, (-2, 2), {"here": 1}, {"slope 2": (1, 2)}, {"walk": [2, 1, 0.5]}
        ),
        "contours": figures.contours(mountains, {"start": mountains.start}),
        "gradient_field": figures.gradient_field(ravine),
        "paths": figures.paths(runs),
        "path_panels": figures.path_panels(runs),
        "arrows": figures.paths({"Momentum": momentum}, {"v": (momentum.positions,) * 2}),
        "unit_circle": figures.unit_circle({"pair": [0.5 + 0.5j, 0.5 - 0.5j]}, inner=0.7),
        "losses": figures.curves(runs, yscale="log"),
        "curves": figures.curves({"line": x**2}, "η", "f", x, marks={"m": 0.5}, levels={"l": 0.2}),
        "panels": figures.curves({"p": {"a": x}, "q": {"b": -x}}, "η", "f", x),
        "heatmaps": figures.heatmaps(shades, x, x, *names, points={"best": (0.5, 0.5)}),
        "layers": figures.layers({"relu": {"He": (x, 1.1 * x), "1": (10 * x, 11 * x)}}, "size"),
        "designs": figures.designs({"grid": (x + 1, x + 1)}, "rate", "decay", ((1, 9), (1, 9))),
        "scales": figures.heatmaps(shades, 2**x, x, *names, lines={"l": (x, x)}, xscale="log"),
        "histograms": figures.histograms({"one": normal, "two": 2 * normal}, "activation"),
        "scatter": figures.scatter(*normal.T, "u", "l", {"best line": (0.5, 0.0)}),
        "clouds": figures.clouds({"batch": normal}, (0, 0), "x", "y", "center"),
        "images": figures.images(np.zeros((3, 8, 8)), [1, 2, 3]),
    }


@pytest.fixture(scope="module")
def displayed(runs):
    """Return what a notebook is given of each kind of picture."""
    return {kind: picture._repr_mimebundle_() for kind, picture in every_kind(runs).items()}


def test_every_picture_is_an_image_with_a_text_alternative_and_leaves_nothing_open(displayed):
    for kind, (data, metadata) in displayed.items():
        image = Image.open(io.BytesIO(data["image/png"]))
        shown = metadata["image/png"]
        assert image.width / shown["width"] == pytest.approx(image.height / shown["height"], 0.02)
        assert data["text/plain"] == f"Figure: {shown['alt']}", kind
        assert shown["alt"].endswith("."), kind
        assert len(np.unique(np.asarray(image.convert("L")))) > 5, f"{kind} is blank"
    assert plt.get_fignums() == []


def test_the_same_picture_is_drawn_byte_by_byte(runs, displayed):
    for kind, picture in every_kind(runs).items():
        assert picture.png() == displayed[kind][0]["image/png"], kind


def test_the_text_of_every_picture_can_be_read_on_a_slide(runs):
    for kind, picture in every_kind(runs).items():
        width, height = picture.figure.get_size_inches()
        # A slide of 1280 x 720 pixels leaves a picture so many of them for each inch.
        scale = min(1240 / width, 0.7 * 720 / height)
        texts = [text for text in picture.figure.findobj(Text) if text.get_text()]
        assert min(text.get_fontsize() for text in texts) / 72 * scale >= 0.03 * 720, kind


def test_a_method_keeps_its_color_in_the_stored_picture(runs):
    stored = Image.open(io.BytesIO(figures.path_panels(runs).png())).convert("RGB")
    pixels = np.asarray(stored, dtype=int)
    for name, look in LOOKS.items():
        exact = 255 * np.array(to_rgb(look["color"]))
        assert (np.abs(pixels - exact).max(-1) < 5).sum() > 300, name


def test_text_alternative_of_paths_tells_where_they_start_end_and_diverge(runs):
    away = descend(SGD(1.5), ravine, steps=2000)
    assert figures.paths({"SGD": runs["SGD"], "away": away}).alt == (
        "Paths on the ravine: SGD from (-7, 2) to (-0.35, 0.0848) in 30 steps; "
        f"away from (-7, 2), diverged at step {away.diverged_at}."
    )
    assert figures.curves({"SGD": away}, yscale="log").png()


def test_text_alternative_tells_how_a_line_runs():
    lines = {"line": [3, 1, 5, 4], "rounding": [1, 3e-17], "nothing": [np.nan, np.inf]}
    assert figures.curves(lines, "step", "loss").alt == (
        "loss against step: line from 3 to 4, highest 5, lowest 1; rounding from 1 to 0; "
        "nothing has no finite value."
    )
    assert figures.curves(lines, "step", "f", alt="Three lines.").alt == "Three lines."


def test_a_method_looks_the_same_in_every_picture(runs):
    for name, look in LOOKS.items():
        for picture in (figures.curves(runs), figures.paths(runs)):
            lines = picture.figure.axes[0].lines
            line = next(line for line in lines if line.get_label() == name)
            assert (line.get_color(), line.get_marker()) == (look["color"], look["marker"])


def test_methods_are_told_apart_in_gray():
    looks = LOOKS.values()
    assert len({look["marker"] for look in looks}) == len(looks)
    assert len({str(look["linestyle"]) for look in looks}) == len(looks)
    assert all(np.mean(to_rgb(look["color"])) < 0.6 for look in looks)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_map_shows_the_whole_window_with_axes_alike_and_every_minimum(name):
    landscape = LANDSCAPES[name]
    axes = figures.contours(landscape).figure.axes[0]
    assert (axes.get_xlim(), axes.get_ylim()) == landscape.window
    assert axes.get_aspect() == 1
    marked = {tuple(np.ravel(line.get_xydata())) for line in axes.lines}
    assert marked == set(landscape.minima)


def test_surface_shows_the_loss_unclipped():
    axes = figures.surface(himmelblau).figure.axes[0]
    corners = [himmelblau((x, y)) for x in himmelblau.window[0] for y in himmelblau.window[1]]
    assert axes.get_zlim()[1] >= max(corners)


def test_surface_marks_the_minima_where_they_are():
    axes = figures.surface(mountains).figure.axes[0]
    marked = {tuple(float(value[0]) for value in line.get_data_3d()) for line in axes.lines}
    assert marked == {(*minimum, float(mountains(minimum))) for minimum in mountains.minima}
    assert [line.get_marker() for line in axes.lines] == ["*", "+", "+", "+"]


def test_profile_draws_walk_and_tangent_on_the_ground():
    picture = figures.profile(
        np.square, (-2, 2), tangents={"slope 2": (1, 2)}, walks={"a": [2, 1, 0.5], "b": [1, 3]}
    )
    assert [axes.get_title() for axes in picture.figure.axes] == ["a", "b"]
    ground, tangent, touch, walk, *_ = (line.get_xydata() for line in picture.figure.axes[0].lines)
    np.testing.assert_allclose(ground[:, 1], ground[:, 0] ** 2)
    np.testing.assert_allclose(np.diff(tangent, axis=0)[0] @ (2, -1), 0, atol=1e-12)
    np.testing.assert_allclose(touch, [[1, 1]])
    np.testing.assert_allclose(walk, [[2, 4], [1, 1], [0.5, 0.25]])
    assert "walk a: x from 2 to 0.5" in picture.alt


def test_paths_over_two_landscapes_are_an_error(runs):
    both = {"a": runs["SGD"], "b": descend(SGD(0.01), himmelblau)}
    with pytest.raises(ValueError, match=r"trajectories must all be over .* \['ravine', 'Himm"):
        figures.paths(both)
    with pytest.raises(TypeError, match="trajectories must be a dict"):
        figures.paths(runs["SGD"])


def test_bands_lie_behind_the_line_of_the_same_name():
    lines, bands = {"a": [1, 2], "b": [2, 1]}, {"a": ([0, 1], [2, 3])}
    axes = figures.curves(lines, "step", "loss", bands=bands).figure.axes[0]
    (band,) = axes.collections
    assert to_rgb(band.get_facecolor()[0, :3]) == pytest.approx(to_rgb(axes.lines[0].get_color()))
    assert band.get_zorder() < axes.lines[0].get_zorder()


def test_arrows_start_where_they_are_put_in_the_color_of_their_quantity(runs):
    run = runs["Momentum"]
    arrows = {"push −ηg": (run.positions + 1, run.gradients)}
    axes = figures.paths({"Momentum": run}, arrows).figure.axes[0]
    (drawn,) = [each for each in axes.collections if hasattr(each, "U")]
    np.testing.assert_allclose(drawn.get_offsets(), run.positions + 1)
    np.testing.assert_allclose(np.stack([drawn.U, drawn.V], -1), run.gradients)
    assert to_rgb(drawn.get_facecolor()[0, :3]) == to_rgb(NAMED_LOOKS["push −ηg"]["color"])


def test_roots_lie_in_the_plane_as_their_parts_say():
    axes = figures.unit_circle({"pair": [0.5 + 0.25j, 0.5 - 0.25j]}, inner=0.7).figure.axes[0]
    *circles, pair = axes.lines
    radii = [np.linalg.norm(circle.get_xydata(), axis=1) for circle in circles]
    np.testing.assert_allclose(radii, [np.full(200, 1), np.full(200, 0.7)])
    np.testing.assert_allclose(pair.get_xydata(), [[0.5, 0.25], [0.5, -0.25]])


def test_panels_of_different_lengths_keep_their_own_numbers():
    lines = {"short": {"a": np.ones(5)}, "long": {"b": np.ones(50)}}
    for axes in figures.curves(lines, "step", "loss").figure.axes:
        assert any(label.get_visible() for label in axes.get_xticklabels())


def test_an_axis_of_whole_numbers_names_no_halves():
    axes = figures.curves({"lead": range(8)}, x=[0, 1, 2, 3, 5, 10, 15, 20]).figure.axes[0]
    assert [tick for tick in axes.get_xticks() if tick % 1] == []


def shades(values=((1, 2), (3, 4)), x=(1, 2), y=(1, 2), **others):
    return figures.heatmaps({"m": values}, x, y, "x", "y", "l", **others)


SQUARE = (np.square, (-2, 2))
PANELS = "panels must be a dict of names to values, got"
DESIGN = ("x", "y", ((1, 2), (1, 2)))


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: figures.profile("f", (-2, 2)), "height must be a function, got 'f'"),
        (lambda: figures.profile(np.square, (2, -2)), r"limits must have min < max, got \(2, -2\)"),
        (lambda: figures.profile(np.square, 3), "limits must be two numbers, got 3"),
        (lambda: figures.profile(abs, (0, np.inf)), r"limits must be finite, got \(0, inf\)"),
        (lambda: figures.profile(lambda x: 3, (0, 1)), r"height\(x\) must be .*\(401,\), got 3"),
        (lambda: figures.profile(lambda x: x * np.nan, (0, 1)), r"height\(x\) must be finite"),
        (lambda: figures.profile(*SQUARE, places=[1]), r"places must be a dict of .*, got \[1\]"),
        (lambda: figures.profile(*SQUARE, places={"a": "b"}), r"places\['a'\] must be one number"),
        (lambda: figures.profile(*SQUARE, tangents={"a": 1}), r"tangents\['a'\] must be two num"),
        (lambda: figures.profile(*SQUARE, walks={"a": "up"}), r"walks\['a'\] must be a non-empty"),
        (lambda: figures.surface("ravine"), "landscape must be a Landscape, .*got 'ravine'"),
        (lambda: figures.surface(ravine, relief="x"), "relief must be one number, got 'x'"),
        (lambda: figures.surface(ravine, window=(1, 2)), r"window \(\(x_min, .*, got \(1, 2"),
        (lambda: figures.contours("ravine"), "landscape must be a Landscape, .*got 'ravine'"),
        (lambda: figures.contours(ravine, {"a": 3}), r"points\['a'\] must be two numbers, got 3"),
        (lambda: figures.contours(ravine, [(1, 2)]), r"points must be a dict of .*, got \[\(1, 2"),
        (lambda: figures.gradient_field(np.square), "landscape must be a Landscape, .*got <ufunc"),
        (lambda: figures.paths({"a": [1, 2]}), r"dict of names to Trajectory, got {'a': \[1, 2\]}"),
        (
            lambda: figures.paths({"a": descend(SGD(), ravine)}, {"v": [1, 2]}),
            r"arrows\['v'\] must be numbers of shape \(2, n, 2\), got \[1, 2\]",
        ),
        (lambda: figures.unit_circle([0.5], 1), r"roots must be a dict of names .*, got \[0.5\]"),
        (lambda: figures.unit_circle({"a": [1]}, "r"), "inner must be one number, got 'r'"),
        (lambda: figures.unit_circle({"a": ["x"]}, 1), r"roots\['a'\] must be .* of numbers, got"),
        (lambda: figures.unit_circle({"a": [np.nan]}, 1), r"roots\['a'\] must be finite, got"),
        (lambda: figures.curves({}), "lines must be a dict of names to values, got {}"),
        (lambda: figures.curves([1, 2]), "lines must be a dict"),
        (
            lambda: figures.curves({"a": "up"}),
            r"lines\['a'\] must be a non-empty list .*, got 'up'",
        ),
        (lambda: figures.curves({"a": [1], "p": {"b": [1]}}), "all panels or all lines"),
        (lambda: figures.curves({"a": [1, 2]}, x=[1]), "'a' must have the length of x, 1, got 2"),
        (lambda: figures.curves({"a": [1, 2]}, x="ab"), "x must be a non-empty list of numbers"),
        (lambda: figures.curves({"a": [1]}, xscale="lg"), r"xscale must be one of .*, got 'lg'"),
        (lambda: figures.curves({"a": [1]}, yscale="lg"), r"yscale must be one of .*, got 'lg'"),
        (lambda: figures.curves({"a": [1]}, ylim=(2, 1)), r"ylim must have min < max, got \(2, 1"),
        (lambda: figures.curves({"a": [1]}, marks=[1]), r"marks must be a dict of .*, got \[1\]"),
        (lambda: figures.curves({"a": [1]}, levels={"l": "1"}), r"levels\['l'\] must be one numb"),
        (lambda: figures.curves({"a": [1]}, bands=[1]), r"bands must be a dict of names"),
        (lambda: figures.curves({"a": [1]}, bands={"b": ([0], [2])}), r"that are drawn, got \['b'"),
        (
            lambda: figures.curves({"p": {"a": [1]}}, bands={"q": {"a": ([0], [2])}}),
            r"that are drawn, got \['a'",
        ),
        (
            lambda: figures.curves({"a": [1, 2]}, bands={"a": ([1], [2])}),
            r"bands\['a'\] must be numbers of shape \(2, 2\), got \(\[1\], \[2\]\)",
        ),
        (lambda: figures.heatmaps({}, [1, 2], [1, 2], "x", "y", "l"), f"{PANELS} {{}}"),
        (lambda: shades(np.ones((3, 4))), r"panels\['m'\] must be .*, got shape \(3, 4\)"),
        (lambda: shades([[np.nan] * 2] * 2), "panels must hold finite values, got none"),
        (lambda: shades([[1], [2]], x=[1]), r"x must be two or more evenly .*, got \[1\]"),
        (lambda: shades(np.ones((3, 2)), y=[1, 2, 4]), r"y must be .* evenly .*, got \[1, 2, 4\]"),
        (lambda: shades(x=[0, 1], xscale="log"), r"x must be two or more evenly .*, got \[0, 1\]"),
        (lambda: shades(xscale="lg"), "xscale must be one of .*, got 'lg'"),
        (lambda: shades(limits=(2, 1)), r"limits must have min < max, got \(2, 1\)"),
        (lambda: shades(points=[(1, 2)]), r"points must be a dict of names .*, got \[\(1, 2\)\]"),
        (lambda: shades(lines={"l": 3}), r"lines\['l'\] must be numbers of shape \(2, n\), got 3"),
        (lambda: figures.histograms({}, "v"), f"{PANELS} {{}}"),
        (lambda: figures.histograms({"a": "b"}, "v"), r"panels\['a'\] must be numbers .*, got 'b'"),
        (lambda: figures.histograms({"a": [1, np.nan]}, "v"), "panels must be finite, got .*nan"),
        (lambda: figures.histograms({"a": [1]}, "v", bins=0), "bins must be at least 1, got 0"),
        (lambda: figures.histograms({"a": [1]}, "v", limits=3), "limits must be two numbers"),
        (lambda: figures.layers([1], "s"), rf"{PANELS} \[1\]"),
        (lambda: figures.layers({"p": {"a": 3}}, "s"), r"panels\['p'\]\['a'\] must be numbers"),
        (
            lambda: figures.clouds({"a": np.ones((3, 3))}, (0, 0), "x", "y", "c"),
            r"panels\['a'\] must be numbers of shape \(n, 2\), got shape \(3, 3\)",
        ),
        (lambda: figures.clouds({"a": [(1, 2)]}, 0, "x", "y", "c"), "center must be two numbers"),
        (lambda: figures.scatter([1, 2], [1], "x", "y", {}), r"y must be .*, got \[1\]"),
        (
            lambda: figures.scatter([1], [1], "x", "y", {"l": 3}),
            r"lines\['l'\] must be two numbers",
        ),
        (lambda: figures.designs({"a": 3}, *DESIGN), r"panels\['a'\] must be numbers of .*, got 3"),
        (lambda: figures.designs({"a": ([1], [1])}, "x", "y", 3), r"window .* must be numbers"),
        (
            lambda: figures.designs({"a": ([1], [1])}, "x", "y", ((0, 1), (1, 2))),
            r"window must be above 0 on log axes, got \(\(0, 1\), \(1, 2\)\)",
        ),
        (lambda: figures.images(np.zeros((3, 8, 8)), [1, 2]), r"for each image, 3, got \[1, 2\]"),
        (lambda: figures.images("pictures", [1]), "pictures must be numbers of shape .*, got 'pic"),
    ],
)
def test_what_does_not_fit_is_an_error_and_not_half_a_picture(draw, message):
    with pytest.raises((TypeError, ValueError), match=message):
        draw()


@pytest.mark.parametrize("hole", [np.nan, np.inf])
def test_a_map_shows_what_is_flat_and_leaves_out_what_is_not_finite(hole):
    window = ((-1, 1), (-1, 1))
    for function in (lambda x, y: 3.0, lambda x, y: hole if x > 0 else x):
        landscape = from_function(function, window, (-0.5, 0))
        assert figures.contours(landscape).png()
        for equal in (False, True):
            assert figures.gradient_field(landscape, equal_lengths=equal).png()


def test_a_panel_without_finite_values_is_white_beside_others():
    panels = {"a": np.full((2, 2), np.nan), "b": np.ones((2, 2))}
    picture = figures.heatmaps(panels, [1, 2], [1, 2], "x", "y", "l")
    assert picture.alt == "l over x and y: a: has no finite value; b: from 1 to 1."


def test_layers_puts_marks_where_it_was_measured_and_a_line_where_predicted():
    picture = figures.layers({"tanh": {"He": ([1, 4], [2, 3])}}, "size")
    line, marks = picture.figure.axes[0].lines[:2]
    assert (list(line.get_ydata()), line.get_marker()) == ([2, 3], "None")
    assert (list(marks.get_ydata()), marks.get_linestyle()) == ([1, 4], "None")
    assert line.get_color() == marks.get_color()
    assert list(marks.get_xdata()) == [1, 2]
    assert picture.alt == "size by layer: tanh, He from 1 to 4."


@pytest.mark.parametrize(
    ("xscale", "x", "edges"),
    [("linear", [1, 3, 5], [0, 2, 4, 6]), ("log", [0.5, 1, 2], np.sqrt([1 / 8, 1 / 2, 2, 8]))],
)
def test_each_shade_lies_around_its_two_quantities(xscale, x, edges):
    values = np.array([[0, 1, 2], [3, np.nan, 5]])
    picture = figures.heatmaps({"SGD": values}, x, [2, 5], "x", "y", "loss", xscale=xscale)
    shades = picture.figure.axes[0].collections[0]
    corners = shades.get_coordinates()
    np.testing.assert_allclose(corners[0, :, 0], edges)
    np.testing.assert_allclose(corners[:, 0, 1], [0.5, 3.5, 6.5])
    np.testing.assert_array_equal(np.reshape(shades.get_array().filled(np.nan), (2, 3)), values)
    assert shades.get_clim() == (0, 5)


def test_a_design_shows_every_trial_with_its_shade_and_its_projections():
    rates, decays, accuracies = [0.1, 1, 1], [0.01, 0.01, 0.1], [50, 90, 70]
    panels = {"grid": (rates, decays, accuracies), "empty end": (rates, decays, [10, 20, 30])}
    picture = figures.designs(panels, "rate", "decay", ((0.01, 10), (0.001, 1)), "accuracy")
    axes = picture.figure.axes[0]
    (dots,) = axes.collections
    np.testing.assert_allclose(dots.get_offsets(), np.transpose([rates, decays]))
    np.testing.assert_allclose(dots.get_array(), accuracies)
    assert dots.get_clim() == (10, 90)
    below, beside = axes.lines
    np.testing.assert_allclose(below.get_xdata(), rates)
    np.testing.assert_allclose(beside.get_ydata(), decays)
    assert "grid: 3 points, 2 values of rate, 2 of decay" in picture.alt


@pytest.mark.parametrize(
    ("x", "named"), [([1, 2, 4], ["1", "2", "4"]), ([0.1, 1, 10], None), (range(1, 20), None)]
)
def test_a_log_axis_names_a_few_counts(x, named):
    picture = figures.curves({"a": list(x)}, x=x, xscale="log")
    picture.png()
    labels = [label.get_text() for label in picture.figure.axes[0].get_xticklabels()]
    assert (labels == [f"{value}" for value in x]) == (named is not None)
