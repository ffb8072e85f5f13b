"""Who may import whom: helpers from the ground up, as the design says."""

import ast
import subprocess
import sys

import pytest

from tools.run_notebooks import ROOT

LAYERS = [
    "landscapes",
    "optimizers",
    "descent",
    "digits",
    "networks",
    "training",
    "figures",
    "explorers",
    "attempts",
    "exercises",
]
DRAWING = {"matplotlib": {"figures", "explorers"}, "ipywidgets": {"explorers"}}

SOURCES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "helpers").glob("*.py")}


def imported(source):
    """Return the dotted names of everything that a module imports, wherever in its text."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(part for part in ("helpers" * bool(node.level), node.module) if part)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def imported_helpers(source):
    parts = [name.split(".") for name in imported(source)]
    return {part[1] if len(part) > 1 else "" for part in parts if part[0] == "helpers"}


def imported_packages(source):
    return {name.split(".")[0] for name in imported(source)}


@pytest.mark.parametrize(
    ("source", "helpers"),
    [
        ("from helpers.figures import show", {"figures"}),
        ("from helpers import figures, descent", {"figures", "descent"}),
        ("import helpers.figures as f", {"figures"}),
        ("import helpers", {""}),
        ("from . import figures", {"figures"}),
        ("from .figures import show", {"figures"}),
        ("def f():\n    from helpers.figures import show", {"figures"}),
        ("import numpy, helperstools.figures", set()),
    ],
)
def test_every_form_of_import_is_seen(source, helpers):
    assert imported_helpers(source) == helpers


def test_every_module_has_its_layer():
    assert SOURCES.keys() - {"__init__"} <= set(LAYERS)
    assert imported(SOURCES["__init__"]) == set()


@pytest.mark.parametrize("module", sorted(SOURCES.keys() - {"__init__"}))
def test_imports_point_down(module):
    below = LAYERS[: LAYERS.index(module)]
    assert imported_helpers(SOURCES[module]) <= set(below)


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_only_the_modules_that_draw_import_what_draws(module):
    for package, modules in DRAWING.items():
        assert module in modules or package not in imported_packages(SOURCES[module])


@pytest.mark.parametrize("module", ["landscapes", "optimizers", "descent"])
def test_import_in_a_fresh_interpreter_brings_nothing_that_draws(module):
    code = f"import sys, helpers.{module}; print(*sys.modules, sep='\\n')"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    modules = loaded.stdout.split()
    assert f"helpers.{module}" in modules
    assert not {"matplotlib", "ipywidgets", "IPython", "PIL"} & set(modules)
