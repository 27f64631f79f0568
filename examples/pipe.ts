// Records a call, and reads it again in small pieces: deno run -A examples/pipe.ts --simulate
import process from "node:process";
import { connect, escapeUnprintable } from "@rcsp/rcsp";
import { FrameDecoderStream, FrameEncoderStream, type OutgoingFrame } from "@rcsp/rcsp/wire";
import { startSimulator } from "@rcsp/rcsp/simulator";
import { parseArgs } from "@std/cli/parse-args";
import { FixedChunkStream } from "@std/streams/unstable-fixed-chunk-stream";
const USAGE = "Usage: pipe.ts [--host NAME] [--port NUMBER] [--timeout MS] [--simulate]";
async function main() {
  const flags = parseArgs(process.argv.slice(2), {
    string: ["host", "port", "timeout"],
    boolean: ["simulate", "help"],
    alias: { help: "h" },
    default: { host: "localhost", port: "45451", timeout: "10000" },
    unknown(arg) {
      throw new TypeError(`Unexpected argument '${arg}'. ${USAGE}`);
    },
  });
  if (flags.help !== false) return console.log(USAGE);
  const [port, connectTimeout] = [Number(flags.port), Number(flags.timeout)];
  await using simulator = flags.simulate ? await startSimulator({ port: 0 }) : undefined;
  const recorded: OutgoingFrame[] = [];
  const onFrame = ({ type, payload }: OutgoingFrame) =>
    recorded.push({ type, payload: payload.slice() }); // valid during the call only
  const options = { connectTimeout, commandTimeout: connectTimeout, ...simulator?.address };
  await using rcsp = await connect({ host: flags.host, port, ...options, onFrame });
  await rcsp.listDevices();
  const frames = ReadableStream.from(recorded).pipeThrough(new FrameEncoderStream())
    .pipeThrough(new FixedChunkStream(5)).pipeThrough(new FrameDecoderStream());
  for await (const { type, payload } of frames) {
    const name = ["", "Command", "ResponseOk", "ResponseError", "Event"][type];
    const text = new TextDecoder().decode(payload);
    console.log(escapeUnprintable(`${name}, ${payload.length} bytes: ${text}`));
  }
}
await main().catch((error) => {
  const hint = error.sent === false ? ". Is the Rokoko SDK running? Or try --simulate" : "";
  console.error(escapeUnprintable(`${error.message}${hint}`));
  process.exitCode = error instanceof TypeError || error instanceof RangeError ? 2 : 1;
});
