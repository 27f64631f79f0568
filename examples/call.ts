/**
 * Sends any command and prints the response as JSON.
 *
 *     deno run -A examples/call.ts --simulate GetDeviceInfo '{"DeviceId":1}'
 */

import { type Arguments, connect } from "@rcsp/rcsp";
import { json, print, runExample, UsageError } from "./support/command_line.ts";

const options = {
  usage: "call.ts [COMMAND [ARGUMENTS]]\n\n" +
    "  COMMAND          its name, case-sensitive (ListDevices)\n" +
    "  ARGUMENTS        a JSON object, such as '{\"DeviceId\":1}'",
  words: 2,
};

await runExample(options, async ({ server, words }) => {
  const [command = "ListDevices", text] = words;
  const args = text === undefined ? undefined : argumentsOf(text);

  await using rcsp = await connect(server);
  print(json(await rcsp.call(command, args)));
});

function argumentsOf(text: string): Arguments {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new UsageError(`The arguments must be a JSON object: '${text}' is no JSON`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Arguments;
  }
  throw new UsageError(`The arguments must be a JSON object: '${text}' is none`);
}
