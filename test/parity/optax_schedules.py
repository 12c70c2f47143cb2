"""Schedules as optax defines them, in float64: their formulas, for schedules.py."""

import math


def polynomial_schedule(init, end, power, steps, begin=0):
    def rate(count):
        count = min(max(count - begin, 0), steps)
        return (init - end) * (1 - count / steps) ** power + end

    return rate


def cosine_decay_schedule(init, decay_steps, alpha=0.0):
    def rate(count):
        cosine = 0.5 * (1 + math.cos(math.pi * min(count, decay_steps) / decay_steps))
        return init * ((1 - alpha) * cosine + alpha)

    return rate


def exponential_decay(init, steps, decay, staircase=False, end=None):
    def rate(count):
        p = count / steps
        value = init * decay ** (math.floor(p) if staircase else p)
        return value if end is None else max(value, end)

    return rate


def join_schedules(schedules, boundaries):
    def rate(count):
        value = schedules[0](count)
        for boundary, schedule in zip(boundaries, schedules[1:]):
            if count >= boundary:
                value = schedule(count - boundary)
        return value

    return rate


def piecewise_constant_schedule(init, scales):
    return lambda count: init * math.prod([s for at, s in scales.items() if count >= at])


def piecewise_interpolate_schedule(kind, init, scales):
    bounds, values = [0], [init]
    for at, scale in sorted(scales.items()):
        bounds.append(at)
        values.append(values[-1] * scale)

    def rate(count):
        if count >= bounds[-1]:
            return values[-1]
        i = max(i for i, at in enumerate(bounds) if at <= count)
        p = (count - bounds[i]) / (bounds[i + 1] - bounds[i])
        start, end = values[i], values[i + 1]
        if kind == "linear":
            return start + (end - start) * p
        return end + (start - end) / 2 * (math.cos(math.pi * p) + 1)

    return rate


def warmup_cosine_decay_schedule(init, peak, warmup, decay, end):
    return join_schedules(
        [polynomial_schedule(init, peak, 1, warmup), cosine_decay_schedule(peak, decay - warmup, end / peak)],
        [warmup],
    )
