import { nearest } from "../diagnostics/nearest.ts";
import { printable } from "../printable.ts";
import { type Document, type DocumentHeader, type InvalidDocument, KINDS, type Kind, MESH_WIDE } from "./document.ts";
import { accessPolicySpec } from "./kinds/access-policy.ts";
import { guardrailSpec } from "./kinds/guardrail.ts";
import { meshSpec } from "./kinds/mesh.ts";
import { nodeSpec } from "./kinds/node.ts";
import { policyTestSpec } from "./kinds/policy-test.ts";
import { labels } from "./kinds/selectors.ts";
import { teamSpec } from "./kinds/team.ts";
import { workloadSpec } from "./kinds/workload.ts";
import {
  FAILED,
  type Failed,
  type Field,
  fail,
  mapOf,
  mismatch,
  object,
  optional,
  parsed,
  type Reader,
  type Reading,
  readObject,
  required,
  text,
} from "./readers.ts";
import { entryOf, type MapNode, type TreeNode } from "./tree.ts";
import { labelKey, name, namespace } from "./values.ts";

/** The one version of the language. */
export const API_VERSION = "cellwall.dev/v1";

const apiVersion = parsed({ expects: `\`${API_VERSION}\``, schema: { const: API_VERSION } }, (given) =>
  given === API_VERSION
    ? { ok: true, value: given }
    : {
        ok: false,
        code: "ERR_POLICY_API_VERSION",
        message: `\`${printable(given, 60)}\` is not a version of this language`,
        hint: `write \`apiVersion: ${API_VERSION}\``,
      },
);

const annotations = mapOf(labelKey, text());
const metadataShape = {
  name: required(name, "a DNS label"),
  labels: optional(labels, "labels"),
  annotations: optional(annotations, "notes for people and tools; no rule reads them"),
};
const meshWideMetadata = object(metadataShape, {
  expects: "the document's metadata",
  hint: "write `metadata: { name: … }`",
});
const metadata = object(
  { ...metadataShape, namespace: optional(namespace, "a DNS label; `default` if left out") },
  { expects: "the document's metadata", hint: "write `metadata: { name: …, namespace: … }`" },
);

const SPECS = {
  Mesh: meshSpec,
  Node: nodeSpec,
  Team: teamSpec,
  Workload: workloadSpec,
  AccessPolicy: accessPolicySpec,
  PolicyTest: policyTestSpec,
  Guardrail: guardrailSpec,
} as const;

function documentShape<K extends Kind>(
  kind: K,
): Readonly<Record<"apiVersion" | "kind" | "metadata" | "spec", Field<unknown>>> {
  const kindReader = parsed({ expects: `\`${kind}\``, schema: { const: kind } }, (value) => ({ ok: true, value }));
  return {
    apiVersion: required(apiVersion, "the version of the language"),
    kind: required(kindReader, "the kind of document"),
    metadata: required(MESH_WIDE.has(kind) ? meshWideMetadata : metadata, "the document's name and labels"),
    spec: required(SPECS[kind], "what the document says"),
  };
}

/** The reader of a whole document of a kind: what its JSON Schema comes from. */
export function documentReader(kind: Kind): Reader<unknown> {
  return object(documentShape(kind), { expects: "a document" });
}

function kindOf(tree: MapNode, reading: Reading): Kind | Failed {
  const entry = entryOf(tree, "kind");
  const at = tree.entries[0]?.key.span ?? tree.span;
  if (entry === undefined)
    return fail(reading, "ERR_POLICY_KIND", at, "the key `kind` is missing", `one of ${KINDS.join(", ")}`);
  const given = text({ expects: "a kind of document" }).read(entry.value, reading);
  if (given === FAILED) return FAILED;
  const kind = KINDS.find((one) => one === given.text);
  if (kind !== undefined) return kind;
  const close = nearest(given.text, KINDS);
  const hint = close === undefined ? `one of ${KINDS.join(", ")}` : `did you mean \`${close}\`?`;
  return fail(
    reading,
    "ERR_POLICY_KIND",
    given.span,
    `\`${printable(given.text, 60)}\` is not a kind of document`,
    hint,
  );
}

function textAt(node: TreeNode | undefined, key: string): string | undefined {
  const value = node?.kind === "map" ? entryOf(node, key)?.value : undefined;
  return value?.kind === "scalar" ? value.text : undefined;
}

/** What can be said of a document that has errors. */
function invalid(tree: TreeNode, kind: Kind | Failed): InvalidDocument {
  const meta = tree.kind === "map" ? entryOf(tree, "metadata")?.value : undefined;
  const header = {
    namespace: textAt(meta, "namespace") ?? "default",
    name: textAt(meta, "name") ?? "",
    span: tree.span,
  };
  return kind === FAILED ? { kind: "Invalid", ...header } : { kind: "Invalid", of: kind, ...header };
}

function headerOf(kind: Kind, tree: MapNode): DocumentHeader | Failed {
  const silent: Reading = { found: [], partial: true };
  const node = entryOf(tree, "metadata")?.value;
  const read = node === undefined ? FAILED : metadata.read(node, silent);
  if (read === FAILED || read.name === undefined) return FAILED;
  const entries = (read.labels?.value ?? []).map(({ key, value }) => [key.text, value.text] as const);
  return {
    name: read.name.value,
    namespace: MESH_WIDE.has(kind) ? "" : (read.namespace?.value ?? "default"),
    labels: new Map(entries),
    span: read.name.span,
  };
}

/** What reading a document needs to know of those before it. */
export interface Earlier {
  /** Whether an earlier document of this kind and name is there, so that this one is merged over it. */
  has(kind: Kind, namespace: string, name: string): boolean;
}

/** Reads one tree into a document; every finding goes to `reading`. */
export function readDocument(
  tree: TreeNode,
  broken: boolean,
  reading: Reading,
  earlier: Earlier,
): Document | undefined {
  if (tree.kind !== "map") {
    mismatch(reading, tree, "a document: a map with `apiVersion`, `kind`, `metadata` and `spec`");
    return undefined;
  }
  if (broken) return invalid(tree, kindOf(tree, { found: [], partial: false }));
  const before = reading.found.length;
  const kind = kindOf(tree, reading);
  if (kind === FAILED) {
    for (const [key, reader] of [
      ["apiVersion", apiVersion],
      ["metadata", metadata],
    ] as const) {
      const entry = entryOf(tree, key);
      if (entry !== undefined) reader.read(entry.value, reading);
    }
    return invalid(tree, kind);
  }
  const header = headerOf(kind, tree);
  const later = header !== FAILED && earlier.has(kind, header.namespace, header.name);
  const merged = kind === "Mesh" || kind === "Workload";
  const parts = readParts(kind, tree, { found: reading.found, partial: merged && later }, merged);
  const named = header === FAILED ? NAMELESS : header;
  const whole = merged ? { kind, ...named, tree } : wholeDocument(kind, named, tree, reading);
  const failed = reading.found.slice(before).some(({ severity }) => severity === "error");
  if (header === FAILED || failed || parts === FAILED) return invalid(tree, kind);
  return whole;
}

/** Stands in for the name of a document that is refused for want of one, so that its `spec` is looked at all the same. */
const NAMELESS: DocumentHeader = {
  name: "",
  namespace: "",
  labels: new Map(),
  span: { file: "", line: 1, column: 1, endLine: 1, endColumn: 1 },
};

/**
 * Reads all keys of a document but for the `spec` of a kind that is not merged, which `wholeDocument` reads. Of a kind that is merged,
 * `spec` may be completed by later documents.
 */
function readParts(kind: Kind, tree: MapNode, reading: Reading, merged: boolean): unknown {
  const shape = shapeOf(kind);
  const strict: Reading = { found: reading.found, partial: false };
  const spec = shape.spec.reader;
  const lenient: Reader<unknown> = {
    schema: {},
    expects: spec.expects,
    read: (node) => (merged ? spec.read(node, { found: reading.found, partial: true }) : true),
  };
  const metadataReader = shape.metadata.reader;
  const named: Reader<unknown> = {
    schema: {},
    expects: metadataReader.expects,
    read: (node) => metadataReader.read(node, reading),
  };
  return readObject(
    {
      ...shape,
      spec: required(lenient, "what the document says"),
      metadata: required(named, shape.metadata.description),
    },
    { expects: "a document" },
    tree,
    strict,
  );
}

const SHAPES = new Map<Kind, ReturnType<typeof documentShape>>();

/** The shape of a kind, made once. */
function shapeOf(kind: Kind): ReturnType<typeof documentShape> {
  const known = SHAPES.get(kind) ?? documentShape(kind);
  SHAPES.set(kind, known);
  return known;
}

function wholeDocument(
  kind: Exclude<Kind, "Mesh" | "Workload">,
  header: DocumentHeader,
  tree: MapNode,
  { found }: Reading,
): Document | undefined {
  const node = entryOf(tree, "spec")?.value;
  if (node === undefined) return undefined;
  const strict: Reading = { found, partial: false };
  const build = <K extends Kind, S>(
    one: K,
    reader: Reader<S>,
  ): ({ readonly kind: K; readonly spec: S } & DocumentHeader) | undefined => {
    const spec = reader.read(node, strict);
    return spec === FAILED ? undefined : { kind: one, ...header, spec };
  };
  switch (kind) {
    case "Node":
      return build(kind, nodeSpec);
    case "Team":
      return build(kind, teamSpec);
    case "AccessPolicy":
      return build(kind, accessPolicySpec);
    case "PolicyTest":
      return build(kind, policyTestSpec);
    case "Guardrail":
      return build(kind, guardrailSpec);
  }
}

/** The name and labels of a merged document; undefined where its tree holds no valid ones. */
export function mergedHeader(kind: Kind, tree: MapNode): DocumentHeader | undefined {
  const header = headerOf(kind, tree);
  return header === FAILED ? undefined : header;
}
