"""Sheets of mixed styles, of a generator that is linear in the styles."""

import linear_generators as known
import numpy as np
import pytest

from gan_jax.sampling.latents import draw_latents
from gan_jax.sampling.mixing import mixing_sheet
from gan_jax.sampling.space import encode


@pytest.mark.slow
def test_cells_have_the_chosen_layers_of_the_column_and_the_others_of_the_row():
    game, state = known.styled()
    latents = encode(game, state, draw_latents(game, known.KEY, 5))
    sources, styles = ({name: leaf[part] for name, leaf in latents.items()} for part in (slice(2), slice(2, 5)))
    w = np.asarray(latents["w"])[:, 0]
    for part, kept, taken in (("middle", 1, 0), ("fine", 0, 1)):  # of two layers, none is coarse
        sheet = mixing_sheet(game, state, sources, styles, part)
        assert sheet.shape == (3, 4, *known.SHAPE) and (sheet[0, 0] == 1).all()
        whole = (w @ known.STYLES.sum(axis=0)).reshape(5, *known.SHAPE)
        np.testing.assert_allclose(sheet[1:, 0], whole[:2], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(sheet[0, 1:], whole[2:], rtol=1e-4, atol=1e-4)
        mixed = (w[1] @ known.STYLES[kept] + w[3] @ known.STYLES[taken]).reshape(known.SHAPE)
        np.testing.assert_allclose(sheet[2, 2], mixed, rtol=1e-4, atol=1e-4)
