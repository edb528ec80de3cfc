import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { formatDiagnostics } from "../diagnostics/index.ts";
import { resolve } from "../resolve/resolve.ts";
import { type PolicyFile, parseDocuments } from "./parse-documents.ts";

const folder = new URL("golden/", import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml.in") && name !== "base.yaml.in")
  .map((name) => name.slice(0, -".in".length))
  .sort();

// Inputs end in `.yaml.in`, because most are no YAML that a formatter should touch.
/** Cases that are about one text by itself have no Mesh; the others begin with `# resolve`. `# base` puts the base set before. */
function printed(name: string): string {
  const text = readFileSync(new URL(`${name}.in`, folder), "utf8");
  const base = readFileSync(new URL("base.yaml.in", folder), "utf8");
  const [resolved, based] = [text.startsWith("# resolve"), /^# resolve with base/.test(text)];
  const files: PolicyFile[] = [...(based ? [{ path: "base.yaml", text: base }] : []), { path: name, text }];
  const { documents, diagnostics } = parseDocuments(files);
  const found = resolved ? resolve(documents, { diagnostics }).diagnostics : diagnostics;
  return formatDiagnostics(found, { files, color: false });
}

/** Cases whose bytes are the point; written here so that no editor or Git setting changes them. */
const BYTES: ReadonlyMap<string, string> = new Map([
  ["byte-order-mark", "\ufeffkind: Mesch\n"],
  ["byte-order-mark-inside", "kind: Mesh\n---\n\ufeffkind: Mesh\n"],
  ["crlf", "apiVersion: cellwall.dev/v1\r\nkind: Mesch\r\n"],
  ["lone-carriage-return", "apiVersion: cellwall.dev/v1\rkind: Mesh\n"],
  ["nul", "kind: Mesh\0\n"],
  ["invalid-utf8", new TextDecoder().decode(Uint8Array.of(0x6b, 0x3a, 0x20, 0xff, 0x0a))],
  ["utf16", new TextDecoder().decode(Buffer.from("\ufeffkind: Mesh\n", "utf16le"))],
  ["lone-surrogate", "kind: \ud800\n"],
  ["bidi-override", "kind: Mesh # \u202egnihton\n"],
  ["zero-width-space", "ki\u200bnd: Mesh\n"],
  ["line-separator", "kind: Mesh\u2028spec: x\n"],
  ["tab-indent", "kind: Mesh\nspec:\n\ttrustDomain: a\n"],
  ["wide-characters", "kind: Mesh\nmetadata: { name: 商店, labels: { a: b } }\n"],
  ["tab-before-place", 'kind:\t"Mesch"\n'],
  ["too-deep", `a: ${"[".repeat(60)}${"]".repeat(60)}\n`],
  ["too-large", `# ${"x".repeat(1024 * 1024)}\n`],
  ["long-line", `kind: Mesh\nmetadata: { name: shop, annotations: { a: ${"x".repeat(300)} }, lables: { a: b } }\n`],
  ["empty-file", ""],
  ["comments-only", "# nothing\n---\n# here\n"],
]);

function check(file: URL, actual: string): void {
  if (process.env.UPDATE_GOLDEN === "1" || (process.env.UPDATE_GOLDEN === "new" && !existsSync(file)))
    writeFileSync(file, actual);
  expect(existsSync(file), `${fileURLToPath(file)} is missing: run with UPDATE_GOLDEN=new and read what it wrote`).toBe(
    true,
  );
  expect(actual).toBe(readFileSync(file, "utf8"));
}

describe("golden diagnostics", () => {
  it.each(names)("%s prints exactly what stands beside it", (name) => {
    check(new URL(name.replace(/\.yaml$/, ".txt"), folder), printed(name));
  });

  it.each([...BYTES.keys()])("%s prints exactly what stands in golden/bytes", (name) => {
    const files = [{ path: `${name}.yaml`, text: BYTES.get(name) ?? "" }];
    check(
      new URL(`bytes-${name}.txt`, folder),
      formatDiagnostics(parseDocuments(files).diagnostics, { files, color: false }),
    );
  });

  it("has a case for every error and warning code", () => {
    const codes =
      readFileSync(new URL("../diagnostics/codes.ts", import.meta.url), "utf8").match(
        /"(?:ERR|WARN)_POLICY_[A-Z0-9_]+"/g,
      ) ?? [];
    const texts = readdirSync(folder)
      .filter((name) => name.endsWith(".txt"))
      .map((name) => readFileSync(new URL(name, folder), "utf8"));
    const unseen = codes
      .map((code) => code.slice(1, -1))
      .filter((code) => !texts.some((text) => text.includes(`[${code}]`)));
    // The only one whose case would be 200 findings long; parse-documents.test.ts has it.
    expect(unseen).toEqual(["ERR_POLICY_TOO_MANY"]);
  });
});
