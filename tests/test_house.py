"""The code itself: what imports what, what the documents say, and what the wheel holds."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
import zipfile

import pytest
from conftest import DIGITS, ROOT, new_python

PACKAGES = {
    "edgekit": ROOT / "edgekit",
    "edgekit_converters": ROOT / "converters" / "edgekit_converters",
    "edgekit_runtimes": ROOT / "runtimes" / "edgekit_runtimes",
}
HEAVY = {"tensorflow", "keras", "onnx", "onnxruntime", "scipy", "numpy", "rich"}

# A folder with more files than this holds more than one subject.
MOST_FILES = 15
# What every folder of the top floor may need, or nothing of it.
LOOSE = {"__init__.py", "__main__.py", "_version.py", "api.py", "files.py", "forms.py", "py.typed"}

DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "benchmarks/README.md")
# A path from the root of the repository, or the bare name of a file in it; {a,b} is a or b.
PATH = re.compile(
    r"(?<![\w./-])(?:edgekit|converters|runtimes|web|docs|examples|tests|benchmarks)/[\w./{},-]*"
    r"(?<![.,])|(?<=`)[\w-]+\.(?:md|py|toml|ts|txt)(?=`)"
)
# Written by `make web`, and not in the repository.
BUILT = {"runtimes/edgekit_runtimes/pages/"}


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


def test_dir_lists_the_api_and_each_name_in_it_is_there():
    import edgekit

    names = "Bundle EdgekitError Results __version__ bench convert load_bundle load_results tune"
    assert dir(edgekit) == names.split()
    assert all(hasattr(edgekit, name) for name in dir(edgekit))


def test_no_module_lies_loose_at_the_root_of_the_top_floor():
    assert {path.name for path in (ROOT / "edgekit").iterdir() if path.is_file()} == LOOSE


def test_no_folder_of_the_top_floor_holds_more_than_fifteen_files():
    assert crowded(ROOT / "edgekit", "*") == {}


@pytest.mark.parametrize(
    ("folder", "modules"), [("converters", "*.py"), ("runtimes", "*.py"), ("web/src", "*.ts")]
)
def test_no_folder_of_the_other_floors_holds_more_than_fifteen_modules(folder, modules):
    assert crowded(ROOT / folder, modules) == {}


def crowded(root, pattern):
    """Return the folders with too many files of their own, with how many."""
    made = ("__pycache__", "pages", "generated")
    folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
    counts = {
        str(folder.relative_to(ROOT)): sum(file.is_file() for file in folder.glob(pattern))
        for folder in folders
        if not {*made} & {*folder.parts}
    }
    assert len(counts) > 1
    return {name: count for name, count in counts.items() if count > MOST_FILES}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_is_there(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    if document == "ARCHITECTURE.md":
        # The files that how-tos create are not.
        text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    named = {path for match in PATH.findall(text) for path in spelled_out(match)}
    assert named
    assert {path for path in named - BUILT if not (ROOT / path).exists()} == set()


def spelled_out(path):
    """Yield each path that one with {a,b} in it stands for."""
    start, brace, rest = path.partition("{")
    words, _, end = rest.partition("}")
    for word in words.split(","):
        yield start + word + end if brace else path


def test_architecture_fits_on_two_screens():
    lines = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 130


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
def wheel(tmp_path_factory):
    """The built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def light_python(wheel, tmp_path_factory):
    """A clean virtual environment with the wheel, without extras."""
    folder = tmp_path_factory.mktemp("light") / "venv"
    return new_python(folder, "--constraint", ROOT / "constraints.txt", wheel)


@pytest.fixture(scope="module")
def small_bundle(digits_with):
    return digits_with(["tflite/int8"])


def run_light(python, folder, *words):
    command = [str(python.parent / "edgekit"), *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder)


@pytest.mark.slow
def test_the_wheel_alone_benches_a_bundle_without_tensorflow(light_python, small_bundle, tmp_path):
    answer = run_light(light_python, tmp_path, "bench", small_bundle, "--json")
    assert answer.returncode == 0, answer.stderr
    rows = {row["id"]: row for row in json.loads(answer.stdout)["rows"]}
    assert rows.keys() == {"tflite/int8"}
    assert rows["tflite/int8"]["status"] == "ok"
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
def test_the_wheel_holds_each_file_of_the_packages_and_nothing_else(wheel):
    about = re.compile(r"edgekit-[\d.]+\.dist-info/")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if not about.match(name)}
    assert held == {
        f"{package}/{path.relative_to(folder)}"
        for package, folder in PACKAGES.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "edgekit_runtimes/formats.json" in held
