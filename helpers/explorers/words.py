"""How explorers write: numbers and points as text, tables, and a readout with its numbers put in.

Every number that a browser shows was written here, so the live and the stored form say the same.
The sentences are in `words.toml`.
"""

import math
import re
import tomllib
from pathlib import Path

WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def said(value, digits=4):
    """Write a number with so many digits and a true minus sign; a dash for none."""
    if isinstance(value, str):
        return value
    if math.isnan(value):
        return "–"
    text = f"{value:.{digits}g}".replace("inf", "∞")
    if 0 < abs(value) < 1e-4 or 1e6 <= abs(value) < math.inf:
        mantissa, power = f"{value:.{digits - 1}e}".split("e")
        text = f"{float(mantissa):g}·10{str(int(power)).translate(SUPERSCRIPTS)}"
    elif "e" in text:
        text = f"{float(text):.0f}"
    return text.replace("-", "−")


def column(values):
    """Write each number of a column."""
    return [said(value) for value in (values.tolist() if hasattr(values, "tolist") else values)]


def pair(point):
    """Write a point."""
    return f"({', '.join(said(float(value)) for value in point)})"


def table(head, rows):
    """Return an HTML table of cells of text; the first of each row names it."""
    heads = [[_cell("col", cell) for cell in head]]
    body = [[_cell("row", name), *(f"<td>{cell}</td>" for cell in cells)] for name, *cells in rows]
    lines = "".join(f"<tr>{''.join(row)}</tr>" for row in heads + body)
    return f"<table>{lines}</table>"


def _cell(scope, name):
    """Return a cell that names its row or column, if there is a name."""
    return f"<th scope='{scope}'>{name}</th>" if name else "<td></td>"


def sign(name, look):
    """Return a name with its color and the shape of its marker, as HTML."""
    shape = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚"}[look["marker"]]
    return f"<i style='color:{look['color']}'>{shape}</i>\u00a0{name}"


def filled(template, columns, step):
    """Return a readout as plain lines, with the texts of a step put in."""

    def text(match):
        texts = columns[match[1] or match[2]]
        text = texts[min(step, len(texts) - 1)]
        return f"({text})" if match[1] and text.startswith("−") else text

    html = re.sub(r"\({(\w+)}\)|{(\w+)}", text, template)
    html = re.sub(r"</t[dh]>(?=<t[dh])", "\t", html)
    lines = re.sub(r"<br>|</p>|</div>|</tr>", "\n", html)
    return re.sub(r"<.*?>", "", lines).strip("\n")
