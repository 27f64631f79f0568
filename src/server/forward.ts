/**
 * Passing commands and subscriptions of many clients on to one driver.
 *
 * @module
 */

import { type CallRequest, checkVersion } from "../client/call.ts";
import { Client } from "../client/client.ts";
import type { RcspClient } from "../client/rcsp_client.ts";
import type { Dialect } from "../dialect.ts";
import { CommandError, LimitError, TimeoutError } from "../errors.ts";
import { quote } from "../escape.ts";
import { assertInteger } from "../limits.ts";
import type { Command } from "../message/command.ts";
import type { EventFilter } from "../message/event.ts";
import { memberText, replaceStrings } from "../message/json_text.ts";
import { RawResponse } from "../message/response.ts";
import { formatAddress } from "../socket/address.ts";
import { callUserCallback } from "../user_callback.ts";
import type {
  ClientHandle,
  CommandContext,
  HandlerContext,
  HandlerResult,
} from "./command_context.ts";
import { PendingCommands } from "./pending_commands.ts";
import { refusal } from "./refusal.ts";
import type { RcspServer } from "./server.ts";
import type { Session } from "./session.ts";
import { SharedSubscriptions } from "./shared_subscriptions.ts";
import { handleSubscriptions } from "./subscription_commands.ts";

/** Options of {@link forward}. */
export interface ForwardOptions {
  /**
   * Commands to pass on besides `ListDevices`, `GetDeviceInfo` and the subscription commands, or `all`. Any
   * other is answered with an error, `Code` `NotAllowed`. Default: none.
   */
  readonly allow?: "all" | readonly string[] | undefined;
  /**
   * Maximum commands of one client that wait for the driver; its further commands wait in order. Default: 64.
   */
  readonly maxPending?: number | undefined;
  /** Called for each command that is not allowed. An error that it throws is uncaught. */
  readonly onRefused?: ((command: string, client: ClientHandle) => void) | undefined;
}

const MAX_PENDING = 64;
const READ_ONLY = ["ListDevices", "GetDeviceInfo"];

/**
 * Makes a server pass commands and subscriptions on to one client, which all of its clients share. Commands
 * with a handler of `server.handle()` are not passed on.
 *
 * - `Arguments`, responses and events are passed on as they came, character by character; only the `TrackId`
 *   of a response is replaced with that of the server's client.
 * - Subscriptions with the same publisher, topic and device share one command, and other arguments of it are
 *   not passed on. The last one to end unsubscribes; so does a client that leaves. After a reconnect the
 *   client subscribes again; if the driver then refuses, the subscribers are disconnected.
 * - An event goes to each client with a matching subscription once, and from the moment it subscribes: it may
 *   arrive before the response. A field that the event lacks matches.
 * - While the driver is not connected, commands are answered at once with `Code` `Unavailable`.
 * - The driver's errors are passed on. Without an answer within the client's `commandTimeout` the `Code` is
 *   `Timeout`. Commands above its `maxPending` wait; if its own calls fill that, the `Code` is `Busy`.
 *
 * Create both with the same `dialect`, `maxPayload` and `maxDepth`.
 *
 * @throws {TypeError} If the client was not made by this module.
 * @throws {RangeError} If `maxPending` is not an integer from 1 on.
 */
export function forward(
  server: RcspServer,
  client: RcspClient,
  options: ForwardOptions = {},
): void {
  if (!(client instanceof Client)) {
    throw new TypeError(
      "Cannot forward to this client: expected one of connect() or startClient()",
    );
  }
  const { dialect } = server;
  const commands = new CommandForwarder(client, dialect, options);
  const subscriptions = new SharedSubscriptions(client.subscriptions);
  handleSubscriptions(server, async (session, topic, context) => {
    checkExact(topic, dialect);
    const subscribe = () => subscriptions.subscribe(session, topic);
    await commands.inTurn(context, () => commands.answering(subscribe));
  }, async (session, topic, context) => {
    await commands.inTurn(context, () => subscriptions.unsubscribe(session, topic));
  });
  // The session knows this result.
  server.handleUnknown((command, context) =>
    commands.handle(command, context as CommandContext) as Promise<unknown> as Promise<
      HandlerResult
    >
  );
}

/** A subscription is written anew: a number must survive that. */
function checkExact({ deviceId }: EventFilter, dialect: Dialect): void {
  if (!Number.isInteger(deviceId) || Number.isSafeInteger(deviceId)) return;
  const message = "A device id above 2^53 cannot be passed on in a subscription";
  throw refusal(dialect, "badArguments", message);
}

/** Passes single commands on. */
class CommandForwarder {
  readonly #client: Client;
  readonly #dialect: Dialect;
  readonly #allowed: ReadonlySet<string> | "all";
  readonly #maxPending: number;
  readonly #onRefused: ForwardOptions["onRefused"];
  readonly #pending = new WeakMap<ClientHandle, PendingCommands>();
  /** Of all clients: together they cannot fill the driver's client. */
  readonly #allPending: PendingCommands;

  constructor(client: Client, dialect: Dialect, options: ForwardOptions) {
    const { allow = [], maxPending = MAX_PENDING, onRefused } = options;
    this.#client = client;
    this.#dialect = dialect;
    const { heartbeat } = dialect.commands;
    this.#allowed = allow === "all" ? allow : new Set([...READ_ONLY, heartbeat, ...allow]);
    this.#maxPending = assertInteger("maxPending", maxPending, 1, Number.MAX_SAFE_INTEGER);
    this.#onRefused = onRefused;
    this.#allPending = new PendingCommands(client.options.maxPending);
  }

  async handle(command: Command, context: CommandContext): Promise<RawResponse> {
    const { Command, TrackId, Version } = command;
    this.#checkAllowed(Command, context.client);
    // Now, as the payload is valid only in this turn.
    const args = memberText(new TextDecoder().decode(context.payload), "Arguments");
    const { clock, options: { commandTimeout } } = this.#client;
    const deadline = clock.now() + commandTimeout;
    const { type, json } = await this.inTurn(context, () =>
      this.answering(() => {
        const timeout = Math.ceil(deadline - clock.now());
        if (timeout <= 0) {
          const message = `${
            quote(Command)
          } was not sent to the driver within ${commandTimeout} ms`;
          throw refusal(this.#dialect, "timeout", message);
        }
        const known = args === "null" ? undefined : args;
        return this.#send({ name: Command, version: checkVersion(Version), args: known, timeout });
      }));
    return new RawResponse(type, replaceStrings(json, this.#dialect.trackId, TrackId));
  }

  /** Sends a command; the response is kept as it came. */
  async #send(request: CallRequest): Promise<RawResponse> {
    let raw: RawResponse | undefined;
    const onRaw: CallRequest["onRaw"] = (type, payload) => {
      raw = new RawResponse(type, new TextDecoder().decode(payload));
    };
    await this.#client.enqueue({ ...request, onRaw });
    return raw!;
  }

  /** Runs a command when the client has room for one more; not if the client is gone by then. */
  inTurn<T>(context: HandlerContext, run: () => Promise<T>): Promise<T> {
    const { client } = context;
    return this.#pendingOf(client).run(() =>
      this.#allPending.run(() => {
        // With the signal's reason, which is not reported.
        if ((client as Session).ended) throw context.signal.reason;
        return run();
      })
    );
  }

  /** Runs what needs the driver; what prevents an answer becomes one. */
  async answering<T>(run: () => Promise<T>): Promise<T> {
    try {
      this.#checkConnected();
      return await run();
    } catch (error) {
      if (error instanceof CommandError) throw error;
      throw refusal(this.#dialect, codeOf(error), (error as Error).message);
    }
  }

  #checkAllowed(command: string, client: ClientHandle): void {
    if (this.#allowed === "all" || this.#allowed.has(command)) return;
    const onRefused = this.#onRefused;
    if (onRefused) callUserCallback(() => onRefused(command, client));
    throw refusal(this.#dialect, "notAllowed", `${quote(command)} is not allowed here`);
  }

  #checkConnected(): void {
    const { status, options: { address } } = this.#client;
    if (status.state === "ready") return;
    const cause = "cause" in status && status.cause !== undefined
      ? `: ${status.cause.message}`
      : "";
    const message = `The driver at ${formatAddress(address)} is not connected${cause}`;
    throw refusal(this.#dialect, "unavailable", message);
  }

  #pendingOf(client: ClientHandle): PendingCommands {
    let pending = this.#pending.get(client);
    if (pending === undefined) {
      this.#pending.set(client, pending = new PendingCommands(this.#maxPending));
    }
    return pending;
  }
}

function codeOf(error: unknown): keyof Dialect["errorCodes"] {
  if (error instanceof TimeoutError) return "timeout";
  if (error instanceof TypeError) return "badCommand";
  if (!(error instanceof LimitError) || error.sent) return "unavailable";
  return error.limit === "maxPending" ? "busy" : "badCommand";
}
