import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDiagnostics } from "../diagnostics/index.ts";
import { resolve } from "../resolve/resolve.ts";
import { parseDocuments } from "./parse-documents.ts";
import { MAX_FILE_BYTES } from "./read-yaml.ts";
import { MAX_FINDINGS } from "./token-scan.ts";

const VALID = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: shop }
spec:
  trustDomain: shop.example
  defaultMode: enforce
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web } }
spec:
  sidecar:
    address: web
    listens:
      - { port: 8443, app: "unix:/run/web.sock", protocol: http }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: web, namespace: shop }
spec:
  protects: { labels: { app: web } }
  allow:
    - name: everybody-reads
      from:
        - labels: { app: { in: [web, "api"] } }
      requests:
        - GET|HEAD /orders/{id:int}
        - grpc shop.Orders/*
      headers:
        content-type: { prefix: application/json }
      notAfter: 2027-03-31
  deny:
    - name: no-admin
      requests:
        - ANY /admin/**
`;

const seed = Math.trunc(Math.random() * 2 ** 31);
const runs = { seed, numRuns: 150 } as const;

/** Reads, resolves and prints a text; every place must lie in it. */
function readAll(text: string): void {
  const files = [{ path: "a.yaml", text }];
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  formatDiagnostics(set.diagnostics, { files, color: true });
  const lines = text.split("\n");
  for (const { span } of set.diagnostics) {
    expect(span.line).toBeGreaterThanOrEqual(1);
    expect(span.line).toBeLessThanOrEqual(lines.length);
    expect(span.column).toBeGreaterThanOrEqual(1);
    expect(span.column).toBeLessThanOrEqual((lines[span.line - 1]?.length ?? 0) + 1);
  }
}

/** A fragment that YAML or this language gives a meaning. */
const token = fc.constantFrom(
  ..."- : ? , [ ] { } & * ! | > ' \" % @ ` # --- ... \n \n\n \t << ~ null true NO 1.0 0x1 2027-01-01 &a *a !!str a: b: {a: [a: GET /a/{id} /** tcp".split(
    " ",
  ),
  "\n  ",
  "\n    ",
  "kind: ",
  "spec:",
  "requests: [",
  "metadata: { name: ",
  "apiVersion: cellwall.dev/v1\nkind: Workload\n",
);

describe("parseDocuments", () => {
  it(`neither throws nor points outside the text, whatever the text (seed ${seed})`, () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 400 }), readAll), runs);
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 60 }).map((parts) => parts.join(" ")),
        readAll,
      ),
      runs,
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => readAll(new TextDecoder().decode(bytes))),
      runs,
    );
  });

  it(`neither throws nor points outside the text for a valid text with a few changes (seed ${seed})`, () => {
    const change = fc.tuple(fc.nat(VALID.length), fc.nat(6), fc.oneof(token, fc.string({ maxLength: 3 })));
    const changed = fc
      .array(change, { minLength: 1, maxLength: 4 })
      .map((changes) =>
        changes.reduce((text, [at, removed, added]) => text.slice(0, at) + added + text.slice(at + removed), VALID),
      );
    fc.assert(fc.property(changed, readAll), runs);
  });

  it("takes time that grows with the text and no faster, whatever the text", () => {
    const shapes = [
      "[",
      "{a: ",
      "- ",
      "? ",
      "---\n",
      '"',
      "&a ",
      "*a ",
      "! ",
      ": ",
      "]",
      ",",
      "%\n",
      "a\n",
      "- a\n",
      "|\n",
      "k: &a {b: *a}\n",
    ];
    const size = 12 * 1024;
    for (const shape of shapes) {
      const started = performance.now();
      parseDocuments([{ path: "a.yaml", text: shape.repeat(size / shape.length) }]);
      parseDocuments([{ path: "a.yaml", text: `requests: [${shape.repeat(size / shape.length)}` }]);
      expect(performance.now() - started, JSON.stringify(shape)).toBeLessThan(5_000);
    }
    const wide = Array.from({ length: 20_000 }, (_, index) => `k${index}: v`).join("\n");
    const started = performance.now();
    parseDocuments([{ path: "a.yaml", text: wide }]);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("stops after so many findings in one file and says so", () => {
    const { diagnostics } = parseDocuments([{ path: "a.yaml", text: "*a : b\n".repeat(10_000) }]);
    expect(diagnostics.length).toBeLessThanOrEqual(MAX_FINDINGS + 2);
    expect(diagnostics.at(-1)?.code).toBe("ERR_POLICY_TOO_MANY");
  });

  it("refuses a file of more bytes than allowed and takes one of exactly as many", () => {
    const pad = (bytes: number): string => `${VALID}#${"é".repeat((bytes - VALID.length - 1) >> 1)}`;
    const codes = (text: string): readonly string[] =>
      parseDocuments([{ path: "a.yaml", text }]).diagnostics.map(({ code }) => code);
    expect(codes(pad(MAX_FILE_BYTES).slice(0, -1))).toEqual([]);
    expect(codes(`${pad(MAX_FILE_BYTES)}éé`)).toEqual(["ERR_POLICY_TOO_LARGE"]);
  });

  it("reads documents of several files in order, with CRLF and a byte order mark", () => {
    const crlf = `\ufeff${VALID.replaceAll("\n", "\r\n")}`;
    const { documents, diagnostics } = parseDocuments([{ path: "a.yaml", text: crlf }]);
    expect(diagnostics).toEqual([]);
    expect(documents.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      "Mesh shop",
      "Workload web",
      "AccessPolicy web",
    ]);
    expect(documents[2]?.span).toEqual({ file: "a.yaml", line: 19, column: 19, endLine: 19, endColumn: 22 });
  });

  it("gives a document with errors its name, so that others are not blamed", () => {
    const { documents } = parseDocuments([{ path: "a.yaml", text: VALID.replace("address: web", "adress: web") }]);
    expect(documents[1]).toMatchObject({ kind: "Invalid", of: "Workload", namespace: "shop", name: "web" });
    const set = resolve(documents);
    expect(set.diagnostics).toEqual([]);
  });
});
