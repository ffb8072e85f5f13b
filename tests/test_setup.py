"""The setup: its files agree with each other, and a failed installation says what to do."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from types import SimpleNamespace

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import environment
from tools.run_notebooks import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
DEPENDENCIES = [Requirement(line) for line in PROJECT["dependencies"]]
TEST_TOOLS = [Requirement(line) for line in PROJECT["optional-dependencies"]["test"]]
LOCK_LINE = re.compile(r"[a-z0-9-]+==[0-9a-z.]+( ; [a-z_]+ [=!<>]+ '[\w.]+'.*)?")


# pyproject.toml, requirements.lock, environment.yml


def lock_lines():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_lock_holds_nothing_but_names_versions_and_markers():
    assert [line for line in lock_lines() if not LOCK_LINE.fullmatch(line)] == []


def test_lock_has_one_version_of_each_package():
    names = [Requirement(line).name for line in lock_lines()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("wanted", DEPENDENCIES + TEST_TOOLS, ids=str)
def test_lock_satisfies_pyproject(wanted):
    locked = {Requirement(line).name: Requirement(line) for line in lock_lines()}
    (version,) = locked[canonicalize_name(wanted.name)].specifier
    assert wanted.specifier.contains(version.version)


@pytest.mark.parametrize(
    ("files", "declared"),
    [
        ("helpers/*.py", DEPENDENCIES),
        ("helpers/explorers/*.py", DEPENDENCIES),
        ("tools/*.py", DEPENDENCIES + TEST_TOOLS),
        ("tests/test_*.py", DEPENDENCIES + TEST_TOOLS),
    ],
)
def test_what_is_imported_is_declared(files, declared):
    imported = {
        name.split(".")[0]
        for path in ROOT.glob(files)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in imported_names(node)
    }
    foreign = imported - sys.stdlib_module_names - {"helpers", "tools", "tests"}
    provided_by = packages_distributions()
    needed = {canonicalize_name(provided_by.get(name, [name])[0]) for name in foreign}
    assert needed <= {canonicalize_name(requirement.name) for requirement in declared}


def imported_names(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module]
    return []


def conda_dependencies():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    return [entry for entry in entries if isinstance(entry, str)]


def test_conda_environment_has_the_packages_and_bounds_of_pyproject():
    packages = [
        Requirement(entry.replace("matplotlib-base", "matplotlib").replace("_", "-"))
        for entry in conda_dependencies()
        if not entry.startswith(("python=", "pip"))
    ]
    assert sorted(map(str, packages)) == sorted(map(str, DEPENDENCIES))


def test_conda_environment_names_one_python_that_the_project_accepts():
    (python,) = [entry for entry in conda_dependencies() if entry.startswith("python")]
    version = re.fullmatch(r"python=(3\.\d+)", python)[1]
    assert Requirement("python" + PROJECT["requires-python"]).specifier.contains(version)


def test_conda_environment_installs_helpers_from_conda_forge_and_this_folder():
    environment_yml = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment_yml["channels"] == ["conda-forge"]
    assert "pip" in environment_yml["dependencies"]
    assert environment_yml["dependencies"][-1] == {"pip": ["-e ."]}


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
    for command in ("make lab:", "make test:", "make notebooks:", "make lock:"):
        assert command in listed


# tools/environment.py


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with nothing installed."""
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(environment, "ROOT", str(tmp_path))
    return tmp_path


@pytest.fixture
def installing(checkout, monkeypatch):
    """Fake every command of an installation: `ran` lists them, `fail` makes pip raise it."""
    fake = SimpleNamespace(ran=[], fail=None, python_works=True)

    def run(log, *command):
        step = command[2]
        fake.ran.append(step)
        if step == "venv":
            shutil.rmtree(checkout / command[-1], ignore_errors=True)
            (checkout / command[-1]).mkdir()
        if step == "pip" and fake.fail:
            log.write("the reason")
            raise fake.fail

    monkeypatch.setattr(environment, "run", run)
    monkeypatch.setattr(environment, "works", lambda folder: fake.python_works)
    return fake


WHOLE = ["venv", "pip", "import matplotlib.font_manager"]
UPGRADE = WHOLE[1:]


def refusal(kind):
    """Return the one line with which making this kind of environment ends."""
    with pytest.raises(SystemExit) as end:
        environment.main(kind)
    (line,) = str(end.value).splitlines()
    return line


def test_environment_script_parses_on_old_pythons():
    source = (ROOT / "tools" / "environment.py").read_text()
    ast.parse(source, feature_version=(3, 4))


def test_environment_script_asks_for_the_python_that_the_project_needs():
    assert PROJECT["requires-python"] == ">={}.{}".format(*environment.OLDEST_PYTHON)


@pytest.mark.usefixtures("checkout")
def test_python_too_old(monkeypatch):
    old = SimpleNamespace(version_info=(3, 9, 2), exit=sys.exit)
    monkeypatch.setattr(environment, "sys", old)
    assert re.match(r"Python 3\.9 is too old.* make lab PYTHON=python3", refusal("lab"))


def test_python_without_venv(checkout, monkeypatch):
    find_spec = {"venv": "found"}.get
    monkeypatch.setattr(
        environment, "importlib", SimpleNamespace(util=SimpleNamespace(find_spec=find_spec))
    )
    assert f"apt install python3.{sys.version_info[1]}-venv" in refusal("lab")
    assert not (checkout / ".venv").exists()


def test_no_network(checkout, monkeypatch):
    for name in list(os.environ):
        if name.startswith("PIP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_RETRIES", "0")
    assert refusal("lab").startswith("No network")
    assert not list(checkout.glob(".venv/ready-*"))


def test_second_run_starts_at_once(installing):
    environment.main("lab")
    assert installing.ran == WHOLE
    environment.main("lab")
    assert installing.ran == WHOLE


def test_test_tools_are_added_to_the_learners_environment(installing):
    environment.main("lab")
    environment.main("test")
    assert installing.ran == WHOLE + UPGRADE
    environment.main("lab")
    assert installing.ran == WHOLE + UPGRADE


def test_changed_lock_upgrades(installing, checkout):
    environment.main("test")
    (checkout / "requirements.lock").write_text("numpy==2.4.6\n")
    environment.main("lab")
    environment.main("test")
    assert installing.ran == WHOLE + UPGRADE + UPGRADE


def test_environment_whose_python_is_gone_is_made_anew(installing):
    environment.main("lab")
    installing.python_works = False
    environment.main("lab")
    assert installing.ran == WHOLE + WHOLE


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (subprocess.CalledProcessError(1, "pip"), r"The installation failed; \.venv\.log"),
        (KeyboardInterrupt(), "Interrupted"),
    ],
)
def test_unfinished_installation_starts_over(installing, checkout, cause, words):
    installing.fail = cause
    assert re.match(words, refusal("lab"))
    assert (checkout / ".venv.log").read_text() == "the reason"
    installing.fail = None
    environment.main("lab")
    assert installing.ran == [*WHOLE[:2], *WHOLE]
