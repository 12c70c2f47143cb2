"""Ten updates of each optimizer by PyTorch, float64, on given gradients: writes
fixtures/optimizers.json. Run with Debian's python3-torch (1.13):

    /usr/bin/python3 test/parity/optimizers.py
"""

import json
import pathlib

import torch

from dyadic import dyadics

ELEMENTS = 7
UPDATES = 10

# Our name, our hyperparameters, PyTorch's class and arguments. The rate rises at every update where
# "ramp" is set, so that a rule that keeps the rate inside a buffer shows.
CASES = [
    ("sgd", {"learningRate": 0.1}, torch.optim.SGD, {}),
    ("sgd", {"learningRate": 0.1, "weightDecay": 0.01}, torch.optim.SGD, {"weight_decay": 0.01}),
    ("sgd", {"learningRate": 0.1, "momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
    (
        "sgd",
        {"learningRate": 0.1, "momentum": 0.9, "dampening": 0.3, "weightDecay": 0.01},
        torch.optim.SGD,
        {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01},
    ),
    (
        "sgd",
        {"learningRate": 0.1, "momentum": 0.9, "nesterov": 1, "weightDecay": 0.01},
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    ),
    ("adagrad", {"learningRate": 0.1}, torch.optim.Adagrad, {}),
    (
        "adagrad",
        {"learningRate": 0.1, "learningRateDecay": 0.2, "initialAccumulator": 0.5, "weightDecay": 0.01},
        torch.optim.Adagrad,
        {"lr_decay": 0.2, "initial_accumulator_value": 0.5, "weight_decay": 0.01},
    ),
    ("adadelta", {"learningRate": 1}, torch.optim.Adadelta, {}),
    (
        "adadelta",
        {"learningRate": 0.5, "rho": 0.8, "epsilon": 1e-4, "weightDecay": 0.01},
        torch.optim.Adadelta,
        {"rho": 0.8, "eps": 1e-4, "weight_decay": 0.01},
    ),
    ("rmsprop", {"learningRate": 0.01}, torch.optim.RMSprop, {}),
    (
        "rmsprop",
        {"learningRate": 0.01, "alpha": 0.9, "momentum": 0.9, "weightDecay": 0.01},
        torch.optim.RMSprop,
        {"alpha": 0.9, "momentum": 0.9, "weight_decay": 0.01},
    ),
    (
        "rmsprop",
        {"learningRate": 0.01, "momentum": 0.5, "centered": 1},
        torch.optim.RMSprop,
        {"momentum": 0.5, "centered": True},
    ),
    ("adam", {"learningRate": 0.01}, torch.optim.Adam, {}),
    (
        "adam",
        {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": 0.01},
        torch.optim.Adam,
        {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.01},
    ),
    ("adamax", {"learningRate": 0.01}, torch.optim.Adamax, {}),
    (
        "adamax",
        {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": 0.01},
        torch.optim.Adamax,
        {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.01},
    ),
]


def run(optimizer_class, rate, arguments, ramp):
    parameter = torch.tensor(dyadics(ELEMENTS, 0), dtype=torch.float64, requires_grad=True)
    optimizer = optimizer_class([parameter], lr=rate, **arguments)
    after = []
    for update in range(UPDATES):
        for group in optimizer.param_groups:
            group["lr"] = rate * (1 + ramp * update)
        parameter.grad = torch.tensor(dyadics(ELEMENTS, 1 + update), dtype=torch.float64)
        optimizer.step()
        after.append(parameter.tolist())
    return after


def clipped(limit):
    """Two parameters under one norm, plain SGD."""
    parameters = [
        torch.tensor(dyadics(ELEMENTS, salt), dtype=torch.float64, requires_grad=True)
        for salt in (0, 100)
    ]
    optimizer = torch.optim.SGD(parameters, lr=0.1)
    for update in range(UPDATES):
        for parameter, salt in zip(parameters, (1, 101)):
            parameter.grad = torch.tensor(dyadics(ELEMENTS, salt + update), dtype=torch.float64)
        torch.nn.utils.clip_grad_norm_(parameters, limit)
        optimizer.step()
    return [parameter.tolist() for parameter in parameters]


cases = []
for name, hyperparameters, optimizer_class, arguments in CASES:
    for ramp in (0, 0.25):
        rate = hyperparameters["learningRate"]
        after = run(optimizer_class, rate, arguments, ramp)
        cases.append(
            {
                "name": name,
                "hyperparameters": hyperparameters,
                "ramp": ramp,
                "after": {"1": after[0], "2": after[1], "10": after[9]},
            }
        )

# 1.0 clips every one of these gradients (their norms are about 2), 2.2 some of them.
fixture = {
    "torch": torch.__version__,
    "elements": ELEMENTS,
    "updates": UPDATES,
    "cases": cases,
    "clipped": [{"clip": limit, "after": clipped(limit)} for limit in (1.0, 2.2)],
}
path = pathlib.Path(__file__).parent / "fixtures" / "optimizers.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
print(f"{len(cases)} cases, {path.stat().st_size} bytes, torch {torch.__version__}")
