"""The conformance vectors of conformance/optimizers/: ten updates of each optimizer in float64 on
given gradients. From PyTorch where 1.13 is right; its NAdam is not, and of those that it does not
have the formulas of papers and authors are written out here and in optimizer_rules.py. Run with a
Python that has PyTorch:

    /usr/bin/python3 test/parity/optimizer_vectors.py
"""

import json
import math
import pathlib

import torch

import optimizer_rules
from dyadic import dyadics

UPDATES = 10
# A weight and a bias: their rules differ where biases are excluded.
SHAPES = {"weight": [2, 3], "bias": [3]}
# Rules of matrices meet a wide one, a tall one and a convolution's.
MATRIX_SHAPES = {"weight": [2, 3], "tall": [4, 2], "convolution": [3, 2, 2, 1], "bias": [3]}
SIZES = {name: math.prod(shape) for name, shape in SHAPES.items()}
START = {name: dyadics(size, 100 * i) for i, (name, size) in enumerate(SIZES.items())}
GRADIENTS = [
    {name: dyadics(size, 100 * i + 1 + update) for i, (name, size) in enumerate(SIZES.items())}
    for update in range(UPDATES)
]


def by_torch(optimizer_class, exclude=False, **arguments):
    """With exclude, the bias is in a group of its own that does not decay."""

    def run(rates):
        tensors = {
            name: torch.tensor(values, dtype=torch.float64).reshape(SHAPES[name]).requires_grad_()
            for name, values in START.items()
        }
        groups = [
            {"params": [tensor], **({"weight_decay": 0} if exclude and tensor.dim() < 2 else {})}
            for tensor in tensors.values()
        ]
        optimizer = optimizer_class(groups, lr=rates[0], **arguments)
        after = []
        for rate, gradients in zip(rates, GRADIENTS):
            for group in optimizer.param_groups:
                group["lr"] = rate
            for name, tensor in tensors.items():
                tensor.grad = torch.tensor(gradients[name], dtype=torch.float64).reshape(SHAPES[name])
            optimizer.step()
            after.append({name: tensor.flatten().tolist() for name, tensor in tensors.items()})
        return after

    return run, f"torch.optim.{optimizer_class.__name__}, PyTorch {torch.__version__.split('+')[0]}"


def by_formula(rule, source, **arguments):
    """rule(p, g, state, rate, t, is_weight, ...) gives the new parameter, for one tensor."""

    def run(rates):
        parameters = {name: list(values) for name, values in START.items()}
        states = {name: {} for name in START}
        after = []
        for t, (rate, gradients) in enumerate(zip(rates, GRADIENTS), 1):
            for name in parameters:
                is_weight = len(SHAPES[name]) > 1
                parameters[name] = rule(
                    parameters[name], gradients[name], states[name], rate, t, is_weight, **arguments
                )
            after.append({name: list(values) for name, values in parameters.items()})
        return after

    return run, source


def mean(state, name, beta, values):
    """The exponential mean of that name, brought up to date."""
    old = state.get(name, [0.0] * len(values))
    state[name] = [beta * a + (1 - beta) * b for a, b in zip(old, values)]
    return state[name]


def norm(values):
    return math.sqrt(math.fsum(x * x for x in values))


def nadam(p, g, state, rate, t, is_weight, b1=0.9, b2=0.999, eps=1e-8, wd=0, psi=4e-3, decoupled=False):
    def mu(i):
        return b1 * (1 - 0.5 * 0.96 ** (i * psi))

    if decoupled:
        p = [x * (1 - rate * wd) for x in p]
    else:
        g = [y + wd * x for x, y in zip(p, g)]
    m, v = mean(state, "m", b1, g), mean(state, "v", b2, [y * y for y in g])
    product = math.prod(mu(i) for i in range(1, t + 1))
    return [
        x
        - rate
        * ((1 - mu(t)) / (1 - product) * y + mu(t + 1) / (1 - product * mu(t + 1)) * a)
        / (math.sqrt(b / (1 - b2**t)) + eps)
        for x, y, a, b in zip(p, g, m, v)
    ]


def lion(p, g, state, rate, t, is_weight, b1=0.9, b2=0.99, wd=0):
    m = state.get("m", [0.0] * len(p))
    mixed = [b1 * a + (1 - b1) * y for a, y in zip(m, g)]
    mean(state, "m", b2, g)
    return [x - rate * (math.copysign(1, c) if c else 0) - rate * wd * x for x, c in zip(p, mixed)]


def lars(p, g, state, rate, t, is_weight, mu=0.9, wd=5e-4, trust=1e-3, eps=1e-8, exclude=True):
    ratio = 1
    if exclude and not is_weight:
        wd = 0
    elif norm(p) > 0 and norm(g) > 0:
        ratio = trust * norm(p) / (norm(g) + wd * norm(p) + eps)
    old = state.get("b", [0.0] * len(p))
    state["b"] = [mu * b + rate * ratio * (y + wd * x) for b, x, y in zip(old, p, g)]
    return [x - b for x, b in zip(p, state["b"])]


def lamb(p, g, state, rate, t, is_weight, b1=0.9, b2=0.999, eps=1e-6, wd=1e-2, exclude=True):
    m, v = mean(state, "m", b1, g), mean(state, "v", b2, [y * y for y in g])
    excluded = exclude and not is_weight
    r = [
        (a / (1 - b1**t)) / (math.sqrt(b / (1 - b2**t)) + eps) + (0 if excluded else wd) * x
        for a, b, x in zip(m, v, p)
    ]
    ratio = 1 if excluded or norm(p) == 0 or norm(r) == 0 else norm(p) / norm(r)
    return [x - rate * ratio * y for x, y in zip(p, r)]


DOZAT = "Dozat 2016 as torch.optim.NAdam of 2.x has it, float64"
CHEN = "Chen et al. 2023, arxiv.org/abs/2302.06675, algorithm 2, float64"
YOU17 = "You, Gitman & Ginsburg 2017, arxiv.org/abs/1708.03888, algorithm 1, float64"
YOU20 = "You et al. 2020, arxiv.org/abs/1904.00962, algorithm 2, float64"
BETAS = {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": 0.01}
TORCH_BETAS = {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.01}
optim = torch.optim

# Our name, our hyperparameters, and what computes them.
CASES = [
    ("sgd", {"learningRate": 0.1}, by_torch(optim.SGD)),
    (
        "sgd",
        {"learningRate": 0.1, "momentum": 0.9, "dampening": 0.3, "weightDecay": 0.01},
        by_torch(optim.SGD, momentum=0.9, dampening=0.3, weight_decay=0.01),
    ),
    (
        "sgd",
        {"learningRate": 0.1, "momentum": 0.9, "nesterov": 1, "weightDecay": 0.01},
        by_torch(optim.SGD, momentum=0.9, nesterov=True, weight_decay=0.01),
    ),
    ("adagrad", {"learningRate": 0.1}, by_torch(optim.Adagrad)),
    (
        "adagrad",
        {"learningRate": 0.1, "learningRateDecay": 0.2, "initialAccumulator": 0.5, "weightDecay": 0.01},
        by_torch(optim.Adagrad, lr_decay=0.2, initial_accumulator_value=0.5, weight_decay=0.01),
    ),
    ("adadelta", {"learningRate": 1}, by_torch(optim.Adadelta)),
    (
        "adadelta",
        {"learningRate": 0.5, "rho": 0.8, "epsilon": 1e-4, "weightDecay": 0.01},
        by_torch(optim.Adadelta, rho=0.8, eps=1e-4, weight_decay=0.01),
    ),
    ("rmsprop", {"learningRate": 0.01}, by_torch(optim.RMSprop)),
    (
        "rmsprop",
        {"learningRate": 0.01, "alpha": 0.9, "momentum": 0.9, "centered": 1, "weightDecay": 0.01},
        by_torch(optim.RMSprop, alpha=0.9, momentum=0.9, centered=True, weight_decay=0.01),
    ),
    ("adam", {"learningRate": 0.01}, by_torch(optim.Adam)),
    ("adam", {"learningRate": 0.01, **BETAS}, by_torch(optim.Adam, **TORCH_BETAS)),
    (
        "adam",
        {"learningRate": 0.01, **BETAS, "amsgrad": 1},
        by_torch(optim.Adam, **TORCH_BETAS, amsgrad=True),
    ),
    ("adamax", {"learningRate": 0.01}, by_torch(optim.Adamax)),
    ("adamax", {"learningRate": 0.01, **BETAS}, by_torch(optim.Adamax, **TORCH_BETAS)),
    ("adamw", {"learningRate": 0.01}, by_torch(optim.AdamW)),
    (
        "adamw",
        {"learningRate": 0.01, **BETAS, "amsgrad": 1},
        by_torch(optim.AdamW, **TORCH_BETAS, amsgrad=True),
    ),
    (
        "adamw",
        {"learningRate": 0.01, "weightDecay": 0.5, "excludeBiasesAndNorms": 1},
        by_torch(optim.AdamW, weight_decay=0.5, exclude=True),
    ),
    ("nadam", {"learningRate": 0.01}, by_formula(nadam, DOZAT)),
    (
        "nadam",
        {"learningRate": 0.01, **BETAS, "momentumDecay": 0.1},
        by_formula(nadam, DOZAT, b1=0.8, b2=0.95, eps=1e-3, wd=0.01, psi=0.1),
    ),
    (
        "nadam",
        {"learningRate": 0.01, "weightDecay": 0.5, "decoupled": 1},
        by_formula(nadam, DOZAT, wd=0.5, decoupled=True),
    ),
    ("radam", {"learningRate": 0.01}, by_torch(optim.RAdam)),
    ("radam", {"learningRate": 0.01, **BETAS}, by_torch(optim.RAdam, **TORCH_BETAS)),
    (
        "radam",
        {"learningRate": 0.01, "beta2": 0.5},
        by_torch(optim.RAdam, betas=(0.9, 0.5)),
    ),
    ("lion", {"learningRate": 0.01}, by_formula(lion, CHEN)),
    (
        "lion",
        {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.9, "weightDecay": 0.5},
        by_formula(lion, CHEN, b1=0.8, b2=0.9, wd=0.5),
    ),
    ("lars", {"learningRate": 1}, by_formula(lars, YOU17)),
    (
        "lars",
        {"learningRate": 0.1, "momentum": 0, "weightDecay": 0.05, "trustCoefficient": 0.02,
         "excludeBiasesAndNorms": 0},
        by_formula(lars, YOU17, mu=0, wd=0.05, trust=0.02, exclude=False),
    ),
    ("lamb", {"learningRate": 0.01}, by_formula(lamb, YOU20)),
    (
        "lamb",
        {"learningRate": 0.01, **BETAS, "excludeBiasesAndNorms": 0},
        by_formula(lamb, YOU20, b1=0.8, b2=0.95, eps=1e-3, wd=0.01, exclude=False),
    ),
]

folder = pathlib.Path(__file__).parents[2] / "conformance" / "optimizers"
folder.mkdir(parents=True, exist_ok=True)
files = {}


def file_of(name, shapes):
    sizes = {tensor: math.prod(shape) for tensor, shape in shapes.items()}
    return files.setdefault(
        name,
        {
            "format": 1,
            "optimizer": name,
            "tensors": [
                {"name": tensor, "shape": shape, "initial": dyadics(sizes[tensor], 100 * i)}
                for i, (tensor, shape) in enumerate(shapes.items())
            ],
            "gradients": [
                {tensor: dyadics(size, 100 * i + 1 + update) for i, (tensor, size) in enumerate(sizes.items())}
                for update in range(UPDATES)
            ],
            "cases": [],
        },
    )


# A rate that rises shows a rule that keeps the rate inside a buffer, or does not.
RAMPS = (0, 0.25)
for name, hyperparameters, (run, source) in CASES:
    file = file_of(name, SHAPES)
    for ramp in RAMPS:
        rates = [hyperparameters["learningRate"] * (1 + ramp * update) for update in range(UPDATES)]
        file["cases"].append(
            {
                "hyperparameters": hyperparameters,
                "source": source,
                "learningRates": rates,
                "after": run(rates),
            }
        )


def flat(tensors):
    return {name: tensor.flatten().tolist() for name, tensor in tensors.items()}


for name, hyperparameters, rule, source in optimizer_rules.CASES:
    file = file_of(name, MATRIX_SHAPES if name in ("adafactor", "muon") else SHAPES)
    shapes = {tensor["name"]: tensor["shape"] for tensor in file["tensors"]}

    def whole(values):
        return {key: torch.tensor(value, dtype=torch.float64).reshape(shapes[key]) for key, value in values.items()}

    if rule.perturbs:
        # The second gradient of each update, at the perturbed weights.
        file["perturbedGradients"] = [
            {tensor: dyadics(len(values), 1000 + 100 * i + update) for i, (tensor, values) in enumerate(gradients.items())}
            for update, gradients in enumerate(file["gradients"])
        ]
    for ramp in RAMPS:
        rates = [hyperparameters["learningRate"] * (1 + ramp * update) for update in range(UPDATES)]
        state = rule({tensor["name"]: tensor["initial"] for tensor in file["tensors"]}, whole, rates[0])
        case = {"hyperparameters": hyperparameters, "source": source, "learningRates": rates, "after": []}
        for update, rate in enumerate(rates):
            if rule.perturbs:
                state.perturb(whole(file["gradients"][update]))
                case.setdefault("perturbed", []).append(flat(state.p))
            gradients = file["perturbedGradients" if rule.perturbs else "gradients"][update]
            state.step(whole(gradients), rate, update + 1)
            case["after"].append(flat(state.p))
            if rule.averages:
                case.setdefault("evaluated", []).append(flat(state.evaluated()))
        file["cases"].append(case)


def lines(value, depth):
    """JSON with the outer `depth` levels a line each, and what is within on one line."""
    if depth == 0 or not isinstance(value, (dict, list)):
        return json.dumps(value)
    if isinstance(value, dict):
        inner = [f"{json.dumps(key)}: {lines(item, depth - 1)}" for key, item in value.items()]
        return "{\n" + ",\n".join(inner) + "\n}"
    return "[\n" + ",\n".join(lines(item, depth - 1) for item in value) + "\n]"


for name, file in files.items():
    (folder / f"{name}.json").write_text(lines(file, 2) + "\n")
total = sum(path.stat().st_size for path in folder.glob("*.json"))
print(f"{len(files)} files, {sum(len(f['cases']) for f in files.values())} cases, {total} bytes")
