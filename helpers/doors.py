"""The doors: what a learner hands over is looked at here, once, before anything is computed.

The taught classes and loops are bare. `descend`, `sweep`, `train`, `race` and the explorers hand
what they get to these functions, which return it or raise an error with the argument's name, the
value and what is accepted.
"""

from contextlib import contextmanager
from copy import deepcopy
from numbers import Integral

import numpy as np

# What each hyperparameter may be: a test, and its description for the error.
HYPERPARAMETERS = {
    "lr": (lambda value: value >= 0, "at least 0"),
    "momentum": (lambda value: value >= 0, "at least 0"),
    "beta1": (lambda value: (value >= 0) & (value < 1), "at least 0 and below 1"),
    "beta2": (lambda value: (value >= 0) & (value < 1), "at least 0 and below 1"),
    "eps": (lambda value: value >= 0, "at least 0"),
}

MEMORY = ("m", "v", "h")
ARRAY = np.ndarray | np.generic  # an operation on arrays of shape () gives a numpy number


# ---- Numbers and places -------------------------------------------------------------------------


def whole_number(name, value, lowest=0):
    """Return `value` as an int of at least `lowest`."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be a whole number, got {value!r}")
    if value < lowest:
        raise ValueError(f"{name} must be at least {lowest}, got {value}")
    return int(value)


def positions(name, value):
    """Return `value` as a float array of shape (..., 2)."""
    try:
        array = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must hold numbers, got {value!r}") from None
    if array.ndim == 0 or array.shape[-1] != 2:
        raise ValueError(f"{name} must have shape (..., 2), that is (x, y), got {array.shape}")
    return array


def position(name, value):
    """Return `value` as a fresh array of shape (2,): one finite position."""
    array = positions(name, value)
    if array.shape != (2,) or not np.isfinite(array).all():
        raise ValueError(f"{name} must be one finite position (x, y), got {value!r}")
    return array.copy()


def starts(landscape, value=None):
    """Return a fresh array of finite starts, shape (..., 2); by default the landscape's own."""
    array = positions("start", landscape.start if value is None else value)
    if not np.isfinite(array).all():
        raise ValueError(f"start must be finite, got {value!r}")
    return array.copy()


def start(landscape, value=None):
    """Return a fresh array of shape (2,): one finite start, by default the landscape's own."""
    return position("start", landscape.start if value is None else value)


def window(value):
    """Return `value` as ((x_min, x_max), (y_min, y_max)) in finite floats."""
    try:
        (x_min, x_max), (y_min, y_max) = ((float(low), float(high)) for low, high in value)
    except (TypeError, ValueError):
        raise ValueError(
            f"window must be ((x_min, x_max), (y_min, y_max)), got {value!r}"
        ) from None
    if not (x_min < x_max and y_min < y_max and np.isfinite([x_min, x_max, y_min, y_max]).all()):
        raise ValueError(f"window must have min < max on both axes, all finite, got {value!r}")
    return (x_min, x_max), (y_min, y_max)


def grid(name, values):
    """Return `values` as a float array of shape (n,), n at least 1."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or not holds_numbers(array):
        raise ValueError(f"{name} must be a non-empty list of numbers, got {values!r}")
    return array.astype(float)


def holds_numbers(array):
    """Tell whether an array, or what numpy makes of a number, holds integers or floats."""
    return np.asarray(array).dtype.kind in "iuf"


def landscape(value):
    """Return `value` if it is a landscape."""
    if not (callable(value) and hasattr(value, "gradient") and hasattr(value, "start")):
        raise TypeError(
            f"landscape must be a Landscape, such as ravine or from_function(...), got {value!r}"
        )
    return value


# ---- Optimizers ---------------------------------------------------------------------------------


def optimizer(value):
    """Return `value` if it is an object with `update` and accepted hyperparameters."""
    if isinstance(value, type):
        raise TypeError(
            f"optimizer must be an object, got the class {value.__name__}; "
            f"make one: {value.__name__}(lr=0.1)"
        )
    if not callable(getattr(value, "update", None)) or isinstance(value, dict | set):
        raise TypeError(
            f"optimizer must have a method update(params, grads), as SGD(lr=0.1) has, got {value!r}"
        )
    for name, stored in attributes(value).items():
        if name in HYPERPARAMETERS:
            hyperparameter(name, stored)
    return value


def rule(value):
    """Return `value` if it makes optimizers: a class, or a function of hyperparameters."""
    if callable(value):
        return value
    kind = type(value).__name__
    meant = f"; hand over the class itself, {kind}" if hasattr(value, "update") else ""
    raise TypeError(
        f"rule must be a class of optimizers, such as SGD, or a function that makes one, "
        f"got an object of {kind}{meant}"
    )


def hyperparameter(name, value):
    """Return `value`, a number or an array, if it is accepted for `name`."""
    in_range, description = HYPERPARAMETERS[name]
    if not (np.isscalar(value) or isinstance(value, np.ndarray)) or not holds_numbers(value):
        raise TypeError(f"{name} must be a number or an array of numbers, got {value!r}")
    if not np.all(np.isfinite(value) & in_range(value)):
        raise ValueError(f"{name} must be finite and {description}, got {value!r}")
    return value


def attributes(optimizer):
    """Return what an object stores, by name; also of a class with `__slots__`."""
    state = optimizer.__getstate__()
    plain, slots = state if isinstance(state, tuple) else (state, None)
    return {**(plain or {}), **(slots or {})}


def arrays(params, grads):
    """See that `grads` fits `params` and that a step can change these in place."""
    if not (isinstance(params, dict) and isinstance(grads, dict)):
        raise TypeError(
            "params and grads must be dicts of arrays, "
            f"got {type(params).__name__} and {type(grads).__name__}"
        )
    if params.keys() != grads.keys():
        raise ValueError(f"grads must have the keys of params, {list(params)}, got {list(grads)}")
    for key, param in params.items():
        grad = grads[key]
        if not (isinstance(param, np.ndarray) and param.dtype.kind == "f"):
            raise TypeError(
                f"params[{key!r}] must be an array of floats, which a step can change in place, "
                f"got {_kind(param)}; write np.array(..., dtype=float)"
            )
        if np.shape(grad) != param.shape:
            raise ValueError(
                f"grads[{key!r}] must have the shape of params[{key!r}], {param.shape}, "
                f"got {np.shape(grad)}"
            )
        if not (isinstance(grad, ARRAY) and grad.dtype.kind in "iuf"):
            raise TypeError(f"grads[{key!r}] must be an array of numbers, got {_kind(grad)}")


def _kind(array):
    return getattr(array, "dtype", type(array).__name__)


def memory(optimizer, params):
    """See that the memory of a used optimizer is of these params, not of others.

    The memory of the rules of the lecture is looked at; what else a learner stores is free.
    """
    for name in MEMORY:
        kept = getattr(optimizer, name, None)
        if isinstance(kept, dict) and kept and _shapes(kept) != _shapes(params):
            raise ValueError(
                f"params must have the keys and shapes of the optimizer's memory {name}, "
                f"{_shapes(kept)}, got {_shapes(params)}; make a new optimizer for other params"
            )


def _shapes(arrays):
    return {key: np.shape(array) for key, array in arrays.items()}


class Watched:
    """An optimizer whose every update is checked before and looked at after.

    Parameters
    ----------
    optimizer : object with `update(params, grads)`
    look : callable
        Called after each update, with the params.

    Raises
    ------
    TypeError, ValueError
        At an update whose arrays do not fit; params and optimizer are then as they were.
    """

    def __init__(self, optimizer, look):
        self.optimizer, self.look = optimizer, look

    def update(self, params, grads):
        """Update, between a check and a look."""
        arrays(params, grads)
        self.optimizer.update(params, grads)
        self.look(params)


@contextmanager
def unchanged_on_error(optimizer, params):
    """Give an optimizer and its params back as they were, should an error come in between."""
    before = {name: _kept(value) for name, value in attributes(optimizer).items()}
    arrays_before = {key: (array, np.copy(array)) for key, array in params.items()}
    try:
        yield
    except Exception:
        for name in attributes(optimizer).keys() - before.keys():
            delattr(optimizer, name)
        for name, value in before.items():
            setattr(optimizer, name, value)
        for key, (array, values) in arrays_before.items():
            array[...] = values
            params[key] = array
        raise


def _kept(value):
    """Return a value that later changes in place leave alone, if it is a dict or an array."""
    return deepcopy(value) if isinstance(value, dict | np.ndarray) else value
