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
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator
from PIL import Image

from helpers.descent import Trajectory
from helpers.looks import EARTH, INK, OTHER_LOOKS, RELIEF, contour_levels, looks_of

STYLE = {
    "font.size": 12,
    "axes.titlesize": 12.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "figure.constrained_layout.use": True,
    "legend.frameon": False,
    "legend.fontsize": 11.5,
    "lines.linewidth": 2,
    "lines.markersize": 5,
}
DPI = 110
PIXELS_PER_INCH_SHOWN = 88

EARTH_SHADES = LinearSegmentedColormap.from_list("earth", EARTH)
RELIEF_SHADES = LinearSegmentedColormap.from_list("relief", RELIEF)
SHADES = "cividis"  # made for color-blind readers, and even in gray
POINTS = "#0072B2"
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
        png = io.BytesIO()
        few = _pixels(self.figure, DPI).quantize(256, Image.Quantize.MAXCOVERAGE)
        few.save(png, "png")
        return png.getvalue()

    def _repr_mimebundle_(self, include=None, exclude=None):
        width, height = self.figure.get_size_inches() * PIXELS_PER_INCH_SHOWN
        metadata = {"width": round(width), "height": round(height), "alt": self.alt}
        return (
            {"image/png": self.png(), "text/plain": repr(self)},
            {"image/png": metadata},
        )


@matplotlib.rc_context(STYLE)
def profile(height, window, places=None, tangents=None, walks=None):
    """Draw a cut through a landscape: the height over one direction.

    Parameters
    ----------
    height : callable
        x -> height; takes arrays.
    window : (x_min, x_max)
    places : dict of str to x, optional
        Places on the ground to mark with their names.
    tangents : dict of str to (x, slope), optional
        Straight lines that touch the ground, with their names.
    walks : dict of str to array_like, shape (steps + 1,), optional
        The places of each walk in order; a panel for each.
    """
    walks = {name: np.asarray(walk, dtype=float) for name, walk in (walks or {}).items()}
    panels = walks or {"": None}
    figure = Figure(figsize=(8, 3.9) if len(panels) == 1 else (10.5, 3.6))
    all_axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (name, walk) in zip(all_axes, panels.items(), strict=True):
        _draw_ground(axes, height, window)
        for (label, (x, slope)), look in zip((tangents or {}).items(), OTHER_LOOKS, strict=False):
            across = np.array([x - 1.5, x + 1.5])
            line = height(x) + slope * (across - x)
            axes.plot(across, line, color=look["color"], linewidth=2.5)
            axes.plot(x, height(x), "o", color=look["color"], markersize=8)
            _name_place(axes, label, (x, height(x)), left=slope > 0)
        for label, x in (places or {}).items():
            axes.plot(x, height(x), "o", color=INK, markersize=8)
            _name_place(axes, label, (x, height(x)))
        if walk is not None:
            axes.plot(
                walk, height(walk), color=INK, marker="o", markersize=7, markeredgecolor="white"
            )
            axes.plot(walk[0], height(walk[0]), "o", color="white", markeredgecolor=INK, ms=13)
            axes.plot(walk[-1], height(walk[-1]), "X", color=INK, markeredgecolor="white", ms=10)
        axes.set(title=name, xlabel="x", ylabel="height f(x)")
        axes.label_outer()
    words = [f"{name} at x = {_number(x)}" for name, x in (places or {}).items()]
    words += [f"{name} at x = {_number(x)}" for name, (x, _) in (tangents or {}).items()]
    words += [f"walk {name}: x {_course(walk)}" for name, walk in walks.items()]
    return Picture(
        figure, _sentence(f"Profile, the height from x = {window[0]} to {window[1]}", words)
    )


def _draw_ground(axes, height, window):
    x = np.linspace(*window, 401)
    ground = height(x)
    margin = 0.12 * (ground.max() - ground.min())
    axes.fill_between(x, ground, ground.min() - margin, color=EARTH[-1], linewidth=0)
    axes.plot(x, ground, color="#8C6D46")
    axes.set(xlim=window, ylim=(ground.min() - margin, ground.max() + margin))


def _name_place(axes, name, place, left=False):
    """Write a name beside a place."""
    axes.annotate(
        name,
        place,
        xytext=(-7 if left else 7, 6),
        textcoords="offset points",
        ha="right" if left else "left",
        zorder=5,
        bbox=BEHIND_TEXT,
    )


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
    x, y = _grid(window or landscape.window, 121)
    heights = landscape.value(x, y)
    figure = Figure(figsize=(7, 4.2))
    axes = figure.add_subplot(projection="3d", computed_zorder=False)
    axes.plot_surface(
        x,
        y,
        heights,
        cmap=RELIEF_SHADES,
        rcount=60,
        ccount=60,
        edgecolor="#00000040",
        linewidth=0.3,
    )
    for minimum, marker in _minima_marked(landscape):
        axes.plot(*minimum, landscape(minimum), marker, color="black", markersize=12, zorder=3)
    axes.view_init(elevation, azimuth)
    axes.set(xlabel="x", ylabel="y", zlabel="f(x, y)", title=_title(landscape))
    for axis, most in ((axes.xaxis, 4), (axes.yaxis, 4), (axes.zaxis, 4 if relief > 0.6 else 2)):
        axis.set_major_locator(MaxNLocator(most))
    axes.set_box_aspect((1.6, 1.2, relief), zoom=1.2)
    return Picture(
        figure,
        f"Surface of the {landscape.name}; height from {_number(heights.min())} "
        f"to {_number(heights.max())}.",
    )


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
    for name, place in (points or {}).items():
        axes.plot(*place, "o", color=INK, zorder=4)
        _name_place(axes, name, place)
    places = [f"{name} at {_point(point)}" for name, point in (points or {}).items()]
    return Picture(figure, _sentence(f"Contour map of the {landscape.name}", places))


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
        arrows = arrows / lengths[..., np.newaxis]
    longest = np.linalg.norm(arrows, axis=-1).max()
    axes.quiver(
        x,
        y,
        arrows[..., 0],
        arrows[..., 1],
        color=INK,
        pivot="mid",
        zorder=3,
        angles="xy",
        scale_units="xy",
        scale=longest / (0.85 * spacing),
        width=0.0028,
    )
    way = "Gradient, the way up," if uphill else "Minus the gradient, the way down,"
    return Picture(
        figure,
        f"{way} at {x.size} places of the {landscape.name}; "
        f"slopes from {_number(lengths.min())} to {_number(lengths.max())}.",
    )


@matplotlib.rc_context(STYLE)
def paths(trajectories):
    """Draw one or several descents on the map of their landscape, a mark for each step.

    Parameters
    ----------
    trajectories : dict of str to Trajectory
        All over the same landscape. The name of a method gives its color and marker.
    """
    landscape = _common_landscape(trajectories)
    figure, axes = _map(landscape)
    for look, (name, trajectory) in zip(looks_of(trajectories), trajectories.items(), strict=True):
        _draw_path(axes, trajectory, look, name)
    _legend_below(figure, axes)
    return Picture(figure, _paths_alt(landscape, trajectories))


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
    rows = -(-len(trajectories) // 2)
    figure = Figure(figsize=(9.5, 0.5 + 2.6 * rows))
    all_axes = list(figure.subplots(rows, 2, sharex=True, sharey=True, squeeze=False).flat)
    for axes, (name, trajectory) in zip(all_axes, trajectories.items(), strict=False):
        (look,) = looks_of([name.split(",")[0]])
        _draw_map(axes, landscape)
        _draw_path(axes, trajectory, look, name)
        axes.set_title(_path_label(name, trajectory))
        axes.label_outer()
    for axes in all_axes[len(trajectories) :]:
        axes.set_axis_off()
    return Picture(figure, _paths_alt(landscape, trajectories))


@matplotlib.rc_context(STYLE)
def path_arrows(name, trajectory, arrows):
    """Draw one descent with arrows on its map, for instance the parts of each step, tip to tail.

    Parameters
    ----------
    name : str
        That of a method gives the path its color and marker.
    trajectory : Trajectory
    arrows : dict of str to (tails, vectors), each an array of shape (n, 2)
        Where the arrows of a kind begin and how far they reach, in the units of the map. The name
        of a quantity, such as "push −ηg", gives them its color.
    """
    figure, axes = _map(trajectory.landscape)
    (look,) = looks_of([name])
    _draw_path(axes, trajectory, look, name)
    for arrow_look, (kind, (tails, vectors)) in zip(looks_of(arrows), arrows.items(), strict=True):
        axes.quiver(
            *np.transpose(tails),
            *np.transpose(vectors),
            color=arrow_look["color"],
            angles="xy",
            scale_units="xy",
            scale=1,
            units="inches",
            width=0.035,
            zorder=7,
            label=kind,
        )
    _legend_below(figure, axes)
    alt = _paths_alt(trajectory.landscape, {name: trajectory})
    return Picture(figure, f"{alt[:-1]}, with arrows: {', '.join(arrows)}.")


@matplotlib.rc_context(STYLE)
def unit_circle(roots, inner):
    """Draw complex numbers as points of the plane, with the circles of radius 1 and `inner`.

    Parameters
    ----------
    roots : dict of str to array_like of complex, shape (n,)
    inner : float
        Radius of a second circle.
    """
    figure = Figure(figsize=(7, 4.6))
    axes = figure.add_subplot(aspect="equal", xlabel="real part", ylabel="imaginary part")
    turn = np.linspace(0, 2 * np.pi, 200)
    for radius, line in ((1, "-"), (inner, ":")):
        axes.plot(radius * np.cos(turn), radius * np.sin(turn), line, color=INK, linewidth=1.2)
    words = []
    for look, (name, values) in zip(looks_of(roots), roots.items(), strict=True):
        values = np.asarray(values, dtype=complex)
        points = {"color": look["color"], "marker": look["marker"], "linestyle": "none"}
        axes.plot(values.real, values.imag, **points, markersize=9, label=name)
        words.append(f"{name} of sizes {' and '.join(map(_number, np.abs(values)))}")
    _grid_lines(axes)
    axes.legend(loc="center left", bbox_to_anchor=(1.05, 0.5))
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
    """Draw lines over a common axis, or several panels of them with the same axes.

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
    panels, bands = _panels(lines, bands or {})
    columns = min(len(panels), 3 if len(panels) == 3 else 2)
    rows = -(-len(panels) // columns)
    figure = Figure(
        figsize=(7.5 if columns == 1 else 10.5, 0.7 + (3.5 if columns == 1 else 2.9) * rows)
    )
    all_axes = list(figure.subplots(rows, columns, squeeze=False, sharey=ylim is None).flat)
    words, named = [], {}
    markers = 40 if x is None else 12
    same_x = len({len(y) for lines in panels.values() for y in lines.values()}) == 1
    for axes, (title, lines) in zip(all_axes, panels.items(), strict=False):
        axes.set(xscale=xscale, yscale=yscale, xlabel=xlabel, ylabel=ylabel, title=title)
        if ylim is not None:
            axes.set_ylim(ylim)
        if x is None or (xscale == "linear" and isinstance(x, range)):
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        elif xscale == "log" and _are_few_counts(x):
            axes.xaxis.set_major_locator(FixedLocator(x))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_locator(NullLocator())
        for style, (name, y) in zip(looks_of(lines), lines.items(), strict=True):
            across = np.arange(len(y)) if x is None else np.asarray(x, dtype=float)
            if len(across) != len(y):
                raise ValueError(f"{name!r} must have the length of x, {len(across)}, got {len(y)}")
            if name in bands[title]:
                low_high = bands[title][name]
                axes.fill_between(across, *low_high, color=style["color"], alpha=0.18, linewidth=0)
            drawable = np.where(np.abs(y) < 1e200, y, np.nan)  # margins of matplotlib overflow
            (named[name],) = axes.plot(
                across, drawable, **_line(style, len(y), markers), label=name
            )
            words.append(f"{title + ': ' if title else ''}{name} {_course(y)}")
        _draw_marks(axes, marks or {}, levels or {})
        _grid_lines(axes)
        if same_x:
            axes.label_outer()
    for axes in all_axes[len(panels) :]:
        axes.set_axis_off()
    if list(named) != [""]:
        _name_below(figure, named)
    return Picture(figure, alt or _sentence(f"{ylabel} against {xlabel}", words))


def _panels(lines, bands):
    """Return lines and bands as dicts of titles to dicts of names; without panels under ""."""
    if not isinstance(lines, Mapping) or not lines:
        raise TypeError(f"lines must be a dict of names to values, got {lines!r}")
    are_panels = {isinstance(line, Mapping) for line in lines.values()}
    if len(are_panels) > 1:
        raise TypeError(f"lines must be all panels or all lines, got {list(lines)}")
    panels, bands = (lines, bands) if are_panels == {True} else ({"": lines}, {"": bands})
    panels = {
        title: {name: _values(line) for name, line in lines.items()}
        for title, lines in panels.items()
    }
    for title, own in bands.items():
        unknown = own.keys() - panels.get(title, {}).keys()
        if unknown:
            raise ValueError(f"bands must be for lines that are drawn, got {sorted(unknown)}")
    return panels, {title: bands.get(title, {}) for title in panels}


def _are_few_counts(x):
    """Tell whether values are so few whole numbers that a log axis can name them all."""
    return len(x) <= 9 and all(value == round(value) and value < 1000 for value in x)


def _values(line):
    return line.losses if isinstance(line, Trajectory) else np.asarray(line, dtype=float)


@matplotlib.rc_context(STYLE)
def heatmaps(panels, x, y, xlabel, ylabel, label, limits=None, lines=None, points=None):
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

    Raises
    ------
    ValueError
        If a map has not a row for each y and a column for each x.
    """
    finite = {title: np.ma.masked_invalid(values) for title, values in panels.items()}
    for title, values in finite.items():
        _check_map(title, values, "(len(y), len(x))", (len(y), len(x)))
    low, high = limits or (
        min(values.min() for values in finite.values()),
        max(values.max() for values in finite.values()),
    )
    figure = Figure(figsize=(5.2 * len(panels) + 1.2, 4.4))
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    half_x, half_y = (x[1] - x[0]) / 2, (y[1] - y[0]) / 2
    extent = (x[0] - half_x, x[-1] + half_x, y[0] - half_y, y[-1] + half_y)
    words = []
    for axes, (title, values) in zip(all_axes, finite.items(), strict=True):
        shades = axes.imshow(
            values, cmap=SHADES, vmin=low, vmax=high, extent=extent, origin="lower", aspect="auto"
        )
        for look, (name, line) in zip(OTHER_LOOKS, (lines or {}).items(), strict=False):
            axes.plot(*line, color="white", linewidth=3.5)
            axes.plot(*line, color=INK, linestyle=look["linestyle"], label=name)
        for look, (name, point) in zip(OTHER_LOOKS, (points or {}).items(), strict=False):
            axes.plot(
                *point,
                look["marker"],
                color="white",
                markeredgecolor="black",
                markersize=10,
                linestyle="none",
                label=name,
            )
        axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xlim=extent[:2], ylim=extent[2:])
        axes.label_outer()
        words.append(f"{title}: from {_number(values.min())} to {_number(values.max())}")
    figure.colorbar(shades, ax=list(all_axes), label=label)
    if lines or points:
        _legend_below(figure, all_axes[0])
    return Picture(figure, _sentence(f"{label} over {xlabel} and {ylabel}", words))


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
    columns = min(len(panels), 5)
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(10.5, 0.4 + 2.3 * rows))
    all_axes = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    values = {title: np.ravel(panel) for title, panel in panels.items()}
    everything = np.concatenate(list(values.values()))
    limits = limits or (everything.min(), everything.max())
    words = []
    for axes, (title, panel) in zip(all_axes, values.items(), strict=False):
        axes.hist(panel, bins=bins, range=limits, color="#8C6D46")
        axes.set(title=title, xlabel=xlabel, yticks=[])
        axes.label_outer()
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
    figure = Figure(figsize=(10.5, 4.2))
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    words = []
    for axes, (title, lines) in zip(all_axes, panels.items(), strict=True):
        size = 12  # the marks get smaller, so that none hides another
        for look, (name, (measured, predicted)) in zip(looks_of(lines), lines.items(), strict=True):
            depth = range(1, 1 + len(measured))
            axes.plot(depth, predicted, color=look["color"], linewidth=1.5)
            looks = {"color": look["color"], "marker": look["marker"], "linestyle": "none"}
            axes.plot(depth, measured, **looks, markersize=size, label=name)
            size *= 0.75
            words.append(f"{title}, {name} {_course(np.asarray(measured))}")
        axes.set(title=title, xlabel="layer", ylabel=ylabel, yscale="log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.label_outer()
        _grid_lines(axes)
    axes.plot([], color=INK, linewidth=1.5, label="predicted")
    _legend_below(figure, axes)
    return Picture(figure, _sentence(f"{ylabel} by layer", words))


@matplotlib.rc_context(STYLE)
def scale_map(panels, scales, depths, label, limits, lines):
    """Draw values over the scale of the weights, on a log axis, and the depth, as shades.

    Parameters
    ----------
    panels : dict of str to ndarray, shape (len(depths), len(scales))
    scales : array_like
        Evenly spaced by factors: std of the weights times the root of a unit's inputs.
    depths : array_like
        Evenly spaced numbers of hidden layers.
    label : str
        Of the shades.
    limits : (low, high)
        Values at the two ends of the shades.
    lines : dict of str to (scales, depths)
        Curves to draw over every panel, with their names.

    Raises
    ------
    ValueError
        If a map has not a row for each depth and a column for each scale.
    """
    for title, values in panels.items():
        shape = (len(depths), len(scales))
        _check_map(title, values, "(len(depths), len(scales))", shape)
    figure = Figure(figsize=(5.2 * len(panels) + 1.2, 4.6))
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    steps, rise = np.arange(-0.5, len(scales)), depths[1] - depths[0]
    edges = scales[0] * (scales[1] / scales[0]) ** steps
    floors = depths[0] + rise * np.arange(-0.5, len(depths))
    words = []
    for axes, (title, values) in zip(all_axes, panels.items(), strict=True):
        shades = axes.pcolormesh(edges, floors, values, cmap=SHADES, vmin=limits[0], vmax=limits[1])
        for look, (name, line) in zip(OTHER_LOOKS, lines.items(), strict=False):
            axes.plot(*line, color="white", linewidth=4)
            axes.plot(*line, color="black", linestyle=look["linestyle"], label=name)
        axes.set(title=title, xscale="log", xlabel="σ · √inputs", ylabel="hidden layers")
        axes.set(xlim=(edges[0], edges[-1]), ylim=(floors[0], floors[-1]), yticks=depths)
        axes.xaxis.set_major_locator(FixedLocator([0.25, 0.5, 1, 2, 4]))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.label_outer()
        words.append(f"{title}: from {_number(np.min(values))} to {_number(np.max(values))}")
    figure.colorbar(shades, ax=list(all_axes), label=label)
    _legend_below(figure, all_axes[0])
    return Picture(figure, _sentence(f"{label} over scale and depth", words))


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
    figure = Figure(figsize=(10.5, 3.9))
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    words = []
    for axes, (title, points) in zip(all_axes, panels.items(), strict=True):
        axes.plot(*points.T, "o", color=POINTS, markersize=4, alpha=0.35, markeredgewidth=0)
        axes.plot(
            *center, "*", color="black", markersize=15, markeredgecolor="white", label=center_label
        )
        axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
        axes.label_outer()
        _grid_lines(axes)
        spread = np.sqrt(((points - center) ** 2).sum(-1).mean())
        words.append(f"{title}: {len(points)} points, spread {_number(spread)}")
    _legend_below(figure, all_axes[0])
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
    figure = Figure(figsize=(7.5, 4.4))
    axes = figure.add_subplot(xlabel=xlabel, ylabel=ylabel)
    axes.plot(x, y, "o", color=POINTS, markersize=4, alpha=0.35, markeredgewidth=0)
    ends = np.array([np.min(x), np.max(x)])
    for look, (name, (slope, intercept)) in zip(OTHER_LOOKS, lines.items(), strict=False):
        axes.plot(ends, slope * ends + intercept, **{**look, "marker": ""}, label=name)
    _grid_lines(axes)
    _legend_below(figure, axes)
    slopes = [f"{name}, slope {_number(slope)}" for name, (slope, _) in lines.items()]
    return Picture(figure, _sentence(f"{ylabel} against {xlabel}, {len(x)} points", slopes))


@matplotlib.rc_context(STYLE)
def designs(panels, xlabel, ylabel, limits, label=None):
    """Draw which pairs of two hyperparameters were tried, on log axes, with their projections.

    Parameters
    ----------
    panels : dict of str to (x, y) or (x, y, values)
        The pairs of each search; `values` shade them, the same way in all panels.
    xlabel, ylabel : str
    limits : ((x_min, x_max), (y_min, y_max))
    label : str, optional
        Of the shades.
    """
    figure = Figure(figsize=(3.4 * len(panels) + (1 if label else 0), 3.7))
    all_axes = figure.subplots(1, len(panels), sharex=True, sharey=True, squeeze=False)[0]
    values = [panel[2] for panel in panels.values() if len(panel) > 2]
    shades = {"vmin": np.min(values), "vmax": np.max(values), "cmap": SHADES} if values else {}
    words = []
    for axes, (title, (x, y, *shade)) in zip(all_axes, panels.items(), strict=True):
        axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log")
        axes.set(xlim=limits[0], ylim=limits[1])
        axes.minorticks_off()
        colors = {"c": shade[0], **shades} if shade else {"color": POINTS}
        dots = axes.scatter(x, y, s=48, edgecolors=INK, linewidths=0.6, zorder=3, **colors)
        below, beside = axes.get_xaxis_transform(), axes.get_yaxis_transform()
        axes.plot(x, np.full(len(x), 0.03), "|", color=INK, markersize=9, transform=below)
        axes.plot(np.full(len(y), 0.03), y, "_", color=INK, markersize=9, transform=beside)
        axes.label_outer()
        _grid_lines(axes)
        words.append(
            f"{title}: {len(x)} points, {len(np.unique(x))} values of {xlabel}, "
            f"{len(np.unique(y))} of {ylabel}"
        )
    if label:
        figure.colorbar(dots, ax=list(all_axes), label=label)
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
    if len(pictures) != len(labels):
        raise ValueError(f"labels must be one for each image, {len(pictures)}, got {len(labels)}")
    rows = -(-len(pictures) // 10)
    figure = Figure(figsize=(9, 1.15 * rows))
    all_axes = list(figure.subplots(rows, 10, squeeze=False).flat)
    for axes, picture, label in zip(all_axes, pictures, labels, strict=False):
        axes.imshow(picture, cmap="gray_r")
        axes.set_title(label, fontsize=11)
    for axes in all_axes:
        axes.set_axis_off()
    return Picture(figure, f"{len(pictures)} images: {', '.join(str(label) for label in labels)}.")


def _pixels(figure, dpi):
    """Return a figure as an image in red, green and blue."""
    canvas, usual_dpi = FigureCanvasAgg(figure), figure.dpi
    figure.set_dpi(dpi)
    with matplotlib.rc_context(STYLE):
        canvas.draw()
    figure.set_dpi(usual_dpi)
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _grid(window, resolution):
    return np.meshgrid(*(np.linspace(low, high, resolution) for low, high in window))


def _title(landscape):
    if not landscape.formula:
        return landscape.name
    return f"{landscape.name},  $f(x, y) = {landscape.formula}$"


def _map(landscape):
    """Return a figure of map size and its axes with the contours drawn."""
    (x_min, x_max), (y_min, y_max) = landscape.window
    width = 8.0
    figure = Figure(figsize=(width, min(6.0, 1.0 + width * (y_max - y_min) / (x_max - x_min))))
    axes = figure.add_subplot()
    _draw_map(axes, landscape)
    return figure, axes


def _draw_map(axes, landscape):
    x, y = _grid(landscape.window, 201)
    heights = landscape.value(x, y)
    levels = contour_levels(heights)
    axes.contourf(
        x, y, heights, levels, cmap=EARTH_SHADES, norm=BoundaryNorm(levels, EARTH_SHADES.N)
    )
    axes.contour(x, y, heights, levels, colors="#7A7A7A", linewidths=0.5, linestyles="solid")
    for minimum, marker in _minima_marked(landscape):
        axes.plot(*minimum, marker, color="black", markersize=12, zorder=3)
    axes.set(
        xlim=landscape.window[0],
        ylim=landscape.window[1],
        xlabel="x",
        ylabel="y",
        title=_title(landscape),
        aspect="equal",
    )


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
    axes.plot(
        *shown.T,
        markersize=4.5,
        zorder=4,
        markeredgecolor="white",
        markeredgewidth=0.5,
        **_line(look, len(shown)),
        label=_path_label(name, trajectory),
    )
    axes.plot(*shown[0], "o", color="white", markeredgecolor=color, markersize=9, zorder=5)
    axes.plot(*shown[-1], "X", color=color, markeredgecolor="black", markersize=10, zorder=6)


def _check_map(title, values, name, shape):
    """Raise an error unless a map has the shape of this name."""
    if np.shape(values) != shape:
        raise ValueError(f"{title!r} must have shape {name}, {shape}, got {np.shape(values)}")


def _draw_marks(axes, marks, levels):
    """Draw named vertical and horizontal lines; the names of vertical ones in two rows."""
    line = {"color": INK, "linewidth": 1, "linestyle": ":"}
    text = {"textcoords": "offset points", "fontsize": 11, "bbox": BEHIND_TEXT, "color": INK}
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


def _legend_below(figure, axes):
    handles, names = axes.get_legend_handles_labels()
    _name_below(figure, dict(zip(names, handles, strict=True)))


def _name_below(figure, named):
    """Put a legend below the axes, in as many columns as fit."""
    widest = max(len(name) for name in named) + 7  # letters, with the handle and the gap
    columns = min(len(named), max(1, int(figure.get_figwidth() * 13 / widest)))
    figure.legend(named.values(), named, loc="outside lower center", ncols=columns)


def _line(look, points, markers=40):
    """Return the keywords of a line through so many points, with about so many markers."""
    return {**look, "markevery": max(1, points // markers)}


def _common_landscape(trajectories):
    if not isinstance(trajectories, Mapping) or not trajectories:
        raise TypeError(f"trajectories must be a dict of names to Trajectory, got {trajectories!r}")
    landscapes = {id(run.landscape): run.landscape for run in trajectories.values()}
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
        course = f"{name} from {_point(run.positions[0])} to {_point(run.positions[-1])}"
        words.append(
            f"{course} in {run.steps} steps"
            if run.diverged_at is None
            else f"{name} from {_point(run.positions[0])}, diverged at step {run.diverged_at}"
        )
    return _sentence(f"Paths on the {landscape.name}", words)


def _course(y):
    """Say how a line runs: its first and last finite value, and its extremes where they differ."""
    y = y[np.isfinite(y)]
    if not len(y):
        return "has no finite value"
    course = f"from {_number(y[0])} to {_number(y[-1])}"
    if y.max() > max(y[0], y[-1]):
        course += f", highest {_number(y.max())}"
    if y.min() < min(y[0], y[-1]):
        course += f", lowest {_number(y.min())}"
    return course


def _number(value):
    """Write a number with three digits; what lies at the level of rounding is written as 0."""
    return "0" if abs(value) < 1e-12 else f"{value:.3g}"


def _point(point):
    return f"({', '.join(_number(value) for value in point)})"


def _sentence(subject, details):
    return f"{subject}{': ' if details else ''}{'; '.join(details)}."
