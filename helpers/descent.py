"""Walk down a landscape with an optimizer and record the way: one descent, or a whole grid."""

from dataclasses import dataclass

import numpy as np

from helpers import doors
from helpers.landscapes import Landscape

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


def recorded(loop):
    """Put a door before the taught loop: it checks what goes in and returns a Trajectory."""

    @np.errstate(all="ignore")
    def descend(optimizer, landscape, start=None, steps=30):
        place = {"position": doors.start(doors.landscape(landscape), start)}
        steps = doors.whole_number("steps", steps)
        doors.memory(doors.optimizer(optimizer), place)
        memories = [memory_of(optimizer)]
        watched = doors.Watched(optimizer, lambda _params: memories.append(memory_of(optimizer)))
        with doors.unchanged_on_error(optimizer, {}):
            path = loop(watched, landscape, place["position"], steps)
        return trajectory(landscape, path, memories)

    descend.__doc__ = loop.__doc__
    return descend


@recorded
def descend(optimizer, landscape, start, steps):
    """Let an optimizer walk down a landscape and record every step.

    Parameters
    ----------
    optimizer : object with `update(params, grads)`
        A fresh one: it keeps its memory, and a second descent goes on from there.
    landscape : Landscape
    start : array_like, shape (2,), optional
        The landscape's own start by default.
    steps : int
        At least 0; 30 by default.

    Returns
    -------
    Trajectory
        It ends early, with `diverged_at` set, where the descent leaves the finite numbers.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as above, or a hyperparameter of the optimizer not in its range. An
        error leaves the optimizer as it was.
    """
    params = {"position": np.array(start)}
    path = [params["position"].copy()]
    for _ in range(steps):
        grads = {"position": landscape.gradient(params["position"])}
        optimizer.update(params, grads)
        path.append(params["position"].copy())
    return np.array(path)


def memory_of(optimizer):
    """Return a copy of all that an optimizer remembers of the position, by name."""
    return {
        name: np.array(memory["position"], dtype=float)
        for name, memory in doors.attributes(optimizer).items()
        if isinstance(memory, dict) and np.shape(memory.get("position")) == (2,)
    }


def trajectory(landscape, path, memories):
    """Return a path and the memory after each of its steps as a Trajectory."""
    losses = landscape(path)
    finite = np.isfinite(losses) & np.isfinite(path).all(axis=-1)
    diverged_at = None if finite.all() else int(finite.argmin())
    if diverged_at is not None:
        path, losses = path[: diverged_at + 1], losses[: diverged_at + 1]
    memories = memories[: len(path)]
    states = {
        name: np.array([memory.get(name, (0.0, 0.0)) for memory in memories])
        for name in memories[-1]
    }
    return Trajectory(landscape, path, losses, landscape.gradient(path), states, diverged_at)


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
        """The swept hyperparameters, as a dict of floats, of the lowest last loss.

        Raises
        ------
        ValueError
            If every descent left the finite numbers.
        """
        if not np.isfinite(self.losses).any():
            raise ValueError(
                "best must be among descents that stay finite, and all of these diverged"
            )
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
    rule : class of optimizers, or callable that makes one from the keywords of `grids`
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
    doors.rule(rule)
    grids = {name: doors.numbers(name, values, ("n",)) for name, values in grids.items()}
    starts = doors.start(doors.landscape(landscape), start, (..., 2))
    steps = doors.whole_number("steps", steps)
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
    optimizer = doors.optimizer(rule(**{name: axis[..., None] for name, axis in axes.items()}))
    params = {"position": _grid_of_positions(starts, [len(grid) for grid in grids.values()])}
    for _ in range(steps):
        optimizer.update(params, {"position": landscape.gradient(params["position"])})
    return params["position"]


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
