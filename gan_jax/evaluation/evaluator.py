"""Scores while a run is trained, by the same protocol as `gan-jax evaluate` has: `--evaluate fid,prdc`.

A best value is the best of many on the same samples: judge that checkpoint again with another seed.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path

import jax

from gan_jax.config.experiment import RunConfig
from gan_jax.data import Source
from gan_jax.engine.game import Game, State
from gan_jax.errors import BadInput
from gan_jax.evaluation import probes, protocol
from gan_jax.evaluation.feature_choice import lens
from gan_jax.evaluation.inputs import EvalInputs, see
from gan_jax.evaluation.real_data import of_training
from gan_jax.evaluation.suite import Values, measure, named, ways
from gan_jax.runs.files import write_atomic

SEED = 0
"""Of the samples that are judged: the same for all runs, whatever their own seed."""


class Evaluator:
    """Judges the states of a run, all in one way; looks at the real images once.

    Raises:
        BadInput: a metric or feature network that there is not, or one that the images do not suit.
    """

    def __init__(self, common: RunConfig, source: Source):
        self._metrics, self._samples = named(common.evaluate), common.evaluate_samples
        self._net = lens(common.features, common.inception_weights, source.shape, source.name)
        self._reference = of_training(common, source=source)
        self._real = self._reference.see(self._net, self._samples)
        self._key = jax.random.key(SEED)

    def protocols(self, game: Game) -> dict[str, protocol.Protocol]:
        """How each metric is measured."""
        how, shape = probes.drawn(game, "while training", SEED), self._reference.source.shape
        common = protocol.make_protocol(self._net, self._real, self._reference, self._samples, shape, how)
        return protocol.of_each(self._metrics, common)

    def evidence(self, game: Game) -> Callable[[State], EvalInputs]:
        """What there is to judge a state of the game by; compiled once."""
        draw = probes.drawer(game, self._key, self._reference.source.classes)
        ask = probes.networks(game, self._key, self._net)

        def gather(state: State) -> EvalInputs:
            fake = see(self._net, draw(state, self._samples))
            return EvalInputs(self._net, fake, self._real, self._reference, ask(state))

        return gather

    def rehearse(self, game: Game, state: State) -> None:
        """Measures everything once. Raises `BadInput` where a metric cannot be had: better now than in an hour."""
        measure(self._metrics, self.evidence(game)(state))

    def of(self, game: Game) -> Callable[[State], Values]:
        """`of(game)(state) -> scores`. What a state does not allow, after divergence say, is NaN; training goes on."""
        gather = self.evidence(game)

        def assess(state: State) -> Values:
            evidence, scores = gather(state), {}
            for name, metric in self._metrics.items():
                try:
                    scores |= measure({name: metric}, evidence)[name]
                except BadInput:
                    scores |= dict.fromkeys(metric.values, math.nan)
            return scores

        return assess


def ranked(common: RunConfig) -> dict[str, str]:
    """The values of `--evaluate` that can be ranked, and whether `higher` or `lower` is better."""
    chosen = named(common.evaluate).values() if common.evaluate else ()
    return {name: way for name, way in ways(chosen).items() if way != "neither"}


def with_earlier(file: Path, now: dict[str, protocol.Protocol]) -> dict[str, protocol.Protocol]:
    """The protocols of a run, those of metrics that earlier commands asked for included.

    Raises:
        BadInput: scores were measured otherwise so far, and a curve of two protocols would say nothing; or the file is
            damaged.
    """
    if not file.exists():
        return now
    try:
        before = dict(json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise BadInput(f"{file} is damaged ({error}): restore it, or train into another --run-dir") from None
    for name in before.keys() & now.keys():
        protocol.check_same(name, before[name], now[name], str(file), "this command")
    return before | now


def write_protocols(file: Path, protocols: dict[str, protocol.Protocol]) -> None:
    """Keeps how a run's scores are measured beside them."""
    write_atomic(file, (json.dumps(protocols, indent=2) + "\n").encode())
