"""What every engine module must offer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edgekit_runtimes.engines import load_engine, root_module
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.formats import FORMATS

MODULES = [module for kind in FORMATS.values() for module in kind.engines.values()]


@pytest.mark.parametrize("module", MODULES)
def test_an_engine_module_tells_what_it_runs_and_needs(module: str) -> None:
    engine = load_engine(module)
    assert FORMATS[engine.FORMAT].engines[engine.NAME] == module
    assert engine.PACKAGE
    assert engine.IMPORT_NAME


def test_importing_the_engine_modules_imports_no_interpreter() -> None:
    script = f"import sys, {', '.join(MODULES)}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    loaded = set(result.stdout.split())
    assert not loaded & {root_module(load_engine(module)) for module in MODULES}


def test_an_engine_that_is_not_a_module_is_an_error_with_its_name() -> None:
    with pytest.raises(EngineError, match=r"engine no_such_engine cannot be imported"):
        load_engine("no_such_engine")
