import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ConnectionError } from "../src/errors.ts";
import { fromStreams } from "../src/socket/from_streams.ts";
import type { Socket } from "../src/socket/socket.ts";
import {
  closeAll,
  decode,
  encode,
  firstWrong,
  pattern,
  readAll,
  sleep,
} from "./support/adapters.ts";
import { test } from "./support/test.ts";
import { until } from "./support/wait.ts";

type Bytes = Uint8Array;

test("fromStreams() reads and writes both ways, and ends when both halves have", async () => {
  const [near, far] = joined();
  const size = 1_000_003;
  const sending = near.write(pattern(size)).then(() => near.closeWrite());
  const received = await readAll(far);
  await sending;
  assertStrictEquals(received.length, size);
  assertStrictEquals(firstWrong(received), -1);
  const answering = far.write(encode("answer")).then(() => far.closeWrite());
  assertStrictEquals(decode(await near.read()), "answer");
  assertStrictEquals(await near.read(), null);
  assertStrictEquals(await near.read(), null);
  await answering;
  await Promise.all([near.closed, far.closed]);
});

test("fromStreams() sets 'remote'", () => {
  const { readable, writable } = new TransformStream<Bytes, Bytes>();
  const socket = fromStreams({ readable, writable, remote: "a tunnel" });
  assertStrictEquals(socket.remote, "a tunnel");
  socket.close();
  assertStrictEquals(fromStreams(new TransformStream<Bytes, Bytes>()).remote, "a stream");
});

test("fromStreams() throws if a stream is locked, and does not lock the other", () => {
  for (const lock of ["readable", "writable"] as const) {
    const { readable, writable } = new TransformStream<Bytes, Bytes>();
    if (lock === "readable") readable.getReader();
    else writable.getWriter();
    assertThrows(() => fromStreams({ readable, writable }), TypeError);
    assertEquals([readable.locked, writable.locked], [lock === "readable", lock === "writable"]);
  }
});

test("fromStreams() makes a writer wait while the other side does not read", async () => {
  const [near, far] = joined();
  let taken = 0;
  const sending = (async () => {
    for (; taken < 100; taken++) await near.write(new Uint8Array(1_000));
    await near.closeWrite();
  })();
  await sleep(10);
  assert(taken < 5, `${taken} writes were taken though nobody reads`);
  assertStrictEquals((await readAll(far)).length, 100_000);
  await sending;
  await closeAll(near, far);
});

test("fromStreams() skips empty chunks", async () => {
  const readable = ReadableStream.from([new Uint8Array(0), encode("a"), new Uint8Array(0)]);
  const socket = fromStreams({ readable, writable: new WritableStream<Bytes>() });
  assertStrictEquals(decode(await socket.read()), "a");
  assertStrictEquals(await socket.read(), null);
  await closeAll(socket);
});

test("fromStreams() fails on a chunk that is not a Uint8Array", async () => {
  const readable = ReadableStream.from(["text"]) as unknown as ReadableStream<Bytes>;
  const socket = fromStreams({ readable, writable: new WritableStream<Bytes>() });
  const error = await assertRejects(() => socket.read(), ConnectionError, "received string");
  assertStrictEquals(error.code, "connection-failed");
  await socket.closed;
});

test("close() settles pending reads and writes even if the streams never do", async () => {
  const never = new Promise<void>(() => {});
  const readable = new ReadableStream<Bytes>({ pull: () => never, cancel: () => never });
  const writable = new WritableStream<Bytes>({ write: () => never, abort: () => never });
  const socket = fromStreams({ readable, writable });
  const reading = socket.read();
  const writing = assertRejects(() => socket.write(encode("x")), ConnectionError);
  const ending = socket.closeWrite();
  socket.close();
  socket.close();
  assertStrictEquals(await reading, null);
  assertStrictEquals((await writing).code, "connection-closed");
  await Promise.all([ending, socket.closed]);
});

test("close() settles closeWrite() even if the stream never ends", async () => {
  const never = new Promise<void>(() => {});
  const writable = new WritableStream<Bytes>({ close: () => never });
  const socket = fromStreams({ readable: new ReadableStream<Bytes>(), writable });
  const ending = socket.closeWrite();
  await sleep(1);
  socket.close();
  await ending;
  await socket.closed;
});

test("close() cancels and aborts the streams of fromStreams()", async () => {
  const seen: string[] = [];
  const readable = new ReadableStream<Bytes>({ cancel: () => void seen.push("cancel") });
  const writable = new WritableStream<Bytes>({ abort: () => void seen.push("abort") });
  await closeAll(fromStreams({ readable, writable }));
  await until(() => seen.length === 2);
  assertStrictEquals(seen.sort().join(), "abort,cancel");
});

test("fromStreams() keeps rejecting with the error of a stream as the cause", async () => {
  const cause = new Error("cable cut");
  const readable = new ReadableStream<Bytes>({ pull: () => Promise.reject(cause) });
  const socket = fromStreams({ readable, writable: new WritableStream<Bytes>() });
  const error = await assertRejects(() => socket.read(), ConnectionError);
  assertStrictEquals(error.cause, cause);
  assertStrictEquals(error.message, "Connection to a stream broke: cable cut");
  assertStrictEquals(await assertRejects(() => socket.read()), error);
  assertStrictEquals(await assertRejects(() => socket.write(encode("x"))), error);
  await socket.closeWrite();
  await socket.closed;
});

test("fromStreams() still reads after a write has failed, then rejects at the end", async () => {
  const readable = ReadableStream.from([encode("before")]);
  const writable = new WritableStream<Bytes>({ write: () => Promise.reject(new Error("full")) });
  const socket = fromStreams({ readable, writable });
  const error = await assertRejects(() => socket.write(encode("x")), ConnectionError, "full");
  assertStrictEquals(decode(await socket.read()), "before");
  assertStrictEquals(await assertRejects(() => socket.read()), error);
  await socket.closed;
});

test("fromStreams() leaves no unhandled rejection when a broken stream is not read", async () => {
  const cause = new Error("cable cut");
  const readable = new ReadableStream<Bytes>({ start: (controller) => controller.error(cause) });
  const writable = new WritableStream<Bytes>({ start: (controller) => controller.error(cause) });
  const socket = fromStreams({ readable, writable });
  await sleep(5);
  await socket.closeWrite();
  await closeAll(socket);
  assertInstanceOf(cause, Error);
});

function joined(): [Socket, Socket] {
  const [there, back] = [new TransformStream<Bytes, Bytes>(), new TransformStream<Bytes, Bytes>()];
  return [
    fromStreams({ readable: back.readable, writable: there.writable }),
    fromStreams({ readable: there.readable, writable: back.writable }),
  ];
}
