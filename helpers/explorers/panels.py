"""What an explorer shows: panels, which stand still, and marks, which move over them.

Both are only numbers, texts and small images; `stage.js` draws them in the browser and `still.py`
for a stored notebook.
"""

import io
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count

import numpy as np
from PIL import Image, ImageColor

from helpers.explorers.words import SUPERSCRIPTS, said
from helpers.looks import EARTH, contour_levels

KEYS = count()
MAP, CURVE, HALF, SMALL = (480, 310), (330, 310), (412, 310), (310, 310)
# The colors of matplotlib's cividis, made for color-blind readers and even in gray.
SHADES = ["#00224E", "#2A3F6D", "#575D6D", "#7D7C78", "#A59C74", "#D2C060", "#FEE838"]


@dataclass(frozen=True, eq=False)
class Panel:
    """Axes that stand still while marks move over them.

    Attributes
    ----------
    size : (width, height)
        In pixels, as wide as it is shown where there is just room for it.
    box : (left, top, width, height)
        Of the axes, in these pixels.
    window : ((x_min, x_max), (y_min, y_max))
        What the axes show.
    title, xlabel, ylabel : str
    yscale : str
        "linear" or "log".
    xticks, yticks : list of (float, str)
    image : bytes
        PNG that fills the axes, or nothing.
    lines : list of (list of (x, y), str)
        Lines and their colors.
    notes : list of (x, y, str)
        Short texts at places.
    steps : bool
        Whether the x axis is that of the steps: a click on it then goes to a step.
    label : str
        What it shows and what can be done on it, for those who do not see it; else the title.
    key : str
        Tells the panel from all others.
    """

    size: tuple[int, int]
    box: tuple[float, float, float, float]
    window: tuple[tuple[float, float], tuple[float, float]]
    title: str = ""
    xlabel: str = ""
    ylabel: str = ""
    yscale: str = "linear"
    xticks: list = field(default_factory=list)
    yticks: list = field(default_factory=list)
    image: bytes = b""
    lines: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    steps: bool = False
    label: str = ""
    key: str = field(default_factory=lambda: str(next(KEYS)))


@dataclass(frozen=True, eq=False)
class Mark:
    """What moves over a panel.

    Attributes
    ----------
    panel : int
    kind : str
        "path" and "curve" are drawn as far as the shown step, of "dots" the first so many, "faint"
        and "line" always whole, their data of shape (n, 2). One row a step, or one for all:
        "point" (x, y), "arrow" and "segment" (x, y, dx, dy), "box" (x, y and half its sides).
    data : ndarray, shape (n, 2) or (n, 4)
    look : dict
        Color, marker and dashes, as in `LOOKS`.
    label : str
    """

    panel: int
    kind: str
    data: np.ndarray
    look: dict
    label: str = ""


def ticks(low, high, most=6):
    """Return round values between two, with their texts."""
    rough = (high - low) / most
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(k * power for k in (1, 2, 5, 10) if k * power >= 0.999 * rough)
    values = step * np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) + 0.0
    return [(float(value), said(float(f"{value:.6g}"))) for value in values]


def log_ticks(low, high, most=6):
    """Return powers of ten between two values, with their texts."""
    first, last = np.ceil(np.log10(low) - 1e-9), np.floor(np.log10(high) + 1e-9)
    powers = np.arange(first, last + 1)[:: int(np.ceil((last - first + 1) / most))]
    return [(10.0**power, "10" + f"{power:.0f}".translate(SUPERSCRIPTS)) for power in powers]


def axes(window, size=CURVE, aspect=None, right=12, **others):
    """Return a panel with ticks; `aspect` is the height of a unit of y over that of one of x."""
    (x0, x1), (y0, y1) = window
    left, top, below = 52, 30, 42
    width, height = size[0] - left - right, size[1] - top - below
    if aspect is not None:
        ratio = aspect * (y1 - y0) / (x1 - x0)
        new_width, new_height = min(width, height / ratio), min(height, width * ratio)
        left, top = left + (width - new_width) / 2, top + (height - new_height) / 2
        width, height = new_width, new_height
    y_ticks = log_ticks(y0, y1) if others.get("yscale") == "log" else ticks(y0, y1, 5)
    defaults = {"xticks": ticks(x0, x1, max(3, width // 60)), "yticks": y_ticks}
    window = ((float(x0), float(x1)), (float(y0), float(y1)))
    return Panel(size, (left, top, width, height), window, **(defaults | others))


@lru_cache(maxsize=128)
def map_panel(landscape, size=MAP, label=""):
    """Return the map of a landscape: shades, contours, and a star on the deepest minimum."""
    words = {"title": landscape.name, "label": label.format(landscape=landscape.name)}
    notes = []
    for minimum in landscape.minima:
        deepest = np.isclose(landscape(minimum), landscape(landscape.minima[0]))
        notes.append((*minimum, "★" if deepest else "+"))
    panel = axes(landscape.window, size, 1, xlabel="x", ylabel="y", notes=notes, **words)
    heights = heights_of(landscape)
    return with_image(panel, shaded(heights, panel.box[2:]))


def with_image(panel, image):
    """Return the panel with an image that fills its axes."""
    png = io.BytesIO()
    few = image if image.mode == "P" else image.quantize(128, dither=Image.Dither.NONE)
    few.save(png, "png", compress_level=3)
    return replace(panel, image=png.getvalue(), key=str(next(KEYS)))


def places_of(landscape, across, down):
    """Return places all over the window, shape (rows from the top, columns, 2)."""
    (x0, x1), (y0, y1) = landscape.window
    return np.stack(np.meshgrid(np.linspace(x0, x1, across), np.linspace(y1, y0, down)), -1)


@lru_cache(maxsize=16)
def heights_of(landscape):
    """Return losses all over the window, shape (rows from the top, columns); nan for infinite."""
    with np.errstate(all="ignore"):
        heights = np.asarray(landscape(places_of(landscape, 201, 141)), dtype=float)
    heights = np.broadcast_to(heights, (141, 201))
    return np.where(np.isfinite(heights), heights, np.nan)


def shaded(heights, size):
    """Return an image of heights in earth colors, with lines between the levels."""
    hole = np.isnan(heights)
    if hole.all():
        return Image.new("RGB", (8, 8), "white")
    size = tuple(round(2 * side) for side in size)
    finite = np.where(hole, np.nanmax(heights), heights)
    levels = contour_levels(finite[~hole]).astype("f4")
    fine = Image.fromarray(finite.astype("f4")).resize(size, Image.Resampling.BICUBIC)
    bands = np.digitize(np.asarray(fine), levels[1:-1]).astype("u1")
    edges = np.zeros(bands.shape, dtype=bool)
    edges[:, 1:] |= bands[:, 1:] != bands[:, :-1]
    edges[1:] |= bands[1:] != bands[:-1]
    count = max(len(levels) - 1, 1)
    bands[edges] = count
    bands[np.asarray(Image.fromarray(hole).resize(size))] = count + 1
    image = Image.fromarray(bands).convert("P")
    image.putpalette([*ramp(EARTH, count).ravel().tolist(), *[140] * 3, *[255] * 3])
    return image


def kinds_image(kinds, colors, panel):
    """Return an image of kinds, shape (rows from the top, columns); one of -1 is white."""
    palette = np.array([ImageColor.getrgb(color) for color in [*colors, "white"]], dtype="u1")
    size = [round(2 * side) for side in panel.box[2:]]
    return Image.fromarray(palette[kinds]).resize(size, Image.Resampling.NEAREST)


def ramp(colors, n):
    """Return n colors from the first to the last of some, shape (n, 3)."""
    stops = np.array([ImageColor.getrgb(color) for color in colors])
    at = np.linspace(0, len(stops) - 1, n)
    return np.stack([np.interp(at, range(len(stops)), c) for c in stops.T], -1).astype("u1")


def shade_image(values, low, high):
    """Return an image of values, shape (rows from the bottom, columns), between two limits."""
    share = np.clip((values - low) / (high - low), 0, 1)
    colors = ramp(SHADES, 256)[np.nan_to_num(255 * share).astype(int)]
    colors[np.isnan(values)] = 255
    return Image.fromarray(colors[::-1])


def ring(radius, points=97):
    """Return a circle around (0, 0) as a list of points."""
    turn = np.linspace(0, 2 * np.pi, points)
    return np.stack([radius * np.cos(turn), radius * np.sin(turn)], -1).tolist()
