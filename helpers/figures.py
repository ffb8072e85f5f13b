"""The lecture's pictures: one function for each kind, one style, one color and marker a method.

Every function returns a `Picture`, which a notebook shows when it is the last value of a cell.
No figure stays open behind it.
"""

import io
from collections.abc import Mapping

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from helpers import doors
from helpers.descent import Trajectory
from helpers.looks import EARTH, INK, RELIEF, contour_levels, looks_of

STYLE = {
    "font.size": 12,
    "axes.titlesize": 12.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "figure.constrained_layout.use": True,
    "figure.dpi": 132,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "lines.markersize": 5,
}
PIXELS_PER_INCH_SHOWN = 100
# Inches. A figure as large as this, drawn on a slide, has text of 3 % of the screen's height.
WIDE, HIGH = 9.4, 3.8
SCALES = ("linear", "log")
NONE = "has no finite value"

EARTH_SHADES = LinearSegmentedColormap.from_list("earth", EARTH)
RELIEF_SHADES = LinearSegmentedColormap.from_list("relief", RELIEF)
SHADES = "cividis"  # made for color-blind readers, and even in gray
POINTS = "#0072B2"
CLOUD = {
    "color": POINTS,
    "marker": "o",
    "linestyle": "none",
    "markersize": 4,
    "markeredgewidth": 0,
    "alpha": 0.35,
}
ON_MAP = {"angles": "xy", "scale_units": "xy"}  # arrows in the units of the map
BESIDE = {"loc": "center left", "bbox_to_anchor": (1.02, 0.5)}
BEHIND_TEXT = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none", "alpha": 0.8}


class Picture:
    """A finished figure with its text alternative.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    alt : str
        What the figure shows, in words and numbers; stored beside the image.
    """

    def __init__(self, figure, alt):
        self.figure, self.alt = figure, alt

    def __repr__(self):
        return f"Figure: {self.alt}"

    def png(self):
        """Return the figure as PNG bytes, of 256 colors: a third of the size."""
        canvas, png = FigureCanvasAgg(self.figure), io.BytesIO()
        with matplotlib.rc_context(STYLE):
            canvas.draw()
        image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        # The palette is refined until a round moves fewer pixels than this.
        image.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1000).save(png, "png")
        return png.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        width, height = self.figure.get_size_inches() * PIXELS_PER_INCH_SHOWN
        metadata = {"width": round(width), "height": round(height), "alt": self.alt}
        return {"image/png": self.png(), "text/plain": repr(self)}, {"image/png": metadata}


@matplotlib.rc_context(STYLE)
def profile(height, limits, places=None, tangents=None, walks=None):
    """Draw a cut through a landscape: the height over one direction.

    Parameters
    ----------
    height : callable
        x -> height; takes arrays.
    limits : (x_min, x_max)
    places : dict of str to x, optional
        Places on the ground to mark with their names.
    tangents : dict of str to (x, slope), optional
        Straight lines that touch the ground, with their names.
    walks : dict of str to array_like, shape (steps + 1,), optional
        The places of each walk in order; a panel for each.
    """
    doors.function("height", height)
    limits = doors.interval("limits", limits)
    places = doors.named("places", places, ())
    tangents = doors.named("tangents", tangents, (2,))
    walks = doors.named("walks", walks, ("n",))
    panels = walks or {"": np.array([])}
    figure = Figure(figsize=(7.8, HIGH) if len(panels) == 1 else (WIDE, 3.4))
    for axes, _, walk in _panels(figure, panels):
        _draw_ground(axes, height, limits)
        for look, label, (x, slope) in _with_looks(tangents):
            across = np.array([x - 1.5, x + 1.5])
            line = height(x) + slope * (across - x)
            axes.plot(across, line, color=look["color"], linewidth=2.5)
            axes.plot(x, height(x), "o", color=look["color"], markersize=8)
            _name_place(axes, label, (x, height(x)), left=slope > 0)
        for label, x in places.items():
            axes.plot(x, height(x), "o", color=INK, markersize=8)
            _name_place(axes, label, (x, height(x)))
        edge = {"color": INK, "markeredgecolor": "white"}
        axes.plot(walk, height(walk), marker="o", markersize=7, **edge)
        axes.plot(walk[:1], height(walk[:1]), "o", color="white", markeredgecolor=INK, ms=13)
        axes.plot(walk[-1:], height(walk[-1:]), "X", ms=10, **edge)
        axes.set(xlabel="x", ylabel="height f(x)")
    marked = places | {name: x for name, (x, _) in tangents.items()}
    words = [f"{name} at x = {_number(x)}" for name, x in marked.items()]
    words += [f"walk {name}: x {_course(walk)}" for name, walk in walks.items()]
    subject = f"Profile, the height from x = {limits[0]:g} to {limits[1]:g}"
    return Picture(figure, _sentence(subject, words))


def _draw_ground(axes, height, limits):
    x = np.linspace(*limits, 401)
    ground = doors.finite("height(x)", height(x), x.shape)
    margin = 0.12 * (ground.max() - ground.min())
    axes.fill_between(x, ground, ground.min() - margin, color=EARTH[-1], linewidth=0)
    axes.plot(x, ground, color="#8C6D46")
    axes.set(xlim=limits, ylim=(ground.min() - margin, ground.max() + margin))


def _name_place(axes, name, place, left=False, below=False):
    """Write a name beside a place."""
    text = {"textcoords": "offset points", "bbox": BEHIND_TEXT, "zorder": 5}
    offset = (-7 if left else 7, -16 if below else 6)
    axes.annotate(name, place, offset, ha="right" if left else "left", **text)


@matplotlib.rc_context(STYLE)
def surface(landscape, elevation=35, azimuth=-60, relief=0.8, window=None):
    """Draw a landscape in three dimensions, its minima marked as on a map.

    Parameters
    ----------
    landscape : Landscape
    elevation, azimuth : float
        Where it is looked at from, in degrees.
    relief : float
        How high it is drawn; 1.6 is as high as it is wide. Flat and from above all valleys show.
    window : ((x_min, x_max), (y_min, y_max)), optional
        The part to draw; by default the landscape's own.
    """
    window = doors.window(doors.landscape(landscape).window if window is None else window)
    for name, value in {"elevation": elevation, "azimuth": azimuth, "relief": relief}.items():
        doors.number(name, value)
    x, y = _grid(window, 121)
    heights = landscape.value(x, y)
    figure = Figure(figsize=(6.4, HIGH))
    axes = figure.add_subplot(projection="3d", computed_zorder=False)
    mesh = {"rcount": 60, "ccount": 60, "edgecolor": "#00000040", "linewidth": 0.3}
    axes.plot_surface(x, y, heights, cmap=RELIEF_SHADES, **mesh)
    for minimum, marker in _minima_marked(landscape):
        axes.plot(*minimum, landscape(minimum), marker, color="black", markersize=12, zorder=3)
    axes.view_init(elevation, azimuth)
    axes.set(xlabel="x", ylabel="y", zlabel="f(x, y)", title=_title(landscape))
    for axis, most in ((axes.xaxis, 4), (axes.yaxis, 4), (axes.zaxis, 4 if relief > 0.6 else 2)):
        axis.set_major_locator(MaxNLocator(most))
    axes.set_box_aspect((1.6, 1.2, relief), zoom=1.1)
    return Picture(figure, f"Surface of the {landscape.name}; height {_range(heights)}.")


@matplotlib.rc_context(STYLE)
def contours(landscape, points=None):
    """Draw a landscape as a map: contour lines, dark where it is deep.

    Parameters
    ----------
    landscape : Landscape
    points : dict of str to (x, y), optional
        Places to mark with their names.
    """
    figure, axes = _map(landscape)
    words = []
    for name, place in doors.named("points", points, (2,)).items():
        axes.plot(*place, "o", color=INK, zorder=4)
        _name_place(axes, name, place, below=len(words) % 2)
        words.append(f"{name} at {_point(place)}")
    _cut_empty_right(figure)
    return Picture(figure, _sentence(f"Contour map of the {landscape.name}", words))


@np.errstate(invalid="ignore")
@matplotlib.rc_context(STYLE)
def gradient_field(landscape, uphill=False, equal_lengths=False):
    """Draw an arrow of the slope at many places of a landscape, over its contours.

    Parameters
    ----------
    landscape : Landscape
    uphill : bool
        Show the gradient itself; otherwise minus the gradient, the way down.
    equal_lengths : bool
        Show directions only; otherwise an arrow is as long as its slope is steep.
    """
    figure, axes = _map(landscape)
    (x_min, x_max), (y_min, y_max) = landscape.window
    spacing = (x_max - x_min) / (16 if equal_lengths else 12)
    x, y = np.meshgrid(
        np.arange(x_min + spacing / 2, x_max, spacing),
        np.arange(y_min + spacing / 2, y_max, spacing),
    )
    arrows = landscape.gradient(np.stack([x, y], -1)) * (1 if uphill else -1)
    lengths = np.linalg.norm(arrows, axis=-1)
    if equal_lengths:
        arrows = arrows / np.where(lengths == 0, 1, lengths)[..., np.newaxis]
    longest = np.nanmax(np.linalg.norm(arrows, axis=-1)) or 1
    style = {"color": INK, "pivot": "mid", "width": 0.0028, "zorder": 3} | ON_MAP
    axes.quiver(x, y, *np.moveaxis(arrows, -1, 0), **style, scale=longest / spacing / 0.85)
    _cut_empty_right(figure)
    way = "Gradient, the way up," if uphill else "Minus the gradient, the way down,"
    return Picture(
        figure,
        f"{way} at {x.size} places of the {landscape.name}; slopes {_range(lengths)}.",
    )


@matplotlib.rc_context(STYLE)
def paths(trajectories, arrows=None):
    """Draw one or several descents on the map of their landscape, a mark for each step.

    Parameters
    ----------
    trajectories : dict of str to Trajectory
        All over the same landscape. The name of a method gives its color and marker.
    arrows : dict of str to (tails, vectors), each an array of shape (n, 2), optional
        For instance the parts of each step: where the arrows of a kind begin and how far they
        reach, in the units of the map. The name of a quantity, as "push −ηg", gives their color.
    """
    landscape = _common_landscape(trajectories)
    figure, axes = _map(landscape)
    for look, name, trajectory in _with_looks(trajectories):
        _draw_path(axes, trajectory, look, name)
    style = {"units": "inches", "width": 0.035, "zorder": 7}
    for look, name, tails_and_vectors in _with_looks(doors.named("arrows", arrows, (2, "n", 2))):
        columns = np.column_stack(tails_and_vectors).T
        axes.quiver(*columns, color=look["color"], label=name, **style, **ON_MAP, scale=1)
    axes.legend(**BESIDE)
    _cut_empty_right(figure)
    alt = _paths_alt(landscape, trajectories)
    if arrows:
        alt = f"{alt[:-1]}, with arrows: {', '.join(arrows)}."
    return Picture(figure, alt)


@matplotlib.rc_context(STYLE)
def path_panels(trajectories):
    """Draw several descents, each on its own map, all with the same axes.

    Parameters
    ----------
    trajectories : dict of str to Trajectory
        All over the same landscape; the names are the titles. One that begins with a method, as
        in "SGD, η = 1", has its color.
    """
    landscape = _common_landscape(trajectories)
    size = (WIDE, 3) if len(trajectories) < 3 else (6.4, HIGH)
    figure = Figure(figsize=size, layout="compressed")
    titled = {_path_label(name, run): (name, run) for name, run in trajectories.items()}
    for axes, _, (name, trajectory) in _panels(figure, titled, columns=2):
        (look,) = looks_of([name.split(",")[0]])
        _draw_map(axes, landscape)
        _draw_path(axes, trajectory, look, name)
    return Picture(figure, _paths_alt(landscape, trajectories))


@matplotlib.rc_context(STYLE)
def unit_circle(roots, inner):
    """Draw complex numbers as points of the plane, with the circles of radius 1 and `inner`.

    Parameters
    ----------
    roots : dict of str to array_like of complex, shape (n,)
    inner : float
        Radius of a second circle.
    """
    figure = Figure(figsize=(6.4, HIGH))
    axes = figure.add_subplot(aspect="equal", xlabel="real part", ylabel="imaginary part")
    turn = np.linspace(0, 2 * np.pi, 200)
    for radius, line in ((1, "-"), (doors.number("inner", inner), ":")):
        axes.plot(radius * np.cos(turn), radius * np.sin(turn), line, color=INK, linewidth=1.2)
    words = []
    for look, name, values in _with_looks(doors.named("roots", roots, least=1)):
        points = look | {"linestyle": "none", "markersize": 9}
        across = doors.finite(f"roots[{name!r}]", np.real(values), ("n",))
        axes.plot(across, np.imag(values), **points, label=name)
        words.append(f"{name} of sizes {' and '.join(map(_number, np.abs(values)))}")
    _grid_lines(axes)
    axes.legend(**BESIDE)
    return Picture(figure, _sentence(f"Circles of radius 1 and {_number(inner)}, roots", words))


@matplotlib.rc_context(STYLE)
def curves(
    lines,
    xlabel="step",
    ylabel="loss f",
    x=None,
    xscale="linear",
    yscale="linear",
    marks=None,
    levels=None,
    bands=None,
    ylim=None,
    alt=None,
):
    """Draw lines over a common axis, or a row of panels of them with the same vertical axis.

    Parameters
    ----------
    lines : dict of str to array_like, shape (n,), or Trajectory
        The name of a method gives a line its color, marker and dashes; of a Trajectory the losses
        are drawn. Or a dict of titles to such dicts: a panel for each.
    xlabel, ylabel : str
    x : array_like, shape (n,), optional
        Common to all lines; by default 0, 1, 2, ...
    xscale, yscale : str
        "linear" or "log". A value of exactly zero has no place on a logarithmic axis.
    marks, levels : dict of str to float, optional
        Vertical and horizontal lines with their names.
    bands : dict of str to (low, high), optional
        Ranges that are shaded behind the line of the same name; with panels, a dict of titles to
        such dicts.
    ylim : (low, high), optional
    alt : str, optional
        Text alternative, for values that differ from machine to machine; by default it gives the
        first, last, highest and lowest value of each line.

    Raises
    ------
    TypeError, ValueError
        If there is no line, some values of `lines` are panels and others lines, a line has not
        the length of `x`, or a band has no line of its name.
    """
    panels, bands = _checked_lines(lines, bands)
    doors.one_of("xscale", xscale, SCALES)
    doors.one_of("yscale", yscale, SCALES)
    across = None if x is None else doors.numbers("x", x, ("n",))
    marks, levels = doors.named("marks", marks, ()), doors.named("levels", levels, ())
    figure = Figure(figsize=(7, HIGH) if len(panels) == 1 else (WIDE, 3.5))
    same_x = len({len(y) for lines in panels.values() for y in lines.values()}) == 1
    words = []
    for axes, title, lines in _panels(figure, panels, same_x=same_x):
        axes.set(xscale=xscale, yscale=yscale, xlabel=xlabel, ylabel=ylabel)
        if ylim is not None:
            axes.set_ylim(doors.interval("ylim", ylim))
        if x is None or (xscale == "linear" and np.array_equal(across, np.round(across))):
            axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
        elif xscale == "log" and _are_few_counts(across):
            axes.set_xticks(across, [f"{value:g}" for value in across])
            axes.set_xticks([], minor=True)
        for look, name, y in _with_looks(lines):
            steps = np.arange(len(y)) if x is None else across
            if len(steps) != len(y):
                raise ValueError(f"{name!r} must have the length of x, {len(steps)}, got {len(y)}")
            if name in bands[title]:
                band = doors.numbers(f"bands[{name!r}]", bands[title][name], (2, len(y)))
                axes.fill_between(steps, *band, color=look["color"], alpha=0.18, linewidth=0)
            drawable = np.where(np.abs(y) < 1e200, y, np.nan)  # margins of matplotlib overflow
            line = _line(look, len(y), markers=40 // len(panels) if x is None else 12)
            axes.plot(steps, drawable, **line, label=name)
            words.append(f"{title + ': ' if title else ''}{name} {_course(y)}")
        _draw_marks(axes, marks, levels)
        _grid_lines(axes)
    _legend_below(figure)
    return Picture(figure, alt or _sentence(f"{ylabel} against {xlabel}", words))


def _checked_lines(lines, bands):
    """Return lines and bands as dicts of titles to dicts of names; without panels under ""."""
    panels, bands = doors.named("lines", lines, least=1), doors.named("bands", bands)
    are_panels = {isinstance(line, Mapping) for line in panels.values()}
    if len(are_panels) > 1:
        raise TypeError(f"lines must be all panels or all lines, got {list(lines)}")
    if are_panels == {False}:
        panels, bands = {"": panels}, {"": bands}
    panels = {
        title: {name: _values(name, line) for name, line in lines.items()}
        for title, lines in panels.items()
    }
    for title, own in bands.items():
        unknown = doors.named("bands", own).keys() - panels.get(title, {}).keys()
        if unknown:
            raise ValueError(f"bands must be for lines that are drawn, got {sorted(unknown)}")
    return panels, {title: bands.get(title, {}) for title in panels}


def _are_few_counts(x):
    """Tell whether values are so few whole numbers that an axis can name them all."""
    return len(x) <= 9 and all(value == round(value) and value < 1000 for value in x)


def _values(name, line):
    if isinstance(line, Trajectory):
        return line.losses
    return doors.numbers(f"lines[{name!r}]", line, ("n",))


@matplotlib.rc_context(STYLE)
def heatmaps(
    panels, x, y, xlabel, ylabel, label, limits=None, lines=None, points=None, xscale="linear"
):
    """Draw values over two quantities as shades, one panel for each map, with the same scale.

    Parameters
    ----------
    panels : dict of str to ndarray, shape (len(y), len(x))
        Values that are not finite are left white.
    x, y : array_like
        Evenly spaced values of the two quantities.
    xlabel, ylabel, label : str
        Of the axes and of the shades.
    limits : (low, high), optional
        Values at the two ends of the shades; the lowest and highest value by default.
    lines : dict of str to (x, y), optional
        Curves to draw over every panel, with their names.
    points : dict of str to (x, y), optional
        Places to mark in every panel, with their names.
    xscale : str
        "linear" or "log"; then `x` is evenly spaced by factors, and powers of two are named.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above: a map has not a row for each y and a column for each x, for
        instance, or none holds a finite value.
    """
    across, up = _edges("x", x, xscale), _edges("y", y)
    panels = doors.named("panels", panels, (len(up) - 1, len(across) - 1), least=1)
    finite = {title: np.ma.masked_invalid(values) for title, values in panels.items()}
    everything = np.ma.stack(list(finite.values()))
    if not everything.count():
        raise ValueError("panels must hold finite values, got none")
    low, high = doors.interval("limits", limits) if limits else (everything.min(), everything.max())
    lines, points = doors.named("lines", lines, (2, "n")), doors.named("points", points, (2,))
    figure = Figure(figsize=(min(WIDE, 4.8 * len(panels) + 1), HIGH))
    words = []
    for axes, title, values in _panels(figure, finite):
        shades = axes.pcolormesh(across, up, values, cmap=SHADES, vmin=low, vmax=high)
        for look, name, line in _with_looks(lines):
            axes.plot(*line, color="white", linewidth=3.5)
            axes.plot(*line, color=INK, linestyle=look["linestyle"], label=name)
        for look, name, point in _with_looks(points):
            white = {"color": "white", "markeredgecolor": "black", "linestyle": "none"}
            axes.plot(*point, **look | white, markersize=10, label=name)
        axes.set(xlabel=xlabel, ylabel=ylabel, xlim=across[[0, -1]], ylim=up[[0, -1]])
        if _are_few_counts(y):
            axes.set_yticks(y)
        if xscale == "log":
            axes.set_xscale("log", base=2)
            axes.xaxis.set_major_formatter("{x:g}")
        words.append(f"{title}: {_range(panels[title])}")
    figure.colorbar(shades, ax=figure.axes, label=label)
    _legend_below(figure)
    return Picture(figure, _sentence(f"{label} over {xlabel} and {ylabel}", words))


def _edges(name, centers, scale="linear"):
    """Return the borders of cells around values that are evenly spaced on the scale."""
    places = doors.numbers(name, centers, ("n",))
    if doors.one_of("xscale", scale, SCALES) == "log":
        with np.errstate(all="ignore"):
            places = np.log(places)
    spaces = np.diff(places)
    if not (len(spaces) and 0 < spaces[0] < np.inf and np.allclose(spaces, spaces[0], rtol=0.01)):
        raise ValueError(f"{name} must be two or more evenly spaced values, got {centers!r}")
    edges = places[0] + spaces[0] * np.arange(-0.5, len(places))
    return np.exp(edges) if scale == "log" else edges


@matplotlib.rc_context(STYLE)
def histograms(panels, xlabel, bins=40, limits=None):
    """Draw a histogram of each set of values, side by side, with the same axes.

    Parameters
    ----------
    panels : dict of str to array_like
    xlabel : str
    bins : int
    limits : (low, high), optional
        Range of the values that is drawn; all of it by default.
    """
    panels = doors.named("panels", panels, (..., "n"), least=1)
    bins = doors.whole_number("bins", bins, lowest=1)
    figure = Figure(figsize=(WIDE, 2.7))
    values = {title: np.ravel(panel) for title, panel in panels.items()}
    everything = doors.finite("panels", np.concatenate(list(values.values())), ("n",))
    limits = doors.interval("limits", limits) if limits else (everything.min(), everything.max())
    words = []
    for axes, title, panel in _panels(figure, values):
        axes.hist(panel, bins=bins, range=limits, color="#8C6D46")
        axes.set(xlabel=xlabel, yticks=[])
        words.append(f"{title}: mean {_number(panel.mean())}, std {_number(panel.std())}")
    return Picture(figure, _sentence(f"Histograms of {xlabel}", words))


@matplotlib.rc_context(STYLE)
def layers(panels, ylabel):
    """Draw a quantity layer by layer: what was measured as marks, what was predicted as lines.

    Parameters
    ----------
    panels : dict of str to dict of str to (measured, predicted)
        For each panel and each name two sequences, one value for each layer from the first on.
    ylabel : str
        Of the vertical axis, which is logarithmic.
    """
    figure = Figure(figsize=(WIDE, HIGH))
    words = []
    for axes, title, lines in _panels(figure, doors.named("panels", panels, least=1)):
        lines = doors.named(f"panels[{title!r}]", lines, (2, "n"))
        size = 12  # the marks get smaller, so that none hides another
        for look, name, (measured, predicted) in _with_looks(lines):
            depth = range(1, 1 + len(measured))
            axes.plot(depth, predicted, color=look["color"], linewidth=1.5)
            marks = look | {"linestyle": "none", "markersize": size}
            axes.plot(depth, measured, **marks, label=name)
            size *= 0.75
            words.append(f"{title}, {name} {_course(measured)}")
        axes.set(xlabel="layer", ylabel=ylabel, yscale="log")
        axes.minorticks_off()
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _grid_lines(axes)
    axes.plot([], color=INK, linewidth=1.5, label="predicted")
    _legend_below(figure)
    return Picture(figure, _sentence(f"{ylabel} by layer", words))


@matplotlib.rc_context(STYLE)
def clouds(panels, center, xlabel, ylabel, center_label):
    """Draw clouds of points around a common point, one panel each, with the same axes.

    Parameters
    ----------
    panels : dict of str to ndarray, shape (n, 2)
    center : array_like, shape (2,)
    xlabel, ylabel : str
    center_label : str
    """
    panels = doors.named("panels", panels, ("n", 2), least=1)
    center = doors.finite("center", center, (2,))
    figure = Figure(figsize=(WIDE, HIGH))
    star = {"color": "black", "markersize": 15, "markeredgecolor": "white"}
    words = []
    for axes, title, points in _panels(figure, panels):
        axes.plot(*points.T, **CLOUD)
        axes.plot(*center, "*", **star, label=center_label)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        _grid_lines(axes)
        spread = np.sqrt(((points - center) ** 2).sum(-1).mean())
        words.append(f"{title}: {len(points)} points, spread {_number(spread)}")
    _legend_below(figure)
    return Picture(figure, _sentence(f"Clouds around the {center_label}, {_point(center)}", words))


@matplotlib.rc_context(STYLE)
def scatter(x, y, xlabel, ylabel, lines):
    """Draw a point for each pair of values, and straight lines through them.

    Parameters
    ----------
    x, y : array_like, shape (n,)
    xlabel, ylabel : str
    lines : dict of str to (slope, intercept)
    """
    x = doors.numbers("x", x, ("n",))
    y = doors.numbers("y", y, x.shape)
    lines = doors.named("lines", lines, (2,))
    figure = Figure(figsize=(7, HIGH))
    axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
    axes.plot(x, y, **CLOUD)
    ends = np.array([np.min(x), np.max(x)])
    for look, name, (slope, intercept) in _with_looks(lines):
        axes.plot(ends, slope * ends + intercept, **look | {"marker": ""}, label=name)
    _grid_lines(axes)
    _legend_below(figure)
    slopes = [f"{name}, slope {_number(slope)}" for name, (slope, _) in lines.items()]
    return Picture(figure, _sentence(f"{ylabel} against {xlabel}, {len(x)} points", slopes))


@matplotlib.rc_context(STYLE)
def designs(panels, xlabel, ylabel, window, label=None):
    """Draw which pairs of two hyperparameters were tried, on log axes, with their projections.

    Parameters
    ----------
    panels : dict of str to (x, y) or (x, y, values)
        The pairs of each search; `values` shade them, the same way in all panels.
    xlabel, ylabel : str
    window : ((x_min, x_max), (y_min, y_max))
    label : str, optional
        Of the shades.
    """
    panels = doors.named("panels", panels, ("2 or 3", "n"), least=1)
    xlim, ylim = doors.window(window)
    if min(*xlim, *ylim) <= 0:
        raise ValueError(f"window must be above 0 on log axes, got {window!r}")
    figure = Figure(figsize=(WIDE, 3.6))
    values = [panel[2] for panel in panels.values() if len(panel) > 2]
    shades = {"vmin": np.min(values), "vmax": np.max(values), "cmap": SHADES} if values else {}
    words = []
    for axes, title, (x, y, *shade) in _panels(figure, panels):
        axes.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log", xlim=xlim, ylim=ylim)
        axes.minorticks_off()
        colors = {"c": shade[0], **shades} if shade else {"color": POINTS}
        dots = axes.scatter(x, y, s=48, edgecolors=INK, linewidths=0.6, zorder=3, **colors)
        below, beside = axes.get_xaxis_transform(), axes.get_yaxis_transform()
        axes.plot(x, np.full(len(x), 0.03), "|", color=INK, markersize=9, transform=below)
        axes.plot(np.full(len(y), 0.03), y, "_", color=INK, markersize=9, transform=beside)
        _grid_lines(axes)
        words.append(
            f"{title}: {len(x)} points, {len(np.unique(x))} values of {xlabel}, "
            f"{len(np.unique(y))} of {ylabel}"
        )
    if label:
        figure.colorbar(dots, ax=figure.axes, label=label)
    return Picture(figure, _sentence(f"{ylabel} against {xlabel}", words))


@matplotlib.rc_context(STYLE)
def images(pictures, labels):
    """Draw small gray images, ten in a row, each with its label.

    Parameters
    ----------
    pictures : ndarray, shape (n, height, width)
    labels : sequence of n

    Raises
    ------
    ValueError
        If there are not as many labels as images.
    """
    pictures = doors.numbers("pictures", pictures, ("n", "height", "width"))
    if np.shape(labels) != (len(pictures),):
        raise ValueError(f"labels must be one for each image, {len(pictures)}, got {labels!r}")
    rows = -(-len(pictures) // 10)
    figure = Figure(figsize=(9, 1.15 * rows))
    for axes in figure.subplots(rows, 10, squeeze=False).flat:
        axes.set_axis_off()
    for axes, picture, label in zip(figure.axes, pictures, labels, strict=False):
        axes.imshow(picture, cmap="gray_r")
        axes.set_title(label, fontsize=12)
    return Picture(figure, f"{len(pictures)} images: {', '.join(str(label) for label in labels)}.")


def _panels(figure, panels, columns=None, same_x=True):
    """Yield the axes, title and content of each panel; only the outer axes keep their labels."""
    columns = columns or len(panels)
    rows = -(-len(panels) // columns)
    all_axes = figure.subplots(rows, columns, sharex=same_x, sharey=True, squeeze=False).ravel()
    for axes, (title, content) in zip(all_axes, panels.items(), strict=False):
        yield axes, title, content
        axes.set_title(title)
        axes.label_outer()
    for axes in all_axes[len(panels) :]:
        axes.set_axis_off()


def _with_looks(named):
    """Return the look, the name and the content of each entry of a dict."""
    return zip(looks_of(named), named, named.values(), strict=True)


def _grid(window, resolution):
    return np.meshgrid(*(np.linspace(low, high, resolution) for low, high in window))


def _title(landscape):
    if not landscape.formula:
        return landscape.name
    return f"{landscape.name},  $f(x, y) = {landscape.formula}$"


def _map(landscape):
    """Return a figure and its axes at the left of it, with the contours drawn."""
    figure = Figure(figsize=(WIDE, HIGH))
    axes = figure.add_subplot(anchor="W")
    _draw_map(axes, doors.landscape(landscape))
    axes.set_title(_title(landscape), loc="left")
    return figure, axes


def _cut_empty_right(figure):
    figure.draw_without_rendering()
    figure.set_figwidth(figure.get_tightbbox().x1 + 0.05)


def _draw_map(axes, landscape):
    x, y = _grid(landscape.window, 201)
    heights = np.ma.masked_invalid(landscape.value(x, y))
    levels = contour_levels(heights.compressed())
    norm = BoundaryNorm(levels, EARTH_SHADES.N)
    axes.contourf(x, y, heights, levels, cmap=EARTH_SHADES, norm=norm)
    axes.contour(x, y, heights, levels, colors="#7A7A7A", linewidths=0.5, linestyles="solid")
    for minimum, marker in _minima_marked(landscape):
        axes.plot(*minimum, marker, color="black", markersize=12, zorder=3)
    xlim, ylim = landscape.window
    axes.set(xlim=xlim, ylim=ylim, xlabel="x", ylabel="y", aspect="equal")


def _minima_marked(landscape):
    """Return each minimum with its marker: a star for the deepest, or for several as deep."""
    depths = [landscape(minimum) for minimum in landscape.minima]
    markers = ["*" if np.isclose(depth, depths[0]) else "+" for depth in depths]
    return list(zip(landscape.minima, markers, strict=True))


def _draw_path(axes, trajectory, look, name):
    """Draw a path with its start and end marked, on axes whose window stays as it is."""
    with np.errstate(over="ignore", invalid="ignore"):
        shown = trajectory.positions[np.isfinite(trajectory.positions).all(-1)]
        shown = np.clip(shown, -1e6, 1e6)
    color = look["color"]
    marks = {"markersize": 4.5, "markeredgecolor": "white", "markeredgewidth": 0.5, "zorder": 4}
    label = _path_label(name, trajectory)
    axes.plot(*shown.T, **_line(look, len(shown)), **marks, label=label)
    axes.plot(*shown[0], "o", color="white", markeredgecolor=color, markersize=9, zorder=5)
    axes.plot(*shown[-1], "X", color=color, markeredgecolor="black", markersize=10, zorder=6)


def _draw_marks(axes, marks, levels):
    """Draw named vertical and horizontal lines; the names of vertical ones in two rows."""
    line = {"color": INK, "linewidth": 1, "linestyle": ":"}
    text = {"textcoords": "offset points", "bbox": BEHIND_TEXT, "color": INK}
    for i, (name, x) in enumerate(marks.items()):
        axes.axvline(x, **line)
        across, below = ("data", "axes fraction"), (4, -4 - 17 * (i % 2))
        axes.annotate(name, (x, 1), xycoords=across, xytext=below, va="top", **text)
    for name, y in levels.items():
        axes.axhline(y, **line)
        along, above = ("axes fraction", "data"), (-4, 4)
        axes.annotate(name, (1, y), xycoords=along, xytext=above, ha="right", **text)


def _grid_lines(axes):
    axes.grid(color="#DDDDDD", linewidth=0.7)


def _legend_below(figure):
    """Put a legend of all that is named below the axes, in as many columns as fit."""
    named = {}
    for axes in figure.axes:
        handles, names = axes.get_legend_handles_labels()
        named |= zip(names, handles, strict=True)
    if named:
        widest = max(map(len, named)) + 7  # letters, with the handle and the gap
        columns = min(len(named), max(1, int(figure.get_figwidth() * 12 / widest)))
        figure.legend(named.values(), named, loc="outside lower center", ncols=columns)


def _line(look, points, markers=40):
    """Return the keywords of a line through so many points, with about so many markers."""
    return {**look, "markevery": max(1, points // markers)}


def _common_landscape(trajectories):
    runs = trajectories.values() if isinstance(trajectories, Mapping) else ()
    if not runs or not all(isinstance(run, Trajectory) for run in runs):
        got = doors.shown(trajectories)
        raise TypeError(f"trajectories must be a dict of names to Trajectory, got {got}")
    landscapes = {id(run.landscape): run.landscape for run in runs}
    if len(landscapes) > 1:
        names = [landscape.name for landscape in landscapes.values()]
        raise ValueError(f"trajectories must all be over the same landscape, got {names}")
    return next(iter(landscapes.values()))


def _path_label(name, trajectory):
    if trajectory.diverged_at is not None:
        return f"{name}, diverged at step {trajectory.diverged_at}"
    return name


def _paths_alt(landscape, trajectories):
    words = []
    for name, run in trajectories.items():
        end = f" to {_point(run.positions[-1])} in {run.steps} steps"
        if run.diverged_at is not None:
            end = f", diverged at step {run.diverged_at}"
        words.append(f"{name} from {_point(run.positions[0])}{end}")
    return _sentence(f"Paths on the {landscape.name}", words)


def _course(y):
    """Say how a line runs: its first and last finite value, and its extremes where they differ."""
    y = y[np.isfinite(y)]
    if not len(y):
        return NONE
    course = f"from {_number(y[0])} to {_number(y[-1])}"
    if y.max() > max(y[0], y[-1]):
        course += f", highest {_number(y.max())}"
    if y.min() < min(y[0], y[-1]):
        course += f", lowest {_number(y.min())}"
    return course


def _range(values):
    """Say between which finite values all others lie."""
    values = values[np.isfinite(values)]
    return f"from {_number(values.min())} to {_number(values.max())}" if len(values) else NONE


def _number(value):
    """Write a number with three digits; what lies at the level of rounding is written as 0."""
    return "0" if abs(value) < 1e-12 else f"{value:.3g}"


def _point(point):
    return f"({', '.join(_number(value) for value in point)})"


def _sentence(subject, details):
    return f"{subject}{': ' if details else ''}{'; '.join(details)}."
