import pytest

from edgekit.bundle.recipe import QUANTIZATIONS, Recipe, parse_recipe, parse_recipes
from edgekit_runtimes.errors import UsageError


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
@pytest.mark.parametrize("pruning", ["", "+prune1", "+prune50", "+prune99"])
def test_every_recipe_is_written_as_it_was_read(quantization, pruning):
    assert str(parse_recipe(quantization + pruning)) == quantization + pruning


def test_a_list_keeps_its_order_and_each_recipe_once():
    assert parse_recipes("int8, fp32,int8") == (Recipe("int8"), Recipe("fp32"))


def test_only_static_quantizations_need_calibration():
    assert [name for name in QUANTIZATIONS if Recipe(name).is_static] == ["int8", "int16x8"]


@pytest.mark.parametrize("text", ["int8+prune0", "int8+prune100", "int8+prune", "int8+half"])
def test_an_impossible_pruning_is_refused_with_the_possible_ones(text):
    with pytest.raises(UsageError, match="only prune1 to prune99 may stand, as in int8"):
        parse_recipe(text)


def test_an_unknown_recipe_is_answered_with_the_nearest():
    with pytest.raises(UsageError, match=r"'int8-weight'\. Did you mean 'int8-weights'"):
        parse_recipe("int8-weight")


def test_an_empty_list_is_refused():
    with pytest.raises(UsageError, match="No recipe given"):
        parse_recipes(" , ")
