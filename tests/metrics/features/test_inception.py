"""Inception-v3 equals torch-fidelity's on random weights."""

import importlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import peers
import pytest

from gan_jax.errors import BadInput
from gan_jax.metrics.features.inception import inception, prepare
from gan_jax.metrics.features.network import FeatureNet

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 40, 3)).astype(np.uint8)
IMAGES[1, 10:] //= 4


class Pair(NamedTuple):
    net: FeatureNet
    peer: object


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Makes our network and torch-fidelity's with the same random weights, scaled to keep activations of order 1."""
    peers.torch_fidelity()
    import torch

    theirs = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3")
    folder = tmp_path_factory.mktemp("inception")
    torch.save({}, folder / "none.pth")
    with pytest.MonkeyPatch.context() as patch:  # their network always loads weights
        patch.setattr(theirs.FeatureExtractorInceptionV3, "load_state_dict", lambda *_: None)
        names = ["2048", "logits_unbiased", "logits"]
        peer = theirs.FeatureExtractorInceptionV3("peer", names, feature_extractor_weights_path=folder / "none.pth")
    rng = torch.Generator().manual_seed(0)
    state = peer.state_dict()
    for name, tensor in state.items():
        if tensor.ndim > 1:
            tensor.normal_(std=(2 / tensor[0].numel()) ** 0.5, generator=rng)
        elif name.endswith(("bn.weight", "running_var")):
            tensor.uniform_(0.5, 1.5, generator=rng)
        elif tensor.is_floating_point():
            tensor.normal_(std=0.3, generator=rng)
    torch.save(state, folder / "weights.pth")
    return Pair(inception(folder / "weights.pth"), peer)


@pytest.fixture(scope="module")
def looks(pair):
    """Returns theirs (features, logits without and with bias) and ours (features, logits)."""
    import torch

    theirs = [x.numpy() for x in pair.peer(torch.from_numpy(IMAGES.transpose(0, 3, 1, 2)))]
    features = jax.jit(pair.net.apply)(pair.net.params, IMAGES.astype(np.float32))
    return theirs, [np.asarray(features), np.asarray(pair.net.head(pair.net.params, features))]


@pytest.mark.slow
def test_features_equal_torch_fidelity(looks):
    (features, *_), (ours, _) = looks
    assert ours.shape == (2, 2048) and ours.dtype == np.float32
    assert 0.1 < np.std(features) < 10  # activations neither vanish nor explode
    assert np.max(np.abs(features[0] - features[1])) > 0.1  # the images differ
    np.testing.assert_allclose(ours, features, atol=1e-5 * np.max(features))


@pytest.mark.slow
def test_logits_equal_torch_fidelity_without_bias(looks):
    (_, unbiased, biased), (_, ours) = looks
    assert ours.shape == (2, 1008)
    np.testing.assert_allclose(ours, unbiased, atol=1e-5 * np.max(np.abs(unbiased)))
    assert np.max(np.abs(biased - unbiased)) > 0.1


@pytest.mark.slow
def test_network_has_name_digest_and_resize(pair):
    assert pair.net.name == "inception-v3-compat"
    assert len(pair.net.sha256) == 64 and "299 x 299" in pair.net.resize


def test_file_not_matching_the_digest_in_its_name_is_refused(tmp_path):
    file = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
    file.write_bytes(b"half of it")
    with pytest.raises(BadInput, match="has the sha256"):
        inception(file)


def test_gray_is_repeated_over_channels_and_centered():
    gray = IMAGES[..., :1]
    x = prepare(jnp.asarray(gray, jnp.float32))
    assert x.shape == (2, 299, 299, 3)
    np.testing.assert_array_equal(x, prepare(jnp.asarray(np.repeat(gray, 3, axis=3), jnp.float32)))
    np.testing.assert_array_equal(x[:, 0, 0, 1], (gray[:, 0, 0, 0].astype(np.float32) - 128) / 128)


@pytest.mark.parametrize("shape", [(2, 8, 8, 2), (2, 8, 8, 4), (2, 0, 8, 3), (2, 8, 0, 1), (2, 8, 8, 0)])
def test_unsupported_image_shapes_are_refused(shape):
    with pytest.raises(BadInput, match="convert them"):
        prepare(jnp.zeros(shape))
