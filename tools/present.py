"""Open the lecture in JupyterLab and present it; `presenter` beside this file is the extension.

    python tools/present.py [NOTEBOOK] [OPTION OF JUPYTERLAB ...]

Without a notebook: the first of the lecture. Settings and workspace are new at each start: a
presentation leaves no trace in the settings of the one who presents, none of an earlier one comes
back, and what is typed in class is not saved unless the teacher saves it.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from jupyterlab.labapp import LabApp

ROOT = Path(__file__).resolve().parents[1]
EXTENSION = f"--LabServerApp.extra_labextensions_path={ROOT / 'tools'}"

SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "fetchNews": "false",
    },
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
    "@jupyterlab/notebook-extension:tracker": {
        "codeCellConfig": {"lineWrap": True},
        "windowingMode": "none",
    },
}


def store_settings(folder):
    """Write the settings where JupyterLab looks for those of its user."""
    for plugin, settings in SETTINGS.items():
        path = folder / (plugin.replace(":", "/") + ".jupyterlab-settings")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))


def main(arguments):
    notebook = "notebooks/01_adventurer.ipynb"
    if arguments and not arguments[0].startswith("-"):
        notebook, *arguments = arguments
    with tempfile.TemporaryDirectory() as folder:
        store_settings(Path(folder))
        os.chdir(ROOT)
        own = {
            "user_settings_dir": folder,
            "workspaces_dir": folder,
            "default_url": f"/lab/tree/{notebook}",
        }
        options = [f"--LabApp.{name}={value}" for name, value in own.items()]
        LabApp.launch_instance([EXTENSION, *options, *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
