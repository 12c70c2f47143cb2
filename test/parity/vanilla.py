"""Ten training steps of a narrow vanilla CNN by PyTorch, for each optimizer, in float64 and in
float32: writes fixtures/vanilla.json and prints how far PyTorch's float32 is from its float64.
Run with Debian's python3-torch (1.13):

    /usr/bin/python3 test/parity/vanilla.py
"""

import json
import pathlib

import torch
from torch import nn

from dyadic import dyadics, mix

WIDTHS = [8, 12, 16, 16]
HIDDEN = 32
CLASSES = 5
SIZE = 32
BATCH = 8
STEPS = 10
BATCH_SALT = 1000  # batches take salts 1000, 1001, ...; parameters 0, 1, ...

# Rates at which float32 follows float64 to 1e-4 in the loss. What sets them is the bias before a
# batch norm: its gradient is nothing but rounding, which an adaptive rule turns into a step of the
# full rate in float32 (in float64 the noise is far below epsilon). The loss does not see that
# bias, but the running mean does, and through it the evaluation logits.
OPTIMIZERS = [
    ("sgd", {"learningRate": 0.01, "momentum": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
    ("adagrad", {"learningRate": 5e-5}, torch.optim.Adagrad, {}),
    ("adadelta", {"learningRate": 1.0}, torch.optim.Adadelta, {}),
    ("rmsprop", {"learningRate": 1e-5}, torch.optim.RMSprop, {}),
    ("adam", {"learningRate": 5e-5}, torch.optim.Adam, {}),
    ("adamax", {"learningRate": 5e-5}, torch.optim.Adamax, {}),
]

DEFAULT_RATES = {"sgd": 1e-3, "adagrad": 1e-2, "adadelta": 1.0, "rmsprop": 1e-2, "adam": 1e-3, "adamax": 2e-3}


def build() -> nn.Module:
    features = []
    channels = 3
    for width in WIDTHS:
        features += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        channels = width
    flat = channels * (SIZE // 2 ** len(WIDTHS)) ** 2
    classifier = [nn.Dropout(0.0), nn.Linear(flat, HIDDEN), nn.ReLU(), nn.Dropout(0.0), nn.Linear(HIDDEN, CLASSES)]
    model = nn.Sequential()
    model.add_module("features", nn.Sequential(*features))
    model.add_module("flatten", nn.Flatten())
    model.add_module("classifier", nn.Sequential(*classifier))
    return model


def scale_of(name: str, shape) -> tuple:
    """Value of a parameter: offset + scale * dyadic, with scale a power of two near Kaiming's."""
    if len(shape) == 1:
        return (1.0, 0.125) if name.endswith("weight") else (0.0, 0.125)
    fan_in = 1
    for extent in shape[1:]:
        fan_in *= extent
    scale = 1.0
    while scale * scale * fan_in > 4:
        scale /= 2
    return (0.0, scale)


def fill(model: nn.Module, dtype) -> None:
    for ordinal, (name, parameter) in enumerate(model.named_parameters()):
        offset, scale = scale_of(name, parameter.shape)
        values = torch.tensor(dyadics(parameter.numel(), ordinal), dtype=torch.float64)
        parameter.data = (offset + scale * values).reshape(parameter.shape).to(dtype)


def batch(step: int, dtype):
    """Images in [-2, 2), with a class-dependent tint, so that there is something to learn."""
    salt = BATCH_SALT + step
    labels = [mix(i, salt) % CLASSES for i in range(BATCH)]
    images = 2 * torch.tensor(dyadics(BATCH * 3 * SIZE * SIZE, salt), dtype=torch.float64)
    images = images.reshape(BATCH, 3, SIZE, SIZE)
    for i, label in enumerate(labels):
        images[i, label % 3] += label / 4
    return images.to(dtype), torch.tensor(labels)


def run(optimizer_class, rate, arguments, dtype, feature_scale=1.0):
    model = build().to(dtype)
    fill(model, dtype)
    groups = [
        {"params": model.features.parameters(), "lr": feature_scale * rate},
        {"params": model.classifier.parameters()},
    ]
    optimizer = optimizer_class(groups, lr=rate, **arguments)
    losses = []
    for step in range(STEPS):
        images, labels = batch(step, dtype)
        model.train()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        logits = model(batch(STEPS, dtype)[0])
    statistics = {
        name: values.tolist()
        for name, values in model.named_buffers()
        if name.endswith(("running_mean", "running_var"))
    }
    return {"losses": losses, "statistics": statistics, "logits": logits.reshape(-1).tolist()}


torch.use_deterministic_algorithms(True)
parameters = [
    {"name": name, "offset": scale_of(name, p.shape)[0], "scale": scale_of(name, p.shape)[1]}
    for name, p in build().named_parameters()
]
untrained = run(torch.optim.SGD, 0.0, {}, torch.float64)["losses"]
print(f"without training, loss at step {STEPS}: {untrained[-1]:.4f}")
runs = []
defaults = []
for name, hyperparameters, optimizer_class, arguments in OPTIMIZERS:
    rate = hyperparameters["learningRate"]
    double = run(optimizer_class, rate, arguments, torch.float64)
    single = run(optimizer_class, rate, arguments, torch.float32)
    differences = [abs(a - b) for a, b in zip(double["losses"], single["losses"])]
    logits = max(abs(a - b) for a, b in zip(double["logits"], single["logits"]))
    print(
        f"{name:9} lr {rate:<7} loss {double['losses'][0]:.4f} -> {double['losses'][-1]:.4f}   "
        f"float32 - float64: loss at step {STEPS} {differences[-1]:.1e}, largest {max(differences):.1e}, "
        f"logits {logits:.1e}"
    )
    # The default rates as well, in float64 alone: there float32 goes its own way.
    default = run(optimizer_class, DEFAULT_RATES[name], arguments, torch.float64)
    defaults.append({"name": name, "hyperparameters": {**hyperparameters, "learningRate": DEFAULT_RATES[name]}, "losses": default["losses"]})
    print(f"{'':9} lr {DEFAULT_RATES[name]:<7} loss {default['losses'][0]:.4f} -> {default['losses'][-1]:.4f}")
    runs.append({"name": name, "hyperparameters": hyperparameters, **double, "float32Difference": differences[-1]})

# A tenth of the rate for what `--lr-scale features=0.1` names.
scaled = [
    {
        "name": name,
        "hyperparameters": {**hyperparameters, "learningRate": DEFAULT_RATES[name]},
        "losses": run(optimizer_class, DEFAULT_RATES[name], arguments, torch.float64, 0.1)["losses"],
    }
    for name, hyperparameters, optimizer_class, arguments in OPTIMIZERS
    if name in ("sgd", "adam")
]

fixture = {
    "torch": torch.__version__,
    "widths": WIDTHS,
    "hidden": HIDDEN,
    "classes": CLASSES,
    "size": SIZE,
    "batch": BATCH,
    "steps": STEPS,
    "batchSalt": BATCH_SALT,
    "parameters": parameters,
    "untrainedLosses": untrained,
    "runs": runs,
    "defaultRates": defaults,
    "scaledFeatures": scaled,
}
path = pathlib.Path(__file__).parent / "fixtures" / "vanilla.json"
path.write_text(json.dumps(fixture, indent=1) + "\n")
print(f"{path.stat().st_size} bytes, torch {torch.__version__}")
