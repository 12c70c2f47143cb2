"""Times PyTorch's optimizer updates over given parameter shapes, by the faster of foreach and fused.

Protocol as in torch_step.py: one line when ready, then "run N".
"""

import argparse
import json
import resource
import sys
import time

import torch

RULES = {
    "sgd": (torch.optim.SGD, {"lr": 1e-3}),
    "momentum": (torch.optim.SGD, {"lr": 1e-3, "momentum": 0.9}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adadelta": (torch.optim.Adadelta, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
    "adamax": (torch.optim.Adamax, {}),
}


def fastest(rule, parameters, settings):
    """(optimizer, kind): the one whose best of three updates is shortest, of those that this version has."""
    tried = []
    for kind in ("foreach", "fused"):
        try:
            optimizer = rule(parameters, **{kind: True}, **settings)
            optimizer.step()  # makes its state
        except (TypeError, RuntimeError):
            continue
        tried.append((min(seconds(optimizer) for _ in range(3)), kind, optimizer))
    if not tried:
        return rule(parameters, **settings), "neither foreach nor fused in this version"
    _, kind, optimizer = min(tried, key=lambda each: each[0])
    return optimizer, kind


def seconds(optimizer):
    started = time.perf_counter()
    optimizer.step()
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--optimizer", required=True)
    parser.add_argument("--shapes", required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    parameters = [torch.nn.Parameter(torch.randn(s)) for s in json.loads(options.shapes)]
    for parameter in parameters:
        parameter.grad = torch.randn_like(parameter)
    rule, settings = RULES[options.optimizer]
    optimizer, kind = fastest(rule, parameters, settings)

    def answer(message):
        print(json.dumps(message), flush=True)

    version = torch.__version__.split("+")[0]
    plural = "" if options.threads == 1 else "s"
    answer(
        {
            "name": f"pytorch {version}, {kind}, {options.threads} thread{plural}",
            "parameters": sum(p.numel() for p in parameters),
        }
    )
    for line in sys.stdin:
        command, count = line.split()
        if command == "peak":
            answer({"peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024})
            continue
        answer({"ms": [seconds(optimizer) * 1000 for _ in range(int(count))]})


if __name__ == "__main__":
    main()
