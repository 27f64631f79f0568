"""RGMP v2, Rokoko's motion stream, in plain Python: an encoder and a decoder for the interop tests.

Written from the description of the protocol, without a look at the TypeScript side, so that one
checks the other. Floats travel between the two as the hex digits of their bits, so not even the last
one can differ unseen.

    python3 motion.py decode             reads hex digits of a stream, prints one JSON line per frame
    python3 motion.py encode --seed 7    prints one JSON line per frame: its bytes and its values
    python3 motion.py hands              reads hex digits of a stream of solved hands, computes the
                                         forward kinematics of joints_local with 4x4 matrices, and
                                         prints how far joints_openxr is from it, in meters
"""

from __future__ import annotations

import argparse
import json
import random
import re
import struct
import sys
from typing import Any, Iterator

DEFINITION, DATA, DISCONNECT = 1, 2, 3
HEADER = struct.Struct("<II")
DATA_HEADER = struct.Struct("<IIQ")
DEVICE = struct.Struct("<I")
# The struct format of one value, and the one that shows its bits.
FORMATS = {"INT32": "i", "UINT32": "I", "INT64": "q", "UINT64": "Q", "FLOAT": "f", "DOUBLE": "d"}
DATA_TYPE = re.compile(r"(INT32|UINT32|INT64|UINT64|FLOAT|DOUBLE)(?:\[(\d+)(?:, ?(\d+))?\])?")


def frame(prefix: int, payload: bytes) -> bytes:
    return HEADER.pack(prefix, len(payload)) + payload


def frames(stream: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(stream):
        prefix, size = HEADER.unpack_from(stream, at)
        at += HEADER.size
        if at + size > len(stream):
            raise SystemExit(f"the stream ends inside a frame: {size} bytes claimed at {at}")
        yield prefix, stream[at : at + size]
        at += size


def parse_type(text: str) -> tuple[str, int]:
    """The format of one value and how many there are."""
    match = DATA_TYPE.fullmatch(text)
    if not match:
        raise SystemExit(f"no data type: {text}")
    name, rows, columns = match.groups()
    return FORMATS[name], int(rows or 1) * int(columns or 1)


def group_id(group: dict[str, Any], index: int) -> int:
    for key in ("group_id", "id"):
        if group.get(key) is not None:
            return group[key]
    return index


class Layout:
    """One group: how to pack and unpack its values."""

    def __init__(self, group: dict[str, Any]) -> None:
        self.name = group.get("name")
        self.streams = group["streams"]
        self.types = [parse_type(stream["data_type"]) for stream in self.streams]
        self.struct = struct.Struct("<" + "".join(f"{n}{form}" for form, n in self.types))

    def split(self, flat: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        values, at = [], 0
        for _, count in self.types:
            values.append(flat[at : at + count])
            at += count
        return values

    def bits(self, values: list[tuple[Any, ...]]) -> list[list[str]]:
        return [
            [struct.pack(">" + form, value).hex() for value in stream]
            for (form, _), stream in zip(self.types, values)
        ]


def layouts(definition: dict[str, Any]) -> dict[int, Layout]:
    return {group_id(g, i): Layout(g) for i, g in enumerate(definition["groups"])}


class Receiver:
    """Keeps the definitions, and reads data by them."""

    def __init__(self) -> None:
        self.definitions: dict[int, dict[str, Any]] = {}
        self.layouts: dict[int, dict[int, Layout]] = {}

    def read(self, prefix: int, payload: bytes) -> dict[str, Any]:
        if prefix == DEFINITION:
            definition = json.loads(payload.decode("utf-8"))
            device = definition["device_id"]
            self.definitions[device] = definition
            self.layouts[device] = layouts(definition)
            return {"prefix": prefix, "definition": definition}
        if prefix == DISCONNECT:
            (device,) = DEVICE.unpack(payload)
            self.definitions.pop(device, None)
            self.layouts.pop(device, None)
            return {"prefix": prefix, "device": device}
        if prefix != DATA:
            return {"prefix": prefix}
        device, group, time = DATA_HEADER.unpack_from(payload)
        layout = self.layouts[device][group]
        if len(payload) != DATA_HEADER.size + layout.struct.size:
            raise SystemExit(f"{len(payload)} bytes of data for {layout.struct.size} of values")
        values = layout.split(layout.struct.unpack_from(payload, DATA_HEADER.size))
        return {
            "prefix": prefix,
            "device": device,
            "group": group,
            "time": str(time),
            "layout": layout,
            "values": values,
        }


def decode(stream: bytes) -> None:
    receiver = Receiver()
    for prefix, payload in frames(stream):
        message = receiver.read(prefix, payload)
        layout = message.pop("layout", None)
        if layout:
            message["bits"] = layout.bits(message.pop("values"))
        print(json.dumps(message))


# Encoding: random definitions, and values of every kind.


def some_type(rng: random.Random) -> str:
    name = rng.choice(list(FORMATS))
    n, m = rng.randint(1, 9), rng.randint(1, 4)
    return name + rng.choice(["", f"[{n}]", f"[{n},{m}]", f"[{n}, {m}]"])


def some_value(rng: random.Random, form: str) -> Any:
    if form == "f":
        # Any float32 but the signalling NaNs, which Python does not keep.
        value = struct.unpack("<f", struct.pack("<I", rng.getrandbits(32)))[0]
        return value if value == value else float("nan")
    if form == "d":
        value = struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0]
        return value if value == value else float("nan")
    low, high = {
        "i": (-(2**31), 2**31 - 1),
        "I": (0, 2**32 - 1),
        "q": (-(2**63), 2**63 - 1),
        "Q": (0, 2**64 - 1),
    }[form]
    return rng.choice([low, high, rng.randint(low, high)])


def some_group(rng: random.Random, index: int) -> dict[str, Any]:
    streams = [
        {"data_type": some_type(rng), "measure_type": "TEST", "target_frame": f"t{i} ✋"}
        for i in range(rng.randint(1, 12))
    ]
    ids = rng.choice([{}, {"group_id": 100 + index}, {"id": 2**32 - 1 - index}])
    return {"name": f"group {index}", **ids, "streams": streams}


def encode(seed: int, count: int) -> None:
    rng = random.Random(seed)
    for device in range(1, 5):
        definition = {
            "device_id": device if device < 4 else 2**32 - 1,
            "device_type": "test",
            "groups": [some_group(rng, index) for index in range(rng.randint(1, 4))],
        }
        device = definition["device_id"]
        body = json.dumps(definition, ensure_ascii=rng.random() < 0.5).encode("utf-8")
        print(json.dumps({"bytes": frame(DEFINITION, body).hex(), "definition": definition}))
        for number in range(count):
            group, layout = rng.choice(list(layouts(definition).items()))
            flat = tuple(some_value(rng, form) for form, n in layout.types for _ in range(n))
            head = DATA_HEADER.pack(device, group, 1000 * number)
            message = {
                "bytes": frame(DATA, head + layout.struct.pack(*flat)).hex(),
                "device": device,
                "group": group,
                "time": str(1000 * number),
                "bits": layout.bits(layout.split(flat)),
            }
            print(json.dumps(message))
    print(json.dumps({"bytes": frame(DISCONNECT, DEVICE.pack(2)).hex(), "device": 2}))


# Hands: forward kinematics with matrices.

Matrix = list[list[float]]


def matrix(position: tuple[float, ...], rotation: tuple[float, ...]) -> Matrix:
    x, y, z, w = rotation
    return [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w), position[0]],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w), position[1]],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y), position[2]],
        [0, 0, 0, 1],
    ]


def times(a: Matrix, b: Matrix) -> Matrix:
    return [[sum(a[i][k] * b[k][j] for k in range(4)) for j in range(4)] for i in range(4)]


def world_positions(
    definition: dict[str, Any], layout: Layout, values: list[tuple[float, ...]]
) -> dict[str, list[float]]:
    rest = {
        entry["target_frame"]: entry["value"]
        for entry in definition["static_data"]
        if entry.get("measure_type") == "TRANSFORM"
    }
    streams = {s["target_frame"]: (s, v) for s, v in zip(layout.streams, values)}
    done: dict[str, Matrix] = {}

    def world(name: str) -> Matrix:
        if name not in done:
            stream, value = streams[name]
            parent = stream.get("reference_frame")
            if parent is None or parent.startswith("LTP_"):
                done[name] = matrix(value[:3], value[3:])
            else:
                done[name] = times(world(parent), matrix(tuple(rest[name][:3]), value))
        return done[name]

    return {name: [row[3] for row in world(name)[:3]] for name in streams}


def openxr_names(side: str) -> dict[str, str]:
    names = {f"{side}_hand": "xr_wrist"}
    for number, finger in enumerate(("thumb", "index", "middle", "ring", "little"), 1):
        for bone in ("metacarpal", "proximal", "medial", "distal", "tip"):
            if (number, bone) != (1, "medial"):
                xr = "intermediate" if bone == "medial" else bone
                names[f"{side}_finger{number}_{bone}"] = f"xr_{finger}_{xr}"
    return names


def hands(stream: bytes) -> None:
    receiver = Receiver()
    local: dict[tuple[int, str], dict[str, list[float]]] = {}
    compared, worst = 0, 0.0
    for prefix, payload in frames(stream):
        message = receiver.read(prefix, payload)
        if prefix != DATA:
            continue
        definition = receiver.definitions[message["device"]]
        layout, values = message["layout"], message["values"]
        key = (message["device"], message["time"])
        if layout.name == "joints_local":
            local[key] = world_positions(definition, layout, values)
        elif layout.name == "joints_openxr" and key in local:
            names = [s["target_frame"] for s in layout.streams]
            positions = dict(zip(names, (value[:3] for value in values)))
            for name, xr in openxr_names(definition["device_info"]["hand"]).items():
                far = sum((a - b) ** 2 for a, b in zip(local[key][name], positions[xr])) ** 0.5
                worst = max(worst, far)
                compared += 1
    print(json.dumps({"compared": compared, "worst": worst}))


def main() -> None:
    parser = argparse.ArgumentParser(description="RGMP v2 for the interop tests")
    parser.add_argument("what", choices=["decode", "encode", "hands"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20, help="data frames of each device")
    options = parser.parse_args()
    if options.what == "encode":
        encode(options.seed, options.count)
        return
    stream = bytes.fromhex(sys.stdin.read())
    (decode if options.what == "decode" else hands)(stream)


if __name__ == "__main__":
    main()
