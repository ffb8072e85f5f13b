"""The still form of an explorer: what it shows, drawn as one image for a stored notebook."""

import io
import re
import textwrap
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from helpers.explorers.words import filled
from helpers.looks import INK

SHOWN = 1.25  # pixels of the image for one on the screen
FINE = 2  # drawn so many times as large, then made smaller: smooth lines
SCALE = SHOWN * FINE
LINE = 20  # pixels of a line of text


@cache
def font(size=12):
    """Return a font that has the signs of formulas; it comes with matplotlib."""
    (folder,) = find_spec("matplotlib").submodule_search_locations
    path = Path(folder, "mpl-data", "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(path, round(size * SCALE))


def still_picture(view, step, hint):
    """Return PNG bytes and the size in pixels of the screen.

    Parameters
    ----------
    view : View
    step : int
        As far as paths and curves are drawn.
    hint : str
        What the last line says.
    """
    beside = 470 if view.beside else 0
    width = sum(panel.size[0] for panel in view.panels) + beside
    readout = filled(view.template, view.columns, step).splitlines()
    words = view.words_at(step)
    lines = textwrap.wrap(words, width // 8)
    names = [mark for mark in view.marks if mark.label]
    rows = len(lines) + 1 + bool(names) + (0 if beside else len(readout))
    tallest = max(panel.size[1] for panel in view.panels)
    if beside:
        tallest = max(tallest, 12 + 17 * len(readout))
    painter = Painter((width, tallest + LINE * rows + 12))
    left = 0
    for i, panel in enumerate(view.panels):
        painter.panel(zoomed(panel, view.zoom.get(i), step), left)
        painter.marks([mark for mark in view.marks if mark.panel == i], step, view.future)
        left += panel.size[0]
    if beside:
        painter.text((left + 8, 8), "\n".join(readout), "la", 11)
    top = tallest + 4
    if names:
        painter.legend(names, top)
        top += LINE
    for line in lines:
        painter.text((10, top), line, "la")
        top += LINE
    if not beside:
        top = painter.table(readout, top)
    painter.text((10, top), hint, "la")
    return painter.png(), painter.size


def zoomed(panel, windows, step):
    """Return a panel that shows only the part of its window that belongs to a step."""
    if windows is None:
        return panel
    x0, x1, y0, y1 = windows[min(step, len(windows) - 1)]
    (left, right), (low, high) = panel.window
    image, png = Image.open(io.BytesIO(panel.image)), io.BytesIO()
    across, down = image.width / (right - left), image.height / (high - low)
    box = ((x0 - left) * across, (high - y1) * down, (x1 - left) * across, (high - y0) * down)
    size = tuple(round(SCALE * side) for side in panel.box[2:])
    image.convert("RGB").transform(size, Image.Transform.EXTENT, box, fillcolor="white").save(
        png, "png"
    )
    return replace(panel, image=png.getvalue(), window=((x0, x1), (y0, y1)))


class Painter:
    """An image with the axes of one panel at a time."""

    def __init__(self, size):
        self.size = size
        self.image = Image.new("RGB", [FINE * round(SHOWN * side) for side in size], "white")
        self.draw = ImageDraw.Draw(self.image)

    def png(self):
        """Return the image as PNG bytes of few colors."""
        png = io.BytesIO()
        small = self.image.reduce(FINE)
        few = small.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(png, "png", compress_level=3)
        return png.getvalue()

    def text(self, place, text, anchor, size=12, color=INK):
        """Write text at a place in pixels of the screen."""
        place = [SCALE * value for value in place]
        self.draw.text(place, text, color, font(size), "la" if "\n" in text else anchor)

    def legend(self, marks, top):
        """Write the names of marks with their colors."""
        left = 10
        for mark in marks:
            middle = top + 8
            self.stroke([(left, middle), (left + 18, middle)], mark.look["color"], 3)
            self.text((left + 24, top), mark.label, "la")
            left += 40 + font().getlength(mark.label) / SCALE

    def table(self, lines, top):
        """Write lines of cells in columns; return where they end."""
        rows = [line.split("\t") for line in lines]
        left = 10
        for column in zip_longest(*rows, fillvalue=""):
            for i, cell in enumerate(column):
                self.text((left, top + LINE * i), cell, "la")
            left += 18 + max(font().getlength(cell) for cell in column) / SCALE
        return top + LINE * len(rows)

    def panel(self, panel, left):
        """Draw a panel so many pixels from the left; the marks that follow are on it."""
        x, y, width, height = panel.box
        self.corner, self.sides, self.axes = (left + x, y), (width, height), panel
        if panel.image:
            size = [round(SCALE * side) for side in self.sides]
            image = Image.open(io.BytesIO(panel.image)).convert("RGB")
            image = image.resize(size, Image.Resampling.NEAREST)
            self.image.paste(image, [round(SCALE * value) for value in self.corner])
        for points, color in panel.lines:
            self.stroke(self.place(points), color, 1)
        (right, below), (x0, y0) = np.add(self.corner, self.sides), self.corner
        for value, text in panel.xticks:
            ((at, _),) = self.place([(value, panel.window[1][0])])
            self.stroke([(at, below), (at, below + 4)], INK, 1)
            self.text((at, below + 6), text, "ma", 11)
        for value, text in panel.yticks:
            ((_, at),) = self.place([(panel.window[0][0], value)])
            self.stroke([(x0 - 4, at), (x0, at)], INK, 1)
            self.text((x0 - 7, at), text, "rm", 11)
        if panel.xticks or panel.yticks:
            self.stroke([(x0, y0), (x0, below), (right, below)], INK, 1)
        for x, y, text in panel.notes:
            self.text(self.place([(x, y)])[0], text, "mm", 13, "black")
        middle = (x0 + right) / 2
        self.text((middle, y0 - 10), panel.title, "mb")
        self.text((middle, below + 22), panel.xlabel, "ma")
        self.text((x0 - 8, y0 - 10), panel.ylabel, "rb")

    def place(self, points):
        """Return places of the panel's axes in pixels of the screen."""
        (x0, x1), (y0, y1) = self.axes.window
        x, y = np.clip(np.array(points, dtype=float), -1e9, 1e9).T
        if self.axes.yscale == "log":
            y, y0, y1 = np.log10(np.maximum(y, 1e-300)), np.log10(y0), np.log10(y1)
        x, y = (x - x0) / (x1 - x0), (y1 - y) / (y1 - y0)
        return np.clip(self.corner + np.stack([x, y], -1) * self.sides, -1e4, 1e4)

    def marks(self, marks, step, future):
        """Draw marks as the browser does, on a layer that their panel cuts off."""
        edge = 7  # room for a marker on the edge
        box = (*np.subtract(self.corner, edge), *np.add(self.corner, self.sides) + edge)
        box = [round(SCALE * value) for value in box]
        layer, whole, corner = self.image.crop(box), self.draw, self.corner
        self.draw, self.corner = ImageDraw.Draw(layer), corner - np.divide(box[:2], SCALE)
        for mark in marks:
            self.draw_mark(mark, step, future)
        self.draw, self.corner = whole, corner
        self.image.paste(layer, box[:2])

    def draw_mark(self, mark, step, future):
        """Draw a mark, also where it leaves its panel."""
        color, row = mark.look["color"], mark.data[min(step, len(mark.data) - 1)]
        if mark.kind == "point":
            self.shape(self.place([row])[0], mark.look["marker"], 7, color)
        elif mark.kind == "dots":
            for point in self.place(mark.data)[:step]:
                self.shape(point, mark.look["marker"], 4, color)
        elif mark.kind in ("arrow", "segment"):
            tail, head = self.place([row[:2], row[:2] + row[2:]])
            self.stroke([tail, head], color, 2.5)
            if mark.kind == "arrow":
                self.arrow_head(tail, head, color)
        elif mark.kind == "box":
            corners = row[:2] + row[2:] * [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
            self.stroke(self.place(corners), color, 1.5)
        else:
            points = self.place(mark.data)
            if mark.kind in ("line", "faint"):
                self.stroke(points, faint(color) if mark.kind == "faint" else color, 1.5)
                return
            if future:
                self.stroke(points, faint(color), 1.5)
            self.stroke(points[: step + 1], color, 2)
            for point in points[: step + 1 : max(1, len(points) // 40)]:
                self.shape(point, mark.look["marker"], 3, color)
            if mark.kind == "path":
                self.shape(points[0], "o", 5, "white", color)
            last = points[min(step, len(points) - 1)]
            self.shape(last, "X" if mark.kind == "path" else mark.look["marker"], 5, color)

    def stroke(self, points, color, width):
        """Draw a line through points in pixels of the screen."""
        points = [(SCALE * x, SCALE * y) for x, y in points]
        self.draw.line(points, color, max(1, round(SCALE * width)), "curve")

    def shape(self, place, marker, radius, color, edge="black"):
        """Draw a marker."""
        x, y = place
        corners = {
            "s": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            "^": [(0, -1.2), (1.1, 0.8), (-1.1, 0.8)],
            "v": [(0, 1.2), (1.1, -0.8), (-1.1, -0.8)],
            "D": [(0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)],
        }.get(marker)
        if marker == "X":
            for way in (1, -1):
                ends = [(x - radius, y - way * radius), (x + radius, y + way * radius)]
                self.stroke(ends, "black", 4)
            for way in (1, -1):
                ends = [(x - radius, y - way * radius), (x + radius, y + way * radius)]
                self.stroke(ends, color, 2.5)
        elif corners:
            shape = [(SCALE * (x + radius * a), SCALE * (y + radius * b)) for a, b in corners]
            self.draw.polygon(shape, color, edge, max(1, round(0.4 * SCALE)))
        else:
            box = [SCALE * value for value in (x - radius, y - radius, x + radius, y + radius)]
            self.draw.ellipse(box, color, edge, max(1, round(0.4 * SCALE)))

    def arrow_head(self, tail, head, color):
        """Draw the head of an arrow."""
        way = head - tail
        length = np.hypot(*way)
        if length > 1:
            back = min(11, 0.6 * length) * way / length
            side = 0.5 * np.array([-back[1], back[0]])
            corners = [head, head - back + side, head - back - side]
            self.draw.polygon([tuple(SCALE * corner) for corner in corners], color)


def faint(color):
    """Return a color mixed with three parts of white."""
    parts = [int(part, 16) for part in re.findall("[0-9A-Fa-f]{2}", color)]
    return "#" + "".join(f"{(part + 3 * 255) // 4:02X}" for part in parts)
