"""Minimal RCSP client for the interop tests: a reading of the wire that owes nothing to ours.

Without --steps it lists the devices, asks for the info of the first one and prints both.

With --steps (a file, or - for standard input) it runs a JSON array of steps, in order and on one
connection, and prints one JSON object per line per result. A step is an object with one key:

    {"send": {"Command": "ListDevices"}}  write a command, do not wait; unless the step gives them,
                                          TrackId is "1", "2" and so on, and Version is 1
    {"raw": "dc010801"}                   write these bytes as they are
    {"receive": 2}                        read two messages of any type
    {"receive_until_type": 4}             read up to and including the first message of this type
    {"slice": 1}                          from now on write in pieces of this many bytes; 0: whole
    {"half_close": true}                  end the writing side only
    {"expect_end": true}                  read until the server ends the connection

Every message read is printed as {"type": 2, "body": {...}}. The end is printed as {"end": true},
with "bytes" added if unread bytes came first, and "reset" if the connection was reset.

Exit code 0: all done. 1: something failed, told in one sentence on stderr. 2: wrong usage.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import sys
import time
from contextlib import closing
from typing import Any, Callable

HEADER = struct.Struct("<3sBI")  # start, type, payload_size
START = bytes([0xDC, 1, HEADER.size])  # marker, header_version, header_size
COMMAND, OK, ERROR, EVENT = 1, 2, 3, 4
BODY_LIMIT = 16 * 1024 * 1024  # bytes; ours, the protocol names none


class Failure(Exception):
    """What went wrong, as a sentence for a person."""


class Connection:
    """One connection; between two calls of `renew()` it may spend `seconds` on the network."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        self._socket = socket.create_connection((host, port), timeout=seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._seconds = seconds
        self._slice = self._numbered = 0
        self.renew()

    def close(self) -> None:
        self._socket.close()

    def renew(self) -> None:
        self._deadline = time.monotonic() + self._seconds

    def half_close(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def slice(self, size: int) -> None:
        self._slice = max(size, 0)

    def write(self, data: bytes) -> None:
        size = self._slice or max(len(data), 1)
        for start in range(0, len(data), size):
            self._limit_wait()
            self._socket.sendall(data[start : start + size])

    def command(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Writes a command, completed where the envelope lacks something, and gives it back."""
        self._numbered += 1
        envelope = {"TrackId": str(self._numbered), "Version": 1, **fields}
        body = json.dumps(envelope).encode("ascii")
        self.write(HEADER.pack(START, COMMAND, len(body)) + body)
        return envelope

    def message(self) -> tuple[int, dict[str, Any]]:
        header = self._exactly(HEADER.size)
        start, kind, size = HEADER.unpack(header)
        if start != START:
            raise Failure(f"a header must start with dc 01 08, this one is {header.hex(' ')}")
        if size > BODY_LIMIT:
            raise Failure(f"a body may have {BODY_LIMIT} bytes, this header claims {size}")
        return kind, parse_body(self._exactly(size))

    def end(self) -> dict[str, Any]:
        result: dict[str, Any] = {"end": True}
        try:
            while chunk := self._some():
                result["bytes"] = result.get("bytes", 0) + len(chunk)
        except ConnectionResetError:
            result["reset"] = True
        return result

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            chunk = self._some(min(count - len(data), 65536))
            if not chunk:
                raise Failure(f"the server ended the connection after {len(data)} of {count} bytes")
            data += chunk
        return bytes(data)

    def _some(self, most: int = 65536) -> bytes:
        self._limit_wait()
        return self._socket.recv(most)

    def _limit_wait(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout
        self._socket.settimeout(left)


def parse_body(body: bytes) -> dict[str, Any]:
    try:
        # Left alone, Python takes NaN and Infinity for JSON; int() refuses them.
        value = json.loads(body.decode("utf-8"), parse_constant=int)
    except (ValueError, RecursionError) as error:
        raise Failure(f"the body is not JSON in UTF-8: {error}") from error
    if not isinstance(value, dict):
        raise Failure(f"the body must be a JSON object, it is {excerpt(value)}")
    return value


def excerpt(value: object) -> str:
    return json.dumps(value)[:60]


def call(connection: Connection, name: str, **extra: Any) -> dict[str, Any]:
    """Sends one command and gives the data of its response; events in between are passed over."""
    track_id = connection.command({"Command": name, **extra})["TrackId"]
    kind, body = connection.message()
    while kind == EVENT:
        kind, body = connection.message()
    if kind not in (OK, ERROR):
        raise Failure(f"an answer must be of type {OK} or {ERROR}, this one is of type {kind}")
    echoed = body.get("TrackId")
    if echoed not in (None, track_id):
        raise Failure(f"the answer must echo {excerpt(track_id)}, it has {excerpt(echoed)}")
    member = "Response" if kind == OK else "Error"
    data = {} if body.get(member) is None else body[member]
    if not isinstance(data, dict):
        raise Failure(f"{member} must be an object, it is {excerpt(data)}")
    if kind == ERROR:
        code, text = excerpt(data.get("Code")), excerpt(data.get("Message"))
        raise Failure(f"{name} was answered with an error, code {code}, message {text}")
    return data


def show_first_device(connection: Connection, host: str, port: int) -> None:
    print(f"Connected to RCSP server at {host}:{port}\n", flush=True)
    listing = call(connection, "ListDevices")
    print("ListDevices response:", json.dumps(listing, indent=2), sep="\n")
    devices = listing.get("Devices")
    if devices in (None, []):
        return print("\nNo devices connected")
    try:
        device_id = devices[0]["DeviceId"]
    except (LookupError, TypeError) as error:
        raise Failure(f"Devices must hold objects with DeviceId: {excerpt(devices)}") from error
    print(f"\nQuerying GetDeviceInfo for DeviceId={device_id}", flush=True)
    info = call(connection, "GetDeviceInfo", Arguments={"DeviceId": device_id})
    print("GetDeviceInfo response:", json.dumps(info, indent=2), sep="\n")


def report(result: dict[str, Any]) -> None:
    print(json.dumps(result), flush=True)


def receive(connection: Connection) -> int:
    kind, body = connection.message()
    report({"type": kind, "body": body})
    return kind


def receive_until(connection: Connection, wanted: int) -> None:
    while receive(connection) != wanted:
        pass


# Key of a step: the type of its value, what it does.
STEPS: dict[str, tuple[type, Callable[[Connection, Any], object]]] = {
    "send": (dict, Connection.command),
    "raw": (str, lambda connection, digits: connection.write(bytes.fromhex(digits))),
    "receive": (int, lambda connection, count: [receive(connection) for _ in range(count)]),
    "receive_until_type": (int, receive_until),
    "slice": (int, Connection.slice),
    "half_close": (bool, lambda connection, _: connection.half_close()),
    "expect_end": (bool, lambda connection, _: report(connection.end())),
}


def read_steps(path: str) -> list[tuple[str, Any]]:
    """Reads and checks all steps, so that a mistake in the last one shows before the first runs."""
    try:
        with open(0 if path == "-" else path, encoding="utf-8") as file:
            steps = json.load(file)
    except (OSError, ValueError) as error:
        raise Failure(f"Cannot read the steps: {error}") from error
    if not isinstance(steps, list):
        raise Failure(f"The steps must be a JSON array, not {excerpt(steps)}")
    for step in steps:
        if not isinstance(step, dict) or len(step) != 1 or not STEPS.keys() >= step.keys():
            raise Failure(f"A step must have one key out of {', '.join(STEPS)}: {excerpt(step)}")
        if any(type(value) is not STEPS[name][0] or value is False for name, value in step.items()):
            raise Failure(f"The value of a step must fit its key: {excerpt(step)}")
    return [item for step in steps for item in step.items()]


def run(host: str, port: int, steps: list[tuple[str, Any]] | None, seconds: float) -> None:
    doing = f"connect to {host}:{port}"
    try:
        with closing(Connection(host, port, seconds)) as connection:
            if steps is None:
                doing = "show the first device"
                show_first_device(connection, host, port)
            for number, (name, value) in enumerate(steps or [], 1):
                doing = f"do step {number} ({name})"
                connection.renew()
                STEPS[name][1](connection, value)
    except socket.timeout as error:
        raise Failure(f"Cannot {doing} within {seconds:g} s") from error
    except (OSError, ValueError, Failure) as error:
        raise Failure(f"Cannot {doing}: {error}") from error


def main() -> int:
    parser = argparse.ArgumentParser(description="Minimal RCSP client for interop tests.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=45451)
    parser.add_argument("--steps", metavar="FILE", help="JSON array of steps, - for stdin")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="per step")
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        steps = None if options.steps is None else read_steps(options.steps)
        run(options.host, options.port, steps, options.timeout)
    except Failure as failure:
        print(f"{failure}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
