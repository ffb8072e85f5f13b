"""Explorers that play in a page without a kernel: their state is stored in the page."""

import ast
from pathlib import Path

import anywidget
from ipywidgets.embed import dependency_state

ANYWIDGET = Path(anywidget.__file__).parent / "nbextension" / "index.js"
VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
VERSION = {"version_major": 2, "version_minor": 0}


def enliven(notebook):
    """Let the explorers of a notebook be shown alive, beside the picture that is stored."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    trees = [ast.parse(cell.source) for cell in code]
    state = {}
    for index, cell in enumerate(code):
        if makes_an_explorer(trees[index]):
            widget = value_of([trees[i] for i in needed(trees, index)])
            widget.store()
            state |= dependency_state([widget], drop_defaults=False)
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data[VIEW] = VERSION | {"model_id": widget.model_id}
    notebook.metadata["widgets"] = {STATE: VERSION | {"state": state}}


def makes_an_explorer(tree):
    """Tell whether a cell ends with `explorers.Name(...)`."""
    match tree.body:
        case [*_, ast.Expr(ast.Call(ast.Attribute(ast.Name("explorers"))))]:
            return True
    return False


def needed(trees, index):
    """Return the places of the cells that define what a cell uses, and of the cell itself."""
    wanted, places = names(trees[index], ast.Load), [index]
    for place in reversed(range(index)):
        if names(trees[place], ast.Store) & wanted:
            wanted |= names(trees[place], ast.Load)
            places.insert(0, place)
    return places


def names(tree, context):
    """Return the names that a cell reads (ast.Load) or defines (ast.Store)."""
    found = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
    if context is ast.Store:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return found


def value_of(trees):
    """Run cells one after the other and return the value of the last one's last line."""
    scope = {"__name__": "__main__"}
    for tree in trees[:-1]:
        exec(compile(tree, "<cell>", "exec"), scope)
    *before, last = trees[-1].body
    exec(compile(ast.Module(before, []), "<cell>", "exec"), scope)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), scope)
