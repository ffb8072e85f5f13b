"""The lecture's real data: 1,797 handwritten digits of 8 x 8 pixels, shipped as one small file."""

import hashlib
import io
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

FILE = Path(__file__).parent / "data" / "digits.npz"
SHA256 = "b83a91f954378536f7deb737c043ca5af4aaf3296fc1382b10b8e0931e0cab24"
SPLIT_SEED = 1998
LARGEST_PIXEL = 16


class Split(NamedTuple):
    """Images and their labels; read-only, and unpacked by `*` where `x, t` are asked for.

    Attributes
    ----------
    x : ndarray of float, shape (n, 64)
        Images, row by row, from 0 (paper) to 1 (ink).
    t : ndarray of int, shape (n,)
        Labels 0 to 9.
    """

    x: np.ndarray
    t: np.ndarray


@dataclass(frozen=True)
class Digits:
    """The digits in three parts that share no image.

    Attributes
    ----------
    train : Split
        60 %: the gradients come from these.
    validation : Split
        20 %: choices, such as the learning rate, are made on these.
    test : Split
        20 %: looked at once the choices are made.
    """

    train: Split
    validation: Split
    test: Split


@cache
def load_digits():
    """Return the digits, always split the same way.

    Returns
    -------
    Digits

    Raises
    ------
    RuntimeError
        If the shipped file is missing or is not the one that the lecture was written with.
    """
    images, labels = read_file(FILE)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    x, t = images[order] / LARGEST_PIXEL, labels[order].astype(int)
    x.flags.writeable = t.flags.writeable = False
    first, second = round(0.6 * len(x)), round(0.8 * len(x))
    return Digits(
        train=Split(x[:first], t[:first]),
        validation=Split(x[first:second], t[first:second]),
        test=Split(x[second:], t[second:]),
    )


def read_file(path):
    """Return images (1797, 64) and labels (1797,), uint8, from `path`, if its checksum is right."""
    content = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise RuntimeError(
            f"{path.name} is {'damaged or changed' if content else 'missing or empty'}; restore it "
            "with `git checkout helpers/data/digits.npz`, or remake it from scikit-learn with "
            "`python helpers/data/make_digits.py`"
        )
    with np.load(io.BytesIO(content)) as arrays:
        return arrays["images"], arrays["labels"]
