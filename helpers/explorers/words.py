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


def pair(point, digits=4):
    """Write a point."""
    return f"({', '.join(said(float(value), digits) for value in point)})"


def table(head, rows):
    """Return what a View says of a table: its HTML and, by their names in it, its numbers.

    A cell is a text or has a value for each step; the first of each row is a text that names it.
    """
    numbers, lines = {}, [[_cell("col", cell) for cell in head]]
    for name, *cells in rows:
        lines.append([_cell("row", name)])
        for cell in cells:
            if not isinstance(cell, str):
                place = f"n{len(numbers)}"
                numbers[place], cell = cell, f"{{{place}}}"
            lines[-1].append(f"<td>{cell}</td>")
    html = "".join(f"<tr>{''.join(line)}</tr>" for line in lines)
    return {"template": f"<table>{html}</table>", "numbers": numbers}


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
