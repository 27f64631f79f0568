/**
 * One client of a replay.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type Dialect, type JsonObject, LIMITS, ProtocolError, type Socket } from "@rcsp/rcsp";
import { parseBody } from "@rcsp/rcsp/server";
import { encodeFrame, FrameDecoder, PayloadType } from "@rcsp/rcsp/wire";
import type { Clock } from "../process/io.ts";
import { quote, writePath } from "../text/values.ts";
import {
  type Body,
  commandKey,
  type RecordedAnswer,
  type RecordedConnection,
  type Recording,
} from "./contents.ts";
import { Pacer } from "./pacer.ts";

/** Bytes that wait for a client before it is not read, and sent no events, until it takes them. */
const MUCH = 1024 * 1024;
/** How many unrecorded commands of a client are reported. */
const MAX_REPORTED = 20;

/** How to replay. */
export interface ReplayOptions {
  readonly recording: Recording;
  readonly dialect: Dialect;
  readonly clock: Clock;
  /** How many times as quick as it was recorded; `Infinity` does not wait at all. */
  readonly speed: number;
  /** Whether the events begin again after the last one. */
  readonly loop: boolean;
  /** Called with what is not in the recording. */
  readonly talk: (text: string) => void;
}

export class ReplaySession {
  readonly #socket: Socket;
  readonly #options: ReplayOptions;
  readonly #connection: RecordedConnection | undefined;
  readonly #queue: WriteQueue;
  /** How many answers each command has had. */
  readonly #given = new Map<string, number>();
  readonly #subscribed = Promise.withResolvers<void>();
  readonly #pacer: Pacer;
  #unknown = 0;

  /** Takes over a socket; the client is sent the events of `connection`. */
  constructor(socket: Socket, connection: RecordedConnection | undefined, options: ReplayOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#connection = connection;
    this.#queue = new WriteQueue(socket);
    this.#pacer = new Pacer(options.clock, socket);
  }

  /** Resolves when the client has gone and nothing is under way any more. Never rejects. */
  async run(): Promise<void> {
    const events = this.#sendEvents();
    try {
      await this.#answerAll();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof ProtocolError) this.#options.talk(`${this.#socket.remote}: ${reason}`);
    } finally {
      this.#socket.close();
      this.#subscribed.resolve();
      await events;
    }
  }

  async #answerAll(): Promise<void> {
    const decoder = new FrameDecoder();
    let commands: Uint8Array[] = [];
    for (;;) {
      const chunk = await this.#socket.read();
      if (chunk === null) return await this.#queue.flushed();
      decoder.push(chunk, (type, payload) => {
        if (type !== PayloadType.Command) {
          throw new ProtocolError("unexpected-type", "Cannot accept frame", {
            expected: "a command from the client",
            received: `type ${type}`,
          });
        }
        commands.push(payload.slice());
      });
      for (const command of commands) {
        this.#answer(command);
        if (this.#queue.unsent > MUCH) await this.#queue.flushed();
      }
      commands = [];
    }
  }

  #answer(payload: Uint8Array): void {
    const { dialect, recording, talk } = this.#options;
    let command: JsonObject;
    try {
      command = parseBody(payload, LIMITS.maxDepth);
    } catch (error) {
      return this.#refuse(undefined, dialect.errorCodes.badCommand, (error as Error).message);
    }
    const trackId = typeof command["TrackId"] === "string" ? command["TrackId"] : undefined;
    const key = commandKey(command);
    const answers = key === undefined ? undefined : recording.answers.get(key);
    if (key === undefined || answers === undefined) {
      const name = quote(String(command["Command"]));
      const message = `The recording has no answer to ${name} with these arguments`;
      if (this.#unknown++ < MAX_REPORTED) talk(message);
      this.#refuse(trackId, "NotRecorded", message);
    } else {
      const turn = this.#given.get(key) ?? 0;
      this.#given.set(key, turn + 1);
      const answer = answers[Math.min(turn, answers.length - 1)]!;
      this.#add(answer.type, withTrackId(answer, trackId));
    }
    const { subscribe, deviceSubscribe } = dialect.commands;
    if ([subscribe, deviceSubscribe].includes(String(command["Command"]))) {
      this.#subscribed.resolve();
    }
  }

  #refuse(trackId: string | undefined, Code: string, Message: string): void {
    const body: JsonObject = { Error: { Code, Message } };
    if (trackId !== undefined) writePath(body, this.#options.dialect.trackId, trackId);
    this.#add(PayloadType.ResponseError, JSON.stringify(body));
  }

  #add(type: PayloadType, body: Body): void {
    this.#queue.add(encodeFrame(type, body));
  }

  /** Sends the events; their time begins when the client has subscribed, as in the recording. */
  async #sendEvents(): Promise<void> {
    const { recording, clock, speed, loop } = this.#options;
    const connection = this.#connection;
    if (connection === undefined) return;
    if (connection.subscribed) await this.#subscribed.promise;
    const length = Math.max(recording.end - connection.anchor, 1);
    const began = clock.now();
    for (let round = 0; round === 0 || loop; round++) {
      for (const { time, body } of connection.events) {
        const due = (Math.max(time - connection.anchor, 0) + round * length) / speed;
        if (!await this.#pacer.until(began + due)) return;
        this.#add(PayloadType.Event, body);
        if (this.#queue.unsent > MUCH) await this.#queue.flushed();
      }
      // Whatever the speed, everything else gets its turn too.
      if (!await this.#pacer.until(clock.now() + 1)) return;
    }
  }
}

/** The answer for the command at hand: nothing else of it is changed. */
function withTrackId({ body, trackId: place }: RecordedAnswer, trackId: string | undefined): Body {
  if (typeof body !== "string" || place === undefined || trackId === undefined) return body;
  return body.slice(0, place.start) + JSON.stringify(trackId) + body.slice(place.end);
}

/** Frames for a client. All of one turn of the event loop go out in one write. */
class WriteQueue {
  /** Bytes that are not handed to the system yet. */
  unsent = 0;
  readonly #socket: Socket;
  readonly #frames: Uint8Array[] = [];
  #writing: Promise<void> | undefined;

  /** Creates an empty queue; a write that fails closes the socket. */
  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Adds a frame. */
  add(frame: Uint8Array): void {
    this.unsent += frame.length;
    this.#frames.push(frame);
    this.#writing ??= Promise.resolve()
      .then(() => this.#write())
      .catch(() => this.#socket.close());
  }

  /** Resolves when all is handed to the system, or nothing can be any more. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#frames.length > 0) {
      const bytes = new Uint8Array(Buffer.concat(this.#frames.splice(0)));
      await this.#socket.write(bytes);
      this.unsent -= bytes.length;
    }
    this.#writing = undefined;
  }
}
