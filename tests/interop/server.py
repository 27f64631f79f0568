"""Minimal RCSP server for the interop tests, with a choice of good and bad manners.

It replaces a driver: three made-up devices, commands and events as far as public sources
name them, and for the rest the names that our dialect assumes. Keys that start with "Test", the
command Press and the error codes are inventions of this file, not facts about any driver.

    python3 server.py --port 0 --behaviour bytewise,nulls

The first line on stdout is `listening on 127.0.0.1:PORT`. The server ends at SIGTERM, at the end
of its standard input (give it a pipe and keep that open), after --lifetime seconds, or once
--clients connections have come and gone, whichever is first; the exit code is then 0.

--behaviour takes names from the table in behaviours.py, joined with commas.

    Press {"DeviceId": 1, "PressType": "SinglePress"}   (test only)

sends a ButtonPushed event to every connection subscribed to that device, or subscribed without
a device, before its own answer, which tells in TestReached how many connections that were.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Optional

from behaviours import BEHAVIOURS, COMMAND, ERROR, EVENT, HEADER, OK, PLAIN, START, frame

BODY_LIMIT = 16 * 1024 * 1024  # bytes; ours, the protocol names none
PAUSE = 0.2  # seconds of silence before the end, where a fault ends the connection
TOPIC = {"Publisher": "DeviceEvents", "Topic": "ButtonPushed"}
TOP_LEVEL = ("ListDevices", "Subscribe", "Unsubscribe")
DEVICE_LEVEL = ("GetDeviceInfo", "SetColorLed", "DeviceSubscribe", "DeviceUnsubscribe", "Press")
# The keys are the DeviceId as JSON, which tells 1 from "1", 1.0 and true; Python would not.
DEVICES: dict[str, dict[str, Any]] = {
    "1": {"DeviceId": 1, "TestLabel": "first", "TestNothing": None, "TestMore": {"Deep": [None]}},
    "2": {"DeviceId": 2, "TestLabel": "zwölf Finger ✋ 🧤", "TestNothing": None},
    '"left-glove"': {"DeviceId": "left-glove", "TestLabel": None, "TestList": []},
}


def button_pushed(device_id: object, press_type: object) -> bytes:
    return frame(EVENT, {**TOPIC, "DeviceId": device_id, "Data": {"PressType": press_type}})


class Refusal(Exception):
    """An error answer: message and code. A code may be anything, so here it is of two types."""


def require(condition: bool, message: str, code: object = "BadMessage") -> None:
    if not condition:
        raise Refusal(message, code)


class Driver:
    """What all connections share."""

    def __init__(self, behaviours: set[str]) -> None:
        faults = [BEHAVIOURS[name] for name in behaviours if BEHAVIOURS[name].spoil]
        self.fault = faults[0] if faults else PLAIN
        self.behaviours = behaviours
        self.connections: list[Connection] = []
        self.lights: dict[Any, dict[str, Any]] = {key: {} for key in DEVICES}
        self.lock = threading.Lock()


class Connection:
    """One client, served by one thread, command by command."""

    def __init__(self, client: socket.socket, driver: Driver) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.topics: set[Optional[str]] = set()  # keys of devices; None: all devices
        self._socket, self._input = client, client.makefile("rb")
        self._driver = driver
        self._fault = driver.fault
        self._held = b""
        self._sending = threading.Lock()

    def serve(self) -> None:
        with self._driver.lock:
            self._driver.connections.append(self)
        with self._socket, self._input, suppress(OSError):  # a client may leave at any time
            while (body := self._next_command()) is not None:
                if not self._answer(self._execute(body)):
                    break
        with self._driver.lock:
            self._driver.connections.remove(self)

    def send(self, data: bytes) -> None:
        size = 1 if "bytewise" in self._driver.behaviours else max(len(data), 1)
        with self._sending:  # events come from other threads, too: whole messages only
            for start in range(0, len(data), size):
                self._socket.sendall(data[start : start + size])

    def _next_command(self) -> Optional[bytes]:
        header = self._input.read(HEADER.size)
        if len(header) < HEADER.size:
            return None
        start, kind, size = HEADER.unpack(header)
        if start != START or kind != COMMAND or size > BODY_LIMIT:
            print(f"Dropped a client as {header.hex(' ')} starts no command.", file=sys.stderr)
            return None
        body = self._input.read(size)
        return body if len(body) == size else None

    def _execute(self, body: bytes) -> bytes:
        behaviours = self._driver.behaviours
        kind, answer = OK, {}
        try:
            command = json.loads(body.decode("utf-8"), parse_constant=int)  # int: no NaN
            require(isinstance(command, dict), "The body must be an object")
            answer["TrackId"] = command.get("TrackId")
            data = self._run(command)
            if data is not None or "nulls" in behaviours:
                answer["Response"] = data
        except (Refusal, ValueError, RecursionError) as error:
            message, code = error.args if isinstance(error, Refusal) else (str(error), "BadJson")
            kind, answer = ERROR, {**answer, "Error": {"Code": code, "Message": message}}
            if "nulls" in behaviours:
                answer = {"TrackId": None, "Error": {"Code": None, "Message": None}}
        if "notrackid" in behaviours:
            answer.pop("TrackId", None)
        return frame(kind, answer)

    def _run(self, command: dict[str, Any]) -> Optional[dict[str, Any]]:
        name, given = command.get("Command"), command.get("Arguments")
        given = {} if given is None else given
        require(isinstance(command.get("TrackId"), str), "TrackId must be a string")
        require(json.dumps(command.get("Version")) in ("1", "1.0"), "Version must be 1")
        require(isinstance(given, dict), "Arguments must be an object")
        require(name in TOP_LEVEL + DEVICE_LEVEL, f"There is no command {name}", "UnknownCommand")
        key = None if name in TOP_LEVEL else json.dumps(given.get("DeviceId"))
        require(key is None or key in DEVICES, f"There is no device {key}", 404)
        if name == "ListDevices":
            return {"Devices": list(DEVICES.values())}
        if name == "GetDeviceInfo":
            return {**DEVICES[key], "TestLights": self._driver.lights[key]}
        if name == "Press":
            return {"TestReached": self._press(key, given.get("PressType", "SinglePress"))}
        if name == "SetColorLed":
            self._light(key, given)
        else:
            require(TOPIC.items() <= given.items(), f"Publisher and Topic must be as in {TOPIC}")
            (self.topics.add if name.endswith("Subscribe") else self.topics.discard)(key)
        return None

    def _light(self, key: Optional[str], given: dict[str, Any]) -> None:
        color = {name: given.get(name) for name in ("Red", "Green", "Blue")}
        fits = all(type(value) is int and 0 <= value <= 255 for value in color.values())
        require(fits, "Red, Green and Blue must be integers from 0 to 255")
        require(isinstance(given.get("LedId"), str), "LedId must be a string")
        with self._driver.lock:
            lights = self._driver.lights
            lights[key] = {**lights[key], given["LedId"]: color}

    def _press(self, key: Optional[str], press_type: object) -> int:
        with self._driver.lock:
            listeners = [each for each in self._driver.connections if each.topics & {key, None}]
        for listener in listeners:
            with suppress(OSError):  # it has just left
                listener.send(button_pushed(DEVICES[key]["DeviceId"], press_type))
        return len(listeners)

    def _answer(self, sound: bytes) -> bool:
        """Sends an answer, or what a fault makes of it; false ends the connection."""
        fault = self._fault
        self._fault = fault if fault.then == "mute" else PLAIN
        self._chatter()
        self.send(fault.spoil(sound) if fault.spoil else sound)
        if fault.then == "reset":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if fault.then == "close":
            time.sleep(PAUSE)
            self._socket.shutdown(socket.SHUT_WR)
            while self._input.read1():  # to close over unread commands would be a reset
                pass
            return False
        self._chatter()
        held, self._held = self._held, sound if fault.then == "hold" else b""
        if held:
            self.send(held)
            self._chatter()
        return True

    def _chatter(self) -> None:
        if "chatty" in self._driver.behaviours:
            for press_type in ("SinglePress", "DoublePress", "LongPress"):
                self.send(button_pushed(2, press_type))


def end(*_: object) -> None:
    os._exit(0)  # from any thread; nothing here is worth waiting for


def end_after(seconds: float) -> None:
    time.sleep(seconds)
    end()


def end_with_input() -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    end()


def main() -> None:
    lines = (f"{name:20}{behaviour.text}" for name, behaviour in BEHAVIOURS.items())
    parser = argparse.ArgumentParser(
        description="Minimal RCSP server for interop tests. Behaviours:\n\n" + "\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--behaviour", default="plain", metavar="NAME,NAME")
    parser.add_argument("--clients", type=int, default=0, metavar="N", help="0: no limit")
    parser.add_argument("--lifetime", type=float, default=60.0, metavar="SECONDS")
    options = parser.parse_args()
    names = set(options.behaviour.split(","))
    if not names <= BEHAVIOURS.keys():
        parser.error(f"no such behaviour: {', '.join(sorted(names - BEHAVIOURS.keys()))}")
    if sum(BEHAVIOURS[name].spoil is not None for name in names) > 1:
        parser.error("--behaviour may name only one fault")
    driver = Driver(names)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    with socket.create_server(("127.0.0.1", options.port)) as listener:
        print(f"listening on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
        threading.Thread(target=end_with_input, daemon=True).start()
        threading.Thread(target=end_after, args=(options.lifetime,), daemon=True).start()
        for _ in range(options.clients) if options.clients else itertools.count():
            threading.Thread(target=Connection(listener.accept()[0], driver).serve).start()


if __name__ == "__main__":
    main()
