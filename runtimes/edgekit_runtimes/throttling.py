"""Whether a Raspberry Pi held its clock back: its firmware is asked before and after each round.

`vcgencmd get_throttled` answers with bits: 0-3 for now, 16-19 for any time since boot. A round is
void if a bit of 0-3 is set before or after it, or if one of 16-19 was set during it.
https://www.raspberrypi.com/documentation/computers/os.html#get_throttled
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from edgekit_runtimes.environment import frequency_khz, governor
from edgekit_runtimes.errors import EngineError

COMMAND = "vcgencmd"
# It answers within milliseconds or, if the firmware hangs, never.
ANSWER_LIMIT_S = 5

CONDITIONS = {
    0: "under-voltage",
    1: "frequency capped",
    2: "throttled",
    3: "soft temperature limit",
}
NOW = 0b1111
SINCE_BOOT_SHIFT = 16

# A bare board at its limit of 80-85 degrees loses several degrees in ten idle seconds. A board
# that is not fit again after a minute needs a fan or another power supply, not patience.
COOL_DOWN_S = 10.0
TRIES = 6

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Reading:
    """What the firmware and the kernel say at one moment; None if they do not say.

    throttled: the bits of get_throttled. temperature_c: of the processor.
    frequency_khz: of the first core.
    """

    throttled: int
    temperature_c: float | None
    governor: str | None
    frequency_khz: int | None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form, with the bits in hexadecimal as vcgencmd prints them."""
        return {**asdict(self), "throttled": hex(self.throttled)}


@dataclass(frozen=True)
class Conditions:
    """The readings before and after a round."""

    before: Reading
    after: Reading

    @property
    def held_back(self) -> int:
        """The bits 0-3 of what held the clock back at any time from `before` to `after`."""
        came_up = (self.after.throttled & ~self.before.throttled) >> SINCE_BOOT_SHIFT
        return (self.before.throttled | self.after.throttled | came_up) & NOW

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"before": self.before.to_json(), "after": self.after.to_json()}


def read_firmware() -> Reading | None:
    """Return what the firmware says; None if there is no vcgencmd, or it does not work."""
    bits = _ask("get_throttled", r"throttled=(0x[0-9a-fA-F]+)")
    if bits is None:
        return None
    temperature = _ask("measure_temp", r"temp=([0-9.]+)'C")
    return Reading(
        throttled=int(bits, 16),
        temperature_c=float(temperature) if temperature else None,
        governor=governor(),
        frequency_khz=frequency_khz(),
    )


def measure_fit(
    measure: Callable[[], Measured],
    waiting: Callable[[], None],
    cool_down_s: float = COOL_DOWN_S,
    tries: int = TRIES,
) -> tuple[Measured, Conditions | None]:
    """Measure a round in which nothing holds the clock back; None without a firmware to ask.

    A void round is measured again after a pause; `waiting` is called before each pause. Raises
    EngineError ("throttled: …") if the last try is void as well.
    """
    for attempt in range(tries):
        if attempt:
            waiting()
            time.sleep(cool_down_s)
        before = read_firmware()
        measured = measure()
        after = read_firmware()
        if before is None or after is None:
            return measured, None
        conditions = Conditions(before, after)
        if not conditions.held_back:
            return measured, conditions
    raise EngineError(_message(conditions, cool_down_s, tries))


def _message(conditions: Conditions, cool_down_s: float, tries: int) -> str:
    words = ", ".join(word for bit, word in CONDITIONS.items() if conditions.held_back & 1 << bit)
    temperature = conditions.after.temperature_c
    at = "" if temperature is None else f" at {temperature:g} C"
    return (
        f"throttled: {words}{at}, after {tries} tries with {cool_down_s:g} s of rest between "
        "them. Cool the board, or give it a power supply that holds its voltage, and bench again"
    )


def _ask(word: str, pattern: str) -> str | None:
    path = shutil.which(COMMAND)
    if path is None:
        return None
    try:
        answer = subprocess.run(
            [path, word], capture_output=True, text=True, timeout=ANSWER_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(pattern, answer.stdout)
    return match[1] if match else None
