"""The examples in docstrings are run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
import shutil
from pathlib import Path

import pytest
from conftest import DIGITS, ROOT

PACKAGES = {"edgekit": ROOT, "edgekit_converters": ROOT / "converters"}
PACKAGES["edgekit_runtimes"] = ROOT / "runtimes"
# In the order in which a user calls them: each needs what the one before has left behind.
API = {
    "convert": "edgekit.api",
    "load_bundle": "edgekit.bundle.bundle",
    "bench": "edgekit.api",
    "load_results": "edgekit.results.results",
    "tune": "edgekit.api",
}


def modules_with_examples() -> list[str]:
    """Return the modules, except those whose examples are the API's alone."""
    found = []
    for package, folder in PACKAGES.items():
        for path in sorted((folder / package).rglob("*.py")):
            if ">>>" in path.read_text():
                found.append(".".join(path.relative_to(folder).with_suffix("").parts))
    return [name for name in found if name not in API.values()]


def run_examples(name: str, module: str) -> doctest.TestResults:
    """Run the examples of one object, or of a whole module where `name` is empty."""
    runner = doctest.DocTestRunner(verbose=False)
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(module)):
        if not name or test.name.rpartition(".")[2] == name:
            runner.run(test)
    return runner.summarize(verbose=False)


@pytest.mark.parametrize("module", modules_with_examples())
def test_examples_of_a_module_give_what_they_say(module: str) -> None:
    failed, attempted = run_examples("", module)
    assert attempted
    assert not failed


@pytest.mark.slow
def test_the_examples_of_the_api_give_what_they_say_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, short_plan: None
) -> None:
    for name in ("digits.keras", "digits.npz"):
        shutil.copy(DIGITS / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name, module in API.items():
        if name == "tune":
            shutil.copy(DIGITS / "digits.keras", tmp_path)
        failed, attempted = run_examples(name, module)
        assert attempted, name
        assert not failed, name
        # Where it is gone, TensorFlow need not be started to measure it.
        Path("digits.keras").unlink(missing_ok=True)
