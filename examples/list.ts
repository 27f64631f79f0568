/**
 * Lists the devices and asks what the driver knows about the first.
 *
 *     deno run -A examples/list.ts --simulate
 */

import { connect, type Device } from "@rcsp/rcsp";
import { DEFAULT_ADDRESS } from "@rcsp/rcsp/server";
import { inline, json, print, runExample } from "./support/command_line.ts";

await runExample({ usage: "list.ts" }, async ({ server }) => {
  await using rcsp = await connect(server);
  const { host = DEFAULT_ADDRESS.host, port = DEFAULT_ADDRESS.port } = server;
  print(`Connected to RCSP server at ${host}:${port}\n`);

  // listDevices() gives the devices alone; call() gives all that the server said.
  const response = await rcsp.call("ListDevices");
  print("ListDevices response:");
  print(json(response));

  const devices = response["Devices"] ?? [];
  if (!Array.isArray(devices)) throw new Error("The server's 'Devices' is no list");
  if (devices.length === 0) {
    print("\nNo devices connected");
    return;
  }

  const { DeviceId } = devices[0] as unknown as Device;
  print(`\nQuerying GetDeviceInfo for DeviceId=${inline(DeviceId)}...`);
  const info = await rcsp.getDeviceInfo(DeviceId);
  print("GetDeviceInfo response:");
  print(json(info));
});
