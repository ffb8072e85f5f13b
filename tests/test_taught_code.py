"""The code that notebooks teach is the code that helpers run, as a syntax tree."""

import ast

import nbformat
import pytest

from tools.run_notebooks import ROOT, find_notebooks

MODULES = ["optimizers", "descent", "training", "landscapes", "networks"]

# Notebook and what it must define itself; other definitions are compared all the same.
DOOR = "recorded"  # the decorator that puts a door before a taught loop, in helpers only

TAUGHT = [
    ("01_adventurer.ipynb", "numerical_gradient"),
    ("02_sgd.ipynb", "SGD"),
    ("02_sgd.ipynb", "descend"),
    ("02_sgd.ipynb", "train"),
    ("03_momentum.ipynb", "Momentum"),
    ("04_adagrad.ipynb", "AdaGrad"),
    ("05_adam.ipynb", "Adam"),
]


def definitions(source):
    """Return name -> definition for the classes and functions at the top level."""
    kinds = ast.ClassDef | ast.FunctionDef
    return {node.name: node for node in ast.parse(source).body if isinstance(node, kinds)}


def without_docstrings(definition):
    """Return the definition as text that tells two different ones apart, docstrings removed."""
    for node in ast.walk(definition):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            del node.body[0]
    return ast.dump(definition, indent=1)


def helper_definitions():
    """Return name -> definition for what helpers define, taught loops without their door."""
    found = {}
    for module in MODULES:
        found |= definitions((ROOT / "helpers" / f"{module}.py").read_text(encoding="utf-8"))
    for definition in found.values():
        if [ast.unparse(decorator) for decorator in definition.decorator_list] == [DOOR]:
            definition.decorator_list = []
    return found


def notebook_definitions(path):
    """Yield (name, definition) for all code cells; lines of IPython magic are left out."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            lines = [line for line in cell.source.splitlines() if not line.startswith(("%", "!"))]
            yield from definitions("\n".join(lines)).items()


def shared_definitions():
    """Return (notebook, name, definition) for what a notebook and helpers both define."""
    shared = helper_definitions().keys()
    return [
        (str(path.relative_to(ROOT / "notebooks")), name, definition)
        for path in find_notebooks()
        for name, definition in notebook_definitions(path)
        if name in shared
    ]


@pytest.mark.parametrize(
    ("notebook", "name", "taught"),
    [pytest.param(*each, id=f"{each[0]}-{each[1]}") for each in shared_definitions()],
)
def test_taught_code_is_the_code_in_helpers(notebook, name, taught):
    assert without_docstrings(taught) == without_docstrings(helper_definitions()[name])


@pytest.mark.parametrize(("notebook", "name"), TAUGHT)
def test_notebook_defines_what_it_teaches(notebook, name):
    assert (notebook, name) in [each[:2] for each in shared_definitions()]


def test_comparison_ignores_docstrings_and_layout_only():
    code = "class A(B):\n    def f(self, x):\n        return x - 1\n"
    documented = code.replace(":\n        ", ':\n        """Say it."""\n\n        ')
    trees = {without_docstrings(definitions(source)["A"]) for source in (code, documented)}
    assert len(trees) == 1
    for changed in (code.replace("-", "+"), code.replace("(B)", "(C)"), "@D\n" + code):
        assert without_docstrings(definitions(changed)["A"]) not in trees
