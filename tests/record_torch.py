"""Record what PyTorch's optimizers do: writes torch_trajectories.npz.

test_optimizers.py compares the lecture's four rules with it, test_exercises.py the solutions,
test_practice.py the rules of notebook 9.

Run it by hand, with torch installed (it is no dependency of the tests):

    python tests/record_torch.py

It imports nothing from helpers: torch derives the gradients from the formulas written here, so
the record says nothing that helpers have said before. All in float64, on the CPU.
"""

import json
from pathlib import Path

import numpy as np
import torch

RULES = {
    "SGD": lambda params, lr: torch.optim.SGD(params, lr=lr),
    "Momentum": lambda params, lr: torch.optim.SGD(params, lr=lr, momentum=0.9),
    "AdaGrad": lambda params, lr: torch.optim.Adagrad(params, lr=lr, eps=1e-7),
    "Adam": lambda params, lr: torch.optim.Adam(params, lr=lr, betas=(0.9, 0.999), eps=1e-8),
    "RMSProp": lambda params, lr: torch.optim.RMSprop(params, lr=lr, alpha=0.9, eps=1e-7),
    "Nesterov": lambda params, lr: torch.optim.SGD(params, lr=lr, momentum=0.9, nesterov=True),
    "AMSGrad": lambda params, lr: torch.optim.Adam(params, lr=lr, amsgrad=True),
    "AdamW": lambda params, lr: torch.optim.AdamW(params, lr=lr, weight_decay=0.5),
    "Muon": lambda params, lr: torch.optim.Muon(params, lr=lr, weight_decay=0),
}

# Formula, start, steps, learning rates.
SCENES = {
    "ravine": (
        lambda x, y: x**2 / 20 + y**2,
        (-7.0, 2.0),
        30,
        {"SGD": 0.95, "Momentum": 0.1, "AdaGrad": 1.5, "Adam": 0.3},
    ),
    "Rosenbrock": (
        lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
        (-1.2, 1.0),
        60,
        {"SGD": 0.001, "Momentum": 0.0002, "AdaGrad": 0.3, "Adam": 0.1},
    ),
    "Himmelblau": (
        lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
        (0.0, 0.0),
        60,
        {"SGD": 0.01, "Momentum": 0.001, "AdaGrad": 0.5, "Adam": 0.2},
    ),
}

SHAPES = {"number": (), "vector": (3,), "matrix": (2, 3), "tensor": (2, 1, 3)}
DICT_RATES = {"SGD": 0.1, "Momentum": 0.02, "AdaGrad": 0.1, "Adam": 0.01}
DICT_RATES |= {"RMSProp": 0.01, "Nesterov": 0.02, "AMSGrad": 0.01, "AdamW": 0.01}
MUON_RATE = 0.02
DICT_STEPS = 50


def walk(rule, lr, formula, start, steps):
    """Return the positions of one descent, shape (steps + 1, 2)."""
    position = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = RULES[rule]([position], lr)
    positions = [position.detach().numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        formula(*position).backward()
        optimizer.step()
        positions.append(position.detach().numpy().copy())
    return np.array(positions)


def follow(rule, lr, params, grads):
    """Return what `params` become under the listed gradients, a dict of (steps, ...) arrays."""
    tensors = {key: torch.tensor(param, requires_grad=True) for key, param in params.items()}
    optimizer = RULES[rule](list(tensors.values()), lr)
    passed = {key: [] for key in params}
    for step in range(DICT_STEPS):
        for key, tensor in tensors.items():
            tensor.grad = torch.tensor(grads[key][step])
        optimizer.step()
        for key, tensor in tensors.items():
            passed[key].append(tensor.detach().numpy().copy())
    return {key: np.array(arrays) for key, arrays in passed.items()}


def gradients_of_all_sizes(shape, rng):
    """Return gradients of both signs from 1e-6 to 10, evenly on a log scale."""
    return rng.choice([-1.0, 1.0], shape) * 10 ** rng.uniform(-6, 1, shape)


def main():
    rng = np.random.default_rng(20)
    params = {key: np.array(rng.normal(size=shape)) for key, shape in SHAPES.items()}
    grads = {
        key: gradients_of_all_sizes((DICT_STEPS, *shape), rng) for key, shape in SHAPES.items()
    }
    arrays = {f"params/{key}": param for key, param in params.items()}
    arrays |= {f"grads/{key}": grad for key, grad in grads.items()}
    for rule, lr in DICT_RATES.items():
        for key, passed in follow(rule, lr, params, grads).items():
            arrays[f"dict/{rule}/{key}"] = passed
    matrix = {"matrix": params["matrix"]}  # Muon takes nothing else
    arrays["Muon/matrix"] = follow("Muon", MUON_RATE, matrix, grads)["matrix"]
    torch.Tensor.bfloat16 = torch.Tensor.double  # Muon rounds to 16 bits inside: once without
    arrays["Muon/matrix in 64 bits"] = follow("Muon", MUON_RATE, matrix, grads)["matrix"]
    for scene, (formula, start, steps, rates) in SCENES.items():
        for rule, lr in rates.items():
            arrays[f"{scene}/{rule}"] = walk(rule, lr, formula, start, steps)
    about = {
        "torch": torch.__version__,
        "rates": {"dict": DICT_RATES, "Muon": MUON_RATE}
        | {scene: rates for scene, (*_, rates) in SCENES.items()},
    }
    path = Path(__file__).with_name("torch_trajectories.npz")
    np.savez_compressed(path, about=json.dumps(about), **arrays)
    print(f"{path.name}: torch {torch.__version__}, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
