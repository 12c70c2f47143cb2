"""Learning rates of schedules, update by update: writes fixtures/schedules.json. Where
torch.optim.lr_scheduler defines one (Debian's python3-torch, 1.13), torch computes them; where optax,
fastai or the CLR paper does, their formula in float64 does, written out here. "source" says which. Long because each library has its cases here.

    /usr/bin/python3 test/parity/schedules.py
"""

import json
import math
import pathlib
import warnings

import torch
from torch.optim import lr_scheduler as S

from optax_schedules import (
    cosine_decay_schedule,
    exponential_decay,
    join_schedules,
    piecewise_constant_schedule,
    piecewise_interpolate_schedule,
    polynomial_schedule,
    warmup_cosine_decay_schedule,
)

warnings.simplefilter("ignore")
cases = []


def case(source, spec, rates, **extra):
    cases.append({"source": source, "spec": spec, **extra, "rates": rates})


# ---- torch -----------------------------------------------------------------------------------------


def rates_of(make, lr, updates, key="lr"):
    """Rate (or momentum) of each update of SGD on one parameter under a scheduler of torch's."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)
    scheduler = make(optimizer)
    rates = []
    for t in range(updates):
        rates.append(optimizer.param_groups[0][key])
        optimizer.step()
        if t + 1 < updates:
            scheduler.step()
    return rates


def torch_case(name, spec, make, lr, updates, **extra):
    case(f"torch {torch.__version__[:4]} {name}", spec, rates_of(make, lr, updates), **extra)


def cyclic():
    for ours, mode in [("triangular", "triangular"), ("triangular2", "triangular2"), ("expRange", "exp_range")]:
        for up, down in [(4, None), (3, 5), (7, 2)]:
            spec = {"type": ours, "base": 0.01, "max": 0.06, "stepSize": up}
            if down:
                spec["stepDown"] = down
            if ours == "expRange":
                spec["gamma"] = 0.97
            torch_case(
                f"CyclicLR {mode}",
                spec,
                lambda o: S.CyclicLR(o, 0.01, 0.06, up, down, mode, gamma=0.97),
                0.01,
                40,
            )
    for by, mode in [("cycle", "cycle"), ("update", "iterations")]:
        torch_case(
            "CyclicLR scale_fn",
            {"type": "cyclical", "base": 0.01, "max": 0.06, "stepSize": 3, "stepDown": 5},
            lambda o: S.CyclicLR(o, 0.01, 0.06, 3, 5, scale_fn=lambda x: 1 / (1 + 0.5 * x), scale_mode=mode),
            0.01,
            40,
            scaleBy=by,
        )


def one_cycle():
    for ours, theirs in [("cosine", "cos"), ("linear", "linear")]:
        for phases in [2, 3]:
            for spec, options in [
                ({"max": 0.1, "steps": 30}, {"total_steps": 30}),
                (
                    {"max": 0.1, "steps": 37, "riseFraction": 0.25, "startDivisor": 10, "endDivisor": 100},
                    {"total_steps": 37, "pct_start": 0.25, "div_factor": 10, "final_div_factor": 100},
                ),
            ]:
                torch_case(
                    "OneCycleLR",
                    {"type": "oneCycle", **spec, "phases": phases, "anneal": ours},
                    lambda o: S.OneCycleLR(o, 0.1, anneal_strategy=theirs, three_phase=phases == 3, **options),
                    0.1,
                    spec["steps"],
                )


def momentum():
    """cycle_momentum, which both schedulers have on by default."""
    cyclic = lambda mode: lambda o: S.CyclicLR(o, 0.01, 0.06, 3, 5, mode, gamma=0.97)
    narrow = lambda o: S.CyclicLR(o, 0.01, 0.06, 4, base_momentum=0.5, max_momentum=0.99)
    bounds = {"base": 0.01, "max": 0.06}
    cases = [
        ("CyclicLR", {}, {"type": "triangular", **bounds, "stepSize": 3, "stepDown": 5}, cyclic("triangular"), 40),
        ("CyclicLR", {}, {"type": "triangular2", **bounds, "stepSize": 3, "stepDown": 5}, cyclic("triangular2"), 40),
        (
            "CyclicLR",
            {},
            {"type": "expRange", **bounds, "stepSize": 3, "stepDown": 5, "gamma": 0.97},
            cyclic("exp_range"),
            40,
        ),
        ("CyclicLR", {"low": 0.5, "high": 0.99}, {"type": "triangular", **bounds, "stepSize": 4}, narrow, 20),
    ]
    for ours, theirs in [("cosine", "cos"), ("linear", "linear")]:
        for phases in [2, 3]:
            spec = {"type": "oneCycle", "max": 0.1, "steps": 37, "phases": phases, "anneal": ours}
            make = lambda o, s=theirs, p=phases: S.OneCycleLR(o, 0.1, 37, anneal_strategy=s, three_phase=p == 3)
            cases.append(("OneCycleLR", {}, spec, make, 37))
    for name, options, spec, make, updates in cases:
        rates = rates_of(make, 0.1, updates, "momentum")
        wanted = {"type": "inverseMomentum", **options, "schedule": spec}
        case(f"torch {torch.__version__[:4]} {name}, its momentum", wanted, rates)


def others():
    torch_case(
        "CosineAnnealingLR",
        {"type": "cosineDecay", "peak": 0.1, "floor": 0.001, "steps": 25},
        lambda o: S.CosineAnnealingLR(o, 25, 0.001),
        0.1,
        26,
    )
    for growth in [1, 2, 3]:
        torch_case(
            "CosineAnnealingWarmRestarts",
            {"type": "cosineRestarts", "peak": 0.1, "floor": 0.001, "cycleSteps": 4, "growth": growth},
            lambda o: S.CosineAnnealingWarmRestarts(o, 4, growth, 0.001),
            0.1,
            60,
        )
    torch_case(
        "LinearLR",
        {"type": "linearRamp", "from": 0.025, "to": 0.075, "steps": 8},
        lambda o: S.LinearLR(o, 0.25, 0.75, 8),
        0.1,
        20,
    )
    for power in [1, 2.5]:
        torch_case(
            "PolynomialLR",
            {"type": "polynomial", "from": 0.1, "to": 0, "steps": 15, "power": power},
            lambda o: S.PolynomialLR(o, 15, power),
            0.1,
            20,
        )
    torch_case(
        "ExponentialLR",
        {"type": "exponential", "rate": 0.1, "factor": 0.95},
        lambda o: S.ExponentialLR(o, 0.95),
        0.1,
        40,
    )
    torch_case(
        "StepLR",
        {"type": "stepDecay", "rate": 0.1, "factor": 0.3, "every": 7},
        lambda o: S.StepLR(o, 7, 0.3),
        0.1,
        30,
    )
    torch_case(
        "MultiStepLR",
        {"type": "multiStep", "rate": 0.1, "milestones": [3, 4, 20], "factor": 0.2},
        lambda o: S.MultiStepLR(o, [3, 4, 20], 0.2),
        0.1,
        30,
    )
    torch_case(
        "SequentialLR of LinearLR and StepLR",
        {
            "type": "sequence",
            "parts": [
                {"steps": 6, "schedule": {"type": "linearRamp", "from": 0.01, "to": 0.1, "steps": 6}},
                {"steps": 20, "schedule": {"type": "stepDecay", "rate": 0.1, "factor": 0.5, "every": 5}},
            ],
        },
        lambda o: S.SequentialLR(o, [S.LinearLR(o, 0.1, 1, 6), S.StepLR(o, 5, 0.5)], [6]),
        0.1,
        26,
    )


def metrics():
    """Losses that fall, stall, jump, and are NaN once, without a random number."""
    values = [1 / (1 + 0.3 * min(t, 9)) + 0.001 * ((t * 7) % 5) for t in range(60)]
    values[13] = math.nan
    values[41] = 0.1
    return values


def plateau():
    for options, theirs in [
        ({}, {}),
        ({"patience": 0, "factor": 0.5}, {"patience": 0, "factor": 0.5}),
        ({"patience": 2, "cooldown": 3, "factor": 0.5}, {"patience": 2, "cooldown": 3, "factor": 0.5}),
        (
            {"patience": 3, "threshold": 0.02, "thresholdMode": "absolute", "floor": 0.01},
            {"patience": 3, "threshold": 0.02, "threshold_mode": "abs", "min_lr": 0.01},
        ),
        (
            {"patience": 2, "mode": "max", "factor": 0.7, "epsilon": 1e-3},
            {"patience": 2, "mode": "max", "factor": 0.7, "eps": 1e-3},
        ),
    ]:
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        scheduler = S.ReduceLROnPlateau(optimizer, **theirs)
        rates = []
        for metric in metrics():
            scheduler.step(metric)
            rates.append(optimizer.param_groups[0]["lr"])
        case(
            f"torch {torch.__version__[:4]} ReduceLROnPlateau",
            {"type": "reduceOnPlateau", "rate": 0.1, **options},
            rates,
        )


# ---- optax: its formulas in float64 ----------------------------------------------------------------


def optax():
    def run(name, spec, rate, updates):
        case(f"optax {name}, its formula in float64", spec, [rate(t) for t in range(updates)])

    run(
        "polynomial_schedule",
        {"type": "polynomial", "from": 0.1, "to": 0.02, "steps": 12, "power": 3},
        polynomial_schedule(0.1, 0.02, 3, 12),
        16,
    )
    run(
        "cosine_decay_schedule",
        {"type": "cosineDecay", "peak": 0.1, "floor": 0.005, "steps": 17},
        cosine_decay_schedule(0.1, 17, 0.05),
        25,
    )
    run(
        "exponential_decay",
        {"type": "exponential", "rate": 0.1, "factor": 0.5, "every": 6},
        exponential_decay(0.1, 6, 0.5),
        25,
    )
    run(
        "exponential_decay, staircase",
        {"type": "stepDecay", "rate": 0.1, "factor": 0.5, "every": 6},
        exponential_decay(0.1, 6, 0.5, staircase=True),
        25,
    )
    run(
        "exponential_decay, end_value",
        {
            "type": "clip",
            "min": 0.02,
            "schedule": {"type": "exponential", "rate": 0.1, "factor": 0.5, "every": 6},
        },
        exponential_decay(0.1, 6, 0.5, end=0.02),
        25,
    )
    run(
        "piecewise_constant_schedule",
        {"type": "piecewise", "points": [[0, 0.1], [5, 0.05], [9, 0.005]]},
        piecewise_constant_schedule(0.1, {5: 0.5, 9: 0.1}),
        14,
    )
    for kind in ["linear", "cosine"]:
        run(
            f"piecewise_interpolate_schedule {kind}",
            {"type": "piecewise", "points": [[0, 0.1], [5, 0.2], [13, 0.02]], "between": kind},
            piecewise_interpolate_schedule(kind, 0.1, {5: 2, 13: 0.1}),
            18,
        )
    run(
        "warmup_cosine_decay_schedule",
        {
            "type": "warmup",
            "steps": 5,
            "from": 0.01,
            "schedule": {"type": "cosineDecay", "peak": 0.1, "floor": 0.001, "steps": 20},
        },
        warmup_cosine_decay_schedule(0.01, 0.1, 5, 25, 0.001),
        30,
    )
    run(
        "warmup_constant_schedule",
        {"type": "warmup", "steps": 5, "from": 0.01, "schedule": {"type": "constant", "rate": 0.1}},
        join_schedules([polynomial_schedule(0.01, 0.1, 1, 5), lambda _: 0.1], [5]),
        10,
    )
    run(
        "warmup_exponential_decay_schedule",
        {
            "type": "warmup",
            "steps": 5,
            "from": 0,
            "schedule": {"type": "exponential", "rate": 0.1, "factor": 0.9, "every": 3},
        },
        join_schedules([polynomial_schedule(0, 0.1, 1, 5), exponential_decay(0.1, 3, 0.9)], [5]),
        20,
    )
    # Two cycles of sgdr_schedule, each with a warm-up; the second lower and longer.
    first = {"type": "warmup", "steps": 2, "schedule": {"type": "cosineDecay", "peak": 0.1, "steps": 6}}
    second = {"type": "warmup", "steps": 3, "schedule": {"type": "cosineDecay", "peak": 0.05, "steps": 9}}
    run(
        "sgdr_schedule",
        {"type": "sequence", "parts": [{"steps": 8, "schedule": first}, {"steps": 12, "schedule": second}]},
        join_schedules(
            [
                warmup_cosine_decay_schedule(0, 0.1, 2, 8, 0),
                warmup_cosine_decay_schedule(0, 0.05, 3, 12, 0),
            ],
            [8],
        ),
        25,
    )
    run(
        "cosine_onecycle_schedule",
        {"type": "oneCycle", "dialect": "optax", "max": 0.1, "steps": 33},
        piecewise_interpolate_schedule("cosine", 0.1 / 25, {int(0.3 * 33): 25, 33: 1 / (25 * 1e4)}),
        40,
    )
    run(
        "linear_onecycle_schedule",
        {"type": "oneCycle", "dialect": "optax", "max": 0.1, "steps": 33, "phases": 3, "anneal": "linear"},
        piecewise_interpolate_schedule(
            "linear", 0.1 / 25, {int(0.3 * 33): 25, int(0.85 * 33): 1 / 25, 33: 1 / 1e4}
        ),
        40,
    )
    optax_plateau(run)


def optax_plateau(run):
    """contrib.reduce_on_plateau; its patience 3 is 2 of torch's."""
    factor, patience, rtol, cooldown = 0.5, 3, 1e-4, 2
    scale, best, count, resting, rates = 1.0, math.inf, 0, 0, []
    for metric in metrics():
        if metric < (1 - rtol) * best:
            best, count = metric, 0
        else:
            count += 1
        if resting > 0:
            count, resting = 0, resting - 1
        elif count == patience:
            count, resting, scale = 0, cooldown, scale * factor
        rates.append(0.1 * scale)
    options = {"factor": factor, "patience": patience - 1, "cooldown": cooldown, "epsilon": 0}
    spec = {"type": "reduceOnPlateau", "rate": 0.1, **options}
    run("contrib.reduce_on_plateau", spec, lambda t: rates[t], len(rates))


# ---- fastai and the paper --------------------------------------------------------------------------


def fastai():
    """fit_one_cycle: combined_cos(pct_start, lr_max / div, lr_max, lr_max / div_final) of t / n."""
    n, top, div, div_final, pct = 32, 0.1, 25.0, 1e5, 0.25

    def cos(start, end, p):
        return start + (1 + math.cos(math.pi * (1 - p))) * (end - start) / 2

    def rate(t):
        p = t / n
        if p < pct:
            return cos(top / div, top, p / pct)
        return cos(top, top / div_final, (p - pct) / (1 - pct))

    case(
        "fastai fit_one_cycle, its formula in float64",
        {"type": "oneCycle", "dialect": "fastai", "max": top, "steps": n},
        [rate(t) for t in range(n + 1)],
    )


def clr_paper():
    """The listing of the CLR paper, and exp_range with both bounds decaying, as its text says."""

    def triangular(t, base, top, step):
        cycle = math.floor(1 + t / (2 * step))
        x = abs(t / step - 2 * cycle + 1)
        return base + (top - base) * max(0, 1 - x)

    case(
        "Smith 2017, listing of section 3.1, in float64",
        {"type": "triangular", "base": 0.001, "max": 0.006, "stepSize": 9},
        [triangular(t, 0.001, 0.006, 9) for t in range(60)],
    )
    case(
        "Smith 2017, exp_range, both bounds, in float64",
        {"type": "expRange", "base": 0.001, "max": 0.006, "stepSize": 9, "gamma": 0.98, "decay": "bounds"},
        [triangular(t, 0.001 * 0.98**t, 0.006 * 0.98**t, 9) for t in range(60)],
    )


cyclic()
one_cycle()
momentum()
others()
plateau()
optax()
fastai()
clr_paper()

target = pathlib.Path(__file__).parent / "fixtures" / "schedules.json"
lines = ",\n".join(json.dumps(c) for c in cases)
text = json.dumps([None if math.isnan(m) else m for m in metrics()])
target.write_text(f'{{\n"metrics": {text},\n"cases": [\n{lines}\n]\n}}\n')
print(f"{target.name}: {len(cases)} cases, {target.stat().st_size} bytes")
