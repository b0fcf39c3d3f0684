"""Tiny games, one for every kind of turn, move and dynamics that the engine supports."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gan_jax import Game, Player, State, init, losses, make_step, move, penalties, turn
from gan_jax.engine.dynamics import Dynamics, consensus, lookahead, unrolled
from gan_jax.engine.game import Frozen, slice_count
from gan_jax.engine.keys import normal, split, uniform
from gan_jax.games import acgan, conditional, cyclegan, infogan, lapgan, paired, progressive, stylegan2, vanilla
from gan_jax.games.adaptive import Strength, adaptive
from gan_jax.games.encoded import Representation, encoded
from gan_jax.losses.reconstruction import l1
from gan_jax.nets import pggan
from gan_jax.nets import stylegan2 as stylegan2_nets
from gan_jax.nets.layers.conditioning import concat_codes
from gan_jax.nets.layers.dropout import Dropout
from gan_jax.nets.layers.normalization import BatchNorm
from gan_jax.penalties import terms
from gan_jax.priors import Categorical, Normal, Uniform

BATCH, Z, SHAPE, CLASSES = 16, 3, (2, 2, 1), 3


class Generator(nn.Module):
    norm: bool = True

    @nn.compact
    def __call__(self, z):
        h = nn.Dense(6)(z)
        h = BatchNorm()(h) if self.norm else h
        return jnp.tanh(nn.Dense(4)(nn.softplus(h))).reshape(-1, *SHAPE)


class Discriminator(nn.Module):
    norm: bool = False
    dropout: float = 0.0

    @nn.compact
    def __call__(self, x, keys=None):
        h = nn.Dense(6)(x.reshape(x.shape[0], -1))
        h = BatchNorm()(h) if self.norm else h
        h = Dropout(self.dropout)(h, keys) if self.dropout else h
        return nn.Dense(1)(nn.softplus(h))[:, 0]


class LinearDiscriminator(nn.Module):
    """A small network for dynamics with second derivatives, which compile slowly."""

    @nn.compact
    def __call__(self, x):
        return nn.Dense(1)(x.reshape(x.shape[0], -1))[:, 0]


class Translator(nn.Module):
    @nn.compact
    def __call__(self, x):
        return jnp.tanh(nn.Dense(4)(nn.softplus(nn.Dense(5)(x.reshape(x.shape[0], -1))))).reshape(x.shape)


class CodedGenerator(nn.Module):
    """Concatenates the noise and the named codes."""

    codes: dict

    @nn.compact
    def __call__(self, z, c):
        return Generator()(concat_codes(z, self.codes, c))


class LabeledGenerator(nn.Module):
    @nn.compact
    def __call__(self, z, y):
        return CodedGenerator({"y": Categorical(CLASSES)})(z, {"y": y})


class LabeledDiscriminator(nn.Module):
    norm: bool = False

    @nn.compact
    def __call__(self, x, y, keys=None):
        joined = concat_codes(x.reshape(x.shape[0], -1), {"y": Categorical(CLASSES)}, {"y": y})
        return Discriminator(self.norm, dropout=0.3)(joined, keys)


class Recognizer(nn.Module):
    """Returns scores and guesses: an array `[B, guesses]`, or a dict of such arrays."""

    guesses: int | dict

    @nn.compact
    def __call__(self, x, keys=None):
        h = nn.softplus(BatchNorm()(nn.Dense(6)(x.reshape(x.shape[0], -1))))
        several = not isinstance(self.guesses, int)
        guess = {name: nn.Dense(n)(h) for name, n in self.guesses.items()} if several else nn.Dense(self.guesses)(h)
        return nn.Dense(1)(h)[:, 0], guess


def gan(g, d, tx, turns, **kwargs) -> Game:
    """Makes a two-player game with the given turns."""
    return Game(
        players={"g": Player(g, tx, kwargs.pop("ema", 0.0)), "d": Player(d, tx)},
        turns=turns,
        prior={"z": Normal(Z)},
        inputs=lambda batch, latents: {"g": (latents["z"],), "d": (batch["x"],)},
        sample=lambda nets, latents: nets["g"].ema(latents["z"]),
        **kwargs,
    )


def d_loss(nets, batch, keys, step):
    s_real, s_fake = nets["d"](batch["x"]), nets["d"](nets["g"](normal(keys, Z)))
    return jnp.mean(losses.non_saturating.d(s_real, s_fake)), losses.score_metrics(s_real, s_fake)


def g_loss(nets, batch, keys, step):
    s_fake = nets["d"](nets["g"](normal(keys, Z)))
    return jnp.mean(losses.non_saturating.g(s_fake, s_fake)), {}


def vanilla_batch_norm(tx):
    twice_g = lambda d, g: (turn(d), turn(g), turn(g))  # noqa: E731
    return vanilla.game(Generator(), Discriminator(norm=True), tx, tx, z_size=Z, turns=twice_g)


def vanilla_dropout(tx):
    return vanilla.game(Generator(norm=False), Discriminator(dropout=0.3), tx, tx, z_size=Z, ema=0.9)


def simultaneous(tx):
    return gan(Generator(), Discriminator(), tx, (turn(move("d", d_loss), move("g", g_loss)),))


def five_critic_turns(tx):
    def critic_loss(nets, batch, keys, step):
        z_keys, mix_keys = split(keys, 2)
        x_fake = nets["g"](normal(z_keys, Z))
        s_real, s_fake = nets["d"](batch["x"]), nets["d"](x_fake)
        penalty = penalties.gradient_penalty(nets["d"].stateless, batch["x"], x_fake, mix_keys)
        return jnp.mean(losses.wasserstein.d(s_real, s_fake) + 10 * penalty), {"penalty": jnp.mean(penalty)}

    def generator_loss(nets, batch, keys, step):
        s_fake = nets["d"](nets["g"](normal(keys, Z)))
        return jnp.mean(losses.wasserstein.g(s_fake, s_fake)), {}

    turns = 5 * (turn(move("d", critic_loss)),) + (turn(move("g", generator_loss)),)
    return gan(Generator(), Discriminator(), tx, turns)


def lazy_r1(tx):
    def r1_loss(nets, batch, keys, step):
        return jnp.mean(penalties.r1(nets["d"].stateless, batch["x"])), {}

    turns = (turn(move("d", d_loss)), turn(move("g", g_loss)), turn(move("d", r1_loss, name="r1"), every=2))
    return gan(Generator(), Discriminator(norm=True), tx, turns)


def slow_generator(tx):
    """A generator that is pulled towards its own EMA."""

    def anchored(nets, batch, keys, step):
        z = normal(keys, Z)
        x_fake = nets["g"](z)
        distance = jnp.mean(jnp.square(x_fake - nets["g"].ema(z)))
        s_fake = nets["d"](x_fake)
        return jnp.mean(losses.non_saturating.g(s_fake, s_fake)) + distance, {"distance": distance}

    return gan(Generator(), Discriminator(), tx, (turn(move("d", d_loss)), turn(move("g", anchored))), ema=0.9)


def cycle(tx):
    """CycleGAN: two translators with a common loss, against two discriminators."""

    def translate(nets, batch, keys, step):
        a, b = batch["x"], -batch["x"]
        to_b, to_a = nets["ab"](a), nets["ba"](b)
        s_a, s_b = nets["da"](to_a), nets["db"](to_b)
        back = jnp.mean(jnp.abs(nets["ba"](to_b) - a)) + jnp.mean(jnp.abs(nets["ab"](to_a) - b))
        return jnp.mean(losses.least_squares.g(s_a, s_a) + losses.least_squares.g(s_b, s_b)) + back, {"cycle": back}

    def discriminate(real, d, net, other):
        def loss(nets, batch, keys, step):
            s_real = nets[d](real * batch["x"])
            s_fake = nets[d](nets[net](-real * batch["x"]))
            return jnp.mean(losses.least_squares.d(s_real, s_fake)), losses.score_metrics(s_real, s_fake, 0.5)

        return loss

    x = lambda batch: (batch["x"],)  # noqa: E731
    return Game(
        players={
            "ab": Player(Translator(), tx),
            "ba": Player(Translator(), tx),
            "da": Player(Discriminator(), tx),
            "db": Player(Discriminator(norm=True), tx),
        },
        turns=(
            turn(move(("ab", "ba"), translate)),
            turn(move("da", discriminate(1, "da", "ba", "b")), move("db", discriminate(-1, "db", "ab", "a"))),
        ),
        prior={"z": Normal(4)},
        inputs=lambda batch, latents: dict.fromkeys(("ab", "ba", "da", "db"), x(batch)),
        sample=lambda nets, latents: nets["ab"].ema(latents["z"].reshape(-1, *SHAPE)),
        clock="da",
    )


def two_discriminators(tx):
    def discriminate(d):
        def loss(nets, batch, keys, step):
            s_real, s_fake = nets[d](batch["x"]), nets[d](nets["g"](normal(keys, Z)))
            return jnp.mean(losses.hinge.d(s_real, s_fake)), losses.score_metrics(s_real, s_fake)

        return loss

    def please_both(nets, batch, keys, step):
        x_fake = nets["g"](normal(keys, Z))
        s_1, s_2 = nets["d1"](x_fake), nets["d2"](x_fake)
        return jnp.mean(losses.hinge.g(s_1, s_1) + losses.hinge.g(s_2, s_2)), {}

    return Game(
        players={
            "g": Player(Generator(), tx),
            "d1": Player(Discriminator(), tx),
            "d2": Player(Discriminator(norm=True), tx),
        },
        turns=(turn(move("d1", discriminate("d1")), move("d2", discriminate("d2"))), turn(move("g", please_both))),
        prior={"z": Normal(Z)},
        inputs=lambda batch, latents: {"g": (latents["z"],), "d1": (batch["x"],), "d2": (batch["x"],)},
        sample=lambda nets, latents: nets["g"].ema(latents["z"]),
        clock="d1",
    )


def together(dynamics: Dynamics, tx) -> Game:
    """Moves both players in one turn."""
    return gan(Generator(), LinearDiscriminator(), tx, (turn(move("d", d_loss), move("g", g_loss), dynamics=dynamics),))


def consensus_play(tx):
    """Dynamics that use the Jacobian of the field."""
    return together(consensus(0.5), tx)


def unrolled_play(tx):
    """Dynamics that use the losses and the optimizers."""
    return together(unrolled(2), tx)


def lookahead_play(tx):
    """Dynamics that wrap the optimizers."""
    return together(lookahead(every=2), tx)


def labeled(tx):
    """Both networks take the label; the half-life of the EMA depends on the size of the whole batch."""
    return conditional.game(
        LabeledGenerator(),
        LabeledDiscriminator(norm=True),
        tx,
        tx,
        classes=CLASSES,
        z_size=Z,
        ema=lambda images: images / 10,
    )


def labeled_penalties(tx):
    """Penalties of a conditional critic, with several critic turns."""
    return conditional.game(
        LabeledGenerator(),
        LabeledDiscriminator(),
        tx,
        tx,
        classes=CLASSES,
        z_size=Z,
        penalties=(terms.r1(0.1), terms.gradient_penalty(0.1)),
        turns=lambda d, g: (turn(d), turn(d), turn(g)),
    )


def recognized_classes(tx):
    """ACGAN."""
    return acgan.game(LabeledGenerator(), Recognizer(CLASSES), tx, tx, classes=CLASSES, z_size=Z, ema=0.9)


def recognized_codes(tx):
    """InfoGAN."""
    codes = {"c1": Categorical(3), "c2": Uniform(-2.0, 1.0)}
    return infogan.game(CodedGenerator(codes), Recognizer({"c1": 3, "c2": 2}), tx, tx, codes=codes, z_size=Z)


def two_critic_turns(d, g):
    return turn(d), turn(d), turn(g)


def clipped(tx):
    """WGAN: critic turns that end with weight clipping."""
    tx_d = optax.chain(tx, penalties.clip_weights(0.1))
    return vanilla.game(
        Generator(), Discriminator(), tx, tx_d, loss=losses.wasserstein, turns=two_critic_turns, z_size=Z
    )


def hinged(tx):
    """The hinge loss with two critic turns."""
    return vanilla.game(Generator(), Discriminator(), tx, tx, loss=losses.hinge, turns=two_critic_turns, z_size=Z)


class Coarse(nn.Module):
    """Generates images of a single pixel."""

    @nn.compact
    def __call__(self, z):
        return jnp.tanh(nn.Dense(1)(nn.softplus(BatchNorm()(nn.Dense(4)(z))))).reshape(-1, 1, 1, 1)


class Detail(nn.Module):
    @nn.compact
    def __call__(self, z, low):
        return Translator()(low + z.reshape(low.shape))


class DetailDiscriminator(nn.Module):
    @nn.compact
    def __call__(self, residual, low, keys=None):
        return Discriminator(dropout=0.3)(residual + low, keys)


def pyramid(tx):
    """LAPGAN: each turn moves the players of two levels, of 1 and of 4 pixels."""
    g, d = (Coarse(), Detail()), (Discriminator(), DetailDiscriminator())
    return lapgan.game(g, d, tx, tx, shape=SHAPE, z_size=Z, ema=0.9)


class Noisy(nn.Module):
    """A translator or discriminator of patches that takes keys."""

    @nn.compact
    def __call__(self, x, keys=None):
        h = nn.softplus(nn.Dense(5)(x))
        return nn.Dense(1)(Dropout(0.2)(h, keys) if keys is not None else h)


class Patches(nn.Module):
    @nn.compact
    def __call__(self, x, keys=None):
        return nn.Dense(1)(nn.softplus(nn.Dense(5)(x)))[..., 0]


COLORS = np.linspace(-1, 1, 5 * SHAPE[-1], dtype=np.float32).reshape(SHAPE[-1], 5)
FEATURES = Frozen(lambda mix, x: jnp.tanh(jnp.einsum("bhwc,cd->bhwd", x, mix)), lambda: COLORS)
"""A pretrained network: five maps of every pixel."""

CLASSIFIER = Frozen(lambda mix, x: x.mean((1, 2)) @ mix, lambda: COLORS)
"""A pretrained classifier of mean colors, five classes."""


def translation(tx):
    """SRGAN: an input image, its target, dropout as the only noise, scores of patches, a frozen network's features."""
    return paired.game(Noisy(), Patches(), tx, tx, distance=l1, features=FEATURES, perceptual_weight=1.0, ema=0.9)


def unpaired_translation(tx):
    """CycleGAN: two domains, two translators in one move, pools of past images that fill during the second step."""
    d_a, d_b = Patches(), Patches()
    options = {"cycle_weight": 2.0, "identity_weight": 0.5, "pool_size": 20, "classifiers": {"b": CLASSIFIER}}
    return cyclegan.game(Noisy(), Noisy(), d_a, d_b, tx, tx, **options)


def negative(x, keys, p):
    """Inverts images with probability p; `bgc` would take minutes to compile in all the tests of games."""
    return jnp.where((uniform(keys) < p)[:, None, None, None], -x, x)


def adaptive_augmentation(tx):
    """ADA with p = 1/2 after the first step."""
    game = vanilla.game(Generator(), Discriminator(), tx, tx, z_size=Z, penalties=(terms.r1(0.1),))
    return adaptive(game, negative, strength=Strength(target=-2.0, ramp=8.0 * BATCH))


def growing(tx):
    """PGGAN while its second size fades in: a penalty of the faded critic, groups of two images."""
    widths = (3, 2)
    g, d = pggan.Generator(widths, channels=1, base=1), pggan.Discriminator(widths, group=2)
    penalty = terms.gradient_penalty(0.1), terms.drift(0.1)
    plain = vanilla.game(g, d, tx, tx, z_size=Z, loss=losses.wasserstein, penalties=penalty, ema=0.9)
    return progressive.grow(plain, SHAPE, 2, progressive.linear_fade(-1, 5))


class StyledGenerator(stylegan2_nets.Generator):
    """StyleGAN2's mapping and its running mean; the paper's maps and blurs would take a minute to compile."""

    @nn.compact
    def synthesis(self, ws, keys):
        layers = [nn.Dense(4)(w) for w in jnp.unstack(ws, axis=1)]
        return jnp.tanh(sum(layers) + normal(keys, 4)).reshape(-1, *SHAPE)


def styled(tx):
    """StyleGAN2: two lazy turns, the running means of w and of the path length, second derivatives."""
    g = StyledGenerator((2, 2), 1, 1, w_size=3, mapping_layers=1)
    return stylegan2.game(g, Discriminator(), tx, tx, z_size=Z, r1_every=2, path_every=2, ema=0.9)


def on_encoded(tx):
    """A game on examples upside down and scaled, by statistics that are read once and kept for samples."""
    representation = Representation(
        shape=SHAPE,
        encode=lambda scale, x: scale * x[:, ::-1],
        decode=lambda scale, x, keys: x[:, ::-1] / scale,
        statistics=lambda: jnp.float32(0.5),
        like=jax.ShapeDtypeStruct((), jnp.float32),
    )
    return encoded(vanilla.game(Generator(), Discriminator(), tx, tx, z_size=Z, ema=0.9), representation)


OWN_TESTS = [translation, unpaired_translation, adaptive_augmentation, growing, styled, on_encoded]
"""Their daily tests are in `tests/games`; with every other game they are slow."""

GAMES = [
    vanilla_batch_norm,
    vanilla_dropout,
    simultaneous,
    five_critic_turns,
    lazy_r1,
    slow_generator,
    cycle,
    two_discriminators,
    consensus_play,
    unrolled_play,
    lookahead_play,
    labeled,
    labeled_penalties,
    recognized_classes,
    recognized_codes,
    clipped,
    hinged,
    pyramid,
    *OWN_TESTS,
]


def _parametrize(is_slow: Callable):
    return games(*(pytest.param(make, marks=pytest.mark.slow) if is_slow(make) else make for make in GAMES))


def games(*made):
    """Parametrizes over these games."""
    return pytest.mark.parametrize("make_game", made, ids=lambda make: make.__name__)


every_game = _parametrize(lambda make: make in OWN_TESTS)


def every_game_slow_except(*fast):
    """Parametrizes over every game and marks all but the `fast` ones as slow."""
    return _parametrize(lambda make: make not in fast)


def rename_players(game: Game, names: dict[str, str]) -> Game:
    """Renames players, `{old: new}`: the same game under other names."""

    def in_old_names(nets):
        return {old: nets[names.get(old, old)] for old in game.players}

    def rename(move):
        who = tuple(names.get(name, name) for name in move.who)
        loss = lambda nets, *args: move.loss(in_old_names(nets), *args)  # noqa: E731
        return move._replace(who=who, loss=loss, name=names.get(move.name, move.name))

    return game._replace(
        players={names.get(name, name): player for name, player in game.players.items()},
        turns=tuple(turn._replace(moves=tuple(map(rename, turn.moves))) for turn in game.turns),
        inputs=lambda *args: {names.get(name, name): each for name, each in game.inputs(*args).items()},
        sample=lambda nets, latents: game.sample(in_old_names(nets), latents),
        clock=names.get(game.clock, game.clock),
    )


def batches(game: Game, n: int, key: int = 7):
    """Draws the batches of `n` steps, leaves `[n, slice, B, ...]`; with labels or inputs where the game takes them."""
    shape = (n, slice_count(game), BATCH)
    names = [*game.conditions] if "b" in game.conditions else ["x", *game.conditions]
    draws = {
        name: jax.random.uniform(jax.random.key(key + 10 * i), (*shape, *SHAPE), minval=-1.0)
        for i, name in enumerate(names)
    }
    if "y" in game.codes:
        draws["y"] = jax.random.randint(jax.random.key(key + 1), shape, 0, game.codes["y"].classes)
    return draws


def step_batch(game: Game):
    """Draws the batch of one step, leaves `[slice, B, ...]`."""
    return jax.tree.map(lambda leaf: leaf[0], batches(game, 1))


def play(step, state, stacked):
    """Plays the stacked batches step by step; returns the last state and every step's metrics."""
    reports = []
    for i in range(len(next(iter(stacked.values())))):
        state, metrics = step(state, jax.tree.map(lambda leaf, i=i: leaf[i], stacked))
        reports.append(metrics)
    return state, reports


sgd = optax.sgd(0.05)
"""For comparisons: Adam would hide a wrong scale of the gradients."""

STEPS = 3


class Reference(NamedTuple):
    """A reference run by a jitted step on one device."""

    game: Game
    start: State
    data: dict
    end: State
    reports: list
    traces: int
    step: Callable


@cache
def started(make_game) -> tuple[Game, State]:
    """Makes a game and its first state, once for all tests."""
    game = make_game(sgd)
    return game, init(game, jax.random.key(0), step_batch(game))


@cache
def reference(make_game) -> Reference:
    """Plays a game for STEPS steps, compiled once for all tests."""
    game, start = started(make_game)
    traces = []

    def counted(state, batch):
        traces.append(1)
        return make_step(game)(state, batch)

    data = batches(game, STEPS)
    step = jax.jit(counted)
    end, reports = play(step, start, data)
    return Reference(game, start, data, end, reports, len(traces), step)
