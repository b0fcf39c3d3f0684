"""Writers of PNG and TIFF files from their specifications, independent of Pillow, for depths it does not write."""

import struct
import zlib

import numpy as np

PNG_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
"""By the number of channels: gray, gray with alpha, RGB, RGB with alpha."""


def png(pixels, before=(), after=()):
    """Encodes `[H, W, C]` uint8 or uint16; `before` and `after` are chunks `(type, data)` around the pixels."""
    height, width, channels = pixels.shape
    bits = 8 * pixels.dtype.itemsize
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, bits, PNG_COLOR_TYPES[channels], 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    chunks = [(b"IHDR", header), *before, (b"IDAT", data), *after, (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(chunk):
    kind, data = chunk
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def tiff(pixels, order="<", photometric=None, sample_format=1, bits=None):
    """Encodes `[H, W, C]` of any dtype, uncompressed; with `bits=12`, two values of a row share three bytes."""
    height, width, channels = pixels.shape
    data = _pack_12(pixels) if bits == 12 else pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    bits = bits or 8 * pixels.dtype.itemsize
    photometric = (2 if channels > 2 else 1) if photometric is None else photometric
    fields = [(256, width), (257, height), (258, [bits] * channels), (259, 1), (262, photometric), (273, None)]
    fields += [(277, channels), (278, height), (279, len(data)), (284, 1), (339, [sample_format] * channels)]
    if channels in (2, 4):
        fields.append((338, 2))  # alpha, not premultiplied
        fields.sort(key=lambda field: field[0])
    directory = 2 + 12 * len(fields) + 4
    extra, entries = b"", b""
    for tag, value in fields:
        values = [8 + directory + 64] if value is None else np.atleast_1d(value).tolist()
        kind, letter = (3, "H") if tag in (258, 338, 339) else (4, "I")
        packed = struct.pack(f"{order}{len(values)}{letter}", *values)
        if len(packed) > 4:
            extra, packed = extra + packed, struct.pack(f"{order}I", 8 + directory + len(extra))
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return start + struct.pack(f"{order}H", len(fields)) + entries + b"\0" * 4 + extra.ljust(64, b"\0") + data


def _pack_12(pixels):
    pairs = pixels.reshape(-1, 2).astype(np.uint32)
    both = pairs[:, 0] << 12 | pairs[:, 1]
    return np.stack([both >> 16, both >> 8 & 255, both & 255], axis=1).astype(np.uint8).tobytes()
