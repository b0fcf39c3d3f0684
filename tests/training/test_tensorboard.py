"""What is added is in the file, also that of a resumed run, and a full disk is an error, at once."""

import numpy as np
import pytest

from gan_jax.training.tensorboard import EventFile


def events(folder):
    """Reads back all events of the only file in `folder`: their step, and each value's name and content."""
    from tensorboardX.proto.event_pb2 import Event

    (file,) = folder.iterdir()
    rest, found = file.read_bytes(), []
    while rest:  # a record: length, checksum of the length, the event, its checksum
        length = int.from_bytes(rest[:8], "little")
        found.append(Event.FromString(rest[12 : 12 + length]))
        rest = rest[16 + length :]
    return found


def test_scalars_and_pictures_are_in_the_file_after_a_start_that_hides_later_steps(tmp_path):
    file = EventFile(tmp_path, resumed=7)
    file.add_scalar("g/loss", 0.5, 8)
    file.add_image("samples", np.zeros((4, 6, 3), np.uint8), 9)
    file.flush()
    version, start, loss, picture = events(tmp_path)
    assert version.file_version == "brain.Event:2"
    assert (start.step, start.session_log.status) == (8, start.session_log.START)
    assert (loss.step, loss.summary.value[0].tag, loss.summary.value[0].simple_value) == (8, "g/loss", 0.5)
    image = picture.summary.value[0].image
    assert (picture.step, image.height, image.width, image.colorspace) == (9, 4, 6, 3)
    file.close()


def test_full_disk_is_an_error_of_the_call_that_meets_it(tmp_path, full_disk):
    file = EventFile(tmp_path, resumed=0)
    with pytest.raises(OSError, match=f"File too large: '{tmp_path}"):
        for step in range(10_000):
            file.add_scalar("g/loss", 0.5, step)
    assert step < 2_000
    with pytest.raises(OSError, match=f"File too large: '{tmp_path}"):
        file.close()
