"""Scores during training, `--evaluate fid,prdc`, under the same protocol as `gan-jax evaluate`.

The best value of a run is a minimum over many checkpoints on the same samples: evaluate that checkpoint again with
another seed.
"""

import functools
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
from gan_jax.evaluation.feature_choice import choose_features
from gan_jax.evaluation.inputs import EvalInputs, compute_features
from gan_jax.evaluation.real_data import training_reference
from gan_jax.evaluation.suite import Values, compute_scores, directions, parse_set_metrics
from gan_jax.evaluation.translations import choose_direction, example_translator
from gan_jax.runs.files import write_atomic
from gan_jax.runs.run_data import open_data

SEED = 0
"""The seed of evaluated samples: the same for all runs, whatever their own seed."""


class Evaluator:
    """Evaluates states of a run; computes the features of real examples once.

    A game with conditions, of which `game` is one phase, translates examples of `source`, those of its first condition.

    Raises:
        BadInput: unknown metric or feature network, or one that does not fit the examples.
    """

    def __init__(self, common: RunConfig, source: Source, game: Game):
        self._metrics, self._samples = parse_set_metrics(common.evaluate), common.evaluate_samples
        self._way = choose_direction(game, source, "") if game.conditions else None
        real = self._way.targets if self._way else source
        self._net = choose_features(common.features, common.inception_weights, real.spec["x"], real.name)

        @functools.cache
        def opened(split: str) -> Source:
            if split != "train" and self._way:
                raise BadInput("this metric needs held-out examples, which a game on inputs has not while it trains")
            return real if split == "train" else open_data(common, split)

        self._reference = training_reference(common, opened)
        self._real = self._reference.features(self._net, self._samples)
        self._key = jax.random.key(SEED)

    def protocols(self, game: Game) -> dict[str, protocol.Protocol]:
        """Returns the protocol of every metric."""
        drawn, leaf = probes.drawing_protocol(game, "while training", SEED), self._reference.source.spec["x"]
        drawn |= self._way.protocol("train") if self._way else {}
        common = protocol.make_protocol(self._net, self._real, self._reference, self._samples, leaf, drawn)
        return protocol.per_metric(self._metrics, common, self._reference, leaf.modality)

    def inputs(self, game: Game) -> Callable[[State], EvalInputs]:
        """Returns `inputs(state)`, which draws samples and computes their features; compiled once."""
        if self._way:
            draw, probe = example_translator(game, self._way, self._key), lambda state: None
        else:
            source = self._reference.source
            draw = probes.sample_drawer(game, self._key, source.spec["x"].modality, source.classes)
            probe = probes.make_probes(game, self._key, self._net)

        def inputs(state: State) -> EvalInputs:
            fake = compute_features(self._net, draw(state, self._samples))
            return EvalInputs(self._net, fake, self._real, self._reference, probe(state))

        return inputs

    def rehearse(self, game: Game, state: State) -> None:
        """Computes every score once, before training. Raises `BadInput` if a metric is not supported."""
        compute_scores(self._metrics, self.inputs(game)(state))

    def scorer(self, game: Game) -> Callable[[State], Values]:
        """Returns `scores(state)`. Metrics that fail, after divergence for example, are NaN; training goes on."""
        make_inputs = self.inputs(game)

        def scores(state: State) -> Values:
            inputs, found = make_inputs(state), {}
            for name, metric in self._metrics.items():
                try:
                    found |= compute_scores({name: metric}, inputs)[name]
                except BadInput:
                    found |= dict.fromkeys(metric.values, math.nan)
            return found

        return scores


def ranked_scores(common: RunConfig) -> dict[str, str]:
    """Returns the scores of `--evaluate` that rank runs, each with `higher` or `lower`, whichever is better."""
    metrics = parse_set_metrics(common.evaluate).values() if common.evaluate else ()
    return {name: better for name, better in directions(metrics).items() if better != "neither"}


def merge_protocols(file: Path, now: dict[str, protocol.Protocol]) -> dict[str, protocol.Protocol]:
    """Merges the protocols stored in `file`, if it exists, with those of this command.

    Raises:
        BadInput: a metric changes its protocol, which would mix two protocols in one curve; or the file is damaged.
    """
    if not file.exists():
        return now
    try:
        before = protocol.modernize(dict(json.loads(file.read_text())))
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"{file} is damaged ({error}): restore it, or train into another --run-dir") from None
    for name in before.keys() & now.keys():
        protocol.check_same(name, before[name], now[name], str(file), "this command")
    return before | now


def write_protocols(file: Path, protocols: dict[str, protocol.Protocol]) -> None:
    """Writes the protocols of a run's scores as JSON."""
    write_atomic(file, (json.dumps(protocols, indent=2) + "\n").encode())
