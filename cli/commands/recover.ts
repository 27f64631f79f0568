/**
 * `rcsp recover`
 *
 * @module
 */

import type { Command } from "../command_line/command.ts";
import { booleanFlag } from "../command_line/flags.ts";
import { UsageError } from "../exit_codes.ts";
import { createFile } from "../process/files.ts";
import { FileWriter } from "../recording/file_writer.ts";
import type { ChannelInfo } from "../recording/mcap_encoder.ts";
import { openMcap, readWithProgress } from "../recording/open_recording.ts";
import { plural, quote } from "../text/values.ts";

const CHUNK_SIZE = 1024 * 1024;
/** Bytes that wait for the disk at most. */
const MOST_WAITING = 8 * 1024 * 1024;

/** Writes what there is of an MCAP file, with an index. */
export const recover: Command = {
  name: "recover",
  summary: "Write what there is of a damaged MCAP file, with an index",
  details: `After a crash a recording has all but its last chunk, and no index. 'rcsp replay',
'info' and 'export' read it all the same; this makes a complete file of it for
other programs. Damaged chunks are left out.`,
  positionals: [
    { name: "file", about: "what to read" },
    { name: "output", about: "where to write" },
  ],
  flags: [booleanFlag("--force", "replace a file that is there")],
  examples: [["rcsp recover take.mcap mended.mcap", "all messages that can be read"]],
  async run(context) {
    const { line, io, log } = context;
    const [path = "", output = ""] = line.positionals;
    // With --force it would be emptied before it is read.
    if (path === output || await io.isSameFile?.(path, output)) {
      throw new UsageError("Cannot write to the file that is read");
    }
    const reader = await openMcap(io, path);
    const items = readWithProgress(context, path, reader);
    // A file that cannot be read leaves none.
    let next = await items.next();
    const file = await createFile(io, output, line.on("force"));
    const writer = new FileWriter({ name: output, file });
    const { McapEncoder } = await import("../recording/mcap_encoder.ts");
    const encoder = new McapEncoder();
    const channels = new Map<ChannelInfo, number>();
    try {
      writer.push(encoder.start(reader.profile));
      for (; !next.done; next = await items.next()) {
        const item = next.value;
        if (item.type === "Metadata") writer.push(encoder.metadata(item));
        else if (item.type === "Attachment") writer.push(encoder.attachment(item));
        else {
          const { channel, logTime, publishTime, data } = item;
          if (encoder.pending + data.length > CHUNK_SIZE) writer.push(encoder.flush());
          const id = channels.get(channel) ?? encoder.addChannel(channel);
          channels.set(channel, id);
          encoder.addMessage(id, logTime, publishTime, data);
        }
        await writer.room(MOST_WAITING);
        writer.throwIfFailed();
      }
    } finally {
      // Also after Ctrl-C: what was read by then is a complete file.
      await items.return?.(undefined);
      writer.push(encoder.end());
      await writer.close();
    }
    await log(`${plural(encoder.messages, "message")} written to ${quote(output)}`);
  },
};
