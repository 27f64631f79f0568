"""The frames of the test server in server.py, and the ways in which it can spoil them.

Manners hold for every message and may be combined with each other and with one fault. A fault
strikes the answer to the first command of every connection; later answers there are good again,
unless the connection has ended.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Callable, NamedTuple, Optional

HEADER = struct.Struct("<3sBI")  # start, type, payload_size
START = bytes([0xDC, 1, HEADER.size])  # marker, header_version, header_size
COMMAND, OK, ERROR, EVENT = 1, 2, 3, 4


def frame(kind: int, body: Any) -> bytes:
    """A whole message; the body is bytes as they are, or fields."""
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return HEADER.pack(START, kind, len(body)) + body


Spoil = Callable[[bytes], bytes]


def in_header(offset: int, *values: int) -> Spoil:
    return lambda sound: sound[:offset] + bytes(values) + sound[offset + len(values) :]


def in_body(change: Spoil) -> Spoil:
    return lambda sound: frame(sound[3], change(sound[HEADER.size :]))


def with_ff(body: bytes) -> bytes:
    return b'{"\xff": null, ' + body[1:]


def stray(body: bytes) -> bytes:
    return json.dumps({**json.loads(body), "TrackId": "stray"}).encode()


class Behaviour(NamedTuple):
    """A manner, if it does not spoil, or a fault: what it sends in place of the first answer."""

    text: str
    spoil: Optional[Spoil] = None
    then: str = "go on"  # or: close, reset, mute, hold (send the answer after the next one)


PLAIN = Behaviour("no oddities")
BEHAVIOURS = {
    "plain": PLAIN,
    "bytewise": Behaviour("every message goes out one byte per send"),
    "nulls": Behaviour("what may be absent is null: data, Code, Message, TrackId of an error"),
    "chatty": Behaviour("three events of device 2 before and after every answer, unasked"),
    "notrackid": Behaviour("answers without TrackId"),
    "wrong-marker": Behaviour("marker 0xDD", in_header(0, 0xDD)),
    "wrong-version": Behaviour("header_version 2", in_header(1, 2)),
    "wrong-header-size": Behaviour("header_size 12", in_header(2, 12)),
    "wrong-type": Behaviour("type 9", in_header(3, 9)),
    "command-type": Behaviour("type 1, with the body of the answer", in_header(3, COMMAND)),
    "huge-size": Behaviour("payload_size 0xFFFFFFFF, usual body", in_header(4, *b"\xff" * 4)),
    "bad-json": Behaviour("body without its last brace", in_body(lambda body: body[:-1])),
    "bad-utf8": Behaviour("sound JSON but for a byte 0xFF in a key", in_body(with_ff)),
    "array-body": Behaviour("the answer in an array", in_body(lambda body: b"[" + body + b"]")),
    "stray-trackid": Behaviour("a TrackId nobody used", in_body(stray)),
    "half-body": Behaviour("half a body, end", lambda sound: sound[: len(sound) // 2 + 4], "close"),
    "http": Behaviour("HTTP, end", lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n", "close"),
    "silence-then-close": Behaviour("no answer, end", lambda _: b"", "close"),
    "reset": Behaviour("no answer, connection reset", lambda _: b"", "reset"),
    "mute": Behaviour("no answer, nor to any later command", lambda _: b"", "mute"),
    "swapped": Behaviour("the second answer before the first", lambda _: b"", "hold"),
}
