"""Remake `rate_decay.npz`, the map of the explorer of searches.

`python -m helpers.data.make_rate_decay` takes about half a minute. Trials that
run wild depend on the machine's rounding; all others give the same counts everywhere, and a test
looks at some of them.
"""

import sys
from pathlib import Path

import numpy as np

from helpers.data.make_digits import write_archive
from helpers.searching import Trial, search, stacked

SHIPPED = Path(__file__).with_name("rate_decay.npz")
RATES = 10.0 ** np.arange(-4, 1.05, 0.125)
DECAYS = 10.0 ** np.arange(-8, 0.1, 0.5)
SEEDS = range(4)
VALIDATION_IMAGES = 360


def counts(rates, decays):
    """Return how many validation and test images are read, shape (2, decays, rates, seeds)."""
    configurations = [{"lr": lr, "decay": decay} for decay in decays for lr in rates]
    right = search(Trial(), configurations, SEEDS, map=stacked).right
    parts = right[..., :VALIDATION_IMAGES], right[..., VALIDATION_IMAGES:]
    shape = (len(decays), len(rates), len(SEEDS))
    return np.array([part.sum(axis=-1).reshape(shape) for part in parts], dtype=np.uint16)


if __name__ == "__main__":
    arrays = {"rates": RATES, "decays": DECAYS, "right": counts(RATES, DECAYS)}
    write_archive(sys.argv[1] if len(sys.argv) > 1 else SHIPPED, arrays)
