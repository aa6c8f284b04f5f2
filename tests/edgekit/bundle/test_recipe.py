import sys

import pytest

from edgekit.bundle.recipe import Recipe, explain_recipes, parse_recipe, parse_recipes, rank
from edgekit_converters.formats import QUANTIZATIONS
from edgekit_converters.graph import modifiers as package
from edgekit_converters.graph.modifiers import Modification
from edgekit_runtimes.errors import UsageError

CHANNELS = """
from edgekit_converters.graph.modifiers import Modifier

MODIFIER = Modifier("channels", 10, lambda graph, number: graph, "narrower layers", "keep more")
"""


@pytest.fixture
def channels(monkeypatch, tmp_path):
    """One more modifier, applied before prune: a module where modifiers are looked for."""
    (tmp_path / "channels.py").write_text(CHANNELS)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    package.modifiers.cache_clear()
    yield
    package.modifiers.cache_clear()
    sys.modules.pop(f"{package.__name__}.channels", None)


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
@pytest.mark.parametrize("pruning", ["", "+prune1", "+prune50", "+prune99"])
def test_every_recipe_is_written_as_it_was_read(quantization, pruning):
    assert str(parse_recipe(quantization + pruning)) == quantization + pruning


def test_several_modifiers_are_written_as_they_were_read(channels):
    recipe = parse_recipe("int8+channels50+prune30")
    assert recipe.modifications == (Modification("channels", 50), Modification("prune", 30))
    assert str(recipe) == "int8+channels50+prune30"


def test_modifiers_in_another_order_are_refused_with_the_right_one(channels):
    with pytest.raises(UsageError, match=r"Write it as int8\+channels50\+prune30\.$"):
        parse_recipe("int8+prune30+channels50")


@pytest.mark.parametrize("text", ["int8+prune30+prune30", "int8+prune30+prune50"])
def test_a_modifier_given_twice_is_refused(text):
    with pytest.raises(UsageError, match=r"names prune twice\. Give it once"):
        parse_recipe(text)


def test_an_unknown_modifier_is_refused_with_all_that_there_are(channels):
    with pytest.raises(UsageError) as refused:
        parse_recipe("int8+half")
    assert str(refused.value) == (
        "Unknown recipe 'int8+half': after the '+' only channels1 to channels99 or prune1 to "
        "prune99 may follow, as in int8+channels50."
    )


def test_a_list_keeps_its_order_and_each_recipe_once():
    assert parse_recipes("int8, fp32,int8") == (Recipe("int8"), Recipe("fp32"))


@pytest.mark.parametrize(
    "text", ["int8+prune0", "int8+prune100", "int8+prune", "int8+half", "int8+", "int8+prune050"]
)
def test_an_impossible_pruning_is_refused_with_the_possible_ones(text):
    with pytest.raises(UsageError, match="only prune1 to prune99 may follow, as in int8"):
        parse_recipe(text)


def test_an_unknown_recipe_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"'int8-weight'\. Did you mean 'int8-weights'"):
        parse_recipe("int8-weight")


def test_an_empty_list_is_refused():
    with pytest.raises(UsageError, match="No recipe given"):
        parse_recipes(" , ")


def test_recipes_are_ranked_by_their_modifiers_and_then_by_their_quantization(channels):
    ordered = ["fp32", "int8", "fp32+channels50", "fp32+channels50+prune9", "int8+prune9"]
    ordered += ["fp32+prune50", "int3+sparse7"]
    assert sorted({*ordered}, key=rank) == ordered


def test_every_quantization_and_modifier_is_explained(channels):
    lines = dict(explain_recipes())
    assert list(lines) == [*QUANTIZATIONS, "…+channels50", "…+prune50"]
    assert lines["fp32"] == "as trained"
    assert lines["int8"].endswith("(tflite, onnx; needs --calibration)")
