"""Makes fixtures/torch/: files of torch.save as readers meet them, and what they hold.

Run with PyTorch 1.13: python3 test/parity/torch_files.py
"""

import argparse
import collections
import json
import os
import pathlib

import torch

OUT = pathlib.Path(__file__).parent / "fixtures" / "torch"
OUT.mkdir(parents=True, exist_ok=True)
torch.manual_seed(5)

base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
shared = torch.randn(10)
tensors = collections.OrderedDict(
    float32=torch.randn(2, 3),
    float64=torch.randn(3, dtype=torch.float64),
    float16=torch.tensor([0.0, -0.0, 1.5, -2.25, 65504, 2**-24, 2**-14, 0.1]).half(),
    bfloat16=torch.tensor([1.0, -3.140625, 1e30, 1e-30]).bfloat16(),
    int64=torch.tensor([1, -2, 2**40]),
    int32=torch.tensor([1, -2, 2**30], dtype=torch.int32),
    int16=torch.tensor([1, -2, 300], dtype=torch.int16),
    int8=torch.tensor([1, -2, 127], dtype=torch.int8),
    uint8=torch.tensor([1, 2, 255], dtype=torch.uint8),
    bool=torch.tensor([True, False, True]),
    scalar=torch.tensor(7.5),
    empty=torch.zeros(0, 3),
    transposed=base.t(),
    part=base[1:3, 2:5],
    strided=base[::2, ::3],
    expanded=torch.tensor([1.0, 2.0]).expand(3, 2),
    channels_last=torch.randn(2, 3, 2, 2).contiguous(memory_format=torch.channels_last),
    shared_first=shared[:4],
    shared_last=shared[3:],
    parameter=torch.nn.Parameter(torch.randn(2)),
)


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

plain = {
    name: {"shape": list(value.shape), "values": value.detach().double().flatten().tolist()}
    for name, value in tensors.items()
}
(OUT / "values.json").write_text(json.dumps(plain) + "\n")
