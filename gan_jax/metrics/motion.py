"""How videos move: the center of brightness, its speed and its acceleration.

A moving digit has a speed and no acceleration except where it bounces. A still video has neither, and one whose frames
are shuffled or flicker has more acceleration than speed; so read both.
"""

import numpy as np
from jaxtyping import Float, UInt8

Videos = UInt8[np.ndarray, "N T H W C"]
Values = Float[np.ndarray, " N"]


def centers(videos: Videos) -> Float[np.ndarray, "N T 2"]:
    """Computes the center of brightness of every frame in pixels, x to the right and y down; NaN for a black frame."""
    light = videos.astype(np.float64).sum(axis=-1)
    y, x = np.indices(light.shape[2:])
    with np.errstate(invalid="ignore"):  # a black frame has no center
        return np.stack([(light * axis).sum(axis=(2, 3)) / light.sum(axis=(2, 3)) for axis in (x, y)], axis=-1)


def speed(videos: Videos) -> Values:
    """Computes the speed of the center in pixels a frame: the root of m_x^2 + m_y^2, with m the median of |p'|.

    p' is the difference of consecutive centers; the median leaves out the few in which a video bounces. NaN for a video
    with a black frame.
    """
    return _median_length(np.diff(centers(videos), axis=1))


def acceleration(videos: Videos) -> Values:
    """Computes how far the center strays from steady motion: as `speed`, of |p''|, the second difference of centers.

    It is 0 for motion on straight lines that bounces: each bounce changes two second differences of one coordinate, and
    the median leaves them out as long as they are fewer than half. NaN for a video with a black frame.
    """
    return _median_length(np.diff(centers(videos), 2, axis=1))


def _median_length(differences: Float[np.ndarray, "N T 2"]) -> Values:
    return np.hypot(*np.median(np.abs(differences), axis=1).T)
