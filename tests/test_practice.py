"""The rules that notebook 9 teaches, as they stand there, against PyTorch."""

import nbformat
import numpy as np
import pytest
from test_optimizers import RATES, RECORDED, assert_equals_pytorch

from helpers.optimizers import Adam
from tools.run_notebooks import ROOT


def taught(*names):
    """Return what notebook 9 defines under these names."""
    notebook = nbformat.read(ROOT / "notebooks" / "09_practice.ipynb", as_version=4)
    space = {"np": np, "Adam": Adam}
    for cell in notebook.cells:
        if cell.source.startswith(tuple(f"{kind} {name}" for name in names for kind in KINDS)):
            exec(cell.source, space)
    return [space[name] for name in names]


KINDS = ("class", "def")


def test_adamw_walks_as_pytorchs():
    (rule,) = taught("AdamW")
    assert_equals_pytorch("AdamW", rule, decay=0.5)


def muon_steps(recorded):
    """Return our steps and PyTorch's, each from where PyTorch stood, in units of the rate."""
    rule, _ = taught("Muon", "newton_schulz")
    place, rate = RECORDED["params/matrix"].copy(), RATES["Muon"]
    optimizer, ours = rule(lr=rate), []
    for step, after in enumerate(recorded):
        params = {"matrix": place.copy()}
        optimizer.update(params, {"matrix": RECORDED["grads/matrix"][step]})
        ours.append((params["matrix"] - place) / rate)
        place = after
    theirs = np.diff([RECORDED["params/matrix"], *recorded], axis=0) / rate
    return np.array(ours), theirs


def test_muon_steps_as_pytorchs_in_64_bits():
    ours, theirs = muon_steps(RECORDED["Muon/matrix in 64 bits"])
    assert np.abs(theirs).max(axis=(1, 2)).min() > 0.3
    np.testing.assert_allclose(ours, theirs, atol=1e-5)  # they put the 1e-7 elsewhere


def test_muon_steps_as_pytorchs_up_to_its_16_bits():
    ours, theirs = muon_steps(RECORDED["Muon/matrix"])
    off = np.abs(ours - theirs)
    assert off.max() < 0.15
    assert off.mean() < 0.02


@pytest.mark.parametrize("shape", [(16, 16), (16, 32), (4, 4)])
def test_newton_schulz_makes_singular_values_nearly_equal_and_keeps_directions(shape):
    (newton_schulz,) = taught("newton_schulz")
    G = np.random.default_rng(1).normal(size=shape)
    U, before, V = np.linalg.svd(G, full_matrices=False)
    changed = U.T @ newton_schulz(G) @ V.T
    np.testing.assert_allclose(changed - np.diag(np.diag(changed)), 0, atol=1e-10)
    large = before > 0.05 * before.max()
    assert np.all((np.diag(changed)[large] > 0.6) & (np.diag(changed)[large] < 1.3))
