import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";
import { wellFormed } from "./testing/well-formed.ts";

const SCHEMA = new URL("../../test/vectors/sarif/sarif-2.1.0-rtm.5.json", import.meta.url);
/** Relative references are none to the reader of the schema, so that their characters are looked at instead (RFC 3986). */
const text = readFileSync(SCHEMA, "utf8").replaceAll(
  '"format": "uri-reference"',
  () => `"pattern": "^([A-Za-z0-9._~:/?#@!$&'()*+,;=-]|%[0-9A-F]{2})*$"`,
);
const schema = z.fromJSONSchema(JSON.parse(text));

/** Findings of every pass, one of them silenced, with what XML and URIs must escape in texts and a file's name. */
const LOOSE = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: cards, namespace: shop, labels: { data: pci } }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: cards, namespace: shop }
spec:
  protects: { workload: cards }
  allow:
    - name: everybody # cellwall:ignore any-any <it's> & "fine"
      from:
        - anyone: authenticated
      requests:
        - ANY /**
    - name: again
      from:
        - workload: web
      requests:
        - GET /cards/{id}
      headers: { x-a: { contains: "<&>" } }
---
apiVersion: cellwall.dev/v1
kind: PolicyTest
metadata: { name: cards, namespace: shop }
spec:
  to: cards
  cases:
    - { from: web, request: "GET /cards/1?a=<&'\\"", expect: deny }
---
apiVersion: cellwall.dev/v1
kind: Guardrail
metadata: { name: cards, namespace: mesh }
spec: { never: [{ from: { workload: shop/web }, to: { labels: { data: pci } } }] }
`;

interface Result {
  readonly ruleId: string;
  readonly message: { readonly text?: string };
  readonly partialFingerprints: Readonly<Record<string, string>>;
}

describe("forms of a check's report", () => {
  const folder = useTempFolder();
  beforeEach(async () => {
    await run(["init"], capturedIo(folder()));
    write(LOOSE);
  });

  function write(text: string): void {
    mkdirSync(join(folder(), "policies", "a & b"), { recursive: true });
    writeFileSync(join(folder(), "policies", "a & b", "loose.yaml"), text);
  }

  async function check(...argv: readonly string[]): Promise<string> {
    const io = capturedIo(folder());
    await run(["check", ...argv], io);
    return io.out();
  }

  async function results(): Promise<readonly Result[]> {
    const log = JSON.parse(await check("--output", "sarif"));
    return log.runs[0].results;
  }

  it("SARIF is valid by the standard's own schema, with findings of every pass, without any, and with an error", async () => {
    const found = await results();
    expect(found.map(({ ruleId }) => ruleId)).toEqual(
      expect.arrayContaining(["guardrail-never", "any-any", "test-failed"]),
    );
    const broken = LOOSE.replace("kind: Guardrail", "kind: Nonsense");
    for (const policies of [LOOSE, "", broken]) {
      write(policies);
      const log: unknown = JSON.parse(await check("--output", "sarif"));
      expect(schema.safeParse(log).error).toBeUndefined();
      expect(textless(log)).toEqual([]);
    }
  });

  it("the schema is really asked: what it forbids fails", async () => {
    const log = JSON.parse(await check("--output", "sarif"));
    const [first] = log.runs[0].results;
    for (const wrong of [
      { level: "fatal" },
      { ruleIndex: -2 },
      { nonsense: 1 },
      { locations: [{ physicalLocation: 1 }] },
    ]) {
      log.runs[0].results = [{ ...first, ...wrong }];
      expect(schema.safeParse(log).success, JSON.stringify(wrong)).toBe(false);
    }
  });

  it("fingerprints stay when lines move, and differ between findings", async () => {
    const prints = (list: readonly Result[]): readonly string[] =>
      list.map(({ ruleId, partialFingerprints }) => `${ruleId} ${partialFingerprints["cellwall/v1"]}`).sort();
    const before = prints(await results());
    expect(new Set(before).size).toBe(before.length);
    write(`# moved\n\n\n# by some lines\n${LOOSE.replaceAll("  allow:", "\n\n  # and more\n  allow:")}`);
    expect(prints(await results())).toEqual(before);
  });

  it("JUnit is well-formed XML, whatever findings hold", async () => {
    const xml = await check("--output", "junit");
    expect(wellFormed(xml)).toBeUndefined();
    expect(xml).toContain("&lt;");
    expect(xml.match(/<testcase /g)?.length).toBeGreaterThan(5);
  });
});

/** The messages of a log that hold neither a text nor an id, which the reader of the schema does not look at. */
function textless(value: unknown, path = ""): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = `${path}/${key}`;
    const isMessage = key === "message" && typeof inner === "object" && inner !== null;
    return [...(isMessage && !("text" in inner) && !("id" in inner) ? [here] : []), ...textless(inner, here)];
  });
}
