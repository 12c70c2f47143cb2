"""Times whole training epochs of the vanilla CNN in PyTorch, from a folder of class folders.

ImageFolder, RandomRotation(15), RandomResizedCrop (area 0.7 - 1, aspect 3/4 - 4/3), horizontal flip,
normalisation, a DataLoader with two workers that live from epoch to epoch, SGD. Protocol as in
torch_step.py: one line when ready, then "run N" for N epochs.
"""

import argparse
import json
import resource
import sys
import time

import torch
from torch import nn
from torchvision import datasets, transforms

from torch_step import vanilla


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tuned", type=int, default=1)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    images = datasets.ImageFolder(
        options.folder,
        transforms.Compose(
            [
                transforms.RandomRotation(15),
                transforms.RandomResizedCrop(options.size, scale=(0.7, 1.0)),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize([0.5] * 3, [0.25] * 3),
            ]
        ),
    )
    loader = torch.utils.data.DataLoader(
        images, batch_size=options.batch, shuffle=True, drop_last=True, num_workers=2, persistent_workers=True
    )
    layout = torch.channels_last if options.tuned else torch.contiguous_format
    network = vanilla(3, options.size, len(images.classes)).to(memory_format=layout).train()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3)

    def epoch():
        for batch, labels in loader:
            optimizer.zero_grad(set_to_none=True)
            loss = criterion(network(batch.to(memory_format=layout)), labels)
            loss.backward()
            optimizer.step()
            loss.item()

    def answer(message):
        print(json.dumps(message), flush=True)

    version = torch.__version__.split("+")[0]
    setting = "channels_last" if options.tuned else "as installed"
    answer({"name": f"pytorch {version}, {setting}, {options.threads} threads, 2 workers"})
    for line in sys.stdin:
        command, count = line.split()
        if command == "peak":
            answer({"peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
            continue
        times = []
        for _ in range(int(count)):
            started = time.perf_counter()
            epoch()
            times.append((time.perf_counter() - started) * 1000)
        answer({"ms": times})


if __name__ == "__main__":
    main()
