"""Times PyTorch's optimizer updates over given parameter shapes, with foreach where it exists.

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
    try:
        optimizer, kind = rule(parameters, foreach=True, **settings), "foreach"
    except TypeError:
        optimizer, kind = rule(parameters, **settings), "no foreach in this version"

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
        times = []
        for _ in range(int(count)):
            started = time.perf_counter()
            optimizer.step()
            times.append((time.perf_counter() - started) * 1000)
        answer({"ms": times})


if __name__ == "__main__":
    main()
