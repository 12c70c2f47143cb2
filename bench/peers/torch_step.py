"""Times training steps of lrscope's models in PyTorch, on request.

Reads lines on standard input, answers each with one JSON line on standard output:

    (start)     -> {"name": "pytorch 1.13.1, channels_last, 2 threads", "parameters": 4438917}
    run N       -> {"ms": [N milliseconds]}
    (end)       the program ends

so that its caller can take turns with it in one run of the benchmark. A step is what lrscope's is:
forward, cross-entropy, backward, SGD update, and the loss read back. The batch stays where it is;
no data is loaded. --tuned 1: layout channels_last, as PyTorch's own tuning guide says, unless --layout says otherwise;
with --precision bf16 then also autocast to bfloat16. --compile 1: through torch.compile.
--widths 32,64,128: channels of vanilla's blocks.
--train-from layer4: the top-level modules before that one are frozen, which costs a forward pass
without gradients, their batch norms in evaluation mode; "head": all but the last.

    peak 0      -> {"peakMiB": greatest resident memory so far}

With --tuned 1 the caller also starts it with malloc told to keep its pages (see
src/bench/peers.ts): as installed, PyTorch gives every activation back to the system each step,
and page faults then take most of it.
"""

import argparse
import json
import resource
import sys
import time

import torch
from torch import nn


def vanilla(channels, size, classes, widths=(32, 64, 128, 128)):
    """Blocks of [3x3 convolution, batch norm, ReLU, 2x2 max pool], then two linear layers."""
    layers = []
    width = channels
    for out in widths:
        layers += [
            nn.Conv2d(width, out, 3, padding=1),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
        ]
        width = out
    flat = width * (size // 2 ** len(widths)) ** 2
    return nn.Sequential(
        *layers,
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(flat, 512),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Linear(512, classes),
    )


def build(model, channels, size, classes, widths):
    if model == "vanilla":
        return vanilla(channels, size, classes, *([widths] if widths else []))
    import torchvision

    return getattr(torchvision.models, model)(num_classes=classes)


class Frozen(nn.Module):
    """A network's modules in the order of their declaration, the first of them frozen."""

    def __init__(self, network, train_from):
        super().__init__()
        modules = []
        for name, module in network.named_children():
            # What torchvision's forward functions do between their modules.
            modules += [nn.Flatten()] if isinstance(module, nn.Linear) else []
            modules.append(module)
        names = [name for name, _ in network.named_children()]
        if train_from == "head":
            train_from = names[-1]
        if train_from not in names:
            sys.exit(f"torch_step: no top-level module {train_from!r}; there is {', '.join(names)}")
        first = modules.index(getattr(network, train_from))
        self.before = nn.Sequential(*modules[:first]).eval().requires_grad_(False)
        self.after = nn.Sequential(*modules[first:]).train()

    def forward(self, images):
        with torch.no_grad():
            features = self.before(images)
        return self.after(features)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="vanilla")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tuned", type=int, default=1)
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--train-from", default="all")
    parser.add_argument("--widths", default="")
    parser.add_argument("--layout", choices=["channels_last", "contiguous"], default=None)
    parser.add_argument("--compile", type=int, default=0)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    widths = [int(width) for width in options.widths.split(",") if width]
    network = build(options.model, options.channels, options.size, options.classes, widths)
    named = options.layout or ("channels_last" if options.tuned else "contiguous")
    layout = torch.channels_last if named == "channels_last" else torch.contiguous_format
    network = network.to(memory_format=layout).train()
    if options.train_from != "all":
        network = Frozen(network, options.train_from)
    images = torch.randn(options.batch, options.channels, options.size, options.size)
    images = images.to(memory_format=layout)
    labels = torch.arange(options.batch) % options.classes
    criterion = nn.CrossEntropyLoss()
    trained = [each for each in network.parameters() if each.requires_grad]
    parameters = sum(p.numel() for p in network.parameters())
    if options.compile:
        network = torch.compile(network)
    optimizer = torch.optim.SGD(trained, lr=1e-3, momentum=0)

    narrow = options.tuned and options.precision == "bf16"

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bool(narrow)):
            loss = criterion(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    def answer(message):
        print(json.dumps(message), flush=True)

    version = torch.__version__.split("+")[0]
    plural = "" if options.threads == 1 else "s"
    setting = named if options.tuned else "as installed"
    setting += ", compiled" if options.compile else ""
    setting += ", bf16 autocast" if narrow else ""
    answer(
        {
            "name": f"pytorch {version}, {setting}, {options.threads} thread{plural}",
            "parameters": parameters,
        }
    )
    for line in sys.stdin:
        command, count = line.split()
        if command == "peak":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            answer({"peakMiB": peak})
            continue
        if command != "run":
            sys.exit(f"torch_step: unknown command {command!r}; send 'run N'")
        times = []
        for _ in range(int(count)):
            started = time.perf_counter()
            step()
            times.append((time.perf_counter() - started) * 1000)
        answer({"ms": times})


if __name__ == "__main__":
    main()
