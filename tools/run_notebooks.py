"""Run notebooks from a clean kernel and store their outputs, with no noise in the diff.

    python tools/run_notebooks.py [NOTEBOOK ...]

Without arguments: every notebook of the lecture. A second run writes the same bytes.
"""

import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}


def find_notebooks():
    """Return the lecture's notebooks in order, without JupyterLab's checkpoints."""
    paths = (ROOT / "notebooks").rglob("*.ipynb")
    return sorted(path for path in paths if ".ipynb_checkpoints" not in path.parts)


def find_lessons():
    """Return the lecture's notebooks in order, without those of the solutions."""
    return [path for path in find_notebooks() if path.parent.name == "notebooks"]


def set_kernel_environment():
    """Let kernels started from here draw inline and keep progress bars out of the outputs."""
    os.environ["TQDM_DISABLE"] = "1"
    os.environ.pop("MPLBACKEND", None)


def run(path):
    """Run one notebook in its folder and store it; on an error the file stays as it was."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        timeout=None,
        record_timing=False,
        store_widget_state=False,
        coalesce_streams=True,
    ).execute()
    normalize(notebook)
    nbformat.write(notebook, path)


def normalize(notebook):
    """Keep what a reader sees; drop what changes from run to run or from machine to machine."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)


def main(paths):
    set_kernel_environment()
    for path in paths:
        start = time.perf_counter()
        try:
            run(path)
        except CellExecutionError as error:
            sys.exit(f"{path} failed; it stays as it was.\n{error}")
        print(f"{time.perf_counter() - start:5.1f} s  {path}", flush=True)


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or find_notebooks())
