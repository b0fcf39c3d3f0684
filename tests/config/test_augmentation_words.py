"""Words of augmentations: sums in order, a user's own, and mistakes."""

import pytest

from gan_jax import BadInput
from gan_jax.augment import diff_augment
from gan_jax.config.augmentations import AUGMENTATIONS, Augmentations, name_augmentations, parse_augmentations
from gan_jax.config.flags import parse
from gan_jax.games.augmented import always


def test_sums_keep_their_order():
    for word in ("none", "ada", "color+translation+cutout", "cutout+color"):
        assert name_augmentations(parse_augmentations(word)) == word
    assert [each.name for each in parse_augmentations("cutout+color")] == ["cutout", "color"]


def test_a_users_augmentation_is_one_like_any_other(tmp_path):
    file = tmp_path / "a+b" / "mine.py"
    file.parent.mkdir()
    text = "from gan_jax.games.augmented import always\ndef dim(x, keys):\n    return x / 2\n"
    file.write_text(text + "DIM = always(dim)\nplain = dim\n")

    def toy(augment: Augmentations = ()):
        """A toy experiment."""

    parsed = parse(toy, ["--augment", f"color+{file}:DIM"], "toy")
    assert parsed.settings == {"augment": f"color+{file}:DIM"}
    color, dim = parsed.kwargs["augment"]
    assert color is AUGMENTATIONS.parse("color") and dim.name == f"{file}:DIM"
    with pytest.raises(BadInput, match=r"mine.py:plain"):
        parse_augmentations(f"{file}:plain")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("colour", r"unknown augmentation 'colour' \(did you mean color\?\)"),
        ("color+blur", "unknown augmentation 'blur'"),
        ("ada:3", "ada:3 takes no number"),
        ("", "unknown augmentation ''"),
    ],
)
def test_mistakes_are_told_in_one_line(word, says):
    with pytest.raises(BadInput, match=says):
        parse_augmentations(word)


def test_augmentations_made_in_python_of_another_function_have_no_word():
    def color(x, keys):
        return x

    assert name_augmentations((AUGMENTATIONS.parse("color"),)) == "color"
    for transform in (color, diff_augment.color):
        with pytest.raises(BadInput, match="this augmentation has no word"):
            name_augmentations((always(transform),))
