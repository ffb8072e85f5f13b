"""Random numbers for hidden inputs; the code in `inputs` of an exercise knows all names here."""

import numpy as np


def short(numbers):
    """Return a number, or an array, with three significant digits: so a message shows it whole."""
    if np.ndim(numbers) == 0:
        return float(f"{numbers:.3g}")
    return np.array([short(number) for number in numbers])


def spread(rng, low, high):
    """Return a random number between two positive ones, as likely in each order of magnitude."""
    return short(10 ** rng.uniform(np.log10(low), np.log10(high)))


def gradients(rng, shape):
    """Return a random array of numbers from 1e-6 to 3 in size, every tenth of them 0."""
    size = 10 ** rng.uniform(-6, 0.5, size=shape)
    return short(rng.choice([-1, 1], size=shape) * size * (rng.random(shape) > 0.1))


class Counted:
    """A function of a position, shape (..., d), that counts the positions it was asked for."""

    def __init__(self, function, d):
        self.function, self.d, self.evaluations = function, d, 0

    def __call__(self, position, *others):
        """Return the function's values, shape (...)."""
        position = np.asarray(position, dtype=float)
        if others or position.shape[-1:] != (self.d,):
            shape = f"{1 + len(others)} arguments" if others else f"shape {position.shape}"
            raise TypeError(f"f takes one position, an array of shape ({self.d},), got {shape}")
        values = self.function(position)
        self.evaluations += np.size(values)
        return values
