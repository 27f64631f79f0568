/** A recorder that is killed: what is in the file, and that it can be read, replayed and mended. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { McapRecordBuilder, McapStreamReader } from "@mcap/core";
import { link, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { main } from "../cli/main.ts";
import { rcsp, testIo } from "./support/cli_io.ts";
import { byTopic, fileBytes, readIndexed, readStreamed } from "./support/mcap.ts";
import { runtimeCommand, start } from "./support/runtime.ts";
import { test } from "./support/test.ts";
import { sleep } from "./support/wait.ts";

const program = fileURLToPath(new URL("../cli/mod.ts", import.meta.url));

/** Records into a file, and kills the recorder once the file has so many bytes. */
async function killedAt(size: number): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "rcsp-"));
  const path = join(folder, "take.mcap");
  const child = start(runtimeCommand(program, "record", path, "--simulate", "--motion"));
  try {
    for (;;) {
      const found = await stat(path).catch(() => ({ size: -1 }));
      if (found.size >= size) break;
      await sleep(5);
    }
    await child.end("SIGKILL");
    return await readFile(path);
  } finally {
    await child.end("SIGKILL");
    await rm(folder, { recursive: true });
  }
}

test("a recorder that is killed leaves all but its last chunk, without a hole", async () => {
  for (const size of [1, 500_000, 2_500_000]) {
    const bytes = await killedAt(size);
    const reader = new McapStreamReader();
    reader.append(bytes);
    const sequences = new Map<number, number>();
    for (let record = reader.nextRecord(); record; record = reader.nextRecord()) {
      if (record.type !== "Message") continue;
      assertEquals(record.sequence, sequences.get(record.channelId) ?? 0);
      sequences.set(record.channelId, record.sequence + 1);
    }
    assertEquals(reader.done(), false);
    const files = { "take.mcap": bytes };
    const info = await rcsp(["info", "take.mcap"], { files });
    assertEquals(info.code, 0, info.err);
    assertStringIncludes(info.err, "'take.mcap' is read in part: it is cut");
    const expected = readStreamed(bytes);
    assertEquals(JSON.parse(info.out).messages, expected.length);
    if (size > 2_000_000) assert(byTopic(expected).get("/rgmp/1/joints_openxr")!.length > 10);
  }
});

test("recover makes a complete file of what there is", async () => {
  const bytes = await killedAt(1_000_000);
  const folder = await mkdtemp(join(tmpdir(), "rcsp-"));
  try {
    const path = join(folder, "mended.mcap");
    const damaged = join(folder, "damaged.mcap");
    await writeFile(damaged, bytes);
    const child = start(runtimeCommand(program, "recover", damaged, path));
    const { code, stderr } = await child.ended;
    assertEquals(code, 0, stderr);
    const [before, { messages, metadata }] = [
      readStreamed(bytes),
      await readIndexed(await readFile(path)),
    ];
    assertStringIncludes(stderr, `${before.length} messages written`);
    assert(metadata.some(({ name }) => name === "rcsp"));
    for (const [topic, list] of byTopic(before)) {
      const mended = messages.filter((message) => message.topic === topic);
      assertEquals(
        mended.map(({ logTime, publishTime, data }) => ({ logTime, publishTime, data })),
        list.map(({ logTime, publishTime, data }) => ({ logTime, publishTime, data })),
      );
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("recover does not overwrite the file that it reads, by whatever path", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rcsp-"));
  try {
    const builder = new McapRecordBuilder();
    builder.writeMagic();
    builder.writeHeader({ profile: "", library: "" });
    builder.writeMetadata({ name: "a", metadata: new Map() });
    const [path, soft, hard] = ["take", "soft", "hard"].map((name) => join(folder, `${name}.mcap`));
    await writeFile(path!, builder.buffer);
    await symlink(path!, soft!);
    await link(path!, hard!);
    for (const output of [soft!, hard!, `${folder}/../${folder.split("/").at(-1)}/take.mcap`]) {
      const child = start(runtimeCommand(program, "recover", path!, output, "--force"));
      const { code, stderr } = await child.ended;
      assertEquals(code, 2, stderr);
      assertStringIncludes(stderr, "Cannot write to the file that is read");
    }
    assertEquals((await readFile(path!)).length, builder.length);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("recover keeps schemas that are not text, schemas of one name, and the profile", async () => {
  const builder = new McapRecordBuilder();
  builder.writeMagic();
  builder.writeHeader({ profile: "ros2", library: "other" });
  const schemas = [1, 2].map((id) => ({
    id,
    name: "pkg/Type",
    encoding: "protobuf",
    data: Uint8Array.of(0xff, 0, id, 0xc0),
  }));
  for (const schema of schemas) {
    const { id } = schema;
    builder.writeSchema(schema);
    const about = { topic: `/${id}`, messageEncoding: "protobuf", metadata: new Map([["a", "b"]]) };
    builder.writeChannel({ id, schemaId: id, ...about });
    const data = Uint8Array.of(id);
    builder.writeMessage({ channelId: id, sequence: 7, logTime: 5n, publishTime: 4n, data });
  }
  const io = testIo({ files: { "x.mcap": builder.buffer } });
  assertEquals(await main(["recover", "x.mcap", "y.mcap"], io), 0, io.err);
  const mended = fileBytes(io, "y.mcap");
  const contents = await readIndexed(mended);
  assertEquals(contents.schemas.map(({ data }) => [...data]), schemas.map(({ data }) => [...data]));
  for (const { channel, data } of contents.messages) {
    assertEquals([channel.topic, channel.schemaId], [`/${data[0]}`, data[0]]);
    assertEquals([...channel.metadata], [["a", "b"]]);
  }
  assertStringIncludes(new TextDecoder("latin1").decode(mended.subarray(0, 40)), "ros2");
});
