import { assertEquals, assertStringIncludes } from "@std/assert";
import { DIALECT, dialect } from "../src/dialect.ts";
import type { JsonObject, JsonValue } from "../src/message/json.ts";
import {
  encodeError,
  encodeResponse,
  readError,
  readResponse,
  readTrackId,
} from "../src/message/response.ts";
import { assertProtocolError } from "./support/frames.ts";
import { test } from "./support/test.ts";

const notObjects: JsonValue[] = [[], [{}], "x", "", 0, 1, true, false];

test("the TrackId is a string, or undefined if it is missing or null", () => {
  for (const id of ["1", "", "x".repeat(1_000_000)]) {
    assertEquals(readTrackId({ TrackId: id }, DIALECT), id);
  }
  assertEquals(readTrackId({}, DIALECT), undefined);
  assertEquals(readTrackId({ TrackId: null }, DIALECT), undefined);
  assertEquals(readTrackId({ trackId: "1", trackid: "1" }, DIALECT), undefined);
});

test("a TrackId of another type is bad-shape, and 1 is not '1'", () => {
  for (const id of [1, 0, false, [], {}, ["1"]]) {
    const error = assertProtocolError(() => readTrackId({ TrackId: id }, DIALECT), "bad-shape");
    assertStringIncludes(error.message, "'TrackId'");
    assertEquals(error.expected, "a string");
  }
});

test("the TrackId is read at the dialect's path, and its error names the path", () => {
  const deep = dialect({ trackId: "Header.Track.Id" });
  assertEquals(readTrackId({ Header: { Track: { Id: "5" } }, TrackId: "6" }, deep), "5");
  assertEquals(readTrackId({ TrackId: "6" }, deep), undefined);
  assertEquals(readTrackId({ Header: null }, deep), undefined);
  const error = assertProtocolError(
    () => readTrackId({ Header: { Track: { Id: 5 } } }, deep),
    "bad-shape",
  );
  assertStringIncludes(error.message, "'Header.Track.Id'");
});

test("a TrackId is not read from a prototype that a body sets", () => {
  assertEquals(readTrackId(JSON.parse('{"__proto__":{"TrackId":"1"}}'), DIALECT), undefined);
});

test("a response without data is an empty object", () => {
  for (const body of [{}, { Response: null }, { TrackId: "1", response: { a: 1 } }]) {
    assertEquals(readResponse(body as JsonObject), {});
  }
  assertEquals(readResponse({ Response: { Devices: [] } }), { Devices: [] });
});

test("a response that is not an object is bad-shape", () => {
  for (const Response of notObjects) {
    const error = assertProtocolError(() => readResponse({ Response }), "bad-shape");
    assertStringIncludes(error.message, "'Response'");
  }
});

test("an error without a body is an empty object", () => {
  for (const body of [{}, { Error: null }, { error: { Code: 1 } }]) {
    assertEquals(readError(body as JsonObject), {});
  }
  assertEquals(readError({ Error: { Code: 1, Message: "m" } }), { Code: 1, Message: "m" });
});

test("an error that is not an object is bad-shape", () => {
  for (const body of notObjects) {
    const error = assertProtocolError(() => readError({ Error: body }), "bad-shape");
    assertStringIncludes(error.message, "'Error'");
  }
});

test("a body with both is read by the type of its frame", () => {
  const body = { Response: { a: 1 }, Error: { Code: 2 } };
  assertEquals<unknown>([readResponse(body), readError(body)], [{ a: 1 }, { Code: 2 }]);
});

const encoded: { name: string; json: string; expected: unknown }[] = [
  {
    name: "a response with data",
    json: encodeResponse("1", { Devices: [] }, DIALECT),
    expected: { TrackId: "1", Response: { Devices: [] } },
  },
  {
    name: "a response with empty data",
    json: encodeResponse("1", {}, DIALECT),
    expected: { TrackId: "1", Response: {} },
  },
  {
    name: "a response without data",
    json: encodeResponse("1", undefined, DIALECT),
    expected: { TrackId: "1" },
  },
  {
    name: "an error",
    json: encodeError("2", { Code: 7, Message: "no" }, DIALECT),
    expected: { TrackId: "2", Error: { Code: 7, Message: "no" } },
  },
  {
    name: "an error without code and message",
    json: encodeError("2", {}, DIALECT),
    expected: { TrackId: "2", Error: { Code: null, Message: null } },
  },
  {
    name: "an error for a command without a TrackId",
    json: encodeError(undefined, { Code: "BadCommand", Message: "m" }, DIALECT),
    expected: { Error: { Code: "BadCommand", Message: "m" } },
  },
  {
    name: "a response with an empty TrackId",
    json: encodeResponse("", undefined, DIALECT),
    expected: { TrackId: "" },
  },
];

for (const { name, json, expected } of encoded) {
  test(`${name} is encoded as documented`, () => {
    assertEquals(JSON.parse(json), expected);
    assertEquals(json, JSON.stringify(expected));
  });
}

for (const trackId of ["Id", "Header.TrackId", "Response.TrackId", "Error.TrackId"]) {
  test(`a TrackId that is written at ${trackId} is read from there`, () => {
    const other = dialect({ trackId });
    const data = { a: 1 };
    const ok = JSON.parse(encodeResponse("9", data, other));
    assertEquals(readTrackId(ok, other), "9");
    assertEquals(readResponse(ok)["a"], 1);
    const failed = JSON.parse(encodeError("9", { Code: 7 }, other));
    assertEquals(readTrackId(failed, other), "9");
    assertEquals(readError(failed).Code, 7);
    assertEquals(data, { a: 1 });
  });
}

test("data with the key __proto__ is encoded with it", () => {
  const data = JSON.parse('{"__proto__":{"a":1}}');
  const json = encodeResponse("1", data, DIALECT);
  assertEquals(json, '{"TrackId":"1","Response":{"__proto__":{"a":1}}}');
});
