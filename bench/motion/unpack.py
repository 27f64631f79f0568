"""Reads hands with struct.unpack, as a Python script would.

Standard input: the size of a chunk, then the stream in base64, then one line for each pass.
Prints one line for each pass: how many values it read, and the sum of the first value of each frame.
"""

from __future__ import annotations

import base64
import struct
import sys

HEADER = struct.Struct("<II")
VALUES = struct.Struct("<IIQ182f")


def read(chunks: list[bytes]) -> tuple[int, float]:
    buffer = b""
    count, total = 0, 0.0
    for chunk in chunks:
        buffer += chunk
        at = 0
        while len(buffer) - at >= HEADER.size:
            prefix, size = HEADER.unpack_from(buffer, at)
            end = at + HEADER.size + size
            if end > len(buffer):
                break
            if prefix == 2:
                device, group, time, *values = VALUES.unpack_from(buffer, at + HEADER.size)
                count += len(values)
                total += values[0]
            at = end
        buffer = buffer[at:]
    return count, total


size = int(sys.stdin.readline())
stream = base64.b64decode(sys.stdin.readline())
chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
for _ in sys.stdin:
    print(*read(chunks), flush=True)
