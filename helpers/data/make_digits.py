"""Remake `digits.npz` from scikit-learn's copy of the digits: python helpers/data/make_digits.py.

scikit-learn is needed here only; the lecture reads the file. The same arrays and the same zlib
give the same bytes: the archive holds no time of day.
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np

SHIPPED = Path(__file__).with_name("digits.npz")


def digits_arrays():
    """Return the images, shape (1797, 64) with pixels 0..16, and labels 0..9, both uint8."""
    from sklearn.datasets import load_digits

    source = load_digits()
    return {"images": source.data.astype(np.uint8), "labels": source.target.astype(np.uint8)}


def write_archive(path, arrays):
    """Write a dict of arrays as a compressed npz whose bytes depend on nothing else."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content.getvalue(), compresslevel=9)


if __name__ == "__main__":
    write_archive(sys.argv[1] if len(sys.argv) > 1 else SHIPPED, digits_arrays())
