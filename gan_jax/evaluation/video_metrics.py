"""Metrics of videos besides those of their features: of single frames, and of motion."""

import numpy as np

from gan_jax import metrics
from gan_jax.data.modality import VIDEO
from gan_jax.errors import BadInput
from gan_jax.evaluation.inputs import EvalInputs, Examples
from gan_jax.evaluation.metric import Metric, Values
from gan_jax.metrics.features.mnist import SHA256, mnist
from gan_jax.metrics.features.network import NetworkOutputs, extract
from gan_jax.metrics.motion import acceleration, speed
from gan_jax.metrics.moving_frames import contrasted, crops, kept_identity

CROP, SIDE = 16, 28
"""Pixels around the center of brightness that are shown to the network of digits, and the side of what it is shown."""

SETTINGS = {
    "frames": {"features": "mnist", "sha256": SHA256, "crop": CROP, "side": SIDE, "around": "brightness", "contrast": 2}
}


def _frames(videos: Examples) -> NetworkOutputs:
    """Applies the frozen MNIST network to the digit of every frame. Raises `BadInput` for videos in color."""
    if videos.shape[-1] != 1:
        raise BadInput("this metric sees gray digits, and the videos are in color: leave it out")
    return extract(mnist(), contrasted(crops(videos, CROP, SIDE)))


def frame_fid(inputs: EvalInputs) -> Values:
    """Computes the Fréchet distance between features of single frames, whatever their order."""
    real, fake = (_frames(each.examples).features for each in (inputs.real, inputs.fake))
    return {"frame_fid": metrics.frechet_distance(real, fake)}


def identity(inputs: EvalInputs) -> Values:
    """Computes the mean share of the frames of a video that show the digit of most, beside that of real videos."""
    found = {}
    for name, each in (("identity", inputs.fake), ("identity_real", inputs.real)):
        digits = _frames(each.examples).probabilities.argmax(axis=1)
        found[name] = float(kept_identity(digits.reshape(each.examples.shape[:2])).mean())
    return found


def motion(inputs: EvalInputs) -> Values:
    """Computes the mean speed and acceleration, of videos without a black frame, beside those of real ones."""
    found = {}
    for name, measure in (("speed", speed), ("acceleration", acceleration)):
        for end, each in (("", inputs.fake), ("_real", inputs.real)):
            values = measure(each.examples)
            seen = values[np.isfinite(values)]
            found[name + end] = float(seen.mean()) if len(seen) else np.nan
    return found


VIDEO_METRICS = {
    "frame_fid": Metric(frame_fid, {"frame_fid": "lower"}, SETTINGS, kinds=(VIDEO.name,)),
    "identity": Metric(identity, {"identity": "higher", "identity_real": "neither"}, SETTINGS, kinds=(VIDEO.name,)),
    "motion": Metric(
        motion,
        {"speed": "neither", "speed_real": "neither", "acceleration": "lower", "acceleration_real": "neither"},
        kinds=(VIDEO.name,),
    ),
}
