"""Makes fixtures/torch/: files of torch.save as readers meet them, and what they hold.

Run with PyTorch 1.13: python3 test/parity/torch_files.py
"""

import argparse
import collections
import json
import os
import pathlib
import sys

import torch

sys.path.append(str(pathlib.Path(__file__).parent.parent / "fixtures"))
from tensor_kinds import plain, tensor_kinds  # noqa: E402

OUT = pathlib.Path(__file__).parent / "fixtures" / "torch"
OUT.mkdir(parents=True, exist_ok=True)
torch.manual_seed(5)

tensors = tensor_kinds()


def written(name, value, **options):
    torch.save(value, OUT / name, **options)


class Evil:
    def __reduce__(self):
        return (os.system, ("echo never",))


class Plain:
    pass


older = {"_use_new_zipfile_serialization": False}
written("zip.pth", tensors)
written("older.pth", tensors, **older)
written("protocol4.pth", tensors, pickle_protocol=4)
nested = {"epoch": 3, "best": 0.5, "arch": "net", "state_dict": collections.OrderedDict(("module." + k, v) for k, v in list(tensors.items())[:2])}
written("nested.pth", nested)
written("module.pth", torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2)).state_dict())
written("whole-model.pth", torch.nn.Linear(1, 1))
written("namespace.pth", {"args": argparse.Namespace(lr=1), "state_dict": {"w": torch.ones(1)}})
written("system.pth", {"w": torch.ones(1), "x": Evil()})
written("system-older.pth", {"w": torch.ones(1), "x": Evil()}, **older)
written("complex.pth", {"w": torch.ones(2, dtype=torch.complex64)})
written("list.pth", [torch.ones(1)])
written("no-tensors.pth", {"epoch": 1, "names": ["a"]})
torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), str(OUT / "script.pt"))

(OUT / "values.json").write_text(json.dumps(plain(tensors)) + "\n")
