"""Writes fixtures/statistics.json: what scipy says of Student's t, paired tests, and power.

Run: python3 test/parity/statistics.py
Made with scipy 1.17; every value is checked by src/analysis/statistics/scipy.test.ts.
"""

import itertools
import json
import os

import numpy as np
import scipy
from scipy import integrate, special, stats

rng = np.random.default_rng(20190501)

normal = [{"x": x, "cdf": float(stats.norm.cdf(x))} for x in (-30, -9, -5, -3.1, -3, -1.96, -0.5, 0, 1e-9, 0.7, 2.9, 3, 3.5, 8)]
normal_quantile = [{"p": p, "x": float(stats.norm.ppf(p))} for p in (1e-12, 1e-4, 0.025, 0.3, 0.5, 0.8, 0.975, 0.9999)]
beta = [
    {"x": x, "a": a, "b": b, "value": float(special.betainc(a, b, x))}
    for x in (1e-6, 0.05, 0.3, 0.5, 0.9, 0.99999)
    for a, b in ((0.5, 0.5), (1, 0.5), (4.5, 0.5), (20, 3), (500, 0.5))
]
log_gamma = [{"x": x, "value": float(special.gammaln(x))} for x in (0.5, 1, 1.5, 3, 10.5, 1000.5)]
student = [
    {
        "df": df,
        "t95": float(stats.t.ppf(0.975, df)),
        "t99": float(stats.t.ppf(0.995, df)),
        "p": [{"t": t, "value": float(2 * stats.t.sf(t, df))} for t in (0, 0.1, 1, 2.5, 7, 40)],
    }
    for df in (1, 2, 3, 4, 7, 9, 29, 120, 9999)
]

intervals = []
for n in (3, 5, 10):
    values = rng.normal(0.8, 0.02, n)
    low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
    intervals.append({"values": values.tolist(), "low": low, "high": high})

pairs = []
for n, shift in ((2, 0.01), (3, 0.02), (5, 0.03), (6, 0.02), (8, 0.0), (10, 0.015), (12, 0.004)):
    a = rng.normal(0.8, 0.02, n)
    b = a - shift + rng.normal(0, 0.015, n)
    if n == 8:  # with ties and a difference of exactly nothing
        a, b = np.round(a, 2), np.round(b, 2)
        b[3] = a[3]
    d = a - b
    test = stats.ttest_rel(a, b)
    interval = test.confidence_interval(0.95)
    flip = stats.permutation_test(
        (d,), lambda x, axis: np.mean(x, axis=axis), permutation_type="samples", n_resamples=np.inf, vectorized=True
    )
    # Counted a second time by hand: permutation_test doubles the smaller one-sided p.
    sums = [abs(np.dot(signs, d)) for signs in itertools.product((-1, 1), repeat=n)]
    counted = float(np.mean(np.array(sums) >= abs(d.sum()) - 1e-10 * np.abs(d).sum()))
    assert abs(counted - min(1, flip.pvalue)) < 0.05
    pairs.append(
        {
            "a": a.tolist(),
            "b": b.tolist(),
            "mean": float(d.mean()),
            "sd": float(d.std(ddof=1)),
            "low": float(interval.low),
            "high": float(interval.high),
            "tP": float(test.pvalue),
            "signFlipP": counted,
        }
    )


def power(effect, n, alpha):
    """Noncentral t, as scipy integrates it: its own nct gives up in the far tails."""
    df, shift = n - 1, effect * np.sqrt(n)
    critical = stats.t.ppf(1 - alpha / 2, df)
    scale = lambda s: critical * s / np.sqrt(df)
    tails = lambda s: stats.norm.sf(scale(s) - shift) + stats.norm.cdf(-scale(s) - shift)
    value = integrate.quad(lambda s: stats.chi.pdf(s, df) * tails(s), 0, np.inf, epsabs=1e-12, limit=200)[0]
    if alpha == 0.05 and 3 <= n <= 10:
        assert abs(value - (stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift))) < 1e-6
    return float(value)


powers = [
    {"effect": e, "n": n, "alpha": a, "power": power(e, n, a)}
    for e in (0.1, 0.5, 1.0, 2.0)
    for n in (2, 3, 5, 10, 30)
    for a in (0.05, 0.05 / 15)
    if a == 0.05 or n >= 5
]

# Differences over seeds and images: the variance components of a two-way table, cell by cell.
crossed = []
for seeds, images in ((3, 12), (5, 40), (8, 25)):
    difficulty = rng.normal(0.5, 1.5, images)
    taste = rng.normal(0, 1, (images, 2))
    right = [
        [(rng.random(images) < 1 / (1 + np.exp(-(difficulty + taste[:, arm])))).astype(int) for _ in range(seeds)]
        for arm in (0, 1)
    ]
    d = np.array(right[0]) - np.array(right[1])
    grand, by_seed, by_image = d.mean(), d.mean(axis=1, keepdims=True), d.mean(axis=0, keepdims=True)
    ms_seed = images * ((by_seed - grand) ** 2).sum() / (seeds - 1)
    ms_image = seeds * ((by_image - grand) ** 2).sum() / (images - 1)
    ms_left = ((d - by_seed - by_image + grand) ** 2).sum() / ((seeds - 1) * (images - 1))
    cells = seeds * images
    variance = max((ms_seed + ms_image - ms_left) / cells, ms_seed / cells, ms_image / cells)
    spread = ms_seed**2 / (seeds - 1) + ms_image**2 / (images - 1) + ms_left**2 / ((seeds - 1) * (images - 1))
    df = variance**2 / (spread / cells**2)
    half = float(stats.t.ppf(0.975, df) * np.sqrt(variance))
    crossed.append(
        {
            "first": [row.tolist() for row in right[0]],
            "second": [row.tolist() for row in right[1]],
            "low": float(max(-1, grand - half)),
            "high": float(min(1, grand + half)),
            "p": float(2 * stats.t.sf(abs(grand) / np.sqrt(variance), df)),
        }
    )

ps = [0.01, 0.04, 0.03, 0.005, 0.6, 0.04]
order = np.argsort(ps, kind="stable")
adjusted = np.empty(len(ps))
adjusted[order] = np.minimum(1, np.maximum.accumulate((len(ps) - np.arange(len(ps))) * np.array(ps)[order]))

path = os.path.join(os.path.dirname(__file__), "fixtures", "statistics.json")
with open(path, "w") as file:
    json.dump(
        {
            "madeWith": f"scipy {scipy.__version__}",
            "normal": normal,
            "normalQuantile": normal_quantile,
            "incompleteBeta": beta,
            "logGamma": log_gamma,
            "studentT": student,
            "intervals": intervals,
            "pairs": pairs,
            "power": powers,
            "crossed": crossed,
            "holm": {"ps": ps, "adjusted": adjusted.tolist()},
        },
        file,
        separators=(",", ":"),
    )
    file.write("\n")
