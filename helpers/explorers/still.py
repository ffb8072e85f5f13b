"""The still form of an explorer: what it shows, drawn as one picture for a stored notebook.

`draw.js` draws the same panels and marks in the browser. Sizes are in pixels of the screen.
"""

import io
import textwrap
from itertools import zip_longest

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox, TransformedBbox
from PIL import Image

from helpers.explorers.words import filled
from helpers.figures import PIXELS_PER_INCH_SHOWN, STYLE, Picture
from helpers.looks import INK

PIXEL = 72 / PIXELS_PER_INCH_SHOWN  # in points
LINE = 20  # height of a line of text
BESIDE = 470  # width of a readout beside the panels
STILL_STYLE = {
    **STYLE,
    **dict.fromkeys(("font.size", "axes.titlesize", "legend.fontsize"), 12 * PIXEL),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), 11 * PIXEL),
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), INK),
    **dict.fromkeys(("xtick.color", "ytick.color"), INK),
    "lines.linewidth": 2 * PIXEL,
    "figure.constrained_layout.use": False,
    "text.parse_math": False,
}


@matplotlib.rc_context(STILL_STYLE)
def still_picture(view, step, hint):
    """Return the Picture of a View at a step, with a hint as its last line."""
    readout = filled(view.template, view.columns, step).splitlines()
    beside, below = (readout, []) if view.beside else ([], readout)
    across, tallest = sum(p.size[0] for p in view.panels), max(p.size[1] for p in view.panels)
    words = textwrap.wrap(view.words_at(step), across // 8)
    named = [mark for mark in view.marks if mark.label]
    top = max(tallest, LINE * len(beside)) + 4
    width = across + (BESIDE if beside else 0)
    height = top + LINE * (bool(named) + len(words) + len(below) + 1) + 8
    figure = Figure(figsize=(width / PIXELS_PER_INCH_SHOWN, height / PIXELS_PER_INCH_SHOWN))
    page = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    page.set_axis_off()
    left = 0
    for i, panel in enumerate(view.panels):
        x, y, wide, high = panel.box
        box = ((left + x) / width, 1 - (y + high) / height, wide / width, high / height)
        axes = figure.add_axes(box)
        draw_panel(axes, panel, view.zoom.get(i), step)
        for mark in view.marks:
            if mark.panel == i:
                draw_mark(axes, mark, step, view.future)
        left += panel.size[0]
    write(page, beside, left + 8, 8)
    if named:
        name(page, named, top)
        top += LINE
    for lines in (words, below, [hint]):
        write(page, lines, 10, top)
        top += LINE * len(lines)
    return Picture(figure, view.alt)


def name(page, marks, top):
    """Write the names of marks with their colors in one line."""
    lines = [Line2D([], [], color=mark.look["color"], label=mark.label) for mark in marks]
    place = {"loc": "upper left", "bbox_to_anchor": (10, top), "bbox_transform": page.transData}
    page.legend(handles=lines, ncols=len(lines), **place, borderpad=0, borderaxespad=0)


def write(page, lines, left, top):
    """Write lines, whose cells are columns, from a place on downward."""
    for column in zip_longest(*(line.split("\t") for line in lines), fillvalue=""):
        for i, cell in enumerate(column):
            page.text(left, top + LINE * i, cell, va="top")
        left += 18 + 7.6 * max(map(len, column))  # about as wide as these letters


def draw_panel(axes, panel, zoom, step):
    """Draw a panel, or the part of its window that belongs to a step."""
    (x0, x1), (y0, y1) = panel.window
    if panel.image:
        image = Image.open(io.BytesIO(panel.image)).convert("RGB")
        axes.imshow(image, extent=(x0, x1, y0, y1), aspect="auto", interpolation="bilinear")
    for points, color in panel.lines:
        axes.plot(*np.transpose(points), color=color, linewidth=1 * PIXEL)
    for x, y, text in panel.notes:
        axes.text(x, y, text, size=13 * PIXEL, color="black", ha="center", va="center")
    axes.set(title=panel.title, xlabel=panel.xlabel, yscale=panel.yscale)
    above = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
    axes.annotate(panel.ylabel, (0, 1), (-8 * PIXEL, 10 * PIXEL), **above)
    for axis, ticks in ((axes.xaxis, panel.xticks), (axes.yaxis, panel.yticks)):
        axis.set_ticks([value for value, _ in ticks], [text for _, text in ticks])
    axes.minorticks_off()
    axes.spines[["left", "bottom"]].set_visible(bool(panel.xticks or panel.yticks))
    part = (x0, x1, y0, y1) if zoom is None else zoom[min(step, len(zoom) - 1)]
    if np.abs(part).max() < 1e9:  # a step that has diverged has no part
        x0, x1, y0, y1 = part
    axes.set(xlim=(x0, x1), ylim=(y0, y1))


def draw_mark(axes, mark, step, future):
    """Draw a mark as far as a step, as `drawMark` of `draw.js` does."""
    room = TransformedBbox(Bbox.unit().expanded(1.05, 1.05), axes.transAxes)  # for a marker
    data = near(axes, mark.data)
    here = data[min(step, len(data) - 1)]
    line = {"color": mark.look["color"], "linestyle": mark.look["linestyle"]}
    shape = {"color": mark.look["color"], "marker": mark.look["marker"], "linestyle": "none"}
    shape |= {"markeredgecolor": "black", "markeredgewidth": 0.5}
    if mark.kind == "point":
        drawn = axes.plot(*here, **shape, markersize=12 * PIXEL)
    elif mark.kind == "dots":
        drawn = axes.plot(*data[:step].T, **shape, markersize=8 * PIXEL)
    elif mark.kind == "arrow":
        look = {"color": mark.look["color"], "units": "inches", "width": 0.03, "zorder": 3}
        drawn = [axes.quiver(*here, angles="xy", scale_units="xy", scale=1, **look)]
    elif mark.kind == "segment":
        drawn = axes.plot(*np.transpose([here[:2], here[:2] + here[2:]]), **line)
    elif mark.kind == "box":
        corners = here[:2] + here[2:] * [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
        drawn = axes.plot(*corners.T, color=mark.look["color"], linewidth=1.5 * PIXEL)
    elif mark.kind in ("line", "faint"):
        faint = 0.3 if mark.kind == "faint" else 1
        drawn = axes.plot(*data.T, **line, linewidth=1.5 * PIXEL, alpha=faint)
    else:
        walked, every = data[: step + 1].T, max(1, len(data) // 40)
        drawn = axes.plot(*data.T, **line, alpha=0.25) if future else []
        drawn += axes.plot(*walked, **line)
        drawn += axes.plot(*walked, **shape, markersize=6 * PIXEL, markevery=every)
        if mark.kind == "path":
            ring = {"markerfacecolor": "white", "markeredgecolor": mark.look["color"]}
            drawn += axes.plot(*data[0], **shape | {"marker": "o"} | ring, markersize=9 * PIXEL)
            shape["marker"] = "X"
        drawn += axes.plot(*here, **shape, markersize=12 * PIXEL)
    for artist in drawn:
        artist.set_clip_path(None)
        artist.set_clip_box(room)


def near(axes, data):
    """Return data with what lies a thousand windows away brought that near, for the renderer."""
    low, high = np.transpose([axes.get_xlim(), axes.get_ylim()])
    middle = np.resize([*(low + high) / 2, 0, 0], data.shape[1])
    reach = np.resize(1e3 * (high - low), data.shape[1])
    return np.clip(data, middle - reach, middle + reach)
