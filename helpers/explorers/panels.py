"""What an explorer shows: still panels, marks that move over them, and both as one figure."""

import io
import textwrap
from dataclasses import dataclass
from functools import lru_cache

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from helpers.figures import (
    BEHIND_TEXT,
    DPI,
    INK,
    PIXELS_PER_INCH_SHOWN,
    SHADES,
    STYLE,
    Picture,
    _draw_map,
    _grid_lines,
    _line,
    _pixels,
)


@dataclass(frozen=True, eq=False)
class Panel:
    """A still layer: axes with nothing moving on them, and where on them a value lies.

    Attributes
    ----------
    png : bytes
        Twice as fine as it is shown.
    size : (width, height)
        In pixels of the page.
    box : (left, top, width, height)
        The area inside the axes, in pixels of the page.
    window : ((x_min, x_max), (y_min, y_max))
        The values at the edges of that area.
    yscale : str
        "linear" or "log".
    """

    png: bytes
    size: tuple[int, int]
    box: tuple[float, float, float, float]
    window: tuple[tuple[float, float], tuple[float, float]]
    yscale: str


@dataclass(frozen=True, eq=False)
class Mark:
    """Something of the moving layer, drawn over a panel.

    Attributes
    ----------
    panel : int
        The number of the panel.
    kind : str
        "path" (its start and end are marked), "curve", "arrow" or "point".
    data : ndarray, shape (n, 2), or (n, 4) for an arrow
        A row for each step, or a single one that holds for all: x, y and, for an arrow, dx, dy.
    look : dict
        Color, marker and linestyle.
    label : str
    """

    panel: int
    kind: str
    data: np.ndarray
    look: dict
    label: str = ""


@lru_cache(maxsize=16)
@matplotlib.rc_context(STYLE)
def map_panel(landscape, size=(520, 370)):
    """Draw the map of a landscape as a still layer."""
    (x_min, x_max), (y_min, y_max) = landscape.window
    figure, axes = _panel_axes(size, aspect=(y_max - y_min) / (x_max - x_min))
    _draw_map(axes, landscape)
    axes.set_title(landscape.name)
    return _panel(figure, axes)


@lru_cache(maxsize=16)
@matplotlib.rc_context(STYLE)
def curve_panel(xlim, ylim, xlabel, title, yscale="log", size=(340, 370)):
    """Draw empty axes for curves over the steps as a still layer."""
    figure, axes = _panel_axes(size)
    axes.set(xlim=xlim, ylim=ylim, xlabel=xlabel, title=title, yscale=yscale)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    if yscale == "log":
        axes.yaxis.set_major_formatter(_power_of_ten)
        axes.minorticks_off()
    _grid_lines(axes)
    return _panel(figure, axes)


@matplotlib.rc_context(STYLE)
def shade_panel(values, x, y, xlabel, ylabel, title, line, size=(400, 370)):
    """Draw values over two quantities as shades, with one line over them, as a still layer.

    Parameters
    ----------
    values : ndarray, shape (len(y), len(x))
        Those that are not finite are left white.
    x, y : ndarray
        Evenly spaced.
    xlabel, ylabel, title : str
    line : (x, y, name)
    size : (width, height)
    """
    figure, axes = _panel_axes(size, right=60)
    left, bottom, width, height = axes.get_position().bounds
    extent = (x[0], x[-1], y[0], y[-1])
    shades = axes.imshow(values, cmap=SHADES, extent=extent, origin="lower", aspect="auto")
    figure.colorbar(shades, cax=figure.add_axes((left + width + 0.02, bottom, 0.03, height)))
    *points, name = line
    axes.plot(*points, color=INK)
    axes.text(0.97, 0.04, name, ha="right", transform=axes.transAxes, bbox=BEHIND_TEXT)
    axes.set(xlim=extent[:2], ylim=extent[2:], xlabel=xlabel, ylabel=ylabel, title=title)
    return _panel(figure, axes)


@matplotlib.rc_context(STYLE)
def compass_panel(reach, size=(520, 370)):
    """Draw rings of distance and the four directions around a place, as a still layer."""
    figure, axes = _panel_axes(size, aspect=1)
    turn = np.linspace(0, 2 * np.pi, 200)
    figure.set_facecolor("#F1EFEA")
    for radius in np.linspace(reach / 4, reach, 4):
        axes.plot(radius * np.cos(turn), radius * np.sin(turn), color="#BBBBBB", linewidth=1)
    for name, x, y in (("N", 0, 1), ("E", 1, 0), ("S", 0, -1), ("W", -1, 0)):
        axes.text(1.1 * reach * x, 1.1 * reach * y, name, ha="center", va="center", color=INK)
    edge = 1.2 * reach
    axes.set(xlim=(-edge, edge), ylim=(-edge, edge), title="under the blindfold")
    axes.set_axis_off()
    return _panel(figure, axes)


@matplotlib.rc_context(STYLE)
def stage(panels, marks, step, words, alt, notes=""):
    """Draw what an explorer shows: its panels side by side, the marks on them, words below.

    Parameters
    ----------
    panels : list of Panel
    marks : list of Mark
    step : int
        As far as paths and curves are drawn; the rest of them is faint.
    words, alt : str
    notes : str
        Lines to the right of the panels.
    """
    width = sum(panel.size[0] for panel in panels) + (420 if notes else 0)
    lines = textwrap.wrap(words, width // 8)
    tallest = max([18 * (1 + len(notes.splitlines())), *(panel.size[1] for panel in panels)])
    height = tallest + 44 + 20 * len(lines)
    figure = _figure_of_pixels((width, height))
    left, legend = 0, {}
    for i, panel in enumerate(panels):
        axes = _axes_over(figure, panel, left)
        for mark in marks:
            if mark.panel == i:
                _draw_mark(axes, mark, step)
        handles, names = axes.get_legend_handles_labels()
        legend |= dict(zip(names, handles, strict=True))
        left += panel.size[0]
    figure.text((left + 10) / width, 0.98, notes, va="top", fontsize=11, linespacing=1.3)
    figure.text(0.5, 8 / height, "\n".join(lines), ha="center", linespacing=1.3)
    if legend:
        place = (0.5, (12 + 20 * len(lines)) / height)
        figure.legend(
            legend.values(), legend, loc="lower center", ncols=4, bbox_to_anchor=place, borderpad=0
        )
    return Picture(figure, alt)


def _axes_over(figure, panel, left):
    """Put a panel so many pixels from the left on a figure, and empty axes over it."""
    width, height = (side * PIXELS_PER_INCH_SHOWN for side in figure.get_size_inches())
    scale = DPI / PIXELS_PER_INCH_SHOWN
    still = Image.open(io.BytesIO(panel.png)).resize([round(scale * side) for side in panel.size])
    corner = round(scale * left), round(scale * (height - panel.size[1]))
    figure.figimage(np.asarray(still), *corner, zorder=-1)
    x, y, across, down = panel.box
    bounds = ((left + x) / width, 1 - (y + down) / height, across / width, down / height)
    axes = figure.add_axes(bounds, xlim=panel.window[0], ylim=panel.window[1])
    axes.set(yscale=panel.yscale, autoscale_on=False)
    axes.set_axis_off()
    return axes


def _draw_mark(axes, mark, step):
    """Draw a mark of an explorer as the browser does."""
    data, color = np.clip(mark.data, -1e6, 1e6), mark.look["color"]
    until = data[: step + 1] if len(data) > 1 else data
    if mark.kind == "arrow":
        _draw_arrow(axes, *until[-1], color)
        axes.plot([], color=color, linewidth=2.5, label=mark.label)
    elif mark.kind == "point":
        look = {"color": color, "marker": mark.look["marker"], "linestyle": "none"}
        axes.plot(*until[-1], **look, markeredgecolor="black", markersize=11)
    else:
        axes.plot(*data.T, color=color, alpha=0.25)
        is_path = mark.kind == "path"
        label = mark.label if is_path else None
        axes.plot(*until.T, **_line(mark.look, len(data)), markersize=4.5, label=label)
        if is_path:
            axes.plot(*data[0], "o", color="white", markeredgecolor=color, markersize=9)
        look = {"marker": "X" if is_path else mark.look["marker"], "color": color}
        axes.plot(*until[-1], **look, markeredgecolor="black", markersize=10 if is_path else 7)


def _draw_arrow(axes, x, y, dx, dy, color):
    tail, tip = axes.transData.transform([(x, y), (x + dx, y + dy)])
    points = 72 / axes.figure.dpi * np.hypot(*(tip - tail))
    if points > 1:
        head = min(9, 0.6 * points)
        arrow = {"color": color, "width": 2.5, "headwidth": head, "headlength": head, "shrink": 0}
        axes.annotate("", (x + dx, y + dy), (x, y), arrowprops=arrow, annotation_clip=True)


def _figure_of_pixels(size):
    inches = [length / PIXELS_PER_INCH_SHOWN for length in size]
    return Figure(figsize=inches, dpi=2 * PIXELS_PER_INCH_SHOWN, layout="none")


def _panel_axes(size, aspect=None, right=14):
    """Return a figure of so many pixels and axes in it, of that height over width if given."""
    left, top, bottom = 62, 32, 50
    width, height = size[0] - left - right, size[1] - top - bottom
    if aspect is not None:
        new_width, new_height = min(width, height / aspect), min(height, width * aspect)
        left, top = left + (width - new_width) / 2, top + (height - new_height) / 2
        width, height = new_width, new_height
    figure = _figure_of_pixels(size)
    bottom = size[1] - top - height
    bounds = (left / size[0], bottom / size[1], width / size[0], height / size[1])
    return figure, figure.add_axes(bounds)


def _panel(figure, axes):
    """Close a figure as a Panel; quickly, for someone waits for it."""
    png = io.BytesIO()
    _pixels(figure, figure.dpi).save(png, "png", compress_level=1)
    size = tuple(round(length * PIXELS_PER_INCH_SHOWN) for length in figure.get_size_inches())
    x, y, width, height = axes.get_position().bounds
    box = (x * size[0], (1 - y - height) * size[1], width * size[0], height * size[1])
    window = tuple(tuple(map(float, limits)) for limits in (axes.get_xlim(), axes.get_ylim()))
    return Panel(png.getvalue(), size, tuple(map(float, box)), window, axes.get_yscale())


def _power_of_ten(value, _position):
    """Write a tick in a tenth of the time that matplotlib's mathematical text takes."""
    return "10" + f"{np.log10(value):.0f}".translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
