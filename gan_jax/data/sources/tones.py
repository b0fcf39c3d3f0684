"""Ten classes of synthetic sounds at 8,000 Hz, each with a pitch, level, phase and onset of its own. No download.

Drawn whenever the source is opened, by numpy's `RandomState(0)`, whose stream never changes (NEP 19), in float64, and
rounded to 16 bits.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

from gan_jax.data.modality import audio
from gan_jax.data.source import Source, indexed

RATE, LENGTH = 8000, 4096

SOUNDING = 3072
"""Samples of a sound, after which there is silence."""

Random = np.random.RandomState
Column = Float64[np.ndarray, "n 1"]
"""A value of every sound."""
Sounds = Float64[np.ndarray, "n T"]


def tones(n: int = 5_000) -> Source:
    """Draws `n` sounds of 4,096 samples with labels 0 to 9, in turn: the kinds of `SOUNDS`."""
    random = Random(0)
    x = np.zeros((n, LENGTH), np.int16)
    for label, make in enumerate(SOUNDS.values()):
        examples = x[label :: len(SOUNDS)]
        sounds = make(random, len(examples)) * _fade()
        peaks = np.maximum(sounds.max(axis=1), -sounds.min(axis=1))[:, None]
        sounds *= 32767 * _draw(random, len(examples), 0.3, 1.0) / peaks
        onsets = random.randint(LENGTH - SOUNDING + 1, size=len(examples))
        for example, onset, sound in zip(examples, onsets, np.rint(sounds), strict=True):
            example[onset : onset + SOUNDING] = sound
    return indexed("tones", audio(RATE), x, np.arange(n) % len(SOUNDS), tuple(SOUNDS))


def _draw(random: Random, n: int, low: float, high: float) -> Column:
    return random.uniform(low, high, (n, 1))


def _seconds() -> Float64[np.ndarray, "1 T"]:
    return np.arange(SOUNDING)[None] / RATE


def _fade() -> Float64[np.ndarray, "1 T"]:
    """Returns an envelope that rises and falls within 20 ms, so that sounds begin and end without a click."""
    edge = np.sin(np.pi / 2 * np.minimum(1, (np.arange(SOUNDING) + 1) / 160)) ** 2
    return (edge * edge[::-1])[None]


def _sine(random: Random, cycles: Sounds) -> Sounds:
    """Returns sines of these numbers of cycles, from random phases, from a table: the same bits everywhere."""
    table = np.sin(2 * np.pi / 65536 * np.arange(65536))
    return table[(65536 * (cycles + _draw(random, len(cycles), 1.0, 2.0))).astype(np.int64) & 65535]


def _pitch(random: Random, n: int, low: float, high: float) -> Column:
    """Draws frequencies in hertz, uniform on a logarithmic scale."""
    return np.exp(_draw(random, n, np.log(low), np.log(high)))


def _tone(random: Random, n: int) -> Sounds:
    return _sine(random, _pitch(random, n, 400.0, 800.0) * _seconds())


def _chirp(start: int, end: int) -> Callable[[Random, int], Sounds]:
    """Returns sounds whose frequency moves evenly between two in hertz, give or take a fifth."""

    def make(random: Random, n: int) -> Sounds:
        shift, t = _pitch(random, n, 2 / 3, 3 / 2), _seconds()
        return _sine(random, shift * (start * t + (end - start) / 2 * t**2 * RATE / SOUNDING))

    return make


def _tremolo(random: Random, n: int) -> Sounds:
    slow = _draw(random, n, 8.0, 14.0) * _seconds()
    return (1 + _sine(random, slow)) * _sine(random, _pitch(random, n, 400.0, 800.0) * _seconds())


def _vibrato(random: Random, n: int) -> Sounds:
    pitch, slow = _pitch(random, n, 800.0, 1600.0), _draw(random, n, 6.0, 10.0)
    swing = _sine(random, slow * _seconds())
    return _sine(random, pitch * (_seconds() + 0.25 * swing / (2 * np.pi * slow)))


def _vowel(*formants: int) -> Callable[[Random, int], Sounds]:
    """Returns harmonics of a voice of 100 to 200 Hz, louder at the formants in hertz (each 80 Hz wide)."""

    def make(random: Random, n: int) -> Sounds:
        frequencies = np.fft.rfftfreq(SOUNDING, 1 / RATE)[None]
        step = random.randint(38, 77, size=(n, 1))  # the pitch, in steps of 2.6 Hz between the frequencies
        harmonics = (np.arange(frequencies.size) % step == 0) & (frequencies > 0)
        size = sum(0.5**i / (1 + ((frequencies - f) / 80) ** 2) for i, f in enumerate(formants))
        phases = np.exp(2j * np.pi * random.uniform(size=(n, frequencies.size)))
        return np.fft.irfft(harmonics * size * phases, SOUNDING)

    return make


def _noise(random: Random, n: int) -> Sounds:
    return random.standard_normal((n, SOUNDING)) * np.exp(-_draw(random, n, 2.0, 8.0) * _seconds())


def _clicks(random: Random, n: int) -> Sounds:
    """Returns a damped ringing again and again, 12 to 20 times a second."""
    period, ringing = 1 / _draw(random, n, 12.0, 20.0), _pitch(random, n, 1000.0, 2000.0)
    since = (_seconds() + period * _draw(random, n, 0.0, 1.0)) % period
    return np.exp(-300 * since) * np.sin(2 * np.pi * ringing * since)


SOUNDS: dict[str, Callable[[Random, int], Sounds]] = {
    "tone": _tone,
    "rise": _chirp(400, 2400),
    "fall": _chirp(2400, 400),
    "tremolo": _tremolo,
    "vibrato": _vibrato,
    "vowel a": _vowel(730, 1090, 2440),
    "vowel i": _vowel(270, 2290, 3010),
    "vowel u": _vowel(300, 870, 2240),
    "noise": _noise,
    "clicks": _clicks,
}
"""How each class of sounds is made: `make(random, n)` returns `n` of any level. Formants: Peterson and Barney 1952."""
