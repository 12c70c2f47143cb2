"""Single instructions by PyTorch, float64, forward and backward: writes fixtures/kernels.json.
Run with Debian's python3-torch (1.13):

    /usr/bin/python3 test/parity/kernels.py
"""

import json
import math
import pathlib

import torch
from torch.nn import functional as F

from dyadic import dyadics

cases = []


def tensor(shape, salt, offset=0.0, scale=1.0, levels=None):
    """A tensor by formula, and how kernels.test.ts makes the same. Few `levels` make ties."""
    values = dyadics(math.prod(shape), salt)
    if levels:
        values = [math.floor(v * levels) / levels for v in values]
    spec = {"shape": list(shape), "salt": salt, "offset": offset, "scale": scale, "levels": levels or 0}
    values = torch.tensor([offset + scale * v for v in values], dtype=torch.float64)
    return values.reshape(shape).requires_grad_(), spec


def given(values, shape=None):
    """An operand whose values are stored."""
    t = torch.as_tensor(values, dtype=torch.float64).detach()
    return {"shape": list(shape or t.shape), "values": t.reshape(-1).tolist()}


def case(title, kind, inputs, outputs, **attributes):
    cases.append(
        {
            "title": f"{kind} {title}",
            "kind": kind,
            "attributes": attributes,
            "inputs": inputs,
            "outputs": [None if o is None else given(o) for o in outputs],
        }
    )


def convolutions():
    for title, x_shape, w_shape, stride, padding in [
        ("3x3, padding 1", (2, 3, 5, 6), (4, 3, 3, 3), (1, 1), (1, 1)),
        ("3x2, stride 2 and 1, padding 0 and 1", (1, 2, 7, 5), (3, 2, 3, 2), (2, 1), (0, 1)),
        ("1x1, stride 3", (2, 1, 7, 7), (5, 1, 1, 1), (3, 3), (0, 0)),
        ("5x5, stride 2, padding 3", (1, 2, 4, 4), (2, 2, 5, 5), (2, 2), (3, 3)),
    ]:
        x, xs = tensor(x_shape, 1)
        w, ws = tensor(w_shape, 2)
        b, bs = tensor((w_shape[0],), 3)
        y = F.conv2d(x, w, b, stride, padding)
        dy, ds = tensor(tuple(y.shape), 4)
        y.backward(dy)
        geometry = {"stride": list(stride), "padding": list(padding)}
        case(title, "conv2d", [xs, ws, bs], [y], relu=False, **geometry)
        case(f"{title}, no bias, relu", "conv2d", [xs, ws], [F.relu(F.conv2d(x, w, None, stride, padding))], relu=True, **geometry)
        case(title, "conv2dBackwardData", [ds, ws], [x.grad], **geometry)
        case(title, "conv2dBackwardWeights", [xs, ds], [w.grad, b.grad], **geometry)


def batch_norms():
    for title, shape in [("(B,C,H,W)", (3, 4, 2, 3)), ("(B,C)", (5, 3))]:
        for relu in (False, True):
            channels = (shape[1],)
            x, xs = tensor(shape, 1, 0.5, 2.0)
            gamma, gs = tensor(channels, 2, 1.0, 0.5)
            beta, bs = tensor(channels, 3, 0.0, 0.5)
            mean, ms = tensor(channels, 4)
            variance, vs = tensor(channels, 5, 1.0, 0.5)
            act = F.relu if relu else (lambda v: v)
            evaluated = act(F.batch_norm(x, mean.detach(), variance.detach(), gamma, beta, False, 0.1, 1e-5))
            new_mean, new_variance = mean.detach().clone(), variance.detach().clone()
            y = act(F.batch_norm(x, new_mean, new_variance, gamma, beta, True, 0.1, 1e-5))
            dy, ds = tensor(shape, 6)
            y.backward(dy)
            axes = [0, *range(2, len(shape))]
            batch_mean, batch_variance = x.mean(axes), x.var(axes, unbiased=False)
            name = f"{title}{', relu' if relu else ''}"
            case(name, "batchNormEvaluate", [xs, gs, bs, ms, vs], [evaluated], epsilon=1e-5, relu=relu)
            case(name, "batchNormTrain", [xs, gs, bs, ms, vs], [y, batch_mean, batch_variance], epsilon=1e-5, momentum=0.1, relu=relu)
            cases[-1]["inputsAfter"] = {"3": given(new_mean), "4": given(new_variance)}
            case(
                name,
                "batchNormBackward",
                [xs, ds, gs, bs, given(batch_mean), given(batch_variance)],
                [x.grad, gamma.grad, beta.grad],
                epsilon=1e-5,
                relu=relu,
            )


def pools():
    for title, shape, kernel, stride, padding in [
        ("2x2", (2, 3, 4, 6), (2, 2), (2, 2), (0, 0)),
        ("3x3, stride 2, padding 1", (1, 2, 7, 5), (3, 3), (2, 2), (1, 1)),
        ("3x2, stride 1 and 2", (2, 1, 5, 5), (3, 2), (1, 2), (0, 1)),
    ]:
        # Four levels: most windows have ties.
        x, xs = tensor(shape, 1, 0.0, 1.0, 2)
        y = F.max_pool2d(x, kernel, stride, padding)
        dy, ds = tensor(tuple(y.shape), 2)
        y.backward(dy)
        attributes = {"kernel": list(kernel), "stride": list(stride), "padding": list(padding)}
        case(title, "maxPool2d", [xs], [y, None], **attributes)
        cases[-1]["backward"] = {"dy": ds, "dx": given(x.grad)}
    x, xs = tensor((2, 3, 4, 5), 1)
    y = x.mean([2, 3])
    dy, ds = tensor((2, 3), 2)
    y.backward(dy)
    case("", "globalAveragePool", [xs], [y])
    case("", "globalAveragePoolBackward", [ds], [x.grad])


def linears():
    x, xs = tensor((3, 5), 1)
    w, ws = tensor((4, 5), 2)
    b, bs = tensor((4,), 3)
    y = F.linear(x, w, b)
    dy, ds = tensor((3, 4), 4)
    y.backward(dy)
    case("with bias", "linear", [xs, ws, bs], [y], relu=False)
    case("no bias, relu", "linear", [xs, ws], [F.relu(F.linear(x, w))], relu=True)
    case("", "linearBackwardData", [ds, ws], [x.grad])
    case("", "linearBackwardWeights", [xs, ds], [w.grad, b.grad])


def losses():
    labels = [2, 0, -1, 3, 2]
    for title, weighted, smoothing, used in [
        ("plain", False, 0.0, labels),
        ("weights", True, 0.0, labels),
        ("smoothing", False, 0.1, labels),
        ("weights and smoothing", True, 0.25, labels),
    ]:
        logits, ls = tensor((5, 4), 1, 0.0, 4.0)
        weights, ws = tensor((4,), 2, 1.5, 1.0)
        target = torch.tensor(used)
        loss = F.cross_entropy(
            logits, target, weights.detach() if weighted else None, ignore_index=-1, label_smoothing=smoothing
        )
        loss.backward()
        correct = (logits.argmax(1) == target).sum()
        inputs = [ls, given(used), *([ws] if weighted else [])]
        case(title, "softmaxCrossEntropy", inputs, [loss.reshape(1), correct.reshape(1), logits.grad], labelSmoothing=smoothing)
    logits, ls = tensor((3, 4), 3, 0.0, 100.0)
    case("of large logits", "softmax", [ls], [F.softmax(logits, 1)])


def elementwise():
    x, xs = tensor((2, 9), 1)
    other, os = tensor((2, 9), 2)
    y = F.relu(x)
    y.backward(other.detach())
    case("", "relu", [xs], [y])
    case("", "reluBackward", [given(y), os], [x.grad])
    case("", "add", [xs, os], [x + other])


for write in (convolutions, batch_norms, pools, linears, losses, elementwise):
    write()
path = pathlib.Path(__file__).parent / "fixtures" / "kernels.json"
path.write_text(json.dumps({"torch": torch.__version__, "cases": cases}) + "\n")
print(f"{len(cases)} cases, {path.stat().st_size} bytes, torch {torch.__version__}")
