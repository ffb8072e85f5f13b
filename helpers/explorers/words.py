"""How explorers write: numbers, points and tables, and a template with its numbers put in."""

import re

import numpy as np


def table(head, rows):
    """Return an HTML table of cells of text."""
    lines = [_row("th", head), *(_row("td", row) for row in rows)]
    return f"<table>{''.join(lines)}</table>"


def _row(tag, cells):
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in cells)}</tr>"


def filled(template, numbers, step):
    """Return a template as plain lines, with the numbers of a step put in."""

    def number(match):
        values = numbers[match[1] or match[2]]
        value = values[min(step, len(values) - 1)]
        text = value if isinstance(value, str) else said(value)
        return f"({text})" if match[1] and text.startswith("−") else text

    html = re.sub(r"\({(\w+)}\)|{(\w+)}", number, template)
    lines = re.sub(r"<br>|</p>|</div>", "\n", html)
    return re.sub(r"<.*?>", "", lines).strip()


def said(value):
    """Write a number with four digits and a true minus sign."""
    if np.isnan(value):
        return "–"
    text = "0" if abs(value) < 1e-12 else f"{value:.4g}"
    return text.replace("-", "−").replace("inf", "∞")


def place(point):
    """Write a point."""
    return f"({', '.join(said(value) for value in point)})"
