"""A minimal RCSP client: one command at a time, blocking, standard library only.

It works as Rokoko's example does: the type of a message as an enum, reads of an exact size, header and
body sent together, bodies through `json`.

Reads tasks from standard input, one line each, as JSON: {"work": "sequential" or "events",
"port": 1234, "count": 1000}. Answers each with one line: {"seconds": 0.5}.
"""

import enum
import json
import socket
import sys
import time


class Kind(enum.IntEnum):
    COMMAND = 1
    RESPONSE_OK = 2
    RESPONSE_ERROR = 3
    EVENT = 4


# Without blanks, so that the bytes are those of the other clients.
encode = json.JSONEncoder(separators=(",", ":")).encode


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.track_id = 0

    def receive_exactly(self, size):
        received = bytearray()
        while len(received) < size:
            chunk = self.socket.recv(size - len(received))
            if not chunk:
                raise ConnectionError("The server has gone")
            received += chunk
        return bytes(received)

    def send(self, name):
        self.track_id += 1
        body = encode({"Command": name, "TrackId": str(self.track_id), "Version": 1}).encode()
        header = bytes([0xDC, 1, 8, Kind.COMMAND]) + len(body).to_bytes(4, "little")
        self.socket.sendall(header + body)

    def receive(self):
        header = self.receive_exactly(8)
        if header[0] != 0xDC:
            raise RuntimeError("There is no header")
        size = int.from_bytes(header[4:8], "little")
        return Kind(header[3]), json.loads(self.receive_exactly(size).decode())

    def call(self, name):
        """The response, and how many events came before it."""
        self.send(name)
        events = 0
        while True:
            kind, body = self.receive()
            if kind == Kind.EVENT:
                events += 1
                continue
            if kind != Kind.RESPONSE_OK or body["TrackId"] != str(self.track_id):
                raise RuntimeError(f"{name} was answered with {body}")
            return body.get("Response", {}), events


def sequential(client, count):
    for _ in range(count):
        response, _events = client.call("ListDevices")
        if response["Devices"][0]["DeviceId"] != 1:
            raise RuntimeError("There is no device")


def events(client, count):
    while count > 0:
        _response, heard = client.call("Flood")
        count -= heard
    if count < 0:
        raise RuntimeError("There were too many events")


def main():
    clients = {}
    for line in sys.stdin:
        task = json.loads(line)
        port = task["port"]
        client = clients.setdefault(port, None) or Client(port)
        clients[port] = client
        start = time.perf_counter()
        {"sequential": sequential, "events": events}[task["work"]](client, task["count"])
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
