"""Logits of torchvision's ResNets for weights and images that torchvision.ts makes by the same formula (filling.py),
and ten steps of fine-tuning them from layer4 on.

Run with PyTorch 1.13 and torchvision 0.14: python3 test/parity/resnet.py
"""

import json
import pathlib

import torch
import torchvision
from filling import dyadics, fill

HERE = pathlib.Path(__file__).parent
CLASSES = 7
BATCH = 2
IMAGE_SALT = 900


cases = []
for name in ["resnet18", "resnet34", "resnet50"]:
    for size in [64, 224]:
        images = torch.from_numpy(2 * dyadics(BATCH * 3 * size * size, IMAGE_SALT)).float()
        images = images.reshape(BATCH, 3, size, size)
        for mode in ["evaluate", "train"]:
            model = getattr(torchvision.models, name)(num_classes=CLASSES)
            fill(model)
            model.train(mode == "train")
            with torch.no_grad():
                logits = model(images)
            cases.append({"model": name, "size": size, "mode": mode, "logits": logits.flatten().tolist()})
            print(name, size, mode, logits.abs().max().item())

TUNING_SIZE = 64
TUNING_BATCH = 4
TUNING_RATE = 0.001
TUNING_STEPS = 10


def fine_tune(name):
    """What lies before layer4 neither learns nor moves its statistics."""
    model = getattr(torchvision.models, name)(num_classes=CLASSES)
    fill(model)
    model.train()
    for part, module in model.named_children():
        if part not in ("layer4", "fc"):
            module.eval()
            module.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=TUNING_RATE, momentum=0.9)

    def images(step):
        values = 2 * dyadics(TUNING_BATCH * 3 * TUNING_SIZE**2, IMAGE_SALT + 1 + step)
        return torch.from_numpy(values).float().reshape(TUNING_BATCH, 3, TUNING_SIZE, TUNING_SIZE)

    losses = []
    for step in range(TUNING_STEPS):
        labels = torch.tensor([(i + step) % CLASSES for i in range(TUNING_BATCH)])
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images(step)), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        logits = model(images(TUNING_STEPS))
    print(name, "fine-tuned:", losses)
    return {"model": name, "losses": losses, "logits": logits.flatten().tolist()}


tuning = {
    "size": TUNING_SIZE,
    "batch": TUNING_BATCH,
    "learningRate": TUNING_RATE,
    "momentum": 0.9,
    "runs": [fine_tune(name) for name in ["resnet18", "resnet34"]],
}
out = {"tuning": tuning, "classes": CLASSES, "batch": BATCH, "imageSalt": IMAGE_SALT, "cases": cases}
(HERE / "fixtures" / "resnet.json").write_text(json.dumps(out) + "\n")
