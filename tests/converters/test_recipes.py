"""What formats declare: everything that is listed can be written, and nothing else."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

import numpy as np
import pytest

from edgekit_converters.formats import QUANTIZATIONS, RECIPES, format_writer
from edgekit_converters.recipes import FormatRecipe, Recipes
from edgekit_runtimes.errors import NotAvailableError, UsageError
from edgekit_runtimes.formats import FORMATS

STRANGERS = ("int4-weights", "int9", "", "fp32+prune50")
MISSING = [
    (name, word)
    for name in FORMATS
    for word in (*QUANTIZATIONS, *STRANGERS)
    if word not in RECIPES[name]
]


def test_the_quantizations_are_those_that_formats_declare():
    assert (
        *("fp32", "fp16", "int8-weights", "int8-dynamic", "int8", "int16x8", "int4-dynamic"),
    ) == QUANTIZATIONS
    assert set(QUANTIZATIONS) == {name for recipes in RECIPES.values() for name in recipes}
    assert [*RECIPES] == [*FORMATS]


@pytest.mark.parametrize(("form", "word"), MISSING)
def test_a_format_refuses_every_word_that_it_does_not_list(form, word):
    recipes = RECIPES[form]
    with pytest.raises(NotAvailableError, match=f"^{recipes.title}|^onnxruntime has no"):
        recipes.writer(word, calibrated=True)


@pytest.mark.parametrize(("form", "word"), MISSING)
def test_nothing_is_written_under_a_name_that_a_format_does_not_list(form, word, tmp_path):
    path = tmp_path / "artifact"
    with pytest.raises(NotAvailableError):
        format_writer(form).write(None, word, path, object(), "float", "low")
    assert not path.exists()


@pytest.mark.parametrize("word", ["int4-weights", "int4-dynamic"])
def test_a_weight_of_tfjs_is_not_stored_in_another_way_than_asked_for(word):
    from edgekit_converters.tfjs.weights import encode

    with pytest.raises(NotAvailableError, match=r"^TF\.js "):
        encode("w", np.zeros(2_000, np.float32), word)


@pytest.mark.parametrize(
    ("form", "word"), [(form, word) for form in FORMATS for word in RECIPES[form]]
)
def test_every_writer_that_is_declared_is_there(form, word):
    assert callable(pkgutil.resolve_name(RECIPES[form][word].writer))


def test_only_static_quantizations_need_calibration():
    needing = {
        form: [word for word in recipes if recipes[word].needs_calibration]
        for form, recipes in RECIPES.items()
    }
    assert needing == {"tflite": ["int8", "int16x8"], "tfjs": [], "onnx": ["int8"]}
    with pytest.raises(UsageError, match="int8 needs calibration data"):
        RECIPES["onnx"].writer("int8", calibrated=False)


def test_tfjs_says_that_it_computes_in_float32_where_integers_would_compute():
    missing = [word for form, word in MISSING if form == "tfjs" and word in QUANTIZATIONS]
    assert missing == ["int8-dynamic", "int8", "int16x8", "int4-dynamic"]
    assert all("computes in float32" in RECIPES["tfjs"].why_not(word) for word in missing)


def test_a_format_without_a_reason_says_what_it_has():
    recipes = Recipes("TF.net", {"fp32": FormatRecipe("math:sqrt", "as trained")}, {})
    assert recipes.why_not("int8") == "TF.net does not have int8: it has fp32"


def test_declarations_import_nothing_heavy():
    code = "import sys, edgekit.bundle.recipe; print(*{n.split('.')[0] for n in sys.modules})"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"tensorflow", "keras", "onnx", "numpy"} & set(answer.stdout.split())
