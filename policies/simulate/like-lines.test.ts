import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LikeLines } from "./like-lines.ts";
import { parseRecordLine, type RecordedDecision } from "./recorded-decision.ts";

const RECORD = {
  id: "3q2-7wAAAAAAAAAAAAAAAA",
  verdict: "deny",
  evaluated: "deny",
  reason: "no-rule-matched",
  path: "/orders/1",
  destination: "spiffe://shop.example/shop/orders",
  caller: "spiffe://shop.example/shop/web",
  tookMicros: 9,
  kind: "decision",
  time: "2026-05-01T00:00:00.000Z",
  listenerPort: 8443,
  listenerKind: "mesh",
  method: "GET",
  requestId: "6f6c1c9e-0000-4000-8000-000000000000",
  peerAddress: "10.0.0.7",
};

const lineOf = (more: Readonly<Record<string, unknown>> = {}): string => JSON.stringify({ ...RECORD, ...more });

/** What is read of a line, like others or not, in the form that parsing gives. */
function read(
  lines: LikeLines,
  line: string,
): { readonly record: RecordedDecision | undefined; readonly like: boolean } {
  const found = lines.read(line);
  if (found !== undefined) {
    const { like, id, path, time } = found;
    return { record: { ...like.record, id, path, time }, like: true };
  }
  const parsed = parseRecordLine(line);
  return { record: parsed.kind === "decision" ? parsed.record : undefined, like: false };
}

const KEYS = [
  "id",
  "verdict",
  "evaluated",
  "reason",
  "detail",
  "line",
  "path",
  "destination",
  "caller",
  "time",
] as const;
const MORE_KEYS = ["listenerPort", "listenerKind", "method", "pathTemplate", "upgrade", "grpc", "peerAddress"] as const;

function fields(record: RecordedDecision | undefined): unknown {
  return record && [...KEYS, ...MORE_KEYS].map((key) => record[key]);
}

function expectSame(lines: LikeLines, line: string): void {
  const parsed = parseRecordLine(line);
  expect(fields(read(lines, line).record), line).toEqual(
    fields(parsed.kind === "decision" ? parsed.record : undefined),
  );
}

describe("LikeLines", () => {
  it("reads lines that differ in id, path, time, duration and request id by what they have in common", () => {
    const lines = new LikeLines();
    for (let n = 0; n < 20; n++) {
      const line = lineOf({ id: `d${n}`, path: `/orders/${n}`, tookMicros: n * 7, requestId: `r${n}` });
      expect(read(lines, line).like).toBe(true);
      expectSame(lines, line);
    }
  });

  it("knows lines without a path from those that have one", () => {
    const lines = new LikeLines();
    for (const line of [lineOf(), lineOf({ path: undefined }), lineOf({ path: "" }), lineOf()]) expectSame(lines, line);
  });

  it("is not fooled by keys that come twice, stand deeper, or are only text", () => {
    const lines = new LikeLines();
    const plain = lineOf();
    const twice = plain.replace(',"path":"/orders/1"', ',"path":"/orders/1","path":"/admin"');
    const deeper = plain.replace(',"path":', ',"more":{"x":1,"path":"/deep"},"path":');
    const late = plain.replace("}", ',"path":"/admin"}');
    const text = lineOf({ detail: ',"path":"/admin"' });
    for (const line of [plain, twice, deeper, late, text]) {
      for (const other of ["/orders/1", "/orders/2", "/admin"]) expectSame(lines, line.replaceAll("/orders/1", other));
    }
  });

  it("leaves what is no plain text or number to the parser", () => {
    const lines = new LikeLines();
    const odd = ['"', "\\", "\u0001", "\\u0041", "\n"];
    for (const path of odd) expectSame(lines, lineOf({ path: `/a${path}b` }));
    for (const raw of ["01", "1.5", "-1", "1e3", "", "1 ", "true", '"1"'])
      expectSame(lines, lineOf().replace('"tookMicros":9', `"tookMicros":${raw}`));
    expectSame(lines, lineOf().replace("/orders/1", "/orders/\u00011"));
    for (const line of ["", "{}", "[]", "null", '{"id":"', `${lineOf()}x`, lineOf({ kind: "request-refused" })])
      expectSame(lines, line);
  });

  it("gives what parsing gives, of lines cut, doubled and mixed at random", () => {
    const seed = Number(process.env.CELLWALL_SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`CELLWALL_SEED=${seed}`);
    const lines = new LikeLines();
    const piece = fc.constantFrom(
      ...(lineOf().match(/"[^"]*"|[{}:,]|[^"{}:,]+/g) ?? []),
      '"path"',
      '"id"',
      "\\",
      "0",
      " ",
    );
    const value = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom("/orders/1", "/a", "d2", '","path":"/b'));
    const edited = fc
      .tuple(value, value, fc.nat(600), fc.nat(20), fc.array(piece, { maxLength: 3 }), fc.boolean())
      .map(([path, id, at, length, pieces, isRaw]) => {
        const line = isRaw ? lineOf().replace("/orders/1", path) : lineOf({ path, id });
        return line.slice(0, at) + pieces.join("") + line.slice(at + length);
      });
    const whole = fc.tuple(value, value).map(([path, id]) => lineOf({ path, id }));
    fc.assert(
      fc.property(fc.oneof(edited, whole), (line) => expectSame(lines, line)),
      { seed, numRuns: 3_000 },
    );
  });
});
