"""A JupyterLab with a copy of the lecture, and a headless browser to look at it with."""

import os
import shutil
from types import SimpleNamespace

import pytest

from tools.browser import FLAGS, INSTALL, find_browser, jupyter_lab
from tools.present import store_settings
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
    """Yield a running JupyterLab as `make teach` sets it up: its `url` and its `folder`.

    The folder is a copy of the notebooks, in `url`/lab/tree/notebooks.
    """
    home = tmp_path_factory.mktemp("lab")
    folder = shutil.copytree(ROOT / "notebooks", home / "notebooks")
    shutil.copytree(ROOT / "images", home / "images")
    store_settings(home / "settings")
    environment = {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "OPENBLAS_NUM_THREADS": "1"}
    with jupyter_lab(home, **environment) as url:
        yield SimpleNamespace(url=url, folder=folder)
