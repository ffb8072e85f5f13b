"""Open the lecture in JupyterLab, ready to be presented.

    python tools/present.py [OPTION OF JUPYTERLAB ...]

The settings go to a new folder at each start: a presentation leaves no trace in the settings of
the one who presents, and none of an earlier one comes back.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

PRESENTING = "body[data-jp-deck-mode='presenting']"
ON_A_CELL = ".jp-Deck .jp-Notebook.jp-mod-commandMode:not(.jp-mod-readWrite) .jp-Cell:focus"
IN_THE_CODE = ".jp-Deck .jp-Notebook.jp-mod-editMode .jp-Cell"
ON_NOTHING = f"{PRESENTING}:not(:focus-within)"


# The extension changes the active cell and leaves the focus on the old one, which it hides: then
# keys go nowhere. So each key also focuses the active cell again.
GO = ["deck:go", "notebook:enter-command-mode"]
NEXT = {"direction": "down", "alternate": "forward"}
PREVIOUS = {"direction": "up", "alternate": "back"}
WAYS = {
    "Space": NEXT,
    "PageDown": NEXT,
    "ArrowDown": NEXT,
    "ArrowRight": {"direction": "forward"},
    "Shift Space": PREVIOUS,
    "PageUp": PREVIOUS,
    "ArrowUp": PREVIOUS,
    "ArrowLeft": {"direction": "back"},
}


def shortcut(keys, selector, commands, way):
    """Bind keys to commands that run one after the other; all get the way as arguments."""
    return {
        "keys": [keys],
        "selector": selector,
        "command": "apputils:run-all-enabled",
        "args": {"commands": commands, "args": way},
    }


COLUMN = {"display": "flex", "flex-direction": "column"}
RIGID = {"flex": "none"}
# A prediction on top, below it printed lines and, beside them, the figure.
BESIDE = {
    "display": "grid !important",
    "grid-template": "auto minmax(0, 1fr) / auto minmax(0, 1fr)",
    "column-gap": "16px",
    "& .jp-OutputArea-child:has(.prediction)": {"grid-area": "1 / 1 / 2 / -1"},
    "& .jp-OutputArea-child:has(.jp-RenderedText)": {"grid-area": "2 / 1"},
    "& .jp-OutputArea-child:has(.jp-RenderedImage)": {"grid-area": "2 / 2"},
}

WITH_A_FIGURE = "& .jp-deck-mod-onscreen .jp-OutputArea:has(.jp-RenderedImage)"

# From the cell down to the picture: each of these shrinks with it.
AROUND_A_FIGURE = (
    "& .jp-deck-mod-onscreen:has(.jp-RenderedImage)",
    "& .jp-deck-mod-onscreen .jp-Cell-outputWrapper:has(.jp-RenderedImage)",
    WITH_A_FIGURE,
    "& .jp-deck-mod-onscreen .jp-OutputArea-child:has(.jp-RenderedImage)",
    "& .jp-deck-mod-onscreen .jp-RenderedImage",
)

SETTINGS = {
    "@deathbeds/jupyterlab-fonts:fonts": {
        "styles": {
            PRESENTING: {
                "--jp-code-font-size": "16px",
                "--jp-content-font-size1": "17px",
                "--jp-widgets-font-size": "16px",
                "--jp-content-line-height": "1.45",
                "& .jp-LabShell, & #jp-main-content-panel, & #jp-main-dock-panel": {
                    "background": "var(--jp-layout-color0)",
                },
                "& .jp-Deck.jp-NotebookPanel": {"left": "-16px", "right": "-16px"},
                "& .jp-InternalAnchorLink, & .jp-Collapser": {"display": "none"},
                "& .jp-OutputArea-promptOverlay": {"display": "none"},
                "& .jp-RenderedHTMLCommon table": {"font-size": "inherit"},
                "& .jp-RenderedMarkdown img": {"max-height": "36vh"},
                # A slide is as high as the screen, and its figure takes what the other cells leave.
                "& .jp-Deck .jp-Notebook": {"height": "100vh"},
                "& .jp-Deck .jp-WindowedPanel-inner, & .jp-Deck .jp-WindowedPanel-viewport": {
                    "height": "100%",
                    "min-height": "0 !important",
                    "box-sizing": "border-box",
                },
                "& .jp-Deck .jp-WindowedPanel-viewport": COLUMN,
                "& .jp-Deck .jp-Cell, & .jp-deck-mod-onscreen .jp-Cell-inputWrapper": RIGID,
                "& .jp-deck-mod-onscreen .jp-OutputArea-child": {**RIGID, "width": "auto"},
                ", ".join(AROUND_A_FIGURE): {
                    **COLUMN,
                    "flex": "0 1 auto !important",
                    "min-height": "0",
                },
                # Printed lines stand beside the figure of their cell, unless it is wide and flat.
                f"{WITH_A_FIGURE}:has(.jp-RenderedText):has(img[width^='6'])": BESIDE,
                f"{WITH_A_FIGURE}:has(.jp-RenderedText):has(img[height^='5'])": BESIDE,
                # Where a cell draws a figure, its code scrolls beyond ten lines.
                "& .jp-deck-mod-onscreen:has(.jp-RenderedImage) .jp-InputArea-editor": {
                    "max-height": "220px",
                    "overflow-y": "auto",
                },
                "& .jp-deck-mod-onscreen:has(.jp-RenderedImage):has(.prediction) "
                ".jp-InputArea-editor": {"max-height": "154px"},
                # Widgets in the size of the text, and the numbers of a step side by side.
                "& .jp-OutputArea-output:has(.jupyter-widgets)": {"padding-left": "8px"},
                "& .widget-label[style*='110px']": {"width": "130px !important"},
                "& .widget-label[style*='50px']": {"width": "60px !important"},
                "& .widget-checkbox": {"width": "130px !important"},
                "& .widget-button": {"width": "auto !important"},
                "& .stage, & .stage-readout table": {"font-size": "16px"},
                "& .stage .stage-status": {"min-height": "22px", "max-width": "none"},
                "& .stage-row .stage-readout": {"width": "780px"},
                "& .stage-row .stage-readout div": {"font-size": "16px", "line-height": "22px"},
                "& .stage-row .stage-readout div span": {"display": "inline-block", "width": "50%"},
                "& .stage-row .stage-readout br + span + br": {"display": "none"},
                "& .jp-RenderedImage img": {
                    "width": "100%",
                    "height": "auto",
                    "max-height": "75vh",
                    "min-height": "0",
                    "object-fit": "contain",
                    "object-position": "left",
                },
            }
        }
    },
    "@jupyterlab/shortcuts-extension:shortcuts": {
        "shortcuts": [
            *(
                shortcut(keys, selector, GO, way)
                for keys, way in WAYS.items()
                for selector in (ON_A_CELL, ON_NOTHING)
            ),
            *(
                shortcut("Shift Enter", selector, ["notebook:run-cell", *GO], NEXT)
                for selector in (ON_A_CELL, IN_THE_CODE)
            ),
        ]
    },
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "fetchNews": "false",
    },
}


def store_settings(folder):
    """Write the settings where JupyterLab looks for those of its user."""
    for plugin, settings in SETTINGS.items():
        path = folder / (plugin.replace(":", "/") + ".jupyterlab-settings")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))


def main(options):
    with tempfile.TemporaryDirectory() as folder:
        store_settings(Path(folder))
        environment = {**os.environ, "JUPYTERLAB_SETTINGS_DIR": folder}
        lab = [sys.executable, "-m", "jupyterlab", "--LabApp.default_url=/lab/tree/notebooks"]
        subprocess.run([*lab, *options], cwd=ROOT, env=environment, check=False)


if __name__ == "__main__":
    main(sys.argv[1:])
