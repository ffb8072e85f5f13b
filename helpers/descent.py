"""Walk down a landscape with an optimizer and record the way: one descent, or a whole grid."""

from dataclasses import dataclass
from operator import index

import numpy as np

from helpers.landscapes import Landscape, checked_position

# Above some 30,000 positions every temporary array costs fresh pages of memory: twice the time.
POSITIONS_IN_A_BLOCK = 16_384


@dataclass(frozen=True)
class Trajectory:
    """A recorded descent of n steps; row k is what held after k of them.

    Attributes
    ----------
    landscape : Landscape
    positions : ndarray, shape (n + 1, 2)
    losses : ndarray, shape (n + 1,)
    gradients : ndarray, shape (n + 1, 2)
    states : dict of str to ndarray, shape (n + 1, 2)
        The optimizer's memory under the name of its attribute (v, h, or m and v), zeros at first.
    diverged_at : int or None
        The step at which the position or the loss left the finite numbers; the record ends there.
    """

    landscape: Landscape
    positions: np.ndarray
    losses: np.ndarray
    gradients: np.ndarray
    states: dict[str, np.ndarray]
    diverged_at: int | None

    @property
    def steps(self):
        """Number of steps that were recorded."""
        return len(self.positions) - 1


class Record:
    """Collects what `descend` passes through and closes it as a Trajectory."""

    def __init__(self, landscape, optimizer, params):
        self.landscape, self.optimizer = landscape, optimizer
        self.positions, self.memories = [], []
        self.add(params)

    def add(self, params):
        """Keep a copy of this step; tell whether position and loss are still finite."""
        position = params["position"].copy()
        self.positions.append(position)
        self.memories.append(
            {
                name: memory["position"].copy()
                for name, memory in vars(self.optimizer).items()
                if isinstance(memory, dict) and "position" in memory
            }
        )
        return bool(np.isfinite(position).all() and np.isfinite(self.landscape(position)))

    def trajectory(self):
        """Return all that was added, as arrays."""
        positions = np.array(self.positions)
        losses = self.landscape(positions)
        finite = np.isfinite(positions[-1]).all() and np.isfinite(losses[-1])
        zeros = np.zeros_like(positions[0])
        states = {
            name: np.array([memory.get(name, zeros) for memory in self.memories])
            for name in self.memories[-1]
        }
        return Trajectory(
            landscape=self.landscape,
            positions=positions,
            losses=losses,
            gradients=self.landscape.gradient(positions),
            states=states,
            diverged_at=None if finite else len(positions) - 1,
        )


@np.errstate(all="ignore")
def descend(optimizer, landscape, start=None, steps=30):
    """Let an optimizer walk down a landscape and record every step.

    Parameters
    ----------
    optimizer : Optimizer
        A fresh one: it keeps its state, and a second descent would go on from there.
    landscape : Landscape
    start : array_like, shape (2,), optional
        The landscape's own start by default.
    steps : int
        At least 0.

    Returns
    -------
    Trajectory
        It ends early, with `diverged_at` set, where the descent leaves the finite numbers.

    Raises
    ------
    TypeError, ValueError
        If `start` is not one finite position or `steps` not a whole number of at least 0.
    """
    params = {"position": starting_point(landscape, start)}
    record = Record(landscape, optimizer, params)
    for _ in range(checked_steps(steps)):
        grads = {"position": landscape.gradient(params["position"])}
        optimizer.update(params, grads)
        if not record.add(params):
            break
    return record.trajectory()


def starting_point(landscape, start=None):
    """Return a fresh array of shape (2,): `start`, or the landscape's own."""
    position = checked_position("start", landscape.start if start is None else start).copy()
    if position.shape != (2,) or not np.isfinite(position).all():
        raise ValueError(f"start must be one finite position (x, y), got {start!r}")
    return position


def checked_steps(steps):
    """Return `steps` as an int of at least 0, or raise an error."""
    try:
        steps = index(steps)
    except TypeError:
        raise TypeError(f"steps must be a whole number, got {steps!r}") from None
    if steps < 0:
        raise ValueError(f"steps must be at least 0, got {steps}")
    return steps


@dataclass(frozen=True)
class Sweep:
    """Where a whole grid of descents ended.

    Attributes
    ----------
    grids : dict of str to ndarray
        The swept hyperparameters in the order of the axes.
    positions : ndarray, shape (..., 2)
        Last positions; the leading axes are those of the starts, if several, then of the grids.
    losses : ndarray, shape (...)
        Last losses; inf where the descent left the finite numbers.
    """

    grids: dict[str, np.ndarray]
    positions: np.ndarray
    losses: np.ndarray

    @property
    def best(self):
        """The swept hyperparameters, as a dict of floats, of the lowest last loss."""
        where = np.unravel_index(np.argmin(self.losses), self.losses.shape)
        own = where[len(where) - len(self.grids) :]
        return {
            name: float(grid[i]) for (name, grid), i in zip(self.grids.items(), own, strict=True)
        }


@np.errstate(all="ignore")
def sweep(rule, landscape, start=None, steps=30, **grids):
    """Run a rule over a whole grid of hyperparameters at once, by broadcasting.

    Parameters
    ----------
    rule : type of Optimizer, or callable that makes one from the keywords of `grids`
    landscape : Landscape
    start : array_like, shape (..., 2), optional
        One start or several; the landscape's own by default.
    steps : int
        At least 0.
    **grids : array_like, shape (n,) each
        Values of a hyperparameter; each keyword is one axis of the result, in the order given.

    Returns
    -------
    Sweep

    Raises
    ------
    TypeError, ValueError
        If `start`, `steps` or a grid is not of its form, or the rule does not accept a value.

    Examples
    --------
    >>> from helpers.landscapes import ravine
    >>> from helpers.optimizers import SGD
    >>> sweep(SGD, ravine, lr=[0.1, 0.95, 1.1]).best
    {'lr': 0.95}
    """
    grids = {name: _checked_grid(name, values) for name, values in grids.items()}
    starts = checked_position("start", landscape.start if start is None else start)
    steps = checked_steps(steps)
    blocks = [
        _sweep_block(rule, landscape, starts, steps, block) for block in _blocks(grids, starts)
    ]
    positions = np.concatenate(blocks, axis=starts.ndim - 1) if grids else blocks[0]
    losses = landscape(positions)
    finite = np.isfinite(losses) & np.isfinite(positions).all(axis=-1)
    return Sweep(grids, positions, np.where(finite, losses, np.inf))


def _blocks(grids, starts):
    """Split the first grid so that a block's arrays stay small enough to be reused from memory."""
    if not grids:
        return [grids]
    (first, values), *others = grids.items()
    positions = starts[..., 0].size * np.prod([len(grid) for grid in grids.values()])
    count = min(len(values), int(np.ceil(positions / POSITIONS_IN_A_BLOCK)))
    return [{first: part, **dict(others)} for part in np.array_split(values, count)]


def _sweep_block(rule, landscape, starts, steps, grids):
    """Return the last positions of one block, shape (starts..., grids..., 2)."""
    axes = dict(zip(grids, np.ix_(*grids.values()), strict=True))
    optimizer = rule(**{name: axis[..., np.newaxis] for name, axis in axes.items()})
    params = {"position": _grid_of_positions(starts, [len(grid) for grid in grids.values()])}
    for _ in range(steps):
        optimizer.update(params, {"position": landscape.gradient(params["position"])})
    return params["position"]


def _checked_grid(name, values):
    grid = np.asarray(values)
    if grid.ndim != 1 or grid.size == 0 or grid.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be a non-empty list of numbers, got {values!r}")
    return grid.astype(float)


def _grid_of_positions(starts, shape):
    """Return a copy of the starts for every point of the grid, shape (starts..., grid..., 2).

    All x lie together in memory, then all y: a slice of one coordinate is contiguous, and a rate
    of shape (..., 1) broadcasts over it in one go. This makes a sweep several times faster.
    """
    several = starts.reshape(starts.shape[:-1] + (1,) * len(shape) + (2,))
    coordinates = np.moveaxis(several, -1, 0)
    full = np.empty((2, *starts.shape[:-1], *shape))
    full[:] = coordinates
    return np.moveaxis(full, 0, -1)
