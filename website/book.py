"""The book: each notebook as a page, with its stored outputs and with explorers that play."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import explorers
import nbformat
import npm

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MATHJAX = ["tex-mml-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions", "a11y"]


def write(folder):
    """Write the book into a folder."""
    with tempfile.TemporaryDirectory() as place:
        source, pages = Path(place) / "source", Path(place) / "pages"
        lay_out(source)
        sphinx = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
        subprocess.check_call([*sphinx, f"--doctree-dir={place}/doctrees", source, pages])
        for name in [".buildinfo", "objects.inv", "genindex.html"]:
            (pages / name).unlink()
        shutil.copytree(pages, folder)


def lay_out(source):
    """Write what Sphinx reads into a folder."""
    shutil.copytree(HERE / "book", source)
    shutil.copytree(
        ROOT / "images", source / "images", ignore=shutil.ignore_patterns("*.md", "*.py")
    )
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        notebook = nbformat.read(path, as_version=4)
        describe_figures(notebook)
        hide_the_code_of_predictions(notebook)
        explorers.enliven(notebook)
        copy = source / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, copy)
    lay_out_scripts(source / "static")


def describe_figures(notebook):
    """Give each figure the text alternative and the width that the notebook stores."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            known = output.get("metadata", {}).get("image/png", {})
            look = {"alt": known.get("alt"), "width": known.get("width")}
            look = {key: str(value) for key, value in look.items() if value}
            if look:
                cell.metadata["mystnb"] = {"image": look}


def hide_the_code_of_predictions(notebook):
    """Leave the question of a prediction and not the line that asks it."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.source.startswith("predict("):
            cell.metadata["tags"] = ["remove-input"]


def lay_out_scripts(static):
    """Put the scripts of formulas and widgets beside the pages that load them."""
    for part in MATHJAX:
        copy(npm.fetch("mathjax") / "es5" / part, static / "mathjax" / part)
    copy(npm.fetch("requirejs") / "require.js", static / "require.js")
    manager = npm.fetch("html-manager") / "dist"
    for path in [manager / "embed-amd.js", *manager.glob("*.woff2")]:
        copy(path, static / "html-manager" / path.name)
    copy(explorers.ANYWIDGET, static / "anywidget.js")


def copy(path, to):
    to.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if path.is_dir() else shutil.copy)(path, to)
