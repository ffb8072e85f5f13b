"""The setup: its files agree with each other, and make installs once."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.run_notebooks import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPENDENCIES = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {
    name: [Requirement(line) for line in lines]
    for name, lines in PROJECT["optional-dependencies"].items()
}


def with_extra(name):
    """Return what an extra installs, those that it includes too."""
    found = []
    for requirement in EXTRAS[name]:
        if requirement.name == PROJECT["name"]:
            (included,) = requirement.extras
            found += with_extra(included)
        else:
            found.append(requirement)
    return found


EVERYTHING = DEPENDENCIES + with_extra("test")
LOCK_LINE = re.compile(r"[a-z0-9-]+==[0-9a-z.]+( ; [a-z_]+ [=!<>]+ '[\w.]+'.*)?")


# pyproject.toml, requirements.lock, environment.yml


# Each lock, and what it is made for.
LOCKS = {
    "requirements.lock": EVERYTHING,
    "website/requirements.lock": DEPENDENCIES + with_extra("site"),
}


def lock_lines(lock):
    lines = (ROOT / lock).read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_holds_nothing_but_one_version_of_each_package(lock):
    assert [line for line in lock_lines(lock) if not LOCK_LINE.fullmatch(line)] == []
    names = [Requirement(line).name for line in lock_lines(lock)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_satisfies_pyproject(lock):
    locked = {Requirement(line).name: Requirement(line) for line in lock_lines(lock)}
    for wanted in LOCKS[lock]:
        (version,) = locked[canonicalize_name(wanted.name)].specifier
        assert wanted.specifier.contains(version.version), wanted


def names(requirements):
    return {canonicalize_name(requirement.name) for requirement in requirements}


def brought_by(requirements):
    """Return the names of what these packages require by themselves."""
    lines = [line for name in names(requirements) for line in requires(name) or []]
    return names(Requirement(line) for line in lines if "extra ==" not in line)


@pytest.mark.parametrize(
    ("files", "declared"),
    [
        ("helpers/**/*.py", DEPENDENCIES + with_extra("scale")),
        ("notebooks/**/*.ipynb", DEPENDENCIES + with_extra("lab")),
        ("tools/*.py", EVERYTHING),
        ("images/*.py", EVERYTHING),
        ("tests/**/*.py", EVERYTHING),
    ],
)
def test_what_is_imported_is_declared_or_brought_along(files, declared):
    imported = {
        name.split(".")[0]
        for path in ROOT.glob(files)
        if path.name not in {"make_digits.py", "record_torch.py"}
        for node in ast.walk(ast.parse(code_of(path)))
        for name in imported_names(node)
    }
    beside = {path.stem for path in (ROOT / "tests").rglob("*.py")}
    ours = {"helpers", "tools", "tests", "images"} | beside
    provided_by = packages_distributions()
    needed = {
        canonicalize_name(provided_by.get(name, [name])[0])
        for name in imported - sys.stdlib_module_names - ours
    }
    assert needed <= names(declared) | brought_by(declared)


def test_helpers_can_be_imported_without_an_extra():
    at_the_top = {
        name.split(".")[0]
        for path in ROOT.glob("helpers/**/*.py")
        for node in ast.parse(code_of(path)).body
        for name in imported_names(node)
    }
    assert at_the_top.isdisjoint({"dask", "distributed"})


def code_of(path):
    """Return the Python of a module, or of all code cells of a notebook."""
    if path.suffix == ".py":
        return path.read_text(encoding="utf-8")
    cells = nbformat.read(path, as_version=4).cells
    sources = [cell.source for cell in cells if cell.cell_type == "code"]
    lines = "\n".join(sources).splitlines()
    return "\n".join("pass" if line.startswith(("%", "!")) else line for line in lines)


def imported_names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module]
    return []


IN_CONDA = {"matplotlib-base": "matplotlib", "playwright-python": "playwright"}
# conda-forge may not have it; pip adds it.
FROM_PIP = {"axe-playwright-python"}


def test_conda_environment_has_the_packages_and_bounds_of_pyproject_and_one_python():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python, *packages, from_pip = environment["dependencies"]
    packages.remove("pip")
    packages = list(map(Requirement, packages))
    listed = {
        canonicalize_name(IN_CONDA.get(package.name, package.name)): package.specifier
        for package in packages
    }
    assert len(listed) == len(packages)
    assert listed == {
        canonicalize_name(wanted.name): wanted.specifier
        for wanted in EVERYTHING
        if wanted.name not in FROM_PIP
    }
    version = re.fullmatch(r"python=(3\.\d+)", python)[1]
    assert Requirement("python" + PROJECT["requires-python"]).specifier.contains(version)
    assert environment["channels"] == ["conda-forge"]
    assert from_pip == {"pip": ["-e .[test]"]}


def test_no_file_names_a_registry_host_or_a_folder_of_one_machine():
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.check_output(listed, cwd=ROOT, text=True).split("\0")
    forbidden = re.compile(
        rb"py[p]i\.org|python[h]osted\.org|ana[c]onda\.org|npm[j]s\.org|/(r[o]ot|h[o]me)/"
    )
    files = [ROOT / name for name in names if name and (ROOT / name).is_file()]
    assert files
    assert [path for path in files if forbidden.search(path.read_bytes())] == []


def test_make_alone_lists_the_commands():
    listed = subprocess.check_output(["make"], cwd=ROOT, text=True)
    for command in ("make lab:", "make test:", "make test-site:", "make lock:"):
        assert command in listed


# What a public lecture has


def test_changelog_and_citation_name_the_version_of_pyproject():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[1]
    assert citation["version"] == newest == PROJECT["version"]


def test_workflows_and_container_call_commands_that_the_makefile_has():
    container = (ROOT / ".devcontainer" / "devcontainer.json").read_text()
    steps = [json.loads(container)["postCreateCommand"]]
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            steps += [step.get("run", "") for step in job["steps"]]
    called = {step.split()[1] for step in steps if step.startswith("make ")}
    assert called == {".venv/lab", "test", "test-site", "site"}
    for command in called:
        subprocess.run(["make", "--dry-run", command], cwd=ROOT, check=True, capture_output=True)


# The environment that the Makefile makes


@pytest.fixture
def installed(tmp_path):
    """Return a copy of the files that say what is to be installed, with `lab` installed."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "lab").touch()
    return tmp_path


def would_install(folder, command):
    """Return the extras that a command of make would install first."""
    steps = subprocess.check_output(["make", "--dry-run", command], cwd=folder, text=True)
    return re.findall(r"pip install .*\[(.*)\]", steps)


@pytest.mark.parametrize(
    ("command", "extras"), [("lab", []), ("test", ["test"]), ("teach", ["teach"])]
)
def test_each_command_installs_its_own_extra_once(installed, command, extras):
    assert would_install(installed, command) == extras


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements.lock"])
def test_what_changes_is_installed_again(installed, name):
    later = (installed / ".venv" / "lab").stat().st_mtime + 1
    os.utime(installed / name, (later, later))
    assert would_install(installed, "lab") == ["lab"]


def test_an_installation_that_fails_starts_over(installed):
    (installed / ".venv" / "lab").unlink()
    command = ["make", "lab", "PYTHON=false"]
    assert subprocess.run(command, cwd=installed, capture_output=True, check=False).returncode
    assert would_install(installed, "lab") == ["lab"]
