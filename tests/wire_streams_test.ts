import { assert, assertEquals, assertInstanceOf, assertLess } from "@std/assert";
import { concat } from "@std/bytes";
import { LimitError, ProtocolError } from "../src/errors.ts";
import type { PayloadType } from "../src/wire/header.ts";
import {
  type Frame,
  FrameDecoderStream,
  FrameEncoderStream,
  type OutgoingFrame,
} from "../src/wire/streams.ts";
import { conversation, cutAtRandom, frame, fromUtf8, header } from "./support/frames.ts";
import { oneByOne, seeded, toHex, utf8 } from "./support/frames.ts";
import { test } from "./support/test.ts";

const stream = concat(conversation.map(({ type, body }) => frame(type, body)));

function from<T>(items: Iterable<T>): ReadableStream<T> {
  const iterator = items[Symbol.iterator]();
  return new ReadableStream({
    pull(controller): void {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

/** All chunks up to the end or the error of a stream. */
async function collect<T>(readable: ReadableStream<T>): Promise<{ items: T[]; error: unknown }> {
  const items: T[] = [];
  const reader = readable.getReader();
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      items.push(step.value);
    }
  } catch (error) {
    return { items, error };
  } finally {
    reader.releaseLock();
  }
  return { items, error: undefined };
}

function asText({ type, payload }: Frame): { type: number; body: string } {
  return { type, body: fromUtf8(payload) };
}

test("frames decode from bytes in any chunks", async () => {
  const ways = [[stream], oneByOne(stream), cutAtRandom(stream, seeded(7), 50)];
  for (const chunks of ways) {
    const { items, error } = await collect(from(chunks).pipeThrough(new FrameDecoderStream()));
    assertEquals(error, undefined);
    assertEquals(items.map(asText), conversation);
  }
});

test("frames piped through both streams are unchanged", async () => {
  const sent = conversation.map(({ type, body }, i) => ({
    type: type as PayloadType,
    payload: i % 2 === 0 ? body : utf8(body),
  }));
  const { items, error } = await collect(
    from<OutgoingFrame>(sent).pipeThrough(new FrameEncoderStream()).pipeThrough(
      new FrameDecoderStream(),
    ),
  );
  assertEquals(error, undefined);
  assertEquals(items.map(asText), conversation);
});

test("the encoder enqueues one chunk per frame", async () => {
  const { items } = await collect(
    from<OutgoingFrame>([{ type: 1, payload: "{}" }, { type: 4, payload: "é" }]).pipeThrough(
      new FrameEncoderStream(),
    ),
  );
  assertEquals(items.map(toHex), ["dc010801020000007b7d", "dc01080402000000c3a9"]);
});

test("an unknown type errors the encoder", async () => {
  const wrong = { type: 9 as PayloadType, payload: "{}" };
  const { items, error } = await collect(from([wrong]).pipeThrough(new FrameEncoderStream()));
  assertEquals(items, []);
  assertInstanceOf(error, RangeError);
});

test("an empty stream yields no frame and no error", async () => {
  const { items, error } = await collect(
    from([new Uint8Array(0)]).pipeThrough(new FrameDecoderStream()),
  );
  assertEquals([items, error], [[], undefined]);
});

test("a stream that ends inside a frame yields the frames before, then cut-frame", async () => {
  const good = frame(2, "{}");
  for (const cut of [header(2, 9), header(2, 9).subarray(0, 3)]) {
    const { items, error } = await collect(
      from([good, cut]).pipeThrough(new FrameDecoderStream()),
    );
    assertEquals(items.map(asText), [{ type: 2, body: "{}" }]);
    assertInstanceOf(error, ProtocolError);
    assertEquals([error.code, error.offset], ["cut-frame", good.length]);
  }
});

test("an invalid header errors both sides with the same error", async () => {
  const decoder = new FrameDecoderStream();
  const writer = decoder.writable.getWriter();
  const reading = collect(decoder.readable);
  await writer.write(frame(2, "{}"));
  const reason = await writer.write(utf8("GET / HTTP/1.1")).then(() => undefined, (error) => error);
  assertInstanceOf(reason, ProtocolError);
  assertEquals(reason.code, "bad-marker");
  const { items, error } = await reading;
  assertEquals(items.length, 1);
  assert(error === reason);
  assert(await writer.closed.catch((error) => error) === reason);
});

test("the decoder gets the options", async () => {
  const { error } = await collect(
    from([frame(2, "12345")]).pipeThrough(new FrameDecoderStream({ maxPayload: 4 })),
  );
  assertInstanceOf(error, LimitError);
});

test("an error of the source reaches the reader", async () => {
  const failure = new Error("the source failed");
  const source = new ReadableStream<Uint8Array>({
    start(controller): void {
      controller.error(failure);
    },
  });
  const { error } = await collect(source.pipeThrough(new FrameDecoderStream()));
  assert(error === failure);
});

test("cancelling the frames cancels the source", async () => {
  const { promise: cancelled, resolve: cancel } = Promise.withResolvers<unknown>();
  const source = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(frame(4, "{}")),
    cancel,
  });
  const reader = source.pipeThrough(new FrameDecoderStream()).getReader();
  assertEquals((await reader.read()).value?.type, 4);
  await reader.cancel("enough");
  assertEquals(await cancelled, "enough");
});

test("each frame is a copy, so a read buffer can be reused", async () => {
  const decoder = new FrameDecoderStream();
  const writer = decoder.writable.getWriter();
  const reading = collect(decoder.readable);
  const buffer = new Uint8Array(7);
  for (let at = 0; at < stream.length; at += buffer.length) {
    const chunk = stream.subarray(at, at + buffer.length);
    buffer.set(chunk);
    await writer.write(buffer.subarray(0, chunk.length));
    buffer.fill(0xff);
  }
  await writer.close();
  const { items } = await reading;
  assertEquals(items.map(asText), conversation);
  assertEquals(new Set(items.map(({ payload }) => payload.buffer)).size, items.length);
  for (const { payload } of items) assertEquals(payload.buffer.byteLength, payload.length);
});

test("a slow reader applies back-pressure and loses no frame", async () => {
  const chunks = 500;
  let pulled = 0;
  function* source(): Iterable<Uint8Array> {
    for (; pulled < chunks; pulled++) {
      const numbers = Array.from({ length: 10 }, (_, i) => frame(4, String(pulled * 10 + i)));
      yield concat(numbers);
    }
  }
  const frames = from(source()).pipeThrough(new FrameDecoderStream());
  const reader = frames.getReader();
  for (let i = 0; i < chunks * 10; i++) {
    // Without back-pressure the source would be read further now.
    if (i < 20) { for (let turn = 0; turn < 100; turn++) await Promise.resolve(); }
    const { value } = await reader.read();
    assertEquals(value && fromUtf8(value.payload), String(i));
    assertLess(pulled, i / 10 + 10);
  }
  assert((await reader.read()).done);
});
