"""Make the lecture's environment, once; where that fails, say in one line what to do.

The Makefile calls it before every command that needs one:

    python3 tools/environment.py lab | teach | test | maintain

It must parse on every Python 3, so that one that is too old can say so.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST_PYTHON = (3, 11)
LOCK = "requirements.lock"

# Kind: (its folder, what pip installs there, the kinds that are ready then).
KINDS = {
    "lab": (".venv", ["-c", LOCK, "-e", "."], ["lab"]),
    "teach": (".venv", ["-c", LOCK, "-e", ".[teach]"], ["lab", "teach"]),
    "test": (".venv", ["-c", LOCK, "-e", ".[test,teach]"], ["lab", "teach", "test"]),
    "maintain": (".venv-maintain", ["-e", ".[maintain]"], ["maintain"]),
}

TOO_OLD = (
    "Python {}.{} is too old for the lecture, which needs 3.11 or newer."
    " Name a newer one: make lab PYTHON=python3.12"
)
NO_VENV = (
    "This Python cannot make an environment. Install its venv module"
    " (Debian, Ubuntu: sudo apt install python{}.{}-venv), then repeat the command."
)
NO_NETWORK = (
    "No network: pip could not reach its packages. Connect, then repeat the command. Details: {}"
)
# What pip says where it cannot reach a package index.
UNREACHABLE = re.compile("connection|timed out|from versions: none", re.IGNORECASE)
FAILED = "The installation failed; {} tells why. Run make clean, then repeat the command."
INTERRUPTED = "Interrupted. The same command installs the rest."


def is_ready(kind):
    """Whether this kind was installed from the files as they are now, and still works."""
    folder = KINDS[kind][0]
    return stored_fingerprint(folder, kind) == fingerprint(kind) and works(folder)


def works(folder):
    """Whether the environment's Python runs and finds the helpers of this very checkout."""
    command = "from importlib.util import find_spec; print(find_spec('helpers').origin)"
    try:
        found = subprocess.check_output(
            [python_in(folder), "-I", "-c", command], stderr=subprocess.DEVNULL
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return os.path.realpath(os.fsdecode(found).strip()).startswith(os.path.realpath(ROOT) + os.sep)


def install(kind, log):
    """Install one kind; its stamp is written last, so an unfinished install leaves none."""
    folder, requirements, ready = KINDS[kind]
    once_finished = any(stored_fingerprint(folder, name) for name in KINDS)
    if not (once_finished and works(folder)):
        run(log, sys.executable, "-m", "venv", "--clear", folder)
    run(log, python_in(folder), "-m", "pip", "install", *requirements)
    if kind != "maintain":
        # Otherwise the first picture of a learner waits for it, with a warning.
        run(log, python_in(folder), "-c", "import matplotlib.font_manager")
    for name in ready:
        with open(stamp(folder, name), "w") as file:
            file.write(fingerprint(kind))


def run(log, *command):
    settings = {"PIP_RETRIES": "2", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    settings.update(os.environ)
    subprocess.check_call(command, cwd=ROOT, env=settings, stdout=log, stderr=subprocess.STDOUT)


def main(kind):
    if is_ready(kind):
        return
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(TOO_OLD.format(*sys.version_info))
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        sys.exit(NO_VENV.format(*sys.version_info))

    log_name = KINDS[kind][0] + ".log"
    with open(os.path.join(ROOT, log_name), "a+", errors="replace") as log:
        fcntl.flock(log, fcntl.LOCK_EX)  # a second command waits here for the first one's install
        if is_ready(kind):
            return
        log.truncate(0)
        print("Installing into {}: once, about a minute ...".format(KINDS[kind][0]), flush=True)
        try:
            install(kind, log)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except subprocess.CalledProcessError:
            log.seek(0)
            unreachable = UNREACHABLE.search(log.read())
            sys.exit((NO_NETWORK if unreachable else FAILED).format(log_name))


def fingerprint(kind):
    """One line that changes with what is to be installed."""
    digest = hashlib.sha256()
    for name in ["pyproject.toml"] if kind == "maintain" else ["pyproject.toml", LOCK]:
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def stored_fingerprint(folder, kind):
    try:
        with open(stamp(folder, kind)) as file:
            return file.read()
    except OSError:
        return None


def stamp(folder, kind):
    return os.path.join(ROOT, folder, "ready-" + kind)


def python_in(folder):
    return os.path.join(ROOT, folder, "bin", "python")


if __name__ == "__main__":
    main(sys.argv[1])
