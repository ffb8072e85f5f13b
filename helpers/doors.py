"""The doors: what a learner hands over is looked at here, once, before anything is computed.

The taught classes and loops are bare. `descend`, `sweep`, `train`, `race` and the explorers hand
what they get to these functions, which return it or raise an error with the argument's name, the
value and what is accepted.
"""

from collections.abc import Mapping
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
    "decay": (lambda value: value >= 0, "at least 0"),
    "scale": (lambda value: value >= 0, "at least 0"),
}

# What a shape means, for the error.
FORMS = {
    (): "one number",
    (2,): "two numbers",
    ("n",): "a non-empty list of numbers",
    (..., 2): "(x, y), or an array of shape (..., 2)",
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


def numbers(name, value, shape):
    """Return `value` as an array of floats of a shape.

    In `shape` a word stands for any length from 1 on, and `...` for any axes before the others.
    """
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        array = np.array(None)
    is_numeric = holds_numbers(array)
    if is_numeric and _fits(array.shape, shape):
        return array.astype(float, copy=False)
    words = str(shape).replace("'", "").replace("Ellipsis", "...")
    form = FORMS.get(shape, f"numbers of shape {words}")
    got = shown(value) if array.size < 9 else f"shape {array.shape}"
    raise (ValueError if is_numeric else TypeError)(f"{name} must be {form}, got {got}")


def _fits(shape, wanted):
    if wanted[:1] == (...,):
        shape, wanted = shape[1 - len(wanted) :], wanted[1:]
    if len(shape) != len(wanted):
        return False
    for length, each in zip(shape, wanted, strict=True):
        if length != each and not (isinstance(each, str) and length):
            return False
    return True


def finite(name, value, shape):
    """Return `value` as an array of finite floats of a shape."""
    array = numbers(name, value, shape)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got {shown(value)}")
    return array


def number(name, value):
    """Return `value` as one finite float."""
    return float(finite(name, value, ()))


def positions(name, value, *others):
    """Return `value` as a float array of shape (..., 2)."""
    if others:
        raise TypeError(f"{name} must be one argument, as in f([x, y]), got {(value, *others)}")
    if isinstance(value, np.ndarray) and value.dtype == float and value.shape[-1:] == (2,):
        return value  # soon, since every step of a descent comes through here
    return numbers(name, value, (..., 2))


def start(landscape, value=None, shape=(2,)):
    """Return one finite start, or several, as an array; by default the landscape's own."""
    return finite("start", landscape.start if value is None else value, shape)


def interval(name, value, shape=(2,)):
    """Return `value`, (low, high) or several of them, in finite floats."""
    ends = finite(name, value, shape)
    if not (ends[..., 0] < ends[..., 1]).all():
        raise ValueError(f"{name} must have min < max, got {value!r}")
    return ends.tolist()


def window(value):
    """Return `value` as ((x_min, x_max), (y_min, y_max)) in finite floats."""
    sides = interval("window ((x_min, x_max), (y_min, y_max))", value, (2, 2))
    return tuple(map(tuple, sides))


def holds_numbers(array):
    """Tell whether an array, or what numpy makes of a number, holds integers or floats."""
    return np.asarray(array).dtype.kind in "iuf"


def named(name, value, shape=None, least=0):
    """Return a dict of names; with a shape, what it names as arrays. None is an empty one."""
    value = {} if value is None else value
    if not isinstance(value, Mapping) or len(value) < least:
        raise TypeError(f"{name} must be a dict of names to values, got {shown(value)}")
    if shape is None:
        return value
    return {key: numbers(f"{name}[{key!r}]", each, shape) for key, each in value.items()}


def one_of(name, value, accepted):
    """Return `value` if it is one of those accepted."""
    if value not in list(accepted):  # a list, too, can be looked for there
        raise ValueError(f"{name} must be one of {list(accepted)}, got {value!r}")
    return value


def function(name, value):
    """Return `value` if it can be called."""
    if not callable(value):
        raise TypeError(f"{name} must be a function, got {value!r}")
    return value


def shown(value):
    """Return a value as an error shows it: as Python writes it, if that is short."""
    text = repr(value)
    return text if len(text) < 200 else f"an object of {type(value).__name__}"


def landscape(value):
    """Return `value` if it is a landscape."""
    if not (callable(value) and hasattr(value, "gradient") and hasattr(value, "start")):
        raise TypeError(
            "landscape must be a Landscape, such as ravine or from_function(...), "
            f"got {shown(value)}"
        )
    return value


def network(value):
    """Return `value` if it is a network."""
    if not isinstance(getattr(value, "params", None), dict) or not hasattr(value, "gradient"):
        raise TypeError(
            f"network must be one such as MultilayerPerceptron((64, 50, 10)), got {value!r}"
        )
    return value


def digits(value):
    """Return `value` if it has training, validation and test images."""
    if not all(hasattr(value, part) for part in ("train", "validation", "test")):
        raise TypeError(f"digits must be Digits, as of load_digits(), got {shown(value)}")
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
        if not (isinstance(grad, ARRAY) and holds_numbers(grad)):
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
