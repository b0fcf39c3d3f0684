"""CycleGAN's own scores: the cycle errors in closed form, and what noise reveals; a classifier for each domain."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from stepping import built, traced

from gan_jax.config import user_code
from gan_jax.config.discovery import find
from gan_jax.data import open_source
from gan_jax.data.sources.unpaired import unpaired

module = user_code.load(find("cyclegan").file)
KEYS = jax.random.split(jax.random.key(0), 64)
A, B = (jnp.asarray(np.random.default_rng(0).uniform(-1, 1, (64, 8, 8, 1)), jnp.float32) for _ in "ab")


def scores(g_ab, g_ba, keys=KEYS):
    nets = {"g_ab": SimpleNamespace(ema=lambda x, keys: g_ab(x)), "g_ba": SimpleNamespace(ema=lambda x, keys: g_ba(x))}
    return {name: float(value) for name, value in module.cycle_errors(nets, {"a": A, "b": B, "keys": keys}).items()}


def test_noise_is_scaled_by_the_way_back():
    """The mean of |N(0, s^2)| is s sqrt(2 / pi)."""
    found = scores(lambda x: x / 4, lambda x: 4 * x)
    noise = module.SIGMA * np.sqrt(2 / np.pi)
    assert found["cycle_a"] == found["cycle_b"] == 0
    assert found["cycle_a_noisy"] == pytest.approx(4 * noise, rel=0.05)
    assert found["cycle_b_noisy"] == pytest.approx(noise / 4, rel=0.05)


def test_errors_are_those_of_both_translations():
    found = scores(lambda x: 0.5 * x, lambda x: x - 0.25)
    assert found["cycle_a"] == pytest.approx(np.mean(np.abs(A - (0.5 * A - 0.25))), rel=1e-5)
    assert found["cycle_b"] == pytest.approx(np.mean(np.abs(B - 0.5 * (B - 0.25))), rel=1e-5)


def test_an_image_hidden_in_a_faint_pattern_is_lost_in_the_noise():
    """Closed form: the way back reads what the way there wrote, a thousandth of the image."""
    found = scores(lambda x: x / 1000, lambda x: jnp.clip(1000 * x, -1, 1))
    assert found["cycle_a"] < 1e-5 and found["cycle_a_noisy"] > 0.5


def test_noise_comes_from_the_key_of_each_example():
    same, other = scores(jnp.tanh, jnp.tanh), scores(jnp.tanh, jnp.tanh, jax.random.split(jax.random.key(1), 64))
    assert same == scores(jnp.tanh, jnp.tanh)
    assert same["cycle_a"] == other["cycle_a"] and same["cycle_a_noisy"] != other["cycle_a_noisy"]


@pytest.mark.parametrize("domains", ["", "a", "b", "ab"])
def test_every_domain_may_have_a_classifier_of_its_own(tmp_path, domains):
    digits = open_source("mnist5k")
    flags = []
    for domain in domains:
        (tmp_path / domain).write_bytes(domain.encode())
        flags += [f"--classifier-{domain}", str(tmp_path / domain)]
    [phase] = built("cyclegan", *flags, source=unpaired(digits, digits)).phases
    assert set(phase.game.frozen) == {f"class_{domain}" for domain in domains}


@pytest.mark.slow
def test_each_discriminator_may_see_augmented_images():
    digits = open_source("mnist5k")
    flags, source = ("--augment-a", "ada", "--augment-b", "translation+cutout"), unpaired(digits, digits)
    plain, changed = (built("cyclegan", *each, source=source).phases[0].game for each in ((), flags))
    assert set(changed.players) - set(plain.players) == {"ada_d_a"}
    traced("cyclegan", *flags, source=source)
