"""What a device says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from edgekit.forms import Count, OpenForm


class EnvironmentFacts(TypedDict, total=False):
    """What reports read of it; a device may say more.

    renderer: what draws WebGL in the page. engines: the version of each engine that ran.
    """

    cpu: str | None
    browser: str
    renderer: str | None
    software_renderer: bool
    cpu_features: list[str]
    logical_cores: Count
    engines: dict[str, str]


if TYPE_CHECKING:
    Environment = Mapping[str, Any]
else:

    class Environment(OpenForm):
        """What one device said. Empty if it said nothing; otherwise it names its engines."""

        KNOWN = EnvironmentFacts

        @classmethod
        def from_form(cls, form: Any) -> Environment:
            """Return the environment whose JSON form is given."""
            environment = super().from_form(form)
            if {"cpu", "browser"} & environment.keys() and "engines" not in environment:
                raise ValueError("Object missing required field `engines`")
            return environment
