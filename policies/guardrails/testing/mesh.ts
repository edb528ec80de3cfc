import type { PolicySet } from "../../model/index.ts";
import { resolve } from "../../resolve/resolve.ts";
import type { Document } from "../../syntax/document.ts";
import { parseDocuments } from "../../syntax/parse-documents.ts";

export const NOW = new Date("2026-06-01T12:00:00Z");

/** A document. */
export function doc(kind: string, name: string, spec: object, metadata: object = {}): string {
  const namespace = kind === "Mesh" ? {} : { namespace: "shop" };
  return JSON.stringify({ apiVersion: "cellwall.dev/v1", kind, metadata: { name, ...namespace, ...metadata }, spec });
}

/** A mesh and workloads: names, each with labels. */
export function mesh(workloads: Readonly<Record<string, object>>, spec: object = {}): readonly string[] {
  return [
    doc("Mesh", "shop", {
      trustDomain: "shop.example",
      defaultMode: "enforce",
      federation: [{ trustDomain: "partner.example" }],
      ...spec,
    }),
    ...Object.entries(workloads).map(
      ([name, { mode = "enforce", sidecar, ...labels }]: [string, { mode?: string; sidecar?: object }]) =>
        doc(
          "Workload",
          name,
          { mode, ...(sidecar === undefined ? {} : { sidecar }) },
          { labels: { app: name, ...labels } },
        ),
    ),
  ];
}

/** A policy of one workload that lets others do something; `more` are further rules and keys of the one rule. */
export function allow(to: string, from: readonly (string | object)[], rule: object = {}, more: object = {}): string {
  const callers = from.map((one) => (typeof one === "string" ? { workload: one } : one));
  return doc("AccessPolicy", `to-${to}`, {
    protects: { workload: to },
    allow: [{ name: "in", from: callers, requests: ["GET /a/{id}"], ...rule }],
    ...more,
  });
}

export function guardrail(spec: object, name = "g"): string {
  return doc("Guardrail", name, spec, { namespace: "mesh" });
}

/** Documents, one a line each, and the set they make; fails on errors. */
export function read(...texts: readonly (string | readonly string[])[]): {
  readonly documents: readonly Document[];
  readonly set: PolicySet;
} {
  const { documents, diagnostics } = parseDocuments([{ path: "m.yaml", text: texts.flat().join("\n---\n") }]);
  const set = resolve(documents, { diagnostics });
  const error = set.diagnostics.find(({ severity }) => severity === "error");
  if (error !== undefined) throw new Error(`${error.span.line}: ${error.message}`);
  return { documents, set };
}
