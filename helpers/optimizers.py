"""The four rules of the lecture, each as short as its formula: SGD, Momentum, AdaGrad, Adam.

A rule changes `params`, a dict of float arrays, in place, given `grads`, a dict with the same
keys and shapes. Every operation is elementwise and broadcasts, so a learning rate may be a
number or an array. `Optimizer`, from which they inherit, only checks what it is handed.
"""

from functools import wraps

import numpy as np

# What each hyperparameter may be: a test, and its description for the error.
ACCEPTED = {
    "lr": (lambda value: value >= 0, "at least 0"),
    "momentum": (lambda value: value >= 0, "at least 0"),
    "beta1": (lambda value: (value >= 0) & (value < 1), "at least 0 and below 1"),
    "beta2": (lambda value: (value >= 0) & (value < 1), "at least 0 and below 1"),
    "eps": (lambda value: value >= 0, "at least 0"),
}

MEMORY = ("m", "v", "h")
ARRAY = np.ndarray | np.generic  # an operation on arrays of shape () gives a numpy number


class Optimizer:
    """Check the hyperparameters that a rule stores and the arrays that its `update` gets.

    Raises
    ------
    TypeError
        If a hyperparameter is not a number or array of numbers, or `params` and `grads` are not
        dicts of floating-point arrays.
    ValueError
        If a hyperparameter is out of its range, or `params` and `grads` differ in keys or shapes.
    """

    def __init_subclass__(cls):
        """Put the check of the arrays before the update of every rule."""
        if "update" in vars(cls):
            cls.update = _checking_arrays(cls.update)

    def __setattr__(self, name, value):
        if name in ACCEPTED:
            check_hyperparameter(name, value)
        object.__setattr__(self, name, value)


def check_hyperparameter(name, value):
    """Raise an error unless `value`, a number or an array, is accepted for `name`."""
    in_range, description = ACCEPTED[name]
    if not (np.isscalar(value) or isinstance(value, np.ndarray)) or not holds_numbers(value):
        raise TypeError(f"{name} must be a number or an array of numbers, got {value!r}")
    if not np.all(np.isfinite(value) & in_range(value)):
        raise ValueError(f"{name} must be finite and {description}, got {value!r}")


def holds_numbers(array):
    """Tell whether an array, or what numpy makes of a number, holds integers or floats."""
    return np.asarray(array).dtype.kind in "iuf"


def _checking_arrays(update):
    @wraps(update)
    def checked_update(self, params, grads):
        check_arrays(params, grads)
        check_memory(self, params)
        return update(self, params, grads)

    return checked_update


def check_arrays(params, grads):
    """Raise an error unless `grads` fits `params` and the step can be held in place."""
    if not (isinstance(params, dict) and isinstance(grads, dict)):
        raise TypeError(
            "params and grads must be dicts of arrays, "
            f"got {type(params).__name__} and {type(grads).__name__}"
        )
    if params.keys() != grads.keys():
        raise ValueError(f"grads must have the keys of params, {list(params)}, got {list(grads)}")
    for key, param in params.items():
        if not (isinstance(param, np.ndarray) and param.dtype.kind == "f"):
            raise TypeError(
                f"params[{key!r}] must be an array of floats, which a step can change in place, "
                f"got {_kind(param)}; write np.array(..., dtype=float)"
            )
        if np.shape(grads[key]) != param.shape:
            raise ValueError(
                f"grads[{key!r}] must have the shape of params[{key!r}], {param.shape}, "
                f"got {np.shape(grads[key])}"
            )
        if not (isinstance(grads[key], ARRAY) and grads[key].dtype.kind in "iuf"):
            raise TypeError(f"grads[{key!r}] must be an array of numbers, got {_kind(grads[key])}")


def _kind(array):
    return getattr(array, "dtype", type(array).__name__)


def check_memory(optimizer, params):
    """Raise an error if the optimizer's memory is of other params, which it would mix with these.

    The memory of the rules of the lecture is looked at; what else a learner stores is free.
    """
    for name in MEMORY:
        memory = getattr(optimizer, name, None)
        if isinstance(memory, dict) and _shapes(memory) != _shapes(params):
            raise ValueError(
                f"params must have the keys and shapes of the optimizer's memory {name}, "
                f"{_shapes(memory)}, got {_shapes(params)}; make a new optimizer for other params"
            )


def _shapes(arrays):
    return {key: np.shape(array) for key, array in arrays.items()}


def zeros_like(params):
    """Return a dict of zeros with the keys and shapes of `params`."""
    return {key: np.zeros_like(param) for key, param in params.items()}


class SGD(Optimizer):
    """Gradient descent: θ ← θ - η g.

    Stochastic when each gradient comes from a mini-batch (Robbins and Monro, 1951).

    Parameters
    ----------
    lr : float or array
        Learning rate η, at least 0.
    """

    def __init__(self, lr=0.01):
        self.lr = lr

    def update(self, params, grads):
        """Change `params` (dict of float arrays) in place, given `grads` of the same shapes."""
        for key in params:
            params[key] -= self.lr * grads[key]


class Momentum(Optimizer):
    """Momentum in the sum form: v ← α v - η g, θ ← θ + v (Polyak, 1964).

    Under a constant gradient the velocity tends to -η g / (1 - α).

    Parameters
    ----------
    lr : float or array
        Learning rate η, at least 0.
    momentum : float or array
        Friction factor α, at least 0; the velocity dies out only below 1.

    Attributes
    ----------
    v : dict of arrays, or None before the first update
        Velocity: the last step.
    """

    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self.v = lr, momentum, None

    def update(self, params, grads):
        """Change `params` (dict of float arrays) in place, given `grads` of the same shapes."""
        if self.v is None:
            self.v = zeros_like(params)
        for key in params:
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]


class AdaGrad(Optimizer):
    """AdaGrad: h ← h + g², θ ← θ - η g / (√h + ε) (Duchi, Hazan and Singer, 2011).

    Parameters
    ----------
    lr : float or array
        Learning rate η, at least 0.
    eps : float
        ε, outside the root; keeps 0 / 0 from happening.

    Attributes
    ----------
    h : dict of arrays, or None before the first update
        Sum of all squared gradients so far, one for each parameter.
    """

    def __init__(self, lr=0.01, eps=1e-7):
        self.lr, self.eps, self.h = lr, eps, None

    def update(self, params, grads):
        """Change `params` (dict of float arrays) in place, given `grads` of the same shapes."""
        if self.h is None:
            self.h = zeros_like(params)
        for key in params:
            self.h[key] += grads[key] ** 2
            params[key] -= self.lr * grads[key] / (np.sqrt(self.h[key]) + self.eps)


class Adam(Optimizer):
    """Adam, Algorithm 1 of Kingma and Ba (arXiv 1412.6980).

    m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²,
    m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ),  θ ← θ - η m̂ / (√v̂ + ε).

    Parameters
    ----------
    lr : float or array
        Learning rate η (the paper's α), at least 0: about the largest step of a parameter.
    beta1, beta2 : float or array
        Decay rates of the two moving averages, at least 0 and below 1.
    eps : float
        ε, outside the root and after the correction.

    Attributes
    ----------
    m, v : dicts of arrays, or None before the first update
        First moment (average gradient) and second moment (average squared gradient).
    t : int
        Number of updates so far.
    """

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.m, self.v, self.t = None, None, 0

    def update(self, params, grads):
        """Change `params` (dict of float arrays) in place, given `grads` of the same shapes."""
        if self.m is None:
            self.m, self.v = zeros_like(params), zeros_like(params)
        self.t += 1
        for key in params:
            self.m[key] = self.beta1 * self.m[key] + (1 - self.beta1) * grads[key]
            self.v[key] = self.beta2 * self.v[key] + (1 - self.beta2) * grads[key] ** 2
            m_hat = self.m[key] / (1 - self.beta1**self.t)
            v_hat = self.v[key] / (1 - self.beta2**self.t)
            params[key] -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
