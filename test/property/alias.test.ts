import { describe, expect, it } from "vitest";
import { canonicalPath, compile, decide } from "../../policies/engine.ts";
import type { Attributes } from "../../policies/model/index.ts";
import { buildSet } from "../../policies/testing/build.ts";
import { rows } from "../conformance/rows.ts";
import { generateRequest } from "./generate-request.ts";
import { generateSet } from "./generate-set.ts";
import { Random, runCount, runSeed } from "./random.ts";

interface AliasRow {
  readonly input: { readonly canonical: string; readonly aliases: readonly string[] };
}

describe("spellings of one path", () => {
  it("never allow what the canonical spelling is denied, whatever the policies", () => {
    const seed = runSeed();
    console.log(`CELLWALL_SEED=${seed}`);
    const groups = rows<AliasRow>("path-canon/alias-groups.jsonl");
    let allowed = 0;
    for (let index = 0; index < runCount(1_500, 40_000); index++) {
      const random = new Random((seed + index) >>> 0);
      const input = generateSet(random);
      const set = buildSet({ ...input, workloads: enforcing(input.workloads) });
      const compiled = compile(set);
      const request = generateRequest(random, input, set);
      const [canonical, aliases] = spellings(random, groups, request);
      const wanted = decide(compiled, withPath(request, canonical));
      if (wanted.verdict === "allow") allowed++;
      for (const alias of aliases) {
        const got = decide(compiled, withPath(request, alias));
        expect(got.verdict === "deny" || got.verdict === wanted.verdict, `set seed ${seed + index}: ${alias}`).toBe(
          true,
        );
        if (got.path !== undefined) expect(got.path).toBe(wanted.path);
      }
    }
    expect(allowed).toBeGreaterThan(20);
  });

  it("are one path or refused, in linear time, for every random target", () => {
    const seed = runSeed();
    console.log(`CELLWALL_SEED=${seed}`);
    const random = new Random(seed);
    for (let index = 0; index < runCount(20_000, 500_000); index++) {
      const target = random.list(0, 24, () => random.pick(PIECES)).join("");
      const options = {
        caseInsensitive: random.chance(0.5),
        matrixParameters: random.chance(0.5) ? "ignore" : "reject",
      } as const;
      const got = canonicalPath(target, options);
      if (!got.ok) continue;
      expect(canonicalPath(got.path, options), target).toEqual(got);
      for (const segment of got.segments.slice(0, -1)) expect(segment, target).not.toBe("");
      for (const segment of got.segments) expect(segment, target).not.toMatch(FORBIDDEN);
    }
  });

  it("takes no longer on the worst targets than a few times the plain one of the same length", () => {
    const length = 8_192;
    const fill = (piece: string): string => `/${piece.repeat(length)}`.slice(0, length);
    const worst = ["%", "%25", "%61", "/", "/.", ";", "%c3%a9", "a/", "/%2e%2e", "\\", "\u00ff"].map(fill);
    const started = performance.now();
    for (let round = 0; round < 20; round++) {
      for (const target of worst) canonicalPath(target, { caseInsensitive: true, matrixParameters: "ignore" });
    }
    // 220 targets of 8 KiB; quadratic work would take minutes.
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(canonicalPath(`/${"a".repeat(length)}`)).toEqual({ ok: false, reason: "too-long" });
  });
});

const PIECES = [
  "/",
  "/",
  "a",
  "B",
  ".",
  "..",
  "%2e",
  "%2E",
  "%2f",
  "%5c",
  "\\",
  ";",
  "%3b",
  "%",
  "%25",
  "%2",
  "2e",
  "?",
  "#",
  "%00",
  "%c3%a9",
  "%c0%ae",
  "%ff",
  " ",
  "\u00e9",
  "%EF%BB%BF",
  "~",
  "%7e",
];
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
const FORBIDDEN = /^\.{1,2}$|[/\\\u0000-\u001f\u007f-\u009f]|%[0-9a-fA-F]{2}/;

type Workloads = Parameters<typeof buildSet>[0]["workloads"];

function enforcing(workloads: Workloads): Workloads {
  return Object.fromEntries(
    Object.entries(workloads).map(([name, workload]) => [name, { ...workload, mode: "enforce" }]),
  );
}

/** A group of the table, or a canonical path that the request is about with spellings made of it. */
function spellings(
  random: Random,
  groups: readonly AliasRow[],
  request: Attributes,
): readonly [string, readonly string[]] {
  const group = random.pick(groups).input;
  const path = request.http === undefined ? undefined : canonicalPath(request.http.path);
  if (!path?.ok || random.chance(0.2)) return [group.canonical, group.aliases];
  const encoded = path.path.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
  return [
    path.path,
    [
      encoded,
      encoded.replaceAll("%", "%25"),
      `/x/..${path.path}`,
      `/.${path.path}`,
      `/${path.path}`,
      `${path.path};v=1`,
      `${path.path}?x=/../y`,
      `${path.path}#x`,
      path.path.replaceAll("/", "\\"),
      path.path.replace(/\/([^/]*)$/, "%2F$1"),
      `/x/..;y${path.path}`,
      `${path.path}%00`,
    ],
  ];
}

function withPath(request: Attributes, path: string): Attributes {
  return request.http === undefined ? request : { ...request, http: { ...request.http, path } };
}
