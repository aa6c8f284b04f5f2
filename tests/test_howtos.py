"""The how-tos of ARCHITECTURE.md, followed to the letter in a copy of the packages."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import DIGITS, ROOT

PACKAGES = ("edgekit", "converters/edgekit_converters", "runtimes/edgekit_runtimes")
RESULTS = ROOT / "tests/edgekit/results/versions/2.json"

LEAD = re.compile(r"^\*\*An? (\w+)\*\* is .*\n(?=```)", re.MULTILINE)
BLOCK = re.compile(r"^```(python|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^# (\S+)\n", re.MULTILINE)


def howtos():
    """Return the blocks of each how-to by its noun: (language, path, text)."""
    _, *parts = LEAD.split((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"))
    return {
        noun: [
            (language, *file) for language, block in BLOCK.findall(part) for file in split(block)
        ]
        for noun, part in zip(parts[::2], parts[1::2], strict=True)
    }


def split(block):
    before, *parts = TITLE.split(block)
    assert not before
    return zip(parts[::2], parts[1::2], strict=True)


def changed(text, diff):
    """Return a text with a diff applied, each of whose hunks must fit one place."""
    for hunk in diff.split("@@\n"):
        lines = hunk.splitlines(keepends=True)
        old, new = ("".join(line[1:] for line in lines if line[0] in " " + one) for one in "-+")
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


class Copy:
    """A copy of the packages, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "copy"
        self._work = folder / "work"
        self._work.mkdir()
        for package in PACKAGES:
            ignored = shutil.ignore_patterns("pages", "__pycache__")
            shutil.copytree(ROOT / package, self._folder / package, ignore=ignored)
        pages = Path("runtimes") / "edgekit_runtimes" / "pages"
        (self._folder / pages).symlink_to(ROOT / pages)

    def follow(self, noun: str) -> None:
        for language, name, text in howtos()[noun]:
            path = self._folder / name
            assert path.exists() == (language == "diff")
            path.parent.mkdir(exist_ok=True)
            path.write_text(changed(path.read_text(), text) if language == "diff" else text)

    def run(self, *words: object) -> str:
        paths = [str((self._folder / package).parent) for package in PACKAGES]
        answer = subprocess.run(
            [sys.executable, "-m", "edgekit", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=self._work,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"},
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def path(self, name: str) -> Path:
        return self._work / name

    def convert(self, source: Path, *words: object):
        """Return the manifest of what a source is converted to, and its artifacts by id."""
        self.run("convert", source, "-o", "net.edgekit", *words)
        manifest = json.loads(self.path("net.edgekit/edgekit.json").read_text())
        assert {artifact["status"] for artifact in manifest["artifacts"]} == {"ok"}
        return manifest, {artifact["id"]: artifact for artifact in manifest["artifacts"]}

    def bench(self, bundle: Path, *words: object):
        """Return the rows that are measured, which must all be good."""
        rows = json.loads(self.run("bench", bundle, *words, "--json"))["rows"]
        assert {row["status"] for row in rows} == {"ok"}
        assert all(row["fidelity"]["worst"]["top1"] == 1 for row in rows)
        return rows


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_the_source_of_its_how_to_is_converted(copy):
    np.save(copy.path("net.npy"), np.eye(8, 4, dtype=np.float32))
    copy.follow("source")
    manifest, artifacts = copy.convert("net.npy", "--to", "tflite", "--recipe", "fp32")
    assert manifest["source"]["kind"] == "matrix"
    assert artifacts["tflite/fp32"]["fidelity"]["worst"]["top1"] == 1


def test_the_recipe_and_the_modifier_of_their_how_tos_make_smaller_downloads(copy):
    copy.follow("recipe")
    copy.follow("modifier")
    words = ("--to", "tfjs", "--recipe", "fp32,int16-weights,fp32+round4")
    _, artifacts = copy.convert(DIGITS / "digits.keras", *words)
    full, half, rounded = artifacts.values()
    assert half["wire"]["gzip"] < 0.6 * full["wire"]["gzip"]
    assert half["fidelity"]["worst"]["sqnr_db"] > 60
    assert rounded["wire"]["gzip"] < 0.6 * full["wire"]["gzip"]
    assert rounded["bytes"] == pytest.approx(full["bytes"], rel=0.01)


@pytest.mark.slow
def test_the_device_and_the_engine_of_their_how_tos_bench_beside_others(copy, digits_with):
    copy.follow("device")
    copy.follow("engine")
    assert "core:0" in copy.run("devices")
    core = f"core:{min(os.sched_getaffinity(0))}"
    words = ("--on", core, "--engine", "litert,litert-reference")
    rows = copy.bench(digits_with(["tflite/fp32"]), *words)
    assert {row["device"] for row in rows} == {core}
    medians = {row["engine"]: row["statistics"]["median"] for row in rows}
    assert medians["litert"] < medians["litert-reference"]


def test_the_figure_of_its_how_to_stands_in_table_csv_and_a_gate(copy):
    assert "per s" not in copy.run("report", RESULTS, "--wide")
    copy.follow("figure")
    assert "per s" in copy.run("report", RESULTS, "--wide")
    copy.run("report", RESULTS, "-o", "results.csv")
    with copy.path("results.csv").open() as file:
        rates = {row["id"]: float(row["rate"]) for row in csv.DictReader(file) if row["rate"]}
    assert rates["original"] == pytest.approx(1e9 / 1656018.5)
    gate = "tflite/fp32 rate>=1"
    assert gate in copy.run("check", RESULTS, "--gate", gate)


def test_each_how_to_takes_ten_lines_or_fewer():
    written = {
        noun: [
            line
            for language, _, text in blocks
            for line in text.splitlines()
            if language == "python" or line.startswith("+")
        ]
        for noun, blocks in howtos().items()
    }
    assert written.keys() == {"source", "recipe", "modifier", "device", "engine", "figure"}
    assert {noun: lines for noun, lines in written.items() if not 1 < len(lines) <= 10} == {}
