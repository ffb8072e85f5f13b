"""Who may import whom: helpers from the ground up, as the design says."""

import ast
import graphlib

import pytest

from tools.run_notebooks import ROOT

LAYERS = [
    "doors",
    "landscapes",
    "optimizers",
    "descent",
    "digits",
    "networks",
    "training",
    "searching",
    "looks",
    "figures",
    "explorers",
    "predictions",
    "exercises",
]
DRAWING = {
    "matplotlib": {"figures", "explorers"},
    "PIL": {"figures", "explorers"},
    "ipywidgets": {"explorers"},
    "IPython": {"explorers", "predictions"},
}

# Each module's text under its dotted name; the name of a package stands for its __init__.py.
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): (
        path.read_text(encoding="utf-8")
    )
    for path in (ROOT / "helpers").rglob("*.py")
    if path.with_name("__init__.py").exists()
}
PACKAGES = {name for name in SOURCES if any(other.startswith(f"{name}.") for other in SOURCES)}
MODULES = sorted(SOURCES.keys() - {"helpers"})


def layer(module):
    """Return the name of a module's layer; a package is one layer."""
    return module.split(".")[1]


def imported(source):
    """Return the dotted names of all that a module imports; ruff lets none be relative."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_modules(source):
    """Return the modules of helpers that a module imports, or imports something from."""
    found = set()
    for name in imported(source):
        while name and name not in SOURCES:
            name = name.rpartition(".")[0]
        found |= {name} - {""}
    return found


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("from helpers.figures import show", {"helpers.figures"}),
        ("from helpers import figures, descent", {"helpers.figures", "helpers.descent"}),
        ("import helpers.figures as f", {"helpers.figures"}),
        ("import helpers", {"helpers"}),
        ("def f():\n    from helpers.figures import show", {"helpers.figures"}),
        ("from helpers.explorers.stage import View", {"helpers.explorers.stage"}),
        ("from helpers.explorers import stage", {"helpers.explorers.stage"}),
        ("import numpy, helperstools.figures", set()),
    ],
)
def test_every_form_of_import_is_seen(source, modules):
    assert imported_modules(source) == modules


def test_every_module_has_its_layer():
    assert {layer(module) for module in MODULES} <= set(LAYERS)
    assert imported(SOURCES["helpers"]) == {"logging"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    allowed = set(LAYERS[: LAYERS.index(layer(module))])
    if f"helpers.{layer(module)}" in PACKAGES:
        allowed.add(layer(module))  # its own package; the next test finds what goes in circles
    modules = imported_modules(SOURCES[module])
    assert "helpers" not in modules
    assert set(map(layer, modules)) <= allowed


def test_no_imports_go_in_circles():
    graph = {module: imported_modules(source) for module, source in SOURCES.items()}
    graphlib.TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("module", MODULES)
def test_only_the_modules_that_draw_import_what_draws(module):
    packages = {name.split(".")[0] for name in imported(SOURCES[module])}
    for package, layers in DRAWING.items():
        assert layer(module) in layers or package not in packages
