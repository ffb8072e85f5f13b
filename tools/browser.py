"""A real JupyterLab and a headless Chromium, for what tests, measures or photographs them."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from tools.run_notebooks import ROOT

BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
INSTALL = """No browser to look with. Install both, then run this again:
    python -m pip install playwright
    apt-get install chromium        (or another package of Chromium or Chrome)"""
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Whether so many code cells have run, or one of them has failed.
FINISHED = """(cells) => {
    const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")];
    const failed = document.querySelector("[data-mime-type='application/vnd.jupyter.error']");
    return failed || (prompts.length === cells && /\\d/.test(prompts.at(-1).textContent));
}"""
NO_NEWS = {"checkForUpdates": False, "fetchNews": "false"}


def find_browser():
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextmanager
def chromium():
    """Yield a headless browser; where there is none, the program ends and says what to install."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        sys.exit(INSTALL)
    path = find_browser()
    if path is None:
        sys.exit(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def jupyter_lab(folder, *options, program=("-m", "jupyterlab"), **environment):
    """Run JupyterLab, or a program that starts it, in a folder; yield its address.

    Settings and workspaces are its own.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        *(sys.executable, *program, "--no-browser", "--allow-root", f"--port={port}"),
        *("--ServerApp.port_retries=0", "--IdentityProvider.token=", *options),
    ]
    own = {
        f"JUPYTER{name}": str(folder / f".{name.strip('_').lower()}")
        for name in ("_CONFIG_DIR", "_RUNTIME_DIR", "LAB_SETTINGS_DIR", "LAB_WORKSPACES_DIR")
    }
    environment = {**os.environ, **own, "PYTHONPATH": str(ROOT), **environment}
    settings = Path(own["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", "apputils-extension")
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(NO_NEWS))
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api", server, folder / "lab.log")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def run_all_cells(page):
    """Run all cells of the notebook in a page, once it has a kernel and the kernel is idle."""
    page.get_by_text("| Idle").wait_for()  # without a kernel only the Markdown cells would run
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()


def _wait_for(address, server, log):
    for _ in range(600):
        try:
            urllib.request.urlopen(address).close()
            return
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.1)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
