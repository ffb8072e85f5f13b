"""Measure sweep and update against hand-written numpy (and torch, if installed) in one run.

    make bench

Each time is the best of several repeats that take turns, so that all see the same machine. What
compares machines is the ratios.
"""

import sys
from functools import partial
from pathlib import Path
from time import perf_counter

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers.descent import sweep
from helpers.landscapes import ravine
from helpers.optimizers import Adam, Momentum

RATES = np.linspace(0.01, 2.5, 200)
MOMENTA = np.linspace(0, 0.99, 200)
STEPS = 200
REPEATS = 9
CALLS = 5_000


@np.errstate(over="ignore", invalid="ignore")
def momentum_by_hand():
    """Return the last losses of Momentum on the ravine for all rates and momenta, in place."""
    lr, momentum = RATES[:, np.newaxis], MOMENTA
    x, y = (np.full((RATES.size, MOMENTA.size), coordinate) for coordinate in ravine.start)
    v_x, v_y, step = np.zeros_like(x), np.zeros_like(x), np.empty_like(x)
    for _ in range(STEPS):
        np.divide(x, 10, out=step)
        step *= lr
        v_x *= momentum
        v_x -= step
        x += v_x
        np.multiply(y, 2, out=step)
        step *= lr
        v_y *= momentum
        v_y -= step
        y += v_y
    losses = x**2 / 20 + y**2
    return np.where(np.isfinite(losses), losses, np.inf)


def momentum_by_sweep():
    return sweep(Momentum, ravine, steps=STEPS, lr=RATES, momentum=MOMENTA).losses


def adam_update():
    """Return a function that updates a vector of two parameters."""
    params, grads = {"position": np.array([-7.0, 2.0])}, {"position": np.array([-0.7, 4.0])}
    return partial(Adam(lr=0.3).update, params, grads)


def numpy_operation():
    """Return a function that does one operation on a vector of two numbers."""
    position = np.array([-7.0, 2.0])
    return partial(np.multiply, position, position, position.copy())


def torch_update():
    """Return a function that does what `adam_update` does, or None where torch is missing."""
    try:
        import torch
    except ImportError:
        return None
    position = torch.tensor([-7.0, 2.0], dtype=torch.float64, requires_grad=True)
    position.grad = torch.tensor([-0.7, 4.0], dtype=torch.float64)
    return torch.optim.Adam([position], lr=0.3).step


def best_times(functions, calls=1):
    """Return the shortest time of one call of each function in seconds, after a warm-up."""
    times = {name: [] for name in functions}
    for _ in range(1 + REPEATS):
        for name, function in functions.items():
            begin = perf_counter()
            for _ in range(calls):
                function()
            times[name].append((perf_counter() - begin) / calls)
    return {name: min(measured[1:]) for name, measured in times.items()}


def row(name, time, unit, yardstick=None, target=""):
    shown = {"ms": 1e3, "µs": 1e6}[unit] * time
    ratio = f"{time / yardstick:8.2f}" if yardstick else " " * 8
    print(f"{name:<42}{shown:9.2f} {unit}{ratio}  {target}".rstrip())


def main():
    np.testing.assert_allclose(momentum_by_sweep(), momentum_by_hand(), rtol=1e-12)
    sweeps = best_times({"hand": momentum_by_hand, "sweep": momentum_by_sweep})
    print(f"{'':<42}{'time':>12}{'ratio':>8}  target")
    row("200 × 200 Momentum, 200 steps, by hand", sweeps["hand"], "ms")
    row("  by sweep()", sweeps["sweep"], "ms", sweeps["hand"], "ratio at most 2")

    one_by_one = {"numpy": numpy_operation(), "ours": adam_update(), "torch": torch_update()}
    if one_by_one["torch"] is None:
        del one_by_one["torch"]
    updates = best_times(one_by_one, CALLS)
    row("one numpy operation on a 2-vector", updates["numpy"], "µs")
    row("  one update of Adam", updates["ours"], "µs", updates["numpy"], "at most 15 µs")
    if "torch" in updates:
        row("  one step of torch's Adam", updates["torch"], "µs", updates["numpy"])
        row("  ours as a share of torch's", updates["ours"], "µs", updates["torch"])
    else:
        print("  torch's Adam: torch is not installed")


if __name__ == "__main__":
    main()
