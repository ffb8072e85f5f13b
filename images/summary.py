"""Print the summary sheet: the letters and the four rules, each with its picture, on a page of A4.

    python -m images.summary

writes images/summary.pdf with the browser that the tests have. What the sheet says is written
elsewhere: formulas and tables in the notebooks, the code and the meaning of the letters in
helpers/optimizers.py.
"""

import hashlib
import html
import inspect
import io
import json
import re
import textwrap

import nbformat
from matplotlib.mathtext import math_to_image

from helpers import figures, optimizers
from helpers.descent import descend
from helpers.landscapes import ravine
from helpers.looks import LOOKS
from tools.browser import chromium
from tools.handout import picture
from tools.run_notebooks import ROOT, find_notebooks

RATES = {"SGD": 0.95, "Momentum": 0.1, "AdaGrad": 1.5, "Adam": 0.3}  # of the pictures
LETTERS = {"lr": "η", "momentum": "α", "beta1, beta2": "β₁, β₂", "eps": "ε"}
SHEET = ROOT / "images" / "summary.pdf"
STYLE = """
@page { size: A4; margin: 0 }
* { box-sizing: border-box; margin: 0 }
body { font: 7.5pt/1.25 "DejaVu Sans", sans-serif; padding: 6mm 12mm; width: 210mm }
h1 { font-size: 16pt }
h2 { border-top: 1.2pt solid; font-size: 11.5pt; margin: 1.2mm 0 0.5mm; padding-top: 0.6mm }
h2 + div { display: grid; gap: 0.5mm 4mm; grid-template-columns: 1fr 58mm }
h2 + div > * { grid-column: 1 }
h2 + div > .picture { grid-area: 1 / 2 / 4 / 3; width: 100% }
table { border-spacing: 0 }
td { padding: 0 3mm 0 0; vertical-align: top }
td:first-child { font-weight: bold; white-space: nowrap }
code, pre { font: 6.5pt/1.25 "DejaVu Sans Mono", monospace }
.formulas img { margin: 0 5mm 0.5mm 0; vertical-align: middle }
"""


def prose(name):
    """Return the text cells of the notebook that teaches a rule."""
    for path in find_notebooks():
        cells = nbformat.read(path, as_version=4).cells
        if any(f"class {name}:" in cell.source.splitlines() for cell in cells):
            return [cell.source for cell in cells if cell.cell_type == "markdown"]
    raise ValueError(f"no notebook teaches {name}")


def formulas(name):
    """Return the LaTeX of a rule: its notebook's first assignments that end with that to θ."""
    found = []
    for latex in re.findall(r"\$\$?([^$]*\\leftarrow[^$]*)\$", "\n".join(prose(name))):
        found += [part.strip() for part in re.split(r"\\q?quad", latex) if part.strip()]
        if found[-1].startswith(r"\theta"):
            return found
    raise ValueError(f"the notebook of {name} prints no rule that ends with an assignment to θ")


def summary(name):
    """Return the idea and its line for each row of the summary of a rule's notebook."""
    (table,) = [text for text in prose(name) if text.startswith("## Summary")]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("|")]
    return [(idea, line.replace("`", "")) for idea, line, _ in rows[2:]]


def code(name):
    """Return the lines of the rule: its numbers, and its update without the docstring."""
    source = inspect.getsource(vars(optimizers)[name])
    body = source.partition("def update(self, params, grads):\n")[2]
    lines = textwrap.dedent(body.partition('"""\n')[2]).splitlines()
    return [f"{name}{inspect.signature(vars(optimizers)[name])}", *lines]


def letters():
    """Return code name, rule and meaning for all that the docstrings of the rules explain."""
    found = {}
    for name in RATES:
        docstring = inspect.getdoc(vars(optimizers)[name])
        for names, meaning in re.findall(r"^(\w[\w, ]*) : .*\n((?:    .*\n?)+)", docstring, re.M):
            found.setdefault(names, (name, " ".join(meaning.split())))
    return [(names, *rest) for names, rest in found.items()]


def contents():
    """Return all that the sheet says."""
    rules = {
        name: {"formulas": formulas(name), "code": code(name), "summary": summary(name)}
        for name in RATES
    }
    return {"letters": letters(), "rules": rules}


def fingerprint(said):
    """Return a short text that changes with what the sheet says; the file carries it."""
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:16]


def page(said):
    """Return the sheet as a page of HTML."""
    rows = [
        (LETTERS.get(name, name), f"<code>{name}</code>", f"{rule}: {meaning}")
        for name, rule, meaning in said["letters"]
    ]
    parts = [
        "<h1>Four rules on one page</h1>",
        "<p>θ (params) are the parameters, g (grads) is the gradient of the loss at θ. ",
        "The pictures: 30 steps on f = x²/20 + y² from (−7, 2).</p>",
        f"<h2>Letters</h2>{table(rows)}",
        *(section(name, rule) for name, rule in said["rules"].items()),
    ]
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<title>Four rules on one page ({fingerprint(said)})</title>
<style>{STYLE}</style>{"".join(parts)}</html>"""


def section(name, rule):
    """Return what the sheet says of a rule, as HTML."""
    return f"""<h2 style="border-color: {LOOKS[name]["color"]}">{name}</h2>
<div>
<div class="formulas">{"".join(map(formula, rule["formulas"]))}</div>
<pre>{html.escape(chr(10).join(rule["code"]))}</pre>
{table([tuple(map(html.escape, row)) for row in rule["summary"]])}
{descent(name)}
</div>"""


def table(rows):
    cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"


def formula(latex):
    """Return a formula as a picture."""
    svg = io.BytesIO()
    math_to_image(f"${latex}$", svg, format="svg")
    return picture(svg.getvalue(), "svg+xml", latex, ' class="formula"')


def descent(name):
    """Return the path of a rule on the ravine, and its loss."""
    rule = vars(optimizers)[name](lr=RATES[name])
    path = figures.paths({name: descend(rule, ravine)})
    return picture(path.png(), "png", f"{name}, η = {RATES[name]}", ' class="picture"')


def printed(said):
    """Return the sheet as a PDF; an error says how many pages it would need."""
    with chromium() as browser:
        tab = browser.new_page()
        tab.set_content(page(said))
        pdf = tab.pdf(prefer_css_page_size=True, print_background=True)
    pages = int(re.search(rb"/Count (\d+)", pdf)[1])
    if pages > 1:
        raise ValueError(f"the sheet needs {pages} pages")
    return pdf


if __name__ == "__main__":
    SHEET.write_bytes(printed(contents()))
