"""Which operators stay in float: runs of them, the noisiest tensors first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from edgekit_converters.mixed.net import Net
from edgekit_converters.mixed.noise import to_db

# What int8 saves is counted in multiply-accumulates. One element that changes between integers and
# floats costs about as much time as int8 saves on so many of them (XNNPACK and onnxruntime on
# x86-64 with dot products).
MACS_OF_CHANGE = 8
# How much of what int8 saves may be given back.
MOST_COST = 0.5
# What one more operator in float costs at least, as a share of all multiply-accumulates.
LEAST_COST = 0.001
# Nobody misses what is lost beyond this.
GOOD_DB = 40.0
# What all of what int8 saves would have to buy: a tenth of it must gain a decibel.
DECIBELS_OF_ALL = 10.0
# Below this a tenth may gain less: outputs are not right yet.
POOR_DB, DECIBELS_WHERE_POOR = 20.0, 2.0


def choose_floats(
    net: Net, noise: Mapping[str, float], rest: float, start: AbstractSet[str]
) -> frozenset[str]:
    """Return the operators to compute in float.

    noise: the share of error that rounding each tensor alone makes. rest: what the weights make.
    start: operators that compute in float in any case. Of a net without kernels nothing else does:
    int8 saves nothing there, and all of it would.
    """
    floats = frozenset(start)
    if not net.macs:
        return floats
    limit = max(MOST_COST, cost_of(net, floats))
    while True:
        rounded = net.still_rounded(floats)
        total = rest + sum(noise[name] for name in rounded)
        cost = cost_of(net, floats)
        if to_db(total) >= GOOD_DB:
            return floats
        best: frozenset[str] | None = None
        best_worth = DECIBELS_OF_ALL if to_db(total) >= POOR_DB else DECIBELS_WHERE_POOR
        for more in _steps(net, floats, rounded):
            left = rest + sum(noise[name] for name in net.still_rounded(more))
            grown = cost_of(net, more)
            worth = to_db(left) - to_db(total)
            worth /= max(grown - cost, LEAST_COST * len(more - floats))
            if grown <= limit and worth > best_worth:
                best, best_worth = more, worth
        if best is None:
            return floats
        floats = best


def _steps(net: Net, floats: frozenset[str], rounded: AbstractSet[str]) -> Iterator[frozenset[str]]:
    """Yield larger sets: one tensor less is rounded, or that and all within what lies around it.

    Of an activation that is written as five operators, none alone pays.
    """
    for tensor in sorted(rounded):
        around = net.around[tensor]
        yield floats | around
        yield floats | around.union(*(net.regions[name] for name in around))


def cost_of(net: Net, floats: AbstractSet[str]) -> float:
    """Return which share of what int8 saves these operators give back in float."""
    macs = sum(net.by_name[name].macs for name in floats)
    return (macs + MACS_OF_CHANGE * net.changed(floats)) / net.macs
