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


def package_of(module):
    return module if module in PACKAGES else module.rpartition(".")[0]


def imported(source, package="helpers"):
    """Return the dotted names of everything that a module imports, wherever in its text."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(part for part in (above, node.module) if part)
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def imported_helpers(source, package="helpers"):
    parts = [name.split(".") for name in imported(source, package)]
    return {part[1] if len(part) > 1 else "" for part in parts if part[0] == "helpers"}


def imported_modules(module):
    """Return the modules of helpers that a module imports, or imports something from."""
    found = set()
    for name in imported(SOURCES[module], package_of(module)):
        while name and name not in SOURCES:
            name = name.rpartition(".")[0]
        found |= {name} - {""}
    return found


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


@pytest.mark.parametrize(
    "source",
    [
        "from helpers.explorers.stage import View",
        "from helpers.explorers import stage",
        "import helpers.explorers.stage",
        "from .stage import View",
        "from . import stage",
        "from ..explorers.stage import View",
    ],
)
def test_every_form_of_import_within_a_package_is_seen(monkeypatch, source):
    monkeypatch.setitem(SOURCES, "helpers.explorers.race", source)
    assert imported_modules("helpers.explorers.race") == {"helpers.explorers.stage"}


def test_every_module_has_its_layer():
    assert {layer(module) for module in MODULES} <= set(LAYERS)
    assert imported(SOURCES["helpers"]) == {"logging"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_down(module):
    allowed = set(LAYERS[: LAYERS.index(layer(module))])
    if package_of(module) != "helpers":
        allowed.add(layer(module))  # its own package; the next test finds what goes in circles
    assert imported_helpers(SOURCES[module], package_of(module)) <= allowed


def test_no_imports_go_in_circles():
    graphlib.TopologicalSorter({module: imported_modules(module) for module in SOURCES}).prepare()


@pytest.mark.parametrize("module", MODULES)
def test_only_the_modules_that_draw_import_what_draws(module):
    for package, layers in DRAWING.items():
        assert layer(module) in layers or package not in imported_packages(SOURCES[module])
