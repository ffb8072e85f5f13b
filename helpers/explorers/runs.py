"""What explorers draw and say of a run: its path, its loss, how it went, and where it is best."""

from functools import lru_cache, partial

import numpy as np

from helpers.descent import sweep
from helpers.explorers.panels import CURVE, Mark, axes, heights_of
from helpers.explorers.words import WORDS, pair, said

OUTCOME = WORDS["outcome"]


@lru_cache(maxsize=32)
def lowest_and_highest(landscape):
    """Return the loss at the deepest minimum, if known, and the highest one of the window."""
    heights = heights_of(landscape)
    if np.isnan(heights).all():
        return 0.0, 1.0
    deepest = [float(landscape(minimum)) for minimum in landscape.minima[:1]]
    return min([*deepest, float(np.nanmin(heights))]), float(np.nanmax(heights))


@lru_cache(maxsize=32)
def loss_panel(landscape, steps):
    """Return axes for the loss above its lowest; they change with powers of ten only."""
    lowest, highest = lowest_and_highest(landscape)
    top = 10.0 ** np.ceil(np.log10(highest - lowest or 1.0) + 0.3)
    window = ((0, steps_across(steps)), (top * 1e-9, top))
    return axes(window, CURVE, yscale="log", steps=True, **WORDS["walk"]["losses"])


def steps_across(steps):
    """Return how many steps an axis shows that need not change with each one more."""
    return next((n for n in (10, 30, 100) if n >= steps), 300)


def above(landscape, losses):
    """Return how much higher losses are than the lowest; what is lower lies on the bottom line."""
    lowest, highest = lowest_and_highest(landscape)
    with np.errstate(all="ignore"):
        height = np.nan_to_num(losses - lowest, nan=np.inf, posinf=1e300)
    return np.maximum(height, 1e-10 * (highest - lowest or 1.0))


def curve(values, look, label="", panel=1, kind="curve"):
    """Return the mark of values against the step."""
    return Mark(panel, kind, np.stack([np.arange(len(values)), values], 1), look, label)


def loss_curve(landscape, losses, look, label="", kind="curve"):
    """Return the mark of losses above the lowest."""
    return curve(above(landscape, losses), look, label, kind=kind)


def path(positions, look, label="", panel=0, kind="path"):
    """Return the mark of a path, as far as it is finite."""
    return Mark(panel, kind, positions[np.isfinite(positions).all(-1)], look, label)


@np.errstate(over="ignore")
def outcome(run):
    """Say in words how a descent went."""
    lowest, highest = lowest_and_highest(run.landscape)
    first, end = run.losses[0] - lowest, run.losses[-1] - lowest
    small = 1e-6 * (highest - lowest)
    texts = {
        "steps": f"{run.steps} {'step' if run.steps == 1 else 'steps'}",
        "ended": OUTCOME["ended"].format(loss=said(run.losses[-1]), point=pair(run.positions[-1])),
        "first": said(run.losses[0]),
        "above": "" if abs(lowest) < small else OUTCOME["above"].format(loss=said(end)),
        "step": run.diverged_at,
        "ground": OUTCOME["minimum" if first < small else "flat"],
    }
    moves = np.linalg.norm(np.diff(run.positions, axis=0), axis=-1)
    if run.diverged_at is not None:
        how = "diverged"
    elif np.linalg.norm(run.gradients[0]) < 1e-9:
        how = "at_rest"
    elif run.steps == 0:
        how = "no_step"
    elif end > 100 * first:
        how = "diverges"
    elif end > first:
        how = "higher"
    elif moves[-3:].max() < min(
        0.02 * moves.max(), 1e-3 * np.ptp(run.landscape.window)
    ) and end > max(1e-3 * first, small):
        how = "hardly"
    else:
        how = "moves"
    return OUTCOME[how].format(**texts)


def ending(run):
    """Say in a few words where a run ended, for the text alternative."""
    if run.diverged_at is not None:
        return OUTCOME["alt_diverged"].format(step=run.diverged_at)
    x, y = run.positions[-1]
    return OUTCOME["alt_ended"].format(x=x, y=y, loss=run.losses[-1])


def signs(landscape):
    """Explain the signs of a map."""
    depths = [landscape(minimum) for minimum in landscape.minima]
    others = any(not np.isclose(depth, depths[0]) for depth in depths)
    return WORDS["stage"]["signs"] + (WORDS["stage"]["other_minima"] if others else "")


def curvatures(landscape):
    """Return the curvatures along x and y of a quadratic bowl around (0, 0), or None."""
    x, y = np.array([1.0, 2.0, -3.0]), np.array([1.0, -1.0, 2.0])
    with np.errstate(all="ignore"):
        along_x, along_y = landscape.slope(x, y)
    is_even = np.ptp(along_x / x) < 1e-12 and np.ptp(along_y / y) < 1e-12
    if is_even and along_x[0] > 0 and along_y[0] > 0:
        return float(along_x[0]), float(along_y[0])
    return None


# ---- along a dial -------------------------------------------------------------------------------


def best_rate(losses_at, stops):
    """Return the learning rate of the lowest loss, to four digits.

    Parameters
    ----------
    losses_at : callable
        From an array of rates to that of their losses.
    stops : list of float
        Rates to try first; then 200 between the neighbors of the best of them.
    """
    best = int(np.argmin(losses_at(np.array(stops))))
    low, high = stops[max(best - 1, 0)], stops[min(best + 1, len(stops) - 1)]
    near = [float(f"{rate:.4g}") for rate in np.linspace(low, high, 200)]
    fine = np.array(sorted({*near, stops[best]}))
    return float(fine[np.argmin(losses_at(fine))])


def steady_rate(losses_at, stops, around=5):
    """Return the learning rate whose neighbors, too, end low: no lucky dip in a chaotic walk."""
    losses = losses_at(np.array(stops))
    padded = np.pad(losses, around, constant_values=np.inf)
    worst = np.lib.stride_tricks.sliding_window_view(padded, 2 * around + 1).max(-1)
    return stops[int(np.argmin(worst))] if np.isfinite(worst).any() else stops[0]


def chart(dial, losses, marks):
    """Return what the browser draws on a dial: losses at its stops, and marks at some values.

    The lowest loss lies at the bottom; what is above the first loss's hundredfold, at the top.
    The mark at the right comes first.
    """
    with np.errstate(all="ignore"):
        height = np.log10(np.maximum(losses - np.min(losses), 1e-12 * abs(np.median(losses))))
    finite = np.isfinite(height)
    if not finite.any():
        return {"path": "", "marks": []}
    low, high = np.quantile(height[finite], 0.01), np.quantile(height[finite], 0.6) + 1
    share = np.clip((np.where(finite, height, np.inf) - low) / max(high - low, 1e-9), 0, 1)
    points = " ".join(f"{i},{96 - 92 * y:.0f}" for i, y in enumerate(share))
    stops = sorted(([dial.nearest(value), text] for text, value in marks.items()), reverse=True)
    return {"path": f"M{points.replace(' ', 'L')}", "marks": stops}


# ---- noise --------------------------------------------------------------------------------------


def noisy(optimizer, landscape, start, steps, sigma, seed, runs=20):
    """Return positions, shape (steps + 1, runs, ..., 2), of descents with a noisy gradient.

    Gaussian noise of standard deviation sigma is added to each component of each gradient. Where
    the optimizer holds arrays of shape (n, 1), the axis of its n values comes after the runs.
    """
    rng = np.random.default_rng(seed)
    values = np.shape(getattr(optimizer, "lr", 0.0))[:-1]
    params = {"position": np.full((runs, *values, 2), start, dtype=float)}
    positions = [params["position"].copy()]
    with np.errstate(all="ignore"):
        for _ in range(steps):
            noise = rng.normal(size=(runs, *(1 for _ in values), 2))
            gradient = landscape.gradient(params["position"])
            optimizer.update(params, {"position": gradient + sigma * noise})
            positions.append(params["position"].copy())
    return np.array(positions)


def median_losses(rule, landscape, start, steps, sigma, seed, rates):
    """Return the medians over twenty noisy runs of the last loss at many learning rates."""
    optimizer = rule(lr=np.array(rates)[:, np.newaxis])
    with np.errstate(all="ignore"):
        last = landscape(noisy(optimizer, landscape, start, steps, sigma, seed)[-1])
        return np.median(np.where(np.isfinite(last), last, np.inf), axis=0)


def rates_of(rule, others, landscape, start, steps, sigma=0.0, seed=0):
    """Return the function from learning rates to last losses, inf where a descent diverged."""
    rule = partial(rule, **others)
    if sigma:
        return partial(median_losses, rule, landscape, start, steps, sigma, seed)
    return lambda rates: sweep(rule, landscape, start, steps, lr=rates).losses
