"""A command is never silent for long: it says its numbers, or what it does, under a clock of the test."""

import numpy as np
import pytest

from gan_jax.training.progress import SILENCE, Heartbeat, ProgressBar


class Watched(Heartbeat):
    """Records the time and text of every line."""

    def __init__(self, what):
        self.now, self.lines = 0, []
        super().__init__(what, clock=lambda: self.now, out=lambda line: self.lines.append((self.now, line)))

    def wait(self, seconds):
        for _ in range(seconds):
            self.now += 1
            self.tick()


def test_long_work_is_said_with_its_seconds_and_short_work_is_not():
    heartbeat = Watched("compiling")
    heartbeat.wait(SILENCE - 1)
    assert heartbeat.lines == []
    heartbeat.wait(SILENCE + 1)
    heartbeat.begin("drawing samples")
    heartbeat.begin("drawing samples")  # not from the start again
    heartbeat.wait(SILENCE)
    assert heartbeat.lines == [
        (SILENCE, "compiling, 10 s so far"),
        (2 * SILENCE, "compiling, 20 s so far"),
        (3 * SILENCE, "drawing samples, 10 s so far"),
    ]


def test_newest_numbers_are_said_before_what_is_done():
    heartbeat = Watched("training")
    heartbeat.show("first", now=True)
    for i in range(4):
        heartbeat.wait(3)
        heartbeat.show(f"numbers {i}")
    heartbeat.wait(2 * SILENCE)
    assert [line for _, line in heartbeat.lines] == ["first", "numbers 2", "numbers 3", "training, 30 s so far"]


@pytest.mark.parametrize("seed", range(5))
def test_silence_is_bounded_and_lines_are_few_whatever_happens(seed):
    random, heartbeat = np.random.RandomState(seed), Watched("compiling")
    for _ in range(300):
        heartbeat.wait(random.randint(0, 25))
        if random.rand() < 0.5:
            heartbeat.begin(random.choice(["training", "evaluating"]))
        else:
            heartbeat.show("numbers")
    gaps = np.diff([0, *(time for time, _ in heartbeat.lines), heartbeat.now])
    assert gaps.max() <= SILENCE and gaps[:-1].min() >= SILENCE


def test_first_and_last_numbers_are_said_at_once(capfd):
    with ProgressBar(total_images=100) as bar:
        bar.show(1, {"d/loss": 1.0, "d/score_real": 2.0})  # of the first step, whose rate nobody knows
        for images in (10, 20, 100):
            bar.show(images, {"d/loss": 1.0}, rate=10.0)
    lines = capfd.readouterr().err.splitlines()
    assert lines == ["1 of 100 images  d/loss 1.000", "100 of 100 images  10/s  d/loss 1.000  0 s left"]


def test_terminal_shows_what_is_done_then_the_numbers(capfd, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes stderr for a terminal
    monkeypatch.setenv("COLUMNS", "200")

    def shown():
        bar._bar.refresh()
        return capfd.readouterr().err

    with ProgressBar(total_images=100) as bar:
        assert "compiling the training program" in shown() and "0:00:0" in shown()
        bar.show(10, {"d/loss": 1.0}, rate=10.0)
        assert "10 of 100 images" in shown()
        with bar.doing("drawing samples"):
            assert "drawing samples" in shown()
        assert "10 of 100 images" in shown()
        bar.begin("compiling the next phase")
        assert "compiling the next phase" in shown()
