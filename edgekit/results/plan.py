"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgekit.forms import AtLeastOne

# Imported from here by what measures; what only reads figures must not wait for NumPy.
from edgekit.results import ORIGINAL as ORIGINAL
from edgekit.results import REFERENCE_RECIPE as REFERENCE_RECIPE
from edgekit_runtimes.protocol.job import Plan

# Each costs a start, a load and a warm-up. With three, a process that is off by chance (Student's t
# is 4.3 then) hides a difference of 5 % in 7 to 18 of 100 comparisons; with four (3.2) in 0 to 2.
PROCESSES = 4
# LiteRT's benchmark_model warms up for at least one run and half a second.
WARMUP_RUNS = 1
WARMUP_S = 0.5
# A machine that others use too changes its pace from one tenth of a second to the next, and what
# changes more slowly than a round is the same for both of a pair. At 1 ms a run and equal time, the
# spread of a process's ratio was 5.4 to 9.7 % with blocks of .1 s (pyperf's floor for one value),
# and .8 to 1.1 % with blocks of 5 ms (`benchmarks/block_length.py`). The clock ticks in ns.
BLOCK_S = 0.005
# The median of three is not that of a first run whose weights the other model has evicted from
# the caches.
BLOCK_RUNS = 3
# However slow a model is: one round gives no interval.
ROUNDS = 2
# 4 x .3 s = 1.2 s per side, and 4 x 13 = 52 runs. LiteRT's benchmark_model stops at 50 and 1 s.
MIN_S = 0.3
MIN_RUNS = 13
# Where a run takes over a second (plain JavaScript, WebGPU without a GPU), fewer runs must do: 4 x
# 12 s per side. LiteRT's benchmark_model gives up on its 50 runs after 150 s.
MAX_S = 12.0

# What a first look needs: wide intervals, over the rounds of a single process.
GLANCE_WARMUP_S = 0.1
GLANCE_MIN_S = 0.1
GLANCE_MIN_RUNS = 9
GLANCE_MAX_S = 2.0

# 5 x 12.2 s = 61 s per side, and 5 x 205 = 1,025 runs. MLPerf's single stream: at least 1,024
# queries and 60 s; MLPerf Tiny: five windows.
THOROUGH_PROCESSES = 5
THOROUGH_MIN_S = 12.2
THOROUGH_MIN_RUNS = 205
# Enough rounds, and results of a few megabytes.
THOROUGH_BLOCK_S = 0.02


@dataclass(frozen=True)
class BenchPlan:
    """How much is measured: this many fresh processes per group, each as `worker` says."""

    name: str
    processes: AtLeastOne
    worker: Plan


QUICK = BenchPlan(
    "quick",
    PROCESSES,
    Plan(WARMUP_RUNS, WARMUP_S, BLOCK_S, BLOCK_RUNS, ROUNDS, MIN_RUNS, MIN_S, MAX_S),
)
GLANCE = BenchPlan(
    "glance",
    1,
    replace(
        QUICK.worker,
        warmup_s=GLANCE_WARMUP_S,
        min_runs=GLANCE_MIN_RUNS,
        min_s=GLANCE_MIN_S,
        max_s=GLANCE_MAX_S,
    ),
)
THOROUGH = BenchPlan(
    "thorough",
    THOROUGH_PROCESSES,
    replace(
        QUICK.worker,
        block_s=THOROUGH_BLOCK_S,
        min_runs=THOROUGH_MIN_RUNS,
        min_s=THOROUGH_MIN_S,
        max_s=0.0,
    ),
)

PLANS = {plan.name: plan for plan in (GLANCE, QUICK, THOROUGH)}

# A device that counts instructions gives the same count again, and a second of its clock takes up
# to half a minute: one process, one warm-up, five runs, and no floors of time.
COUNTED_RUNS = 5
COUNTING = BenchPlan("counting", 1, Plan(WARMUP_RUNS, 0.0, rounds=0, min_runs=COUNTED_RUNS))
# How many golden samples fidelity is judged on there.
COUNTING_SAMPLES = 8
