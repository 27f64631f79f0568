/** A simulated driver with an `rcsp mqtt` of its own, in this process. */

import { main } from "../../cli/main.ts";
import type { CliIo } from "../../cli/process/io.ts";
import { PRESS_TYPES } from "../../src/message/event.ts";
import { memoryNetwork } from "../../src/socket/memory.ts";
import { Simulator } from "../../src/simulator/simulator.ts";

const BUTTONS = [1, 2, 3, 4];

/** One machine of the fleet. */
export class Station {
  readonly site: string;
  /** When each press was made, on the clock of `performance`. */
  readonly pressedAt: number[] = [];
  /** What the command said. */
  log = "";
  readonly #simulator: Simulator;
  readonly #leaving = new AbortController();
  readonly #ended: Promise<number>;
  #stamps = 0;

  constructor(site: string, simulator: Simulator, connector: CliIo["connector"], url: string) {
    this.site = site;
    this.#simulator = simulator;
    const output = {
      isTerminal: false,
      columns: 80,
      write: (text: string) => Promise.resolve(void (this.log += text)),
    };
    const io: CliIo = {
      stdin: (async function* () {})(),
      stdout: output,
      stderr: output,
      env: () => undefined,
      signal: this.#leaving.signal,
      readFile: () => (async function* () {})(),
      createFile: () => Promise.reject(new Error("No file is written here")),
      run: () => Promise.reject(new Error("No program is run here")),
      // The time of a message is the number of the press.
      now: () => this.#stamps++,
      connector,
    };
    this.#ended = main(["mqtt", url, "--site", site], io);
  }

  /** Starts both. */
  static async start(site: string, url: string): Promise<Station> {
    const { connector, listen } = memoryNetwork();
    const devices = BUTTONS.map((DeviceId) => ({
      DeviceId,
      Name: `Glove ${DeviceId}`,
      hasButton: true,
    }));
    const simulator = new Simulator({ devices });
    await simulator.serve(listen, { port: 45451 });
    return new Station(site, simulator, connector, url);
  }

  /** Presses the next button; nothing is counted before the command has subscribed. */
  press(): void {
    const count = this.pressedAt.length;
    const now = performance.now();
    const sent = this.#simulator.press(BUTTONS[count % 4]!, PRESS_TYPES[count % 3]!);
    if (sent > 0) this.pressedAt.push(now);
  }

  /** Ctrl-C; resolves to the exit code. */
  async stop(): Promise<number> {
    this.#leaving.abort(new Error("The load ends"));
    const code = await this.#ended;
    await this.#simulator.close();
    return code;
  }
}
