"""Monitors: each is triggered by records that fail in its way, and by no others."""

import arena
import jax
import numpy as np
import pytest

from gan_jax import init, make_step
from gan_jax.monitoring import diagnostics
from gan_jax.monitoring.monitor import Finding, Monitor, summary, write_findings
from gan_jax.runs.run_dir import RunDir

RNG = np.random.default_rng(0)
NAMES = [symptom.name for symptom in diagnostics.SYMPTOMS]


def healthy(n):
    """Makes the records of a healthy run: noise around drifting levels."""
    level = np.linspace(1, 1.5, n).tolist()
    noise = RNG.normal(1, 0.05, (6, n)).tolist()
    return [
        {
            "step": 100 * (i + 1),
            "images": 800 * (i + 1),
            "seconds": 0.1 * i,
            "d/loss": level[i] * noise[0][i],
            "g/loss": 2 - level[i] * noise[1][i],
            "d/accuracy_pairs": min(1.0, 0.85 * noise[2][i]),
            "d/accuracy_real": min(1.0, 0.8 * noise[2][i]),
            "d/accuracy_fake": min(1.0, 0.8 * noise[3][i]),
            "d/grad_norm": 3 * level[i] * noise[4][i],
            "g/grad_norm": 0.3 * noise[5][i] / level[i],
            "diversity_ratio": min(1.0, 0.1 * i),
            "reverse_kl_classes": 2.0 / (1 + i),
        }
        for i in range(n)
    ]


def failing(name, **change):
    """Makes a healthy run whose records from 40 on are changed by `change[metric](i, value)`."""
    records = healthy(80)
    for i, record in enumerate(records[40:]):
        for metric, become in change.items():
            metric = metric.replace("__", "/")
            record[metric] = float(become(i, record[metric]))
    return pytest.param(name, records, id=name)


FAILURES = [
    failing("discriminator won", d__accuracy_real=lambda i, v: 0.995, d__accuracy_fake=lambda i, v: 1),
    failing("generator's gradient vanished", g__grad_norm=lambda i, v: 1e-4 * v, d__accuracy_pairs=lambda i, v: 0.98),
    failing("samples alike", diversity_ratio=lambda i, v: 0.1),
    failing("classes missing", reverse_kl_classes=lambda i, v: 1.5),
    failing("oscillation", g__loss=lambda i, v: v + 0.8 * np.sin(i)),
    failing("exploding norms", d__grad_norm=lambda i, v: 500 * v),
]


def findings(records):
    monitor = Monitor()
    for record in records:
        monitor.update(record)
    return monitor.findings


def test_every_symptom_has_a_failing_example():
    assert [case.values[0] for case in FAILURES] == NAMES


@pytest.mark.parametrize(("name", "records"), FAILURES)
def test_failing_records_trigger_their_own_symptom_only(name, records):
    [found] = findings(records)
    assert found.symptom == name and found.until is None
    assert 800 * 40 < found.since <= 800 * 75


def test_healthy_records_trigger_no_symptom():
    for _ in range(5):
        assert findings(healthy(150)) == []


def renamed(records, names):
    """Renames the moves of records, `{old: new}`."""

    def rename(name):
        move, slash, metric = name.rpartition("/")
        return names.get(move, move) + slash + metric

    return [{rename(name): value for name, value in record.items()} for record in records]


@pytest.mark.parametrize(
    "names", [{"g": "artist", "d": "critic"}, {"g": "d_ab", "d": "g_a"}, {"g": "g+encoder"}], ids=str
)
@pytest.mark.parametrize(("name", "records"), FAILURES)
def test_players_are_known_by_what_they_report_and_not_by_their_names(name, records, names):
    assert findings(renamed(records, names)) == findings(records) != []


def test_renamed_players_report_the_same_metrics_under_their_names():
    """So that renaming the moves of records stands for renaming the players of a game."""
    names = {"g": "artist", "d": "critic"}

    def record(game):
        batch = arena.step_batch(game)
        state = jax.eval_shape(lambda: init(game, jax.random.key(0), batch))
        return jax.eval_shape(make_step(game), state, batch)[1]

    game = arena.hinged(arena.sgd)
    assert record(arena.rename_players(game, names)).keys() == renamed([record(game)], names)[0].keys()


def without(records, *ends):
    return [{name: value for name, value in record.items() if not name.endswith(ends)} for record in records]


def played(**values):
    """Makes a run that is healthy at first, and whose metrics then have these values."""
    return failing("", **{metric: lambda i, v, to=to: to for metric, to in values.items()}).values[1]


@pytest.mark.parametrize("almost", [{"d__accuracy_fake": 0.98}, {"d__accuracy_real": 0.5}])
def test_discriminator_has_won_only_if_right_on_real_and_fake(almost):
    """Ranking all pairs is not enough, because it may be unsure of every example."""
    right = {"d__accuracy_pairs": 1.0, "d__accuracy_real": 1.0, "d__accuracy_fake": 1.0} | almost
    assert findings(played(**right)) == []


def test_a_critic_without_an_undecided_score_never_wins_but_the_gradient_may_vanish():
    def symptoms(**values):
        records = without(played(d__accuracy_pairs=1.0, **values), "/accuracy_real", "/accuracy_fake")
        return [found.symptom for found in findings(records)]

    assert symptoms() == []
    assert symptoms(g__grad_norm=1e-6) == ["generator's gradient vanished"]


@pytest.mark.parametrize(("accuracy", "found"), [(0.95, ["generator's gradient vanished"]), (0.85, [])])
def test_a_vanished_gradient_in_records_without_pairs_is_judged_by_both_accuracies(accuracy, found):
    values = {"g__grad_norm": 1e-6, "d__accuracy_real": 1.0, "d__accuracy_fake": accuracy}
    assert [each.symptom for each in findings(without(played(**values), "/accuracy_pairs"))] == found


def test_a_lazy_regularizer_is_not_on_the_generator_s_side():
    records = played(d__accuracy_pairs=0.98)
    for i, record in enumerate(records):
        record |= {"r1/grad_norm": 1e-6 if i >= 40 else 1.0, "r1/played": 0.0625}
    assert findings(records) == []


def test_vanishing_gradient_at_equilibrium_is_healthy():
    assert findings(failing("", g__grad_norm=lambda i, v: 1e-6 * v).values[1]) == []


def test_a_single_bad_chunk_triggers_no_symptom():
    records = healthy(80)
    spike = {
        "d/accuracy_pairs": 1.0,
        "d/accuracy_real": 1.0,
        "d/accuracy_fake": 1.0,
        "g/grad_norm": 0.0,
        "d/grad_norm": 1e9,
        "diversity_ratio": 0.0,
        "reverse_kl_classes": 2.0,
    }
    records[60] |= spike
    assert findings(records) == []


def test_missing_modes_of_points_are_not_missing_classes():
    assert findings([record | {"reverse_kl_modes": 2.0} for record in healthy(20)]) == []


def test_drift_and_small_swings_are_not_oscillation():
    drift = failing("", g__loss=lambda i, v: v + 0.1 * i).values[1]
    little = failing("", g__loss=lambda i, v: v + 0.05 * np.sin(i)).values[1]
    assert findings(drift) == [] == findings(little)


def test_findings_end_when_the_symptom_does_and_may_recur():
    records = healthy(60)
    for i in (*range(20, 40), *range(50, 60)):
        records[i] |= {"reverse_kl_classes": 2.0}
    assert findings(records) == [Finding("classes missing", 800 * 23, 800 * 41), Finding("classes missing", 800 * 53)]


def test_summary_describes_findings_and_rollbacks(tmp_path):
    folder = RunDir(tmp_path)
    assert summary(folder) == ["no symptom of failure"]
    write_findings([Finding("classes missing", 16_800, 32_800), Finding("classes missing", 40_800)], folder)
    [line] = summary(folder)
    assert line.startswith(
        "classes missing, from 16,800 to 32,800 images, from 40,800 images to the end: the generator draws few of the"
    )
    folder.append_rollback(17, 0, ["d"])
    assert summary(folder)[0].startswith("numbers were not finite in steps 17; the run continued from")


def test_missing_and_nonfinite_metrics_trigger_no_symptom():
    bare = [{"step": i, "images": i, "seconds": 0.0} for i in range(1, 60)]
    assert findings(bare) == []
    assert findings([record | {"d/loss": float("nan"), "g/grad_norm": float("inf")} for record in bare]) == []
