/**
 * A driver and its hands on one side, a tool that reads OSC on the other.
 *
 * @module
 */

import type { Address, ButtonPress, ConnectOptions, RcspClient } from "@rcsp/rcsp";
import { formatAddress } from "@rcsp/rcsp/server";
import type { Context } from "../command_line/command.ts";
import { type HandPose, streamHands } from "../driver/hand_stream.ts";
import { systemReason } from "../exit_codes.ts";
import { logOnce } from "../terminal/refusal_log.ts";
import { boundedLog, isLoopback, untilLeave } from "../simulate/accept_clients.ts";
import { plural } from "../text/values.ts";
import { OscDevices } from "./devices.ts";
import { decodePacket } from "./decode.ts";
import { handMessages } from "./hand_messages.ts";
import { LedMessages } from "./led_messages.ts";
import { encodeBundles, encodeMessage, text } from "./messages.ts";
import { openSender, receiveUdp, type UdpSender } from "./udp.ts";
import { vmcMessages } from "./vmc.ts";

/** Milliseconds between two lists of the devices, and two messages of the status. */
const INTERVAL = 2_000;
/** Milliseconds between the presses of `--simulate`. */
const PRESS_EVERY = 1_000;
/** Most presses whose device is not known yet. */
const MOST_WAITING = 100;

/** What the command line says. */
export interface OscOptions {
  readonly target: Address;
  readonly rate: number;
  readonly floats: boolean;
  readonly joints: boolean;
  readonly vmc: boolean;
  /** Where LED colors may come in. */
  readonly listen: Address | undefined;
}

/** Sends until Ctrl-C, or until the driver's client has closed. */
export async function runOsc(context: Context, options: OscOptions): Promise<void> {
  const { log, signal } = context;
  const complain = logOnce(boundedLog(context));
  const name = formatAddress(options.target);
  const sender = await openSender(options.target, (error) => {
    complain(`Cannot send to ${name}: ${systemReason(error)}`);
  });
  context.defer(() => sender.close());
  let server: ConnectOptions = {};
  const rcsp = await context.connect({
    reconnect: true,
    drain: true,
    pressEvery: PRESS_EVERY,
    motion: true,
    onServer: (used) => server = used,
  });
  const devices = new OscDevices(rcsp, signal);
  const stop = sendPresses(rcsp, devices, sender, (sentence) => void log(sentence));
  context.defer(stop);
  streamHands(context, server, {
    rate: options.rate,
    onHand: (pose) => {
      for (const datagram of encodeBundles(messagesOf(pose, options))) sender.send(datagram);
    },
  });
  if (options.listen !== undefined) await listen(context, options.listen, rcsp, devices, complain);
  await log(`Sending OSC to ${name}`);
  await sendStatus(context, rcsp, devices, sender);
  if (signal.aborted) await log(`${plural(sender.sent, "datagram")} sent`);
}

function messagesOf(pose: HandPose, options: OscOptions): ReturnType<typeof handMessages> {
  return options.vmc ? vmcMessages(pose) : handMessages(pose, options);
}

function sendPresses(
  rcsp: RcspClient,
  devices: OscDevices,
  sender: UdpSender,
  log: (sentence: string) => void,
): () => void {
  const send = async ({ type, deviceId }: ButtonPress): Promise<void> => {
    sender.send(encodeMessage(text(`${await devices.addressOf(deviceId)}/button`, type)));
  };
  // One after the other, so that they stay in order.
  let [sending, waiting] = [Promise.resolve(), 0];
  const stop = rcsp.on("press", (press) => {
    if (waiting >= MOST_WAITING) return;
    waiting++;
    sending = sending.then(() => send(press)).finally(() => waiting--);
  });
  stop.ready.catch((error) => {
    if (rcsp.status.state !== "closed") log(`No button presses: ${error.message}`);
  });
  return stop;
}

/** Says every two seconds how the driver is, as datagrams get lost. */
async function sendStatus(
  context: Context,
  rcsp: RcspClient,
  devices: OscDevices,
  sender: UdpSender,
): Promise<void> {
  const send = (): void => sender.send(encodeMessage(text("/rokoko/status", rcsp.status.state)));
  const stop = rcsp.on("status", send);
  const ended = new AbortController();
  void Promise.race([rcsp.closed, untilLeave(context.signal)]).then(() => ended.abort());
  while (!ended.signal.aborted) {
    send();
    if (rcsp.status.state === "ready") await devices.refresh();
    await context.pause(INTERVAL, ended.signal);
  }
  stop();
  sender.send(encodeMessage(text("/rokoko/status", "closed")));
}

async function listen(
  context: Context,
  address: Address,
  rcsp: RcspClient,
  devices: OscDevices,
  complain: (sentence: string) => void,
): Promise<void> {
  const leds = new LedMessages(rcsp, devices, context.signal, complain);
  const { port, close } = await receiveUdp(address, (datagram) => {
    try {
      for (const message of decodePacket(datagram)) leds.onMessage(message);
    } catch (error) {
      complain(`Ignored an OSC packet: ${(error as Error).message}`);
    }
  });
  context.defer(close);
  await context.log(`Listening for OSC on ${formatAddress({ ...address, port })}`);
  if (isLoopback(address.host)) return;
  await context.log(
    "Warning: other machines can send colors to this port, and there is no password",
  );
}
