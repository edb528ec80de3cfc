import type { Document, DocumentHeader, Kind, MergedDocument } from "../syntax/document.ts";
import { mergedHeader } from "../syntax/read-document.ts";
import type { Findings } from "./findings.ts";
import { mergeMaps } from "./merge.ts";

type WholeDocument = Exclude<Document, MergedDocument | { readonly kind: "Invalid" }>;
export type Of<K extends WholeDocument["kind"]> = Extract<WholeDocument, { readonly kind: K }>;

/** The documents of a set, each name once. */
export interface Gathered {
  readonly meshes: readonly MergedDocument[];
  readonly workloads: readonly MergedDocument[];
  readonly nodes: readonly Of<"Node">[];
  readonly policies: readonly Of<"AccessPolicy">[];
  readonly tests: readonly Of<"PolicyTest">[];
  readonly guardrails: readonly Of<"Guardrail">[];
  readonly teams: readonly Of<"Team">[];
  /** `<kind>/<namespace>/<name>` of documents that have errors, and `<kind>/` of their kinds; `?/` where the kind is unknown. */
  readonly invalid: ReadonlySet<string>;
}

/** Whether documents of this kind may be missing because they had errors, so that nothing follows from their absence. */
export function mayLack({ invalid }: Gathered, kind: Kind): boolean {
  return invalid.has(`${kind}/`) || invalid.has("?/");
}

function nameOf({
  kind,
  namespace,
  name,
}: { readonly kind: string } & Pick<DocumentHeader, "namespace" | "name">): string {
  return `${kind}/${namespace}/${name}`;
}

/** Merges Mesh and Workload documents in order, refuses second documents of any other name. */
export function gather(documents: readonly Document[], findings: Findings): Gathered {
  const merged = new Map<string, MergedDocument>();
  const whole = new Map<string, WholeDocument>();
  const invalid = new Set<string>();
  for (const document of documents) {
    if (document.kind === "Invalid") {
      invalid.add(nameOf({ ...document, kind: document.of ?? "?" })).add(`${document.of ?? "?"}/`);
    } else if ("tree" in document) {
      const name = nameOf(document);
      merged.set(name, over(merged.get(name), document));
    } else addOnce(whole, document, findings);
  }
  const all = [...whole.values()];
  const kept = [...merged.entries()].filter(([name]) => !invalid.has(name)).map(([, document]) => document);
  return {
    meshes: kept.filter(({ kind }) => kind === "Mesh"),
    workloads: kept.filter(({ kind }) => kind === "Workload"),
    nodes: all.filter((one) => one.kind === "Node"),
    policies: all.filter((one) => one.kind === "AccessPolicy"),
    tests: all.filter((one) => one.kind === "PolicyTest"),
    guardrails: all.filter((one) => one.kind === "Guardrail"),
    teams: all.filter((one) => one.kind === "Team"),
    invalid,
  };
}

function over(base: MergedDocument | undefined, patch: MergedDocument): MergedDocument {
  if (base === undefined) return patch;
  const tree = mergeMaps(base.tree, patch.tree);
  return { ...(mergedHeader(patch.kind, tree) ?? base), kind: patch.kind, tree };
}

/** Policies of one name may be there twice: live and as a candidate. */
function addOnce(whole: Map<string, WholeDocument>, document: WholeDocument, findings: Findings): void {
  const stage = document.kind === "AccessPolicy" ? `${document.spec.stage?.value ?? "live"}/` : "";
  const name = `${stage}${nameOf(document)}`;
  const first = whole.get(name);
  if (first === undefined) {
    whole.set(name, document);
    return;
  }
  const shown = document.namespace === "" ? document.name : `${document.namespace}/${document.name}`;
  const hint = `the first is ${first.span.file}:${first.span.line}:${first.span.column}; only a Mesh and Workloads are merged`;
  findings.report(
    "ERR_POLICY_DUPLICATE_NAME",
    document.span,
    `the ${document.kind} \`${shown}\` is here a second time`,
    hint,
  );
}
