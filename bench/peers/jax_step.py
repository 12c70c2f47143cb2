"""Times training steps of lrscope's plain CNN in JAX, on request.

Protocol as in torch_step.py: one line when ready, then "run N". A step is what lrscope's is: forward with batch norm
of the batch, cross-entropy, backward, SGD update, running averages, and the loss read back; one compiled function,
images channels last, the state given away so that it may be updated in place.
"""

import argparse
import json
import os
import resource
import sys
import time

# Before JAX is imported: its threads are as many as the cores that this process may use.
parser = argparse.ArgumentParser()
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--channels", type=int, default=3)
parser.add_argument("--size", type=int, default=128)
parser.add_argument("--classes", type=int, default=5)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--widths", default="32,64,128,128")
options = parser.parse_args()
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402

HIDDEN = 512
RATE = 1e-3
DROPPED = 0.5
AVERAGE = 0.1
EPSILON = 1e-5


def fan_in_uniform(key, shape, fan_in):
    bound = fan_in**-0.5
    return jax.random.uniform(key, shape, jnp.float32, -bound, bound)


def initial(key, widths):
    """(parameters, running averages) of blocks [3x3 convolution, batch norm, ReLU, 2x2 max pool], then two layers."""
    blocks, averages = [], []
    width = options.channels
    for out in widths:
        key, kernel, bias = jax.random.split(key, 3)
        blocks.append(
            {
                "kernel": fan_in_uniform(kernel, (3, 3, width, out), 9 * width),
                "bias": fan_in_uniform(bias, (out,), 9 * width),
                "scale": jnp.ones(out),
                "shift": jnp.zeros(out),
            }
        )
        averages.append({"mean": jnp.zeros(out), "variance": jnp.ones(out)})
        width = out
    flat = width * (options.size // 2 ** len(widths)) ** 2
    linear = []
    for features, out in ((flat, HIDDEN), (HIDDEN, options.classes)):
        key, kernel, bias = jax.random.split(key, 3)
        linear.append(
            {
                "kernel": fan_in_uniform(kernel, (features, out), features),
                "bias": fan_in_uniform(bias, (out,), features),
            }
        )
    return {"blocks": blocks, "linear": linear}, averages


def dropout(key, x):
    return jnp.where(jax.random.bernoulli(key, 1 - DROPPED, x.shape), x / (1 - DROPPED), 0)


def loss_of(parameters, averages, images, labels, key):
    x = images
    updated = []
    for block, running in zip(parameters["blocks"], averages):
        x = jax.lax.conv_general_dilated(
            x, block["kernel"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        x = x + block["bias"]
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        count = x.size // x.shape[-1]
        updated.append(
            {
                "mean": (1 - AVERAGE) * running["mean"] + AVERAGE * mean,
                "variance": (1 - AVERAGE) * running["variance"]
                + AVERAGE * variance * count / (count - 1),
            }
        )
        x = (x - mean) * jax.lax.rsqrt(variance + EPSILON) * block["scale"] + block["shift"]
        x = jax.nn.relu(x)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    first, second = jax.random.split(key)
    x = dropout(first, x.reshape(x.shape[0], -1))
    x = jax.nn.relu(x @ parameters["linear"][0]["kernel"] + parameters["linear"][0]["bias"])
    x = dropout(second, x)
    x = x @ parameters["linear"][1]["kernel"] + parameters["linear"][1]["bias"]
    chosen = jnp.take_along_axis(jax.nn.log_softmax(x), labels[:, None], 1)
    return -chosen.mean(), updated


def step(state, images, labels):
    parameters, averages, key = state
    key, used = jax.random.split(key)
    (loss, averages), gradients = jax.value_and_grad(loss_of, has_aux=True)(
        parameters, averages, images, labels, used
    )
    parameters = jax.tree.map(lambda p, g: p - RATE * g, parameters, gradients)
    return (parameters, averages, key), loss


def main():
    widths = [int(width) for width in options.widths.split(",")]
    parameters, averages = initial(jax.random.key(0), widths)
    count = sum(p.size for p in jax.tree.leaves(parameters))
    state = (parameters, averages, jax.random.key(1))
    shape = (options.batch, options.size, options.size, options.channels)
    images = jax.random.normal(jax.random.key(2), shape)
    labels = jnp.arange(options.batch) % options.classes
    compiled = jax.jit(step, donate_argnums=0)

    def answer(message):
        print(json.dumps(message), flush=True)

    plural = "" if options.threads == 1 else "s"
    name = f"jax {jax.__version__}, compiled, {options.threads} thread{plural}"
    answer({"name": name, "parameters": count})
    for line in sys.stdin:
        command, repetitions = line.split()
        if command == "peak":
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            answer({"peakMiB": peak})
            continue
        if command != "run":
            sys.exit(f"jax_step: unknown command {command!r}; send 'run N'")
        times = []
        for _ in range(int(repetitions)):
            started = time.perf_counter()
            state, loss = compiled(state, images, labels)
            float(loss)
            times.append((time.perf_counter() - started) * 1000)
        answer({"ms": times})


if __name__ == "__main__":
    main()
