"""Output survives terminals without Unicode, and readers that go away; what is costly is written to files first."""

import io
import json
import os
import subprocess
import sys
from contextlib import contextmanager

import pytest
from commands import command

from gan_jax.cli.main import COMMANDS, main
from gan_jax.cli.train import report_scores
from gan_jax.runs.run_dir import RunDir
from gan_jax.training.progress import ProgressBar

PROTOCOL = {
    "samples": 200,
    "image": [28, 28, 1],
    "quantization": "uint8",
    "drawn": {"checkpoint": "last", "network": "moving average", "seed": 0},
    "reference": {"data": "café", "split": "train", "size": 9, "resized": None, "samples": 9, "sha256": "0"},
    "features": {"name": "mnist", "sha256": "0", "resize": "none"},
}
RESULT = {"subject": {"name": "Fréchet → café", "run": "é"}, "fid": {"fid": 3.5, "protocol": PROTOCOL}}

PRINTING = {
    "list": ["list"],
    "help": ["--help"],
    "help of an experiment": ["train", "dcgan", "--help"],
    "table": ["compare", "RESULT"],
    **{f"help of {name}": [name, "--help"] for name in COMMANDS},
}


@pytest.fixture
def argv(shared_result):
    return lambda case: [shared_result if word == "RESULT" else word for word in PRINTING[case]]


@pytest.fixture
def shared_result(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(RESULT))
    return str(tmp_path / "result.json")


def run(argv, monkeypatch, **streams):
    """Runs a command line with other streams; returns its exit code."""
    for name, stream in streams.items():
        monkeypatch.setattr(sys, name, stream)
    with pytest.raises(SystemExit) as done:
        main(argv)
    return done.value.code or 0


@contextmanager
def without_reader():
    """Opens a stream into a pipe whose other end is closed."""
    end, start = os.pipe()
    os.close(end)
    with open(start, "w", buffering=1) as stream:
        yield stream


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
@pytest.mark.parametrize("case", PRINTING)
def test_every_output_is_printed_in_every_encoding(monkeypatch, argv, encoding, case):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert run(argv(case), monkeypatch, stdout=stream) == 0
    shown = stream.buffer.getvalue().decode(encoding)
    assert shown.strip() and "\\x" not in shown and "\\u" not in shown
    if encoding == "ascii" and case in ("list", "table"):
        assert "Frechet" in shown


@pytest.mark.parametrize("case", PRINTING)
def test_every_output_ends_quietly_with_its_reader(monkeypatch, argv, case):
    with without_reader() as stream:
        assert run(argv(case), monkeypatch, stdout=stream) == 141


def test_error_message_ends_quietly_with_its_reader(monkeypatch):
    with without_reader() as stream:
        assert run(["no such command"], monkeypatch, stderr=stream) == 141


def test_process_whose_reader_is_gone_says_nothing_more():
    end, start = os.pipe()
    os.close(end)
    program = "from gan_jax.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", program, "list"], stdout=start, stderr=subprocess.PIPE)
    os.close(start)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_full_disk_is_one_line(monkeypatch, capfd):
    with open("/dev/full", "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        code, _, errors = command(capfd, "list")
    assert code == 2 and errors.count("\n") == 1 and "No space left" in errors


def test_progress_without_a_reader_lets_training_go_on(monkeypatch):
    with without_reader() as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with ProgressBar(total_images=100) as bar:
            bar.show(100, {"d/loss": 1.0}, rate=10.0)
        with pytest.raises(BrokenPipeError):
            print("this stream has no reader", file=stream, flush=True)
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_table_is_written_although_it_cannot_be_printed(monkeypatch, shared_result, tmp_path):
    with without_reader() as stream:
        assert run(["compare", shared_result, "--out", str(tmp_path / "t.md")], monkeypatch, stdout=stream) == 141
    assert "3.5" in (tmp_path / "t.md").read_text()


def test_curves_of_scores_are_written_although_they_cannot_be_printed(monkeypatch, tmp_path):
    folder = RunDir(tmp_path)
    folder.metrics.write_text('{"step": 1, "images": 8, "seconds": 1.0, "fid": 2.0}\n')
    with without_reader() as stream, pytest.raises(BrokenPipeError):
        monkeypatch.setattr(sys, "stdout", stream)
        try:
            report_scores(folder, {"fid": "lower"})
            stream.flush()
        finally:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    assert folder.scores.exists()
