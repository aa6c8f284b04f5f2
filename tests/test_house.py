"""The code itself: what imports what, what the documents say, and what the wheel holds."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys

import pytest
from conftest import DIGITS, ROOT

PACKAGES = {
    "edgekit": ROOT / "edgekit",
    "edgekit_converters": ROOT / "converters" / "edgekit_converters",
    "edgekit_runtimes": ROOT / "runtimes" / "edgekit_runtimes",
}
HEAVY = {"tensorflow", "keras", "onnx", "onnxruntime", "scipy", "numpy", "rich"}


def imported_names(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def imports_of(package):
    """Return (file, imported top-level name) for every import of a package."""
    files = PACKAGES[package].rglob("*.py")
    return {(path.name, name) for path in files for name in imported_names(path)}


def test_the_ground_floor_needs_numpy_and_each_engine_and_browser_its_own_package_only():
    outside = {
        (file, name)
        for file, name in imports_of("edgekit_runtimes")
        if name not in sys.stdlib_module_names and name not in ("edgekit_runtimes", "numpy")
    }
    assert outside == {
        ("litert.py", "ai_edge_litert"),
        ("tflite_runtime.py", "tflite_runtime"),
        ("onnxruntime.py", "onnxruntime"),
        ("chromium.py", "playwright"),
    }


@pytest.mark.parametrize("words", [["import edgekit"], ["import edgekit.cli"]])
def test_importing_edgekit_imports_nothing_heavy(words):
    code = f"import sys; {words[0]}; print(*{{name.split('.')[0] for name in sys.modules}})"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not set(answer.stdout.split()) & HEAVY


def test_the_help_of_the_whole_and_of_each_command_imports_nothing_heavy():
    from edgekit.cli import COMMANDS

    code = """
import sys
from edgekit.cli import run_command_line
for command in sys.argv[1:]:
    assert run_command_line([*command.split(), "--help"]) == 0
print("\\nMODULES", *{name.split(".")[0] for name in sys.modules})
"""
    answer = subprocess.run(
        [sys.executable, "-c", code, "", *COMMANDS], capture_output=True, text=True, check=True
    )
    assert not set(answer.stdout.splitlines()[-1].split()) & HEAVY


def script(name):
    """Import a script of docs/."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_command_reference_is_what_help_prints():
    fresh = "docs/commands.md is stale: run `make docs`"
    assert (ROOT / "docs/commands.md").read_text() == script("make_commands").render(), fresh


def test_the_tables_of_recipes_are_what_formats_and_modifiers_declare():
    made, readme = script("make_recipes"), (ROOT / "README.md").read_text()
    fresh = "the tables of recipes are stale: run `make docs`"
    assert (ROOT / "docs/recipes.md").read_text() == made.render(), fresh
    assert readme == made.render_readme(readme), fresh
    assert f"{made.START}{made.table()}{made.END}" in readme


def test_constraints_pin_every_dependency_exactly():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *(
            entry
            for extra in project["project"]["optional-dependencies"].values()
            for entry in extra
        ),
        *(entry for group in project["dependency-groups"].values() for entry in group),
    ]
    names = {entry.split(">=")[0].lower() for entry in wanted if not entry.startswith("edgekit[")}
    lines = (ROOT / "constraints.txt").read_text().lower().splitlines()
    pinned = {line.split("==")[0] for line in lines if "==" in line}
    assert names <= pinned
    assert all("==" in line for line in lines if not line.startswith("#"))


@pytest.fixture(scope="module")
def light_python(tmp_path_factory):
    """A clean virtual environment with the built wheel, without extras."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(ROOT)], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    constraints = str(ROOT / "constraints.txt")
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--constraint", constraints, str(wheel)],
        check=True,
    )
    return python


@pytest.fixture(scope="module")
def small_bundle(digits_with):
    return digits_with(["tflite/fp32", "tflite/int8"])


def run_light(python, folder, *words):
    command = [str(python.parent / "edgekit"), *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@pytest.mark.slow
def test_the_wheel_alone_benches_a_bundle_without_tensorflow(light_python, small_bundle, tmp_path):
    answer = run_light(light_python, tmp_path, "bench", small_bundle, "--json")
    assert answer.returncode == 0, answer.stderr
    rows = {row["id"]: row for row in json.loads(answer.stdout)["rows"]}
    assert rows.keys() == {"tflite/fp32", "tflite/int8"}
    assert all(row["status"] == "ok" for row in rows.values())
    probe = "import importlib.util as u, sys; sys.exit(u.find_spec('tensorflow') is not None)"
    assert subprocess.run([light_python, "-c", probe], cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_the_wheel_alone_runs_an_artifact(light_python, small_bundle, tmp_path):
    artifact = small_bundle / "tflite" / "int8.tflite"
    answer = run_light(light_python, tmp_path, "run", artifact, "--input", DIGITS / "digits.npz")
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("digit: float32[10], ")


@pytest.mark.slow
def test_the_wheel_alone_refuses_to_convert_with_the_line_that_helps(light_python, tmp_path):
    answer = run_light(light_python, tmp_path, "convert", DIGITS / "digits.keras")
    assert answer.returncode == 2
    assert "pip install 'edgekit[convert]'" in answer.stderr


@pytest.mark.slow
def test_the_wheel_brings_the_schemas_along(light_python, tmp_path):
    code = (
        "from importlib import resources as r; [r.files(p).joinpath(f).read_text() for p, f in ("
        "('edgekit.bundle', 'manifest.schema.json'), ('edgekit.results', 'results.schema.json'), "
        "('edgekit_runtimes.protocol', 'job.schema.json'))]"
    )
    subprocess.run([light_python, "-c", code], check=True, cwd=tmp_path)
