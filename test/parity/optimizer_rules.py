"""Rules that PyTorch 1.13 does not have and that keep something for a matrix or for all tensors
together, in float64, in the form that their papers or authors give them."""

import torch


class Rule:
    """Made from initial values; step(gradients, rate, t) moves self.p, the parameters by name."""

    perturbs = False
    averages = False
    settings = {}

    def __init__(self, initial, whole, rate):
        self.p = whole(initial)
        self.start = {name: tensor.clone() for name, tensor in self.p.items()}
        self.state = {name: {} for name in self.p}
        self.begin(rate)

    def begin(self, rate):
        pass

    def get(self, name, key):
        """A state of the parameter's shape that begins at zero."""
        return self.state[name].setdefault(key, torch.zeros_like(self.p[name]))


def with_settings(rule, **settings):
    return type(rule.__name__, (rule,), {"settings": settings})


class Prodigy(Rule):
    """The authors' code, konstmish/prodigy, prodigyopt/prodigy.py."""

    def begin(self, rate):
        s = {"b1": 0.9, "b2": 0.999, "eps": 1e-8, "wd": 0, "d0": 1e-6, "coef": 1, "correct": False, "safeguard": False}
        self.s = {**s, **self.settings}
        self.d, self.numerator = self.s["d0"], 0.0

    def step(self, gradients, rate, t):
        s, d = self.s, self.d
        b3 = s["b2"] ** 0.5
        correction = (1 - s["b2"] ** t) ** 0.5 / (1 - s["b1"] ** t) if s["correct"] else 1
        dlr = d * rate * correction
        self.numerator *= b3
        denominator = 0.0
        for name, g in gradients.items():
            self.numerator += d / s["d0"] * dlr * float((g * (self.start[name] - self.p[name])).sum())
            self.get(name, "m").mul_(s["b1"]).add_(g, alpha=d * (1 - s["b1"]))
            self.get(name, "v").mul_(s["b2"]).addcmul_(g, g, value=d * d * (1 - s["b2"]))
            alpha = d / s["d0"] * (d if s["safeguard"] else dlr)
            denominator += float(self.get(name, "s").mul_(b3).add_(g, alpha=alpha).abs().sum())
        self.d = max(d, s["coef"] * self.numerator / denominator)
        for name in gradients:
            p, m, v = self.p[name], self.get(name, "m"), self.get(name, "v")
            p.add_(p, alpha=-s["wd"] * dlr)
            p.addcdiv_(m, v.sqrt().add_(self.d * s["eps"]), value=-dlr)


class ScheduleFree(Rule):
    """facebookresearch/schedule_free: y (the parameter) and z are kept, x follows from them."""

    averages = True
    adam = False

    def begin(self, rate):
        s = {"beta": 0.9, "b2": 0.999, "eps": 1e-8, "wd": 0, "power": 2, "r": 0}
        self.s = {**s, **self.settings}
        self.z = {name: tensor.clone() for name, tensor in self.p.items()}
        self.greatest, self.total = 0.0, 0.0

    def step(self, gradients, rate, t):
        s, beta = self.s, self.s["beta"]
        self.greatest = max(rate, self.greatest)
        weight = t ** s["r"] * self.greatest ** s["power"]
        self.total += weight
        share = weight / self.total
        for name, g in gradients.items():
            y, z = self.p[name], self.z[name]
            if self.adam:
                v = self.get(name, "v").mul_(s["b2"]).addcmul_(g, g, value=1 - s["b2"])
                g = g / (v.div(1 - s["b2"] ** t).sqrt().add(s["eps"]))
            g = g + s["wd"] * y
            y.lerp_(z, share)
            y.add_(g, alpha=rate * (beta * (1 - share) - 1))
            z.sub_(g, alpha=rate)

    def evaluated(self):
        """x, from y = (1 - beta) z + beta x."""
        beta = self.s["beta"]
        return {name: (y - (1 - beta) * self.z[name]) / beta for name, y in self.p.items()}


class ScheduleFreeAdamW(ScheduleFree):
    adam = True


class Adafactor(Rule):
    """Shazeer & Stern 2018, algorithms 4 and 5; a convolution's weight as the matrix (O, I kh kw)."""

    def begin(self, rate):
        s = {"power": 0.8, "d": 1, "eps1": 1e-30, "eps2": 1e-3, "wd": 0, "relative": True, "scale": True}
        self.s = {**s, **self.settings}

    def step(self, gradients, rate, t):
        s = self.s
        beta = 1 - t ** -s["power"]
        for name, g in gradients.items():
            p, state = self.p[name], self.state[name]
            squares = g * g + s["eps1"]
            if p.dim() > 1:
                matrix = squares.flatten(1)
                state["r"] = beta * state.get("r", 0) + (1 - beta) * matrix.mean(1)
                state["c"] = beta * state.get("c", 0) + (1 - beta) * matrix.mean(0)
                v = (torch.outer(state["r"], state["c"]) / state["r"].mean()).reshape(p.shape)
            else:
                v = state["v"] = beta * state.get("v", 0) + (1 - beta) * squares
            u = g / v.sqrt()
            u = u / max(1.0, float(u.square().mean().sqrt()) / s["d"])
            step = min(rate, t**-0.5) if s["relative"] else rate
            if s["scale"]:
                step *= max(s["eps2"], float(p.square().mean().sqrt()))
            p.mul_(1 - rate * s["wd"]).sub_(step * u)


class Muon(Rule):
    """Jordan et al. 2024 in float64; biases by AdamW at a fraction of the rate."""

    def begin(self, rate):
        s = {"mu": 0.95, "nesterov": True, "wd": 0, "scale": 0.015, "b1": 0.9, "b2": 0.95, "eps": 1e-10}
        self.s = {**s, **self.settings}

    def orthogonalised(self, g):
        a, b, c = 3.4445, -4.7750, 2.0315
        x = g.T if g.shape[0] > g.shape[1] else g
        x = x / (x.norm() + 1e-7)
        for _ in range(5):
            square = x @ x.T
            x = a * x + (b * square + c * square @ square) @ x
        return x.T if g.shape[0] > g.shape[1] else x

    def step(self, gradients, rate, t):
        s = self.s
        for name, g in gradients.items():
            p = self.p[name]
            if p.dim() > 1:
                buffer = self.get(name, "b")
                buffer.lerp_(g, 1 - s["mu"])
                matrix = (g.lerp(buffer, s["mu"]) if s["nesterov"] else buffer).flatten(1)
                scale = max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5
                p.mul_(1 - rate * s["wd"])
                p.sub_(rate * scale * self.orthogonalised(matrix).reshape(p.shape))
            else:
                m = self.get(name, "m").lerp_(g, 1 - s["b1"]) / (1 - s["b1"] ** t)
                v = self.get(name, "v").lerp_(g * g, 1 - s["b2"]) / (1 - s["b2"] ** t)
                p.mul_(1 - rate * s["scale"] * s["wd"])
                p.sub_(rate * s["scale"] * m / (v.sqrt() + s["eps"]))


class ByTorch(Rule):
    """A rule of PyTorch's, for wrappers to go around."""

    def begin(self, rate):
        self.optimizer = self.settings["optimizer"](list(self.p.values()), lr=rate, **self.settings["arguments"])

    def step(self, gradients, rate, t):
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for name, g in gradients.items():
            self.p[name].grad = g
        self.optimizer.step()


class Lookahead(ByTorch):
    """Zhang et al. 2019, algorithm 1."""

    averages = True

    def step(self, gradients, rate, t):
        super().step(gradients, rate, t)
        if t % self.settings["k"] == 0:
            for name, slow in self.start.items():
                slow.lerp_(self.p[name], self.settings["alpha"])
                self.p[name].copy_(slow)

    def evaluated(self):
        return self.start


class Sam(ByTorch):
    """Foret et al. 2021, algorithm 1."""

    perturbs = True

    def perturb(self, gradients):
        self.centre = {name: tensor.clone() for name, tensor in self.p.items()}
        norm = torch.stack([g.norm() for g in gradients.values()]).norm()
        for name, g in gradients.items():
            self.p[name].add_(g, alpha=self.settings["rho"] / (float(norm) + 1e-12))

    def step(self, gradients, rate, t):
        for name, centre in self.centre.items():
            self.p[name].copy_(centre)
        super().step(gradients, rate, t)


PRODIGY = "Mishchenko & Defazio 2024, arxiv.org/abs/2306.06101, as in the authors' code, float64"
FREE = "Defazio et al. 2024, arxiv.org/abs/2405.15682, as in the authors' code, float64"
SHAZEER = "Shazeer & Stern 2018, arxiv.org/abs/1804.04235, algorithms 4 and 5, float64"
JORDAN = "Jordan et al. 2024, kellerjordan.github.io/posts/muon, float64"
ZHANG = "Zhang et al. 2019, arxiv.org/abs/1907.08610, around PyTorch's, float64"
FORET = "Foret et al. 2021, arxiv.org/abs/2010.01412, around PyTorch's, float64"

CASES = [
    ("prodigy", {"learningRate": 1}, Prodigy, PRODIGY),
    (
        "prodigy",
        {"learningRate": 0.5, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": 0.1,
         "initialD": 0.0078125, "growth": 0.5, "biasCorrection": 1, "safeguardWarmup": 1},
        with_settings(Prodigy, b1=0.8, b2=0.95, eps=1e-3, wd=0.1, d0=0.0078125, coef=0.5, correct=True, safeguard=True),
        PRODIGY,
    ),
    ("schedule-free-sgd", {"learningRate": 0.1}, ScheduleFree, FREE),
    (
        "schedule-free-sgd",
        {"learningRate": 0.1, "momentum": 0.8, "weightDecay": 0.1, "ratePower": 1, "weightPower": 0.5},
        with_settings(ScheduleFree, beta=0.8, wd=0.1, power=1, r=0.5),
        FREE,
    ),
    ("schedule-free-adamw", {"learningRate": 0.01}, ScheduleFreeAdamW, FREE),
    (
        "schedule-free-adamw",
        {"learningRate": 0.01, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3, "weightDecay": 0.1},
        with_settings(ScheduleFreeAdamW, beta=0.8, b2=0.95, eps=1e-3, wd=0.1),
        FREE,
    ),
    ("adafactor", {"learningRate": 0.01}, Adafactor, SHAZEER),
    (
        "adafactor",
        {"learningRate": 0.05, "decayPower": 0.5, "clipThreshold": 0.5, "epsilon": 1e-3, "weightDecay": 0.1,
         "relativeStep": 0, "scaleParameter": 0},
        with_settings(Adafactor, power=0.5, d=0.5, eps1=1e-3, wd=0.1, relative=False, scale=False),
        SHAZEER,
    ),
    ("muon", {"learningRate": 0.02}, Muon, JORDAN),
    (
        "muon",
        {"learningRate": 0.02, "momentum": 0.8, "nesterov": 0, "weightDecay": 0.1, "adamRateScale": 0.5,
         "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-3},
        with_settings(Muon, mu=0.8, nesterov=False, wd=0.1, scale=0.5, b1=0.8, b2=0.9, eps=1e-3),
        JORDAN,
    ),
    (
        "lookahead-adam",
        {"learningRate": 0.01},
        with_settings(Lookahead, optimizer=torch.optim.Adam, arguments={}, k=5, alpha=0.5),
        ZHANG,
    ),
    (
        "lookahead-adam",
        {"learningRate": 0.01, "weightDecay": 0.1, "lookaheadK": 3, "lookaheadAlpha": 0.8},
        with_settings(Lookahead, optimizer=torch.optim.Adam, arguments={"weight_decay": 0.1}, k=3, alpha=0.8),
        ZHANG,
    ),
    (
        "sam-sgd",
        {"learningRate": 0.1},
        with_settings(Sam, optimizer=torch.optim.SGD, arguments={}, rho=0.05),
        FORET,
    ),
    (
        "sam-sgd",
        {"learningRate": 0.1, "momentum": 0.9, "weightDecay": 0.1, "samRho": 0.5},
        with_settings(Sam, optimizer=torch.optim.SGD, arguments={"momentum": 0.9, "weight_decay": 0.1}, rho=0.5),
        FORET,
    ),
]
