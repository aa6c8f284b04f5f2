"""An evaluator of a net that does not exist: noise of single layers nearly adds up."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from edgekit.bundle.plan import Plan
from edgekit.tune.candidate import Answers, Candidate, Evaluation
from edgekit.tune.promise import Paired
from edgekit_converters.mixing import BITS, FAMILIES, Layer
from edgekit_runtimes.errors import DeviceError

SIZES = FAMILIES["tflite"][0]
# Of each level, beside that of the level with the most.
SHARES = {"int4-dynamic": 1.0, "int8-weights": 1 / 256, "fp16": 1e-7, "fp32": 0.0}
OTHERS = {"int8": 1 / 64, "int8-dynamic": 1 / 200}


class FakeEvaluator:
    """Noise and bytes of a net of `count` layers, by seed.

    bend: by how much noises do not add up, as a share. goes_away: after so many candidates.
    """

    def __init__(
        self, count: int = 10, seed: int = 0, bend: float = 0.1, goes_away: int | None = None
    ) -> None:
        generator = np.random.default_rng(seed)
        weights = generator.integers(100, 20_000, count)
        self.net = [Layer(f"layer{n}", "CONV_2D", int(w), int(w)) for n, w in enumerate(weights)]
        self.alone = 10 ** generator.uniform(-4, -1.5, count)
        self.crossed = 1 + bend * generator.uniform(-1, 1, (count, len(SHARES)))
        self.asked: list[str] = []
        self.judged: list[str] = []
        self.goes_away = goes_away

    def evaluate(self, candidates: Sequence[Candidate]) -> list[Evaluation]:
        found = []
        for one in candidates:
            if self.goes_away is not None and len(self.asked) >= self.goes_away:
                raise DeviceError("board:pi5 does not answer any more")
            self.asked.append(one.id)
            found.append(Evaluation(one, {"size": self.bytes(one.plan)}, self.answers(one)))
        return found

    def judge(self, candidates: Sequence[Candidate]) -> list[Answers]:
        self.judged += [one.id for one in candidates]
        return [self.answers(one, 5_000) for one in candidates]

    def layers(self, format_name: str) -> Sequence[Layer]:
        return self.net

    def answers(self, one: Candidate, samples: int = 1_000) -> Answers:
        noise = self.noise(one.plan)
        level = -10 * math.log10(noise) if noise else math.inf
        # A tenth of the noise's root is lost, half of it gained.
        lost = int(samples * min(0.3, 0.2 * math.sqrt(noise)))
        table = Paired(samples - lost - lost // 2, lost, lost // 2, 0)
        return Answers(samples, level, table, lost + lost // 2)

    def noise(self, plan: Plan) -> float:
        if plan.recipe in OTHERS:
            return float(OTHERS[plan.recipe] * self.alone.sum())
        if "+" in plan.recipe:
            return 1.0
        levels = [plan.layers.get(layer.name, plan.recipe) for layer in self.net]
        places = [list(SHARES).index(level) for level in levels]
        shares = np.array([SHARES[level] for level in levels])
        bent = self.crossed[np.arange(len(places)), np.roll(places, 1)]
        return float((self.alone * shares * bent).sum())

    def bytes(self, plan: Plan) -> float:
        recipe = plan.recipe.partition("+")[0]
        bits = [BITS[plan.layers.get(layer.name, recipe)] for layer in self.net]
        return sum(b * layer.weights for b, layer in zip(bits, self.net, strict=True)) / 8

    def best(self, min_sqnr: float) -> float:
        """Return the fewest bytes of all mixes that keep a level."""
        places = np.array(list(itertools.product(range(3), repeat=len(self.net))))
        names = np.array([list(SHARES).index(level) for level in SIZES.levels])[places]
        bits = np.array([BITS[level] for level in SIZES.levels])[places]
        bent = self.crossed[np.arange(len(self.net)), np.roll(names, 1, axis=1)]
        noise = (self.alone * np.array([*SHARES.values()])[names] * bent).sum(axis=1)
        sizes = (bits * np.array([layer.weights for layer in self.net])).sum(axis=1) / 8
        return float(sizes[noise <= 10 ** (-min_sqnr / 10)].min())
