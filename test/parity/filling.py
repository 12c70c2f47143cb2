"""Weights and images that torchvision.ts makes by the same formula, for whole models."""

import numpy as np
import torch


def dyadics(count, salt):
    """dyadic.py's numbers, all at once."""
    x = (np.arange(1, count + 1, dtype=np.uint64) * 0x9E3779B1 & 0xFFFFFFFF).astype(np.uint32)
    x ^= np.uint32((salt + 1) * 0x85EBCA6B & 0xFFFFFFFF)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x2C1B3C6D)
    x ^= x >> np.uint32(12)
    x *= np.uint32(0x297A2D39)
    x ^= x >> np.uint32(15)
    return ((x >> np.uint32(16)).astype(np.int64) - 32768) / 32768


def fill(model):
    """Salts count the tensors; batch norms of a state that no initialisation would give."""
    state = model.state_dict()
    salt = 0
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        values = dyadics(tensor.numel(), salt)
        salt += 1
        if tensor.dim() > 1:
            values = values * np.sqrt(3 / (tensor.numel() // tensor.shape[0]))
        elif name.endswith("running_var") or (name.endswith("weight") and tensor.dim() == 1):
            values = 1 + values / 4
        else:
            values = values / 8
        tensor.copy_(torch.from_numpy(values).float().reshape(tensor.shape))
    model.load_state_dict(state)
