"""CycleGAN: two translators, each other's inverse, learned from two sets of unpaired images.

Zhu et al. 2017, "Unpaired image-to-image translation using cycle-consistent adversarial networks", eq. 1 to 3 and
sec. 4 (https://arxiv.org/abs/1703.10593), as its authors' program plays it: all networks move at once.
"""

from collections.abc import Mapping
from types import MappingProxyType

import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from gan_jax import losses
from gan_jax.engine.game import Ema, Frozen, Game, Move, Network, Player, move, turn
from gan_jax.engine.keys import split
from gan_jax.losses.adversarial import AdversarialLoss
from gan_jax.losses.reconstruction import l1
from gan_jax.nets.pool import ImagePool
from gan_jax.priors import ExampleKeys

Images = Float[Array, "B ..."]
Logits = Float[Array, "B K"]


def game(
    g_ab: Network,
    g_ba: Network,
    d_a: Network,
    d_b: Network,
    tx_g: optax.GradientTransformation,
    tx_d: optax.GradientTransformation,
    *,
    cycle_weight: float = 10.0,
    identity_weight: float = 5.0,
    pool_size: int = 50,
    loss: AdversarialLoss = losses.least_squares,
    classifiers: Mapping[str, Frozen] = MappingProxyType({}),
    semantic_weight: float = 1.0,
    ema: Ema = 0.0,
) -> Game:
    """Builds the game of two translators against a discriminator of each domain.

        g:   min  mean(loss.g(d_b(b), d_b(g_ab(a)))) + mean(loss.g(d_a(a), d_a(g_ba(b))))
                  + cycle_weight (l1(a, g_ba(g_ab(a))) + l1(b, g_ab(g_ba(b))))
                  + identity_weight (l1(b, g_ab(b)) + l1(a, g_ba(a)))
                  + semantic_weight (ce(class_a(a), class_b(g_ab(a))) + ce(class_b(b), class_a(g_ba(b))))
        d_a: min  mean(loss.d(d_a(a), d_a(pool_a(g_ba(b)))))        d_b likewise

    Args:
        g_ab: `g(a [B, ...], keys [B]) -> fake_b [B, ...]`; its output is an input of `g_ba`.
        g_ba: the other direction.
        d_a: `d(images [B, ...], keys [B]) -> scores [B, ...]` of domain a.
        d_b: of domain b.
        tx_g: the translators' optimizer.
        tx_d: the discriminators' optimizer.
        cycle_weight: lambda of eq. 3; 10 in the paper.
        identity_weight: keeps colors (sec. 5.2): half of `cycle_weight` in the authors' program. It needs domains of
            equal shape; with 0 the term is left out.
        pool_size: past translations from which half of a discriminator's fakes are drawn; 50 in the paper, 0 for none.
        loss: least squares in the paper.
        classifiers: by domain, `a`, `b` or both, `classifier(images [B, ...]) -> logits [B, K]`, trained on it.
        semantic_weight: of the cross entropy of a translation's class with the most probable class of its input:
            Hoffman et al. 2018, "CyCADA", eq. 4 (https://arxiv.org/abs/1711.03213). There one classifier reads inputs
            and translations of both domains, and holds the inputs that it misreads to the wrong class. Here inputs are
            read by the classifier of their own domain (if there is none, the term is left out), translations by that
            of the domain that they come into (if there is none, by that of the inputs).
        ema: the translators' moving average (see `Player`), from which samples are drawn; 0 for none.
    """

    def translated(nets, batch, keys):
        ab_keys, ba_keys, *others = split(keys, 8)
        return nets["g_ab"](batch["a"], ab_keys), nets["g_ba"](batch["b"], ba_keys), others

    def g_loss(nets, batch, keys, step):
        a, b, now = batch["a"], batch["b"], loss.at(step)
        fake_b, fake_a, others = translated(nets, batch, keys)
        fooled = [
            jnp.mean(now.g(losses.flat(nets[d](real, others[0])), losses.flat(nets[d](fake, others[1]))))
            for d, real, fake in (("d_a", a, fake_a), ("d_b", b, fake_b))
        ]
        cycle = jnp.mean(l1(a, nets["g_ba"](fake_b, others[2]))) + jnp.mean(l1(b, nets["g_ab"](fake_a, others[3])))
        total = sum(fooled) + cycle_weight * cycle
        report = {"cycle": cycle, "adversarial_a": fooled[0], "adversarial_b": fooled[1]}
        if identity_weight:
            same = jnp.mean(l1(b, nets["g_ab"](b, others[4]))) + jnp.mean(l1(a, nets["g_ba"](a, others[5])))
            total, report = total + identity_weight * same, report | {"identity": same}
        if classifiers:
            fakes, into = {"a": fake_b, "b": fake_a}, {"a": "b", "b": "a"}
            readers = {x: nets[f"class_{into[x] if into[x] in classifiers else x}"] for x in classifiers}
            kept = sum(jnp.mean(_same_class(nets[f"class_{x}"](batch[x]), readers[x](fakes[x]))) for x in classifiers)
            total, report = total + semantic_weight * kept, report | {"semantic": kept}
        return total, report

    def d_move(domain: str) -> Move:
        def d_loss(nets, batch, keys, step):
            fake_b, fake_a, others = translated(nets, batch, keys)
            fake = {"a": fake_a, "b": fake_b}[domain]
            if pool_size:
                fake = nets[f"pool_{domain}"](fake, others[5])
            d, now = nets[f"d_{domain}"], loss.at(step)
            s_real, s_fake = losses.flat(d(batch[domain], others[0])), losses.flat(d(fake, others[1]))
            return jnp.mean(now.d(s_real, s_fake)), losses.score_metrics(s_real, s_fake, now.undecided)

        who = (f"d_{domain}", f"pool_{domain}") if pool_size else (f"d_{domain}",)
        return move(who, d_loss, name=f"d_{domain}")

    def sample(nets, latents):
        ways = {"a": ("g_ab", "fake_b", "g_ba", "cycle_a"), "b": ("g_ba", "fake_a", "g_ab", "cycle_b")}
        found = {}
        for domain, (there, fake, back, cycle) in ways.items():
            if domain in latents:
                found[fake] = nets[there].ema(latents[domain], latents["keys"])
                found[cycle] = nets[back].ema(found[fake], latents["keys"])
        return found

    memory = {f"pool_{domain}": Player(ImagePool(pool_size), optax.identity()) for domain in "ab" if pool_size}
    return Game(
        players={
            "g_ab": Player(g_ab, tx_g, ema),
            "g_ba": Player(g_ba, tx_g, ema),
            "d_a": Player(d_a, tx_d),
            "d_b": Player(d_b, tx_d),
            **memory,
        },
        turns=(turn(move(("g_ab", "g_ba"), g_loss, name="g"), d_move("a"), d_move("b")),),
        prior={"keys": ExampleKeys()},
        inputs=lambda batch, latents: {
            "g_ab": (batch["a"], latents["keys"]),
            "g_ba": (batch["b"], latents["keys"]),
            "d_a": (batch["a"],),
            "d_b": (batch["b"],),
            **{f"pool_{domain}": (batch[domain], latents["keys"]) for domain in "ab" if pool_size},
        },
        sample=sample,
        clock="d_a",
        conditions=("a", "b"),
        frozen={f"class_{domain}": classifier for domain, classifier in classifiers.items()},
    )


def _same_class(of_input: Logits, of_translation: Logits) -> Float[Array, " B"]:
    """Computes the cross entropy of the class of a translation with the most probable class of its input."""
    return optax.softmax_cross_entropy_with_integer_labels(of_translation, jnp.argmax(of_input, axis=-1))
