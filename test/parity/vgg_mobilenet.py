"""Logits of torchvision's VGG-11-BN and MobileNetV2 for weights and images that torchvision.ts makes by the
same formula, in evaluation and in training mode (dropout drops nothing), ten steps of fine-tuning MobileNetV2
from its last stage on, and the names and shapes of what their published checkpoints hold.

VGG's classifier has 64 hidden features in place of 4096, which would be nine tenths of the arithmetic.

Run with PyTorch 1.13 and torchvision 0.14: python3 test/parity/vgg_mobilenet.py
"""

import json
import pathlib

import torch
import torchvision
from filling import dyadics, fill

HERE = pathlib.Path(__file__).parent
CLASSES = 7
BATCH = 2
HIDDEN = 64
IMAGE_SALT = 900


def build(name):
    model = getattr(torchvision.models, name)(num_classes=CLASSES)
    if name == "vgg11_bn":
        nn = torch.nn
        model.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, HIDDEN),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(HIDDEN, CLASSES),
        )
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
    fill(model)
    return model


def images_of(batch, size, salt):
    values = 2 * dyadics(batch * 3 * size * size, salt)
    return torch.from_numpy(values).float().reshape(batch, 3, size, size)


cases = []
for name in ["vgg11_bn", "mobilenet_v2"]:
    for size in [64, 224]:
        for mode in ["evaluate", "train"]:
            model = build(name).train(mode == "train")
            with torch.no_grad():
                logits = model(images_of(BATCH, size, IMAGE_SALT))
            cases.append({"model": name, "size": size, "mode": mode, "logits": logits.flatten().tolist()})
            print(name, size, mode, logits.abs().max().item())

# With ten times the rate, PyTorch itself differs by 1e-3 from one memory layout to the other: ReLU6 has two kinks.
TUNING = {"size": 64, "batch": 8, "learningRate": 0.0001, "momentum": 0.9, "steps": 10}
LAST_STAGE = 14


def fine_tune():
    """What lies before features.14 neither learns nor moves its statistics."""
    model = build("mobilenet_v2").train()
    for module in model.features[:LAST_STAGE]:
        module.eval()
        module.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=TUNING["learningRate"], momentum=TUNING["momentum"])
    losses = []
    for step in range(TUNING["steps"]):
        labels = torch.tensor([(i + step) % CLASSES for i in range(TUNING["batch"])])
        optimizer.zero_grad()
        output = model(images_of(TUNING["batch"], TUNING["size"], IMAGE_SALT + 1 + step))
        loss = torch.nn.functional.cross_entropy(output, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    print("fine-tuned:", losses)
    return losses


def checkpoint(name):
    state = getattr(torchvision.models, name)(num_classes=1000).state_dict()
    return {key: list(tensor.shape) for key, tensor in state.items()}


out = {
    "classes": CLASSES,
    "batch": BATCH,
    "hidden": HIDDEN,
    "imageSalt": IMAGE_SALT,
    "cases": cases,
    "tuning": {**TUNING, "trainFrom": f"features.{LAST_STAGE}", "losses": fine_tune()},
    "checkpoints": {name: checkpoint(name) for name in ["vgg11_bn", "mobilenet_v2"]},
}
(HERE / "fixtures" / "vgg_mobilenet.json").write_text(json.dumps(out) + "\n")
