"""The shipped digits: whole, split without overlap, guarded, and remade from their source."""

import dataclasses

import numpy as np
import pytest

from helpers import digits
from helpers.data import make_digits


@pytest.fixture
def data():
    return digits.load_digits()


@pytest.fixture
def file():
    return digits.read_file(digits.FILE)


def splits(data):
    return data.train, data.validation, data.test


def test_the_file_is_small_and_holds_small_integers(file):
    assert digits.FILE.stat().st_size <= 46_000
    images, labels = file
    assert images.shape == (1797, 64)
    assert labels.shape == (1797,)
    assert images.dtype == labels.dtype == np.uint8
    assert (images.min(), images.max()) == (0, 16)
    assert set(labels) == set(range(10))


def test_each_split_has_images_from_0_to_1_and_integer_labels(data):
    assert [len(t) for _, t in splits(data)] == [1078, 360, 359]  # 60, 20 and 20 %
    for x, t in splits(data):
        assert x.shape == (len(t), 64)
        assert x.dtype == np.float64
        assert (x.min(), x.max()) == (0, 1)
        assert t.dtype.kind == "i"
        assert set(t) == set(range(10))


def test_splits_are_disjoint_and_cover_everything(data, file):
    images, labels = file
    assert len(set(map(tuple, images))) == len(images)  # So that equal rows mean a shared image.
    together = np.concatenate([np.column_stack([x * 16, t]) for x, t in splits(data)])
    shipped = np.column_stack([images, labels])
    assert sorted(map(tuple, together)) == sorted(map(tuple, shipped))


def test_loading_is_cached_safe_to_share_and_the_same_again(data):
    assert digits.load_digits() is data
    with pytest.raises(ValueError, match="read-only"):
        data.train.x[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        data.test.t[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.train = None
    np.testing.assert_equal(splits(digits.load_digits.__wrapped__()), splits(data))


def test_a_changed_byte_is_noticed(tmp_path):
    content = bytearray(digits.FILE.read_bytes())
    content[1000] ^= 1
    path = tmp_path / "digits.npz"
    path.write_bytes(content)
    with pytest.raises(RuntimeError, match=r"digits.npz is damaged or changed; .*git checkout"):
        digits.read_file(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(RuntimeError, match=r"missing or empty; .*make_digits.py"):
        digits.read_file(tmp_path / "digits.npz")


def test_archive_bytes_depend_on_the_arrays_alone(tmp_path, file):
    images, labels = file
    for name in ("one.npz", "two.npz"):
        make_digits.write_archive(tmp_path / name, {"images": images, "labels": labels})
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz") as arrays:
        np.testing.assert_array_equal(arrays["images"], images)
        np.testing.assert_array_equal(arrays["labels"], labels)


def test_the_script_remakes_the_shipped_arrays(file):
    pytest.importorskip("sklearn", reason="scikit-learn is needed only to remake the digits")
    arrays = make_digits.digits_arrays()
    np.testing.assert_array_equal(arrays["images"], file[0])
    np.testing.assert_array_equal(arrays["labels"], file[1])
