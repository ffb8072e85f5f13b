"""The four rules of the lecture, each as short as its formula: SGD, Momentum, AdaGrad, Adam.

A rule changes `params`, a dict of float arrays, in place, given `grads`, a dict with the same
keys and shapes. Every operation is elementwise and broadcasts, so a learning rate may be a
number or an array. What goes in is checked where it enters: by `descend`, `sweep`, `train` and
`race` (see `helpers.doors`).
"""

import numpy as np


def zeros_like(params):
    """Return a dict of zeros with the keys and shapes of `params`."""
    return {key: np.zeros_like(param) for key, param in params.items()}


class SGD:
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


class Momentum:
    """Momentum in the sum form: v ← α v - η g, θ ← θ + v (Polyak, 1964).

    Under a constant gradient the velocity tends to -η g / (1 - α).

    Parameters
    ----------
    lr : float or array
        Learning rate η, at least 0.
    momentum : float or array
        Momentum coefficient α, at least 0; the velocity dies out only below 1.

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


class AdaGrad:
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


class Adam:
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
