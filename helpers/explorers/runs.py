"""What explorers draw and say of a run: its path, its loss and how it went."""

from functools import lru_cache

import numpy as np

from helpers.explorers import panels
from helpers.explorers.panels import Mark
from helpers.explorers.stage import CURVE
from helpers.explorers.words import place, said
from helpers.figures import LOOKS, OTHER_LOOKS


@lru_cache(maxsize=32)
def lowest_and_highest(landscape):
    """Return the loss at the deepest minimum, if known, and the highest one of the window."""
    x, y = (np.linspace(*limits, 101) for limits in landscape.window)
    heights = landscape.value(x, y[:, np.newaxis])
    deepest = [float(landscape(minimum)) for minimum in landscape.minima[:1]]
    return min([*deepest, float(heights.min())]), float(heights.max())


def loss_panel(landscape, steps):
    """Return axes for the loss above its lowest; they change with powers of ten only."""
    lowest, highest = lowest_and_highest(landscape)
    top = 10.0 ** np.ceil(np.log10(highest - lowest) + 0.3)
    across = next((n for n in (10, 30, 100) if n >= steps), 300)
    return panels.curve_panel(
        (0, across), (top * 1e-9, top), "step", "loss above the lowest", size=CURVE
    )


def loss_curve(run, look, panel=1):
    """Return the mark of a run's loss above the lowest; what is lower lies on the bottom line."""
    lowest, highest = lowest_and_highest(run.landscape)
    with np.errstate(all="ignore"):
        above = np.nan_to_num(run.losses - lowest, nan=np.inf, posinf=1e300)
    bottom = 1e-10 * (highest - lowest)
    return Mark(
        panel, "curve", np.stack([np.arange(len(above)), np.maximum(above, bottom)], 1), look
    )


def path(run, look, label, panel=0):
    """Return the mark of a run's path, as far as it is finite."""
    finite = run.positions[np.isfinite(run.positions).all(-1)]
    return Mark(panel, "path", finite, look, label)


def outcome(run):
    """Say in words how a descent went."""
    (x_min, x_max), (y_min, y_max) = run.landscape.window
    scale = np.hypot(x_max - x_min, y_max - y_min)
    lowest, highest = lowest_and_highest(run.landscape)
    first, end = run.losses[0] - lowest, run.losses[-1] - lowest
    small = 1e-6 * (highest - lowest)
    ended = f"loss {said(run.losses[-1])} at {place(run.positions[-1])}"
    after = f"After {run.steps} {'step' if run.steps == 1 else 'steps'}: "
    if run.diverged_at is not None:
        return (
            f"Diverged at step {run.diverged_at}: the numbers left the finite range. "
            "Try a smaller learning rate."
        )
    if np.linalg.norm(run.gradients[0]) < 1e-9:
        ground = "on a minimum" if first < small else "on flat ground"
        return f"The start is {ground}: the gradient there is zero. {after}{ended}."
    if run.steps == 0:
        return f"No step yet: {ended}."
    if end > 100 * first:
        return f"{after}{ended}, and at the start it was {said(run.losses[0])}. It diverges."
    if end > first:
        return f"{after}{ended}, higher than at the start ({said(run.losses[0])})."
    above = "" if abs(lowest) < small else f", {said(end)} above the lowest place"
    moved = np.linalg.norm(np.diff(run.positions[-4:], axis=0), axis=-1).max()
    if moved < 1e-4 * scale and end > max(1e-3 * first, small):
        return f"{after}{ended}{above}. It hardly moves any more."
    return f"{after}{ended}{above}."


def look_of(rule):
    """Return the color, marker and dashes of a rule."""
    return LOOKS.get(rule.__name__, OTHER_LOOKS[0])


def ending(run):
    """Say in a few words where a run ended, for the text alternative."""
    if run.diverged_at is not None:
        return f"diverged at step {run.diverged_at}"
    x, y = run.positions[-1]
    return f"ends at ({x:.3g}, {y:.3g}), loss {run.losses[-1]:.3g}"
