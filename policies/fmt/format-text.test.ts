import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Random, runSeed } from "../../test/property/random.ts";
import { atDepth } from "../../test/support/depth.ts";
import { resolve } from "../resolve/resolve.ts";
import { parseDocuments } from "../syntax/index.ts";
import { formatPolicyText } from "./format-text.ts";
import { commentTokens } from "./settle-comments.ts";

/** The formatted text; formatting it again must change nothing. */
function formatted(text: string): string {
  const once = formatPolicyText({ path: "a.yaml", text });
  if (!once.ok) throw new Error(`not formatted: ${JSON.stringify(once.diagnostics)}\n${text}`);
  const twice = formatPolicyText({ path: "a.yaml", text: once.text });
  expect(twice, once.text).toEqual({ ok: true, text: once.text, changed: false });
  return once.text;
}

/** The set of a text without its places and in an order of its own, and its findings. */
function meaning(text: string): unknown {
  const { documents, diagnostics } = parseDocuments([{ path: "a.yaml", text }]);
  const set = resolve(documents, { diagnostics });
  const codes = set.diagnostics.map(({ code, message }) => `${code} ${message.replace(/ on line \d+/, "")}`).sort();
  return JSON.parse(
    JSON.stringify({ ...set, diagnostics: codes }, (key, value) =>
      key === "span" ? undefined : value instanceof Map ? Object.fromEntries([...value].sort()) : value,
    ),
  );
}

describe("formatting", () => {
  it("orders keys, puts each request on a line of its own, and keeps comments at what they stand before", () => {
    const text = `# yaml-language-server: $schema=cellwall.schema.json

spec:
    # who may administer
    deny:   # nobody
      - { requests: [GET /a, "POST /b"],    name: x } # really
      # the end of the denies
    # what is protected
    protects: {labels: {app: orders}}


    # the rules
    allow:
    - requests:
      - GET /a   # reads
      # writes
      - 'POST /b'
      name: r
      # why
      reason: yes indeed
      from: [ workload: web , {labels: { tier: { in: [ a,b ] } }}]
    # the end of the allows
# about the name
metadata: {namespace: shop,    name: a}
kind: AccessPolicy
apiVersion: cellwall.dev/v1
# the end
---

kind: Mesh
metadata:
    name: shop
`;
    expect(formatted(text)).toBe(`# yaml-language-server: $schema=cellwall.schema.json

apiVersion: cellwall.dev/v1
kind: AccessPolicy
# about the name
metadata: { name: a, namespace: shop }
spec:
  # what is protected
  protects: { labels: { app: orders } }

  # the rules
  allow:
    - name: r
      from: [{ workload: web }, { labels: { tier: { in: [a, b] } } }]
      requests:
        - GET /a # reads
        # writes
        - 'POST /b'
      # why
      reason: yes indeed
    # the end of the allows
  # who may administer
  deny:
    # nobody
    - name: x
      requests:
        - GET /a
        - "POST /b"
      # really
    # the end of the denies

# the end
---
kind: Mesh
metadata:
  name: shop
`);
  });

  it("knows line ends of all systems and a byte order mark", () => {
    expect(formatted("\ufeffkind: Mesh\r\nmetadata:\r\n    name: shop\r\n")).toBe(
      "kind: Mesh\nmetadata:\n  name: shop\n",
    );
  });

  it("keeps files of comments alone, and nothing of nothing", () => {
    expect(formatted("# nothing\n# here\n\n")).toBe("# nothing\n# here\n");
    expect(formatted("\n\n")).toBe("");
  });

  it.each(["kind: [", "a: &x b", "a: 1\na: 2", "%YAML 1.1\n---\na: b"])(
    "leaves alone what is no YAML of the language: %j",
    (text) => {
      expect(formatPolicyText({ path: "a.yaml", text })).toMatchObject({
        ok: false,
        diagnostics: [{ severity: "error" }],
      });
    },
  );

  it("has nothing to do on the policies that ship", () => {
    const folder = new URL("../../compose/shop/policies/", import.meta.url);
    for (const name of readdirSync(folder)) {
      const text = readFileSync(new URL(name, folder), "utf8");
      expect(formatPolicyText({ path: name, text }), name).toEqual({ ok: true, text, changed: false });
    }
  });

  it(
    "means the same before and after, twice is once, and no comment is lost: whatever the text",
    () => {
      const seed = runSeed();
      console.log(`CELLWALL_SEED=${seed}`);
      const texts = sources();
      let done = 0;
      for (let index = 0; index < atDepth({ quick: 120, full: 20_000 }); index++) {
        const random = new Random((seed + index) >>> 0);
        const text = disturbed(random, random.pick(texts));
        const result = formatPolicyText({ path: "a.yaml", text });
        if (!result.ok) {
          expect(result.diagnostics, `seed ${seed + index}\n${text}`).not.toEqual([]);
          continue;
        }
        done++;
        const comments = (of: string) =>
          commentTokens(of)
            .map((token) => token.text)
            .sort();
        expect(formatted(text), `seed ${seed + index}`).toBe(result.text);
        expect(meaning(result.text), `seed ${seed + index}\n${text}`).toEqual(meaning(text));
        expect(comments(result.text)).toEqual(comments(text));
      }
      expect(done).toBeGreaterThan(atDepth({ quick: 30, full: 5_000 }));
    },
    atDepth({ quick: 30_000, full: 1_800_000 }),
  );
});

/** Documents of every kind: the shop's, and what the reader's own tests are made of. */
function sources(): readonly string[] {
  const read = (folder: URL, end: string) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(end))
      .map((name) => readFileSync(new URL(name, folder), "utf8"));
  const all = [
    ...read(new URL("../../compose/shop/policies/", import.meta.url), ".yaml"),
    ...read(new URL("../syntax/golden/", import.meta.url), ".yaml.in"),
  ];
  return all.flatMap((text) => text.split(/^---$/m)).filter((text) => text.trim() !== "");
}

/** Comments, empty lines, other indentation and swapped lines in a text. */
function disturbed(random: Random, text: string): string {
  const lines = text.split("\n").flatMap((line, at): readonly string[] => {
    const indent = " ".repeat(random.int(8));
    const before = random.chance(0.1) ? [`${indent}# before ${at}`] : random.chance(0.05) ? [""] : [];
    const behind = random.chance(0.1) && line.trim() !== "" && !line.includes("#") ? " # behind" : "";
    return [...before, line + behind];
  });
  if (random.chance(0.5)) return lines.join("\n");
  const blocks = lines.join("\n").split(/^(?=[a-zA-Z]+:)/m);
  return blocks
    .map((block) => (block.endsWith("\n") ? block : `${block}\n`))
    .sort(() => random.next() - 0.5)
    .join("");
}
