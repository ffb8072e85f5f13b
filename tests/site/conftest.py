"""The site behind a local web server, under a path, and a browser that reaches nothing else."""

import hashlib
import json
import os
import subprocess
import sys
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from xdist.scheduler import LoadScopeScheduling

from tools.browser import FLAGS, INSTALL, find_browser
from tools.run_notebooks import ROOT

HERE = Path(__file__).resolve().parent
SITE = ROOT / "_site"
PYODIDE = "lab/static/pyodide"
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem == "test_book")  # the laboratory takes longest


def pytest_xdist_make_scheduler(config, log):
    return EachPage(config, log)


class EachPage(LoadScopeScheduling):
    """All tests of a page, or of a notebook in the laboratory, go to the worker that opened it."""

    def _split_scope(self, nodeid):
        return nodeid.partition("[")[2] or nodeid


def give_up(reason):
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


@pytest.fixture(scope="session")
def site():
    """Yield the folder of the site."""
    if not (SITE / "index.html").exists():
        give_up("There is no site to look at: run make test-site")
    return SITE


@pytest.fixture(scope="session")
def browser():
    """Yield a browser for which there is no network."""
    if find_browser() is None:
        give_up(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=[*FLAGS, OFFLINE])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(site, instead):
    """Yield the address of the site on a web server, where it does not lie at the root."""
    handler = partial(Handler, site, instead)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/lectures/optimizers"
        server.shutdown()


class Handler(SimpleHTTPRequestHandler):
    """Serve the files of the site, or those that lie in another folder instead."""

    def __init__(self, site, instead, *args):
        self.site, self.instead = site, instead
        super().__init__(*args)

    def translate_path(self, path):
        path = path.partition("?")[0].removeprefix("/lectures/optimizers").lstrip("/")
        if (self.instead / path).is_file():
            return str(self.instead / path)
        found = self.site / path
        return str(found / "index.html" if found.is_dir() else found)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def instead(site, tmp_path_factory):
    """Yield a folder of files that are served instead of the site's or beside them.

    In it lie the wheels of Pyodide's distribution. The site's list of packages gives their
    addresses; here the list gives their names. Each has the hash that Pyodide's own list gives.
    """
    folder = tmp_path_factory.mktemp("instead")
    place = folder / PYODIDE
    place.mkdir(parents=True)
    packages = json.loads((site / PYODIDE / "pyodide-lock.json").read_text())
    with zipfile.ZipFile(fetch_wheels()) as archive:
        files = {Path(name).name: name for name in archive.namelist() if "/pyodide/" in name}
        for package in packages["packages"].values():
            host, _, name = package["file_name"].rpartition("/")
            if host:
                data = archive.read(files[name])
                assert hashlib.sha256(data).hexdigest() == package["sha256"], name
                (place / name).write_bytes(data)
                package["file_name"] = name
    (place / "pyodide-lock.json").write_text(json.dumps(packages))
    return folder


def fetch_wheels():
    """Return the package with Pyodide's wheels, from the registry the first time."""
    cache = ROOT / ".venv-site" / "pyodide"
    if not list(cache.glob("*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        wanted = ["--no-deps", "--require-hashes", f"--requirement={HERE / 'pyodide.txt'}"]
        subprocess.check_call([*pip, *wanted, f"--dest={cache}"])
    (wheel,) = cache.glob("*.whl")
    return wheel


class Look:
    """A look at an address: the page, what went wrong in it, and what it asked for elsewhere."""

    def __init__(self, context, address):
        self.page, self.errors, self.outside = context.new_page(), [], []
        self._own = ("/".join(address.split("/")[:3]), "data:", "blob:")
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.errors.append(error.stack))
        self.page.on("request", self._on_request)
        self.page.goto(address)

    def _on_console(self, message):
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def _on_request(self, request):
        if not request.url.startswith(self._own):
            self.outside.append(request.url)


@pytest.fixture(scope="session")
def context(browser):
    """Yield what the pages of the book share: a cache of the site's own files."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        yield context
