"""Writes fixtures/statistics.json: what scipy says of Student's t, paired tests, power and bootstrap.

Run: python3 test/parity/statistics.py
Made with scipy 1.10; every value is checked by src/analysis/statistics/scipy.test.ts.
"""

import itertools
import json
import os

import numpy as np
import scipy
from scipy import special, stats

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
for n in (2, 3, 5, 10):
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


def power(effect, n):
    df, shift = n - 1, effect * np.sqrt(n)
    critical = stats.t.ppf(0.975, df)
    return float(stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift))


powers = [{"effect": e, "n": n, "power": power(e, n)} for e in (0.1, 0.5, 1.0, 2.0) for n in (2, 3, 5, 10, 30)]
needed = []
for effect in (0.1, 0.25, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0):
    n = 2
    while power(effect, n) < 0.8:
        n += 1
    needed.append({"effect": effect, "n": n})

bootstraps = []
for n in (8, 12, 30):
    values = rng.gamma(2, 0.01, n) - 0.01
    exact = stats.bootstrap((values,), np.mean, confidence_level=0.95, n_resamples=200_000, method="BCa", random_state=rng)
    few = rng.choice(values, (400, n)).mean(axis=1)
    # The formula of Efron's paper over those resamples, in numpy.
    z0 = stats.norm.ppf((np.sum(few < values.mean()) + np.sum(few == values.mean()) / 2) / len(few))
    jackknife = np.array([np.delete(values, i).mean() for i in range(n)])
    d = jackknife.mean() - jackknife
    acceleration = (d**3).sum() / (6 * (d**2).sum() ** 1.5)
    ends = [stats.norm.cdf(z0 + (z0 + z) / (1 - acceleration * (z0 + z))) for z in stats.norm.ppf((0.025, 0.975))]
    low, high = np.quantile(few, ends)
    bootstraps.append(
        {
            "values": values.tolist(),
            "scipy": {"low": float(exact.confidence_interval.low), "high": float(exact.confidence_interval.high)},
            "means": few.tolist(),
            "low": float(low),
            "high": float(high),
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
            "seedsNeeded": needed,
            "bootstrap": bootstraps,
            "holm": {"ps": ps, "adjusted": adjusted.tolist()},
        },
        file,
        separators=(",", ":"),
    )
    file.write("\n")
