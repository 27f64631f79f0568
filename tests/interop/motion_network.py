"""A server and a client of RGMP v2, in plain Python, for the interop tests. See motion.py.

    python3 motion_network.py serve --port 0

serves two solved hands. The first line on stdout is `listening on 127.0.0.1:PORT`. It ends with its
standard input or at SIGTERM. Each line of standard input is a command:

    send 20          sends 20 data frames of each group of each hand to all clients, and prints one
                     JSON line per frame with the bits of its values, then {"sent": 20}
    quiet 20         the same, but prints {"sent": 20} only
    define 1         sends the definition of device 1 again, without joints_openxr
    disconnect 2     tells all clients that device 2 has disconnected
    raw 0102ff       sends these bytes as they are

    python3 motion_network.py read --port P --frames 100

connects, prints `connected`, and one JSON line per frame like motion.py, until it has printed 100
data frames or the server ends the connection. With --wait it reads only after a line on standard
input; with --brief it leaves out the bits.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import socket
import struct
import sys
import threading
from contextlib import suppress
from typing import Any

from motion import DATA, DATA_HEADER, DEFINITION, DEVICE, DISCONNECT, HEADER
from motion import Layout, Receiver, frame, layouts, openxr_names, world_positions

WORLD = "LTP_python"
FINGERS = ("thumb", "index", "middle", "ring", "little")
BONES = ("metacarpal", "proximal", "medial", "distal", "tip")


def float32(value: float) -> float:
    return struct.unpack("<f", struct.pack("<f", value))[0]


def transform(frame_name: str, reference: str | None, **more: Any) -> dict[str, Any]:
    entry = {"measure_type": "TRANSFORM", "target_frame": frame_name, **more}
    return entry if reference is None else {**entry, "reference_frame": reference}


class SolvedHand:
    """One hand: its definition, and frames of random but consistent poses."""

    def __init__(self, device: int, side: str) -> None:
        self.device, self.side, self.number = device, side, 0
        self._random = random.Random(device)
        self.definition = self._define(with_openxr=True)
        self.local, self.openxr = layouts(self.definition).values()

    def definition_without_openxr(self) -> dict[str, Any]:
        return self._define(with_openxr=False)

    def frames(self) -> list[tuple[bytes, dict[str, Any]]]:
        """The next frame of each group, with a description."""
        self.number += 1
        local = [self._root() if count == 7 else self._turn() for _, count in self.local.types]
        positions = world_positions(self.definition, self.local, local)
        by_xr = {xr: positions[name] for name, xr in openxr_names(self.side).items()}
        by_xr["xr_palm"] = by_xr["xr_middle_metacarpal"]
        openxr = [
            tuple(map(float32, by_xr[stream["target_frame"]])) + self._turn()
            for stream in self.openxr.streams
        ]
        return [self._frame(0, self.local, local), self._frame(1, self.openxr, openxr)]

    def _frame(
        self, group: int, layout: Layout, values: list[tuple[float, ...]]
    ) -> tuple[bytes, dict[str, Any]]:
        time = 12_000 * self.number
        flat = [value for stream in values for value in stream]
        payload = DATA_HEADER.pack(self.device, group, time) + layout.struct.pack(*flat)
        shown = {
            "device": self.device,
            "group": group,
            "time": str(time),
            "bits": layout.bits(values),
        }
        return frame(DATA, payload), shown

    def _turn(self) -> tuple[float, ...]:
        parts = [self._random.gauss(0, 1) for _ in range(4)]
        length = sum(part * part for part in parts) ** 0.5
        return tuple(float32(part / length) for part in parts)

    def _root(self) -> tuple[float, ...]:
        return tuple(float32(self._random.uniform(-1, 1)) for _ in range(3)) + self._turn()

    def _define(self, with_openxr: bool) -> dict[str, Any]:
        root, wrist = f"{self.side}_elbow", f"{self.side}_hand"
        parents: dict[str, str | None] = {root: None, wrist: root}
        for number in range(1, 6):
            parent = wrist
            for bone in BONES:
                if (number, bone) != (1, "medial"):
                    name = f"{self.side}_finger{number}_{bone}"
                    parents[name], parent = parent, name
        streams = [
            transform(name, WORLD, data_type="FLOAT[7]")
            if parent is None
            else {
                "measure_type": "ORIENTATION",
                "data_type": "FLOAT[4]",
                "target_frame": name,
                "reference_frame": parent,
            }
            for name, parent in parents.items()
        ]
        rest = [
            transform(name, parent, value=[0.0, -0.03, 0.01, 0.0, 0.0, 0.0, 1.0])
            for name, parent in parents.items()
        ]
        xr = ["palm", "wrist"] + [
            f"{finger}_{'intermediate' if bone == 'medial' else bone}"
            for finger in FINGERS
            for bone in BONES
            if (finger, bone) != ("thumb", "medial")
        ]
        groups = [{"name": "joints_local", "streams": streams}]
        if with_openxr:
            streams = [transform(f"xr_{name}", WORLD, data_type="FLOAT[7]") for name in xr]
            groups.append({"name": "joints_openxr", "streams": streams})
        return {
            "device_id": self.device,
            "device_type": "solved_hand",
            "timestamp_epoch": "device_boot",
            "device_info": {"hand": self.side},
            "static_data": rest,
            "groups": groups,
        }


class Server:
    """Sends everything to all clients."""

    def __init__(self) -> None:
        self._hands = {1: SolvedHand(1, "left"), 2: SolvedHand(2, "right")}
        self._definitions = {id: hand.definition for id, hand in self._hands.items()}
        self._clients: list[socket.socket] = []
        self._lock = threading.Lock()

    def accept_all(self, listener: socket.socket) -> None:
        while True:
            client = listener.accept()[0]
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock, suppress(OSError):
                for definition in self._definitions.values():
                    client.sendall(frame(DEFINITION, json.dumps(definition).encode()))
                self._clients.append(client)

    def obey(self, command: str, argument: str) -> None:
        if command in ("send", "quiet"):
            for _ in range(int(argument)):
                for id in self._definitions:
                    for data, shown in self._hands[id].frames():
                        self._send(data)
                        if command == "send":
                            print(json.dumps(shown))
            print(json.dumps({"sent": int(argument)}), flush=True)
        elif command == "define":
            definition = self._hands[int(argument)].definition_without_openxr()
            self._definitions[int(argument)] = definition
            self._send(frame(DEFINITION, json.dumps(definition).encode()))
        elif command == "disconnect":
            del self._definitions[int(argument)]
            self._send(frame(DISCONNECT, DEVICE.pack(int(argument))))
        elif command == "raw":
            self._send(bytes.fromhex(argument))
        else:
            raise SystemExit(f"no command: {command}")

    def _send(self, data: bytes) -> None:
        with self._lock:
            for client in list(self._clients):
                try:
                    client.sendall(data)
                except OSError:  # it has left
                    self._clients.remove(client)
                    client.close()


def serve(port: int) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    server = Server()
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        threading.Thread(target=server.accept_all, args=(listener,), daemon=True).start()
        for line in sys.stdin:
            server.obey(*line.split())
    os._exit(0)


def exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        chunk = connection.recv(size - len(parts))
        if not chunk:
            if parts:
                raise SystemExit(f"the stream ends after {len(parts)} of {size} bytes")
            raise EOFError
        parts += chunk
    return bytes(parts)


def read(port: int, count: int, wait: bool, brief: bool) -> None:
    receiver = Receiver()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        print("connected", flush=True)
        if wait:
            sys.stdin.readline()
        with suppress(EOFError):
            while count > 0:
                prefix, size = HEADER.unpack(exactly(connection, HEADER.size))
                message = receiver.read(prefix, exactly(connection, size) if size else b"")
                layout = message.pop("layout", None)
                if layout:
                    values = message.pop("values")
                    count -= 1
                    if not brief:
                        message["bits"] = layout.bits(values)
                print(json.dumps(message), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="RGMP v2 over TCP for the interop tests")
    parser.add_argument("what", choices=["serve", "read"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--frames", type=int, default=2**31, help="data frames to read")
    parser.add_argument("--wait", action="store_true", help="read after a line on stdin")
    parser.add_argument("--brief", action="store_true", help="do not print values")
    options = parser.parse_args()
    if options.what == "serve":
        serve(options.port)
    else:
        read(options.port, options.frames, options.wait, options.brief)


if __name__ == "__main__":
    main()
