"""Print the core of each notebook: for students with room to write, for teachers with notes.

    python tools/handout.py [NOTEBOOK ...]

writes _handout/NAME.pdf and _handout/NAME_teacher.pdf with the browser that the tests have. In the
student's a question ends its page, so what answers it stands overleaf. Without arguments: every
notebook of the lecture.
"""

import ast
import base64
import html
import io
import re
import sys
from pathlib import Path

import nbformat
from matplotlib import rc_context
from matplotlib.mathtext import MathTextParser, math_to_image
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers.predictions import Prediction
from tools.browser import chromium
from tools.run_notebooks import ROOT, find_lessons

FOLDER = ROOT / "_handout"
ROOM = '<div class="line"></div>' * 4
SCALE = 1.25  # makes mathtext's letters as large as those of the text around them
MATH = {"mathtext.fontset": "stix", "svg.fonttype": "path"}
# What mathtext calls otherwise than TeX.
WORDS = [
    (r"\\le(?![a-z])", r"\\leq"),
    (r"\\ge(?![a-z])", r"\\geq"),
    (r"\\tfrac", r"\\frac"),
    (r"\\frac *(\w) *(\w)", r"\\frac{\1}{\2}"),
    (r"\\sqrt *(\w)", r"\\sqrt{\1}"),
    (r"\\Big", ""),
]
STYLE = """
@page { size: A4; margin: 20mm 18mm }
* { box-sizing: border-box }
body { font: 10.5pt/1.45 "Noto Sans", "DejaVu Sans", Arial, sans-serif; margin: 0 }
h1, h2, h3 { break-after: avoid; line-height: 1.2; margin: 1.2em 0 0.4em }
h1 { font-size: 19pt; margin-top: 0 }
h2 { border-bottom: 0.6pt solid; font-size: 14.5pt }
p { margin: 0.5em 0; orphans: 3; widows: 3 }
.question:has(+ .overleaf), p:has(+ .display), p.lead, pre.code:has(+ pre.out, + figure) {
  break-after: avoid }
a { color: inherit; text-decoration: none }
pre, code { font-family: "Noto Sans Mono", "DejaVu Sans Mono", monospace; font-size: 8pt }
p code, td code { font-size: 0.88em }
pre { break-inside: avoid; line-height: 1.35; margin: 0.5em 0; white-space: pre-wrap }
pre.code { border-left: 2pt solid; padding: 0.2em 0 0.2em 0.8em }
pre.out { padding-left: 1.1em }
table { border-collapse: collapse; break-inside: avoid; margin: 0.6em 0 }
td, th { border-bottom: 0.4pt solid; padding: 0.2em 0.8em 0.2em 0; text-align: left;
  vertical-align: top }
figure { break-inside: avoid; margin: 0.8em 0; text-align: center }
figure img, p > img:not(.math) { max-height: 150mm; max-width: 100% }
figcaption { font-size: 9.5pt; font-style: italic; text-align: left }
.display { break-inside: avoid; margin: 0.7em 0; text-align: center }
.display table { margin: auto }
.display td { border: 0; padding: 0.25em 0.3em; vertical-align: middle }
.display td:nth-child(odd) { text-align: right }
.display td:nth-child(even) { text-align: left }
.display td:nth-child(n + 3) { padding-left: 2em; text-align: left }
.question { border: 1pt solid; break-inside: avoid; margin: 1em 0; padding: 0.4em 1em }
.question ul { list-style: none; margin: 0.4em 0; padding: 0 }
.question li { margin: 0.35em 0 }
.box { border: 0.8pt solid; display: inline-block; height: 0.8em; margin-right: 0.5em;
  width: 0.8em }
.line { border-bottom: 0.5pt solid #777; height: 8.5mm }
.overleaf { break-after: page; font-size: 9pt; text-align: right }
.notes { border: 0.6pt dashed; border-left: 3pt solid; break-after: avoid; break-inside: avoid;
  font-size: 9.5pt; margin: 1em 0 0; padding: 0.2em 1em }
.notes > b { display: block }
"""
FOOT = """<div style="font: 8pt sans-serif; padding: 0 18mm; width: 100%; display: flex;
justify-content: space-between"><span class="title"></span><span><span class="pageNumber"></span> /
<span class="totalPages"></span></span></div>"""


class Renderer(IPythonRenderer):
    """Markdown as HTML, its formulas as pictures."""

    def inline_math(self, body):
        return formula(body)

    def block_math(self, body):
        return f'<div class="display">{displayed(body)}</div>'

    def image(self, text, url, title=None):
        data = (ROOT / "notebooks" / url).read_bytes()
        kind = "svg+xml" if url.endswith(".svg") else Path(url).suffix[1:]
        return picture(data, kind, text)


def picture(data, kind, alt, more=""):
    """Return an image that lies within the page itself, with more attributes."""
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return f'<img alt="{html.escape(alt)}" src="{source}"{more}>'


def formula(latex):
    """Return a formula as a picture that stands on the line of the text around it."""
    written = " ".join(latex.split())
    for tex, mathtext in WORDS:
        written = re.sub(tex, mathtext, written)
    svg = io.BytesIO()
    with rc_context(MATH):
        depth = MathTextParser("path").parse(f"${written}$").depth
        math_to_image(f"${written}$", svg, format="svg")
    size = re.search(rb'width="([\d.]+)pt" height="([\d.]+)pt"', svg.getvalue())
    width, height = (float(size[i]) * SCALE for i in (1, 2))
    place = f"width: {width:.1f}pt; height: {height:.1f}pt; vertical-align: {-depth * SCALE:.1f}pt"
    return picture(svg.getvalue(), "svg+xml", latex, f' class="math" style="{place}"')


def displayed(latex):
    """Return a displayed formula; one of several lines as a table."""
    latex = latex.strip()
    if not latex.startswith(r"\begin{aligned}"):
        parts = re.split(r"\\qquad", latex)
        return "&emsp;&emsp;".join(formula(part) for part in parts if part.strip())
    lines = re.sub(r"\\(begin|end)\{aligned\}", "", latex).split(r"\\")
    rows = [[part.strip() for part in line.split("&")] for line in lines]
    cells = [[formula(part) if part else "" for part in row] for row in rows]
    cells = [[part for i, part in enumerate(row) if i < 2 or part] for row in cells]
    return "<table>{}</table>".format(
        "".join("<tr>" + "".join(f"<td>{part}</td>" for part in row) + "</tr>" for row in cells)
    )


def markdown(source):
    """Return text as HTML; a paragraph that ends with a colon is marked, to stay with the next."""
    renderer = Renderer(escape=False, exclude_anchor_links=True)
    written = MarkdownWithMath(renderer=renderer).render(source)
    return re.sub(r"<p>((?:(?!</p>).)*:</p>)", r'<p class="lead">\1', written, flags=re.DOTALL)


def core(notebook):
    """Return the cells before "Going deeper"."""
    cells = notebook.cells
    end = next(i for i, cell in enumerate(cells) if cell.source.startswith("## Going deeper"))
    return cells[:end]


def question(name, number, teacher):
    """Return a question with boxes to tick and lines to write on; for teachers, its answers."""
    asked = Prediction(name)
    rows = []
    for letter, shown in asked.answers.items():
        words = f"({letter}) {shown['answer']}"
        if teacher:
            mark = "✓" if letter == asked.table["right"] else "✗"
            rows.append(f"<li><b>{mark} {words}</b> {shown['reason']}</li>")
        else:
            rows.append(f'<li><span class="box"></span>{words}</li>')
    below = "" if teacher else f"<p>Why?</p>{ROOM}"
    turn = "" if teacher else '<p class="overleaf">Turn over when you have decided.</p>'
    return (
        f'<section class="question"><p><b>Predict {number}.</b> {asked.table["question"]}</p>'
        f"<ul>{''.join(rows)}</ul>{below}</section>{turn}"
    )


def notes(source):
    """Return the speaker notes of a section, unfolded."""
    found = re.fullmatch(r"<details>\n<summary>(.*?)</summary>\n(.*)</details>", source, re.DOTALL)
    return f'<aside class="notes"><b>{html.escape(found[1])}</b>{markdown(found[2])}</aside>'


def without_drawing(source):
    """Return code without the statements that draw."""
    lines = source.splitlines()
    for node in ast.parse(source).body:
        drawing = re.search(r"\b(figures|explorers)\.", ast.get_source_segment(source, node))
        if drawing or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "alt"):
            lines[node.lineno - 1 : node.end_lineno] = [None] * (node.end_lineno - node.lineno + 1)
    return "\n".join(line for line in lines if line is not None).strip()


def pre(text, look):
    return f'<pre class="{look}">{html.escape(text.rstrip())}</pre>' if text.strip() else ""


def code(cell, caption):
    """Return a cell of code with what it printed, its figure with the caption."""
    parts = [pre(without_drawing(cell.source), "code")]
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            image = picture(
                base64.b64decode(data["image/png"]),
                "png",
                data["text/plain"],
                width(output.metadata.get("image/png", {})),
            )
            parts.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
        else:
            parts.append(pre(output.get("text", data.get("text/plain", "")), "out"))
    return "".join(parts)


def width(size):
    return f' style="max-width: {min(size["width"] * 0.62, 490):.0f}pt"' if "width" in size else ""


def body(cells, name, teacher):
    """Return the core of the notebook of this name as HTML."""
    parts, asked = [], 0
    captions = {i: cell.source.strip("*") for i, cell in enumerate(cells) if is_caption(cell)}
    for i, cell in enumerate(cells):
        kind = cell.metadata["slideshow"]["slide_type"]
        if i in captions or (kind == "skip" and cell.cell_type == "code"):
            continue
        if kind == "notes":
            parts += [notes(cell.source)] if teacher else []
        elif cell.cell_type == "markdown":
            parts.append(markdown(cell.source))
        elif asks := re.fullmatch(r'predict\("(\w+)"\)', cell.source.strip()):
            asked += 1
            parts.append(question(asks[1], asked, teacher))
        else:
            explorer = f"To play with: run the cell in {name}."
            caption = explorer if "explorers." in cell.source else captions.get(i + 1, "")
            parts.append(code(cell, markdown(caption)))
    return "\n".join(parts)


def is_caption(cell):
    return cell.cell_type == "markdown" and cell.source.startswith("*Figure")


def page(path, teacher=False):
    """Return the handout of a notebook as a page of HTML."""
    cells = core(nbformat.read(path, as_version=4))
    title = cells[0].source.splitlines()[0].strip("# ")
    title += " (with notes for the teacher)" if teacher else ""
    return f"""<!doctype html><html lang="en"><meta charset="utf-8">
<title>{html.escape(title)}</title>
<style>{STYLE}</style>{body(cells, path.name, teacher)}</html>"""


def print_page(tab):
    """Return what a page of the browser shows, as a PDF with its title at the foot."""
    return tab.pdf(
        prefer_css_page_size=True,
        print_background=True,
        display_header_footer=True,
        header_template="<span></span>",
        footer_template=FOOT,
    )


def main(paths):
    with chromium() as browser:
        FOLDER.mkdir(exist_ok=True)
        tab = browser.new_page()
        for path in paths:
            for teacher in (False, True):
                tab.set_content(page(path, teacher))
                printed = FOLDER / f"{path.stem}{'_teacher' if teacher else ''}.pdf"
                printed.write_bytes(print_page(tab))
                print(printed.relative_to(ROOT), flush=True)


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or find_lessons())
