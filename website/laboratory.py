"""The laboratory: JupyterLab and Python in the reader's browser, with the notebooks in it.

Python is Pyodide. Its core lies in the site; numpy, matplotlib and what they need come from
Pyodide's own distribution, when a notebook imports them. All other packages lie in the site.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import nbformat
import npm
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
PYODIDE = "static/pyodide"  # in the laboratory
CORE = ["pyodide.js", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip"]
HELPERS = "optimizers-lecture"
# What the kernel starts with, and what is compiled: both from Pyodide's distribution.
KERNEL = ["ipython", "jedi", "micropip", "sqlite3", "ssl"]
FROM_PYODIDE = {*KERNEL, "matplotlib", "numpy", "pillow", "traitlets"}
NOT_THERE = {"jupyterlab-widgets", "widgetsnbextension"}  # parts of a server, which is not there
# All cells are in the page: the browser's search finds them, and nothing jumps.
OVERRIDES = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "defer"}}
NOTE = """\
> You are in the laboratory. What you change stays in this browser: the book's button opens it \
again, and after a reload it is in the list of files, under *notebooks*. For the fresh notebook \
beside yours, rename yours in that list: the fresh one appears under its old name.
"""


def write(folder):
    """Write the laboratory into the folder `lab` of the site."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place)
        lay_out(source / "contents")
        (source / "jupyter-lite.json").write_text(json.dumps(settings()))
        (source / "overrides.json").write_text(json.dumps(OVERRIDES))
        command = [*(sys.executable, "-m", "jupyterlite_core", "build", "--apps", "lab")]
        options = ["--contents", "contents", "--output-dir", folder / "lab", "--no-sourcemaps"]
        subprocess.run([*command, *options], cwd=source, check=True, stdout=subprocess.DEVNULL)
        # JupyterLab asks for a picture once before it looks from where the notebook lies.
        shutil.copytree(source / "contents" / "images", folder / "lab" / "images")
    lay_out_python(folder / "lab" / PYODIDE)


def settings():
    """Return the configuration of JupyterLite."""
    options = {
        "indexURL": f"{PYODIDE}/",
        "lockFileURL": f"{PYODIDE}/pyodide-lock.json",
        "packages": [*KERNEL, HELPERS],
    }
    kernel = {
        "pyodideUrl": f"./{PYODIDE}/pyodide.js",
        "disablePyPIFallback": True,
        "loadPyodideOptions": options,
    }
    data = {
        "appName": "Laboratory",
        "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": kernel},
    }
    return {"jupyter-lite-schema-version": 0, "jupyter-config-data": data}


def lay_out(contents):
    """Copy notebooks and images, and say in each notebook where the reader is."""
    (contents / "images").mkdir(parents=True)
    for drawing in (ROOT / "images").glob("*.svg"):
        shutil.copy(drawing, contents / "images")
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            notebook = nbformat.read(path, as_version=4)
            notebook.cells.insert(1, nbformat.v4.new_markdown_cell(NOTE, id="laboratory"))
            notebook.metadata.kernelspec = {"name": "python", "display_name": "Python (Pyodide)"}
            copy = contents / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            # nbformat would write a text as a list of lines; JupyterLite shows it with commas.
            copy.write_text(json.dumps(notebook))


def lay_out_python(folder):
    """Put Pyodide's core into a folder, our wheels beside it, and the list of all packages."""
    folder.mkdir(parents=True)
    pyodide = npm.fetch("pyodide")
    for name in CORE:
        shutil.copy(pyodide / name, folder)
    lock = json.loads((pyodide / "pyodide-lock.json").read_text())
    host = re.search(r"https://[^`]*/pyodide/", (pyodide / "pyodide.js").read_text())[0]
    for package in lock["packages"].values():
        package["file_name"] = f"{host}v{lock['info']['version']}/full/{package['file_name']}"
    for wheel in wheels(folder):
        entry = described(wheel)
        lock["packages"][entry["name"]] = entry
    kept = with_all_they_need({HELPERS, *KERNEL}, lock["packages"])
    lock["packages"] = {name: lock["packages"][name] for name in sorted(kept)}
    (folder / "pyodide-lock.json").write_text(json.dumps(lock, indent=1))


def wheels(folder):
    """Write the wheel of helpers, and those of what it needs beside Pyodide's, into a folder."""
    subprocess.check_call(
        [sys.executable, "-m", "flit_core.wheel", "--outdir", folder, ROOT],
        stdout=subprocess.DEVNULL,
    )
    needed, open_ones = set(), [HELPERS]
    while open_ones:
        new = required(open_ones.pop()) - needed - FROM_PYODIDE
        needed |= new
        open_ones += new
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    pure = ["--only-binary=:all:", "--platform=any", "--implementation=py", "--abi=none"]
    pinned = [f"{name}=={version(name)}" for name in sorted(needed)]
    subprocess.check_call([*pip, *pure, "--no-deps", f"--dest={folder}", *pinned])
    return sorted(folder.glob("*.whl"))


def required(name):
    """Return the packages that an installed package requires in a browser."""
    requirements = [Requirement(line) for line in requires(name) or []]
    browser = {"extra": "", "sys_platform": "emscripten", "platform_system": "Emscripten"}
    return {
        canonicalize_name(wanted.name)
        for wanted in requirements
        if not wanted.marker or wanted.marker.evaluate(browser)
    } - NOT_THERE


def described(wheel):
    """Return what Pyodide's list of packages says about a wheel."""
    name, number, *_ = parse_wheel_filename(wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        tops = {file.partition("/")[0] for file in archive.namelist()}
    return {
        "name": name,
        "version": str(number),
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted(
            top.removesuffix(".py") for top in tops if top.isidentifier() or top.endswith(".py")
        ),
        "depends": sorted(required(name)),
        "unvendored_tests": False,
    }


def with_all_they_need(names, packages):
    """Return the names of packages and of all that they depend on."""
    found, open_ones = set(), list(names)
    while open_ones:
        name = canonicalize_name(open_ones.pop())
        if name not in found:
            found.add(name)
            open_ones += packages[name]["depends"]
    return found
