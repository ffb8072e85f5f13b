"""A JupyterLab with a copy of the lecture, and a headless browser to look at it with."""

import os
import shutil
from types import SimpleNamespace

import pytest

from tools.browser import FLAGS, INSTALL, find_browser, jupyter_lab
from tools.run_notebooks import ROOT

try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None


@pytest.fixture(scope="session")
def context():
    """Yield what the pages share: a screen of 1280 x 720, and a cache of JupyterLab's own files."""
    if sync_playwright is None or find_browser() is None:
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up(INSTALL)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        yield browser.new_context(viewport={"width": 1280, "height": 720})
        browser.close()


@pytest.fixture
def page(context):
    """Yield a new page."""
    page = context.new_page()
    yield page
    page.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """Yield a running JupyterLab: its `url` and its `folder`.

    The folder is a copy of the notebooks, in `url`/lab/tree/notebooks.
    """
    home = tmp_path_factory.mktemp("lab")
    folder = shutil.copytree(ROOT / "notebooks", home / "notebooks")
    shutil.copytree(ROOT / "images", home / "images")
    with jupyter_lab(home) as url:
        yield SimpleNamespace(url=url, folder=folder)


class Presented:
    """A notebook that is presented in a page, all its cells run."""

    def __init__(self, page, address):
        self.page = page
        page.set_default_timeout(60_000)
        page.goto(address)
        self.wait_until_run()

    def resize(self, width, height):
        """Give the page the size of a screen."""
        self.page.set_viewport_size({"width": width, "height": height})

    def place(self):
        """Return the number of the slide."""
        return int(self.page.locator("#presenter-bar span").first.inner_text().split(" / ")[0])

    def pending(self):
        """Return how many cells of the slide are still to come."""
        return self.page.locator(".presenter-pending").count()

    def goes_on(self):
        """Press the space bar up to the next slide, and tell whether there is one."""
        before = self.place()
        for _ in range(1 + self.pending()):
            self.page.keyboard.press("Space")
            if self.place() > before:
                return True
        return False

    def go_to(self, place):
        """Press keys up to a slide."""
        while self.place() > place:
            self.page.keyboard.press("PageUp")
        while self.place() < place:
            assert self.goes_on()

    def key(self, key, leads_to):
        """Press a key, and see that the slide is the expected one."""
        self.page.keyboard.press(key)
        assert self.place() == leads_to, key

    def press_on(self, selector):
        """Press on something in the slide."""
        self.page.locator(f".presenter-shown {selector}").click()

    def bar(self, name):
        """Return a button of the bar under the slides."""
        return self.page.locator("#presenter-bar").get_by_role("button", name=name)

    def wait_until_run(self):
        """Wait until all cells have run."""
        self.page.locator("#presenter-bar[data-run]").wait_for(timeout=240_000)


@pytest.fixture(scope="session")
def presenting(tmp_path_factory):
    """Yield what `make teach` starts: its `url` and its `folder` of notebooks.

    The url leads to the `lesson` in this folder.
    """
    home = tmp_path_factory.mktemp("presenting")
    folder = shutil.copytree(ROOT / "notebooks", home / "notebooks")
    shutil.copytree(ROOT / "images", home / "images")
    lesson = folder / "lesson.ipynb"
    program = ROOT / "tools" / "present.py", f"notebooks/{lesson.name}"
    own = f"--ServerApp.root_dir={home}"
    with jupyter_lab(home, own, program=program) as url:
        yield SimpleNamespace(url=url, folder=folder, lesson=lesson)


@pytest.fixture
def present(page, presenting):
    """Return a function that opens a notebook to present it, and waits until it has run."""

    return lambda path: Presented(page, address(presenting, path))


def address(presenting, path):
    """Return where a notebook is presented."""
    return f"{presenting.url}/lab/workspaces/{path.stem}/tree/notebooks/{path.name}"
