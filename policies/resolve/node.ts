import type { Node } from "../model/index.ts";
import type { NodeSyntax } from "../syntax/kinds/node.ts";
import type { Of } from "./gather.ts";

/** A host that may enrol. */
export function resolveNode({ name, labels, span, spec }: Of<"Node">): Node {
  return { name, labels, attest: spec.attest.value.map(attestationOf), span };
}

function attestationOf(entry: NodeSyntax["attest"]["value"][number]): Node["attest"][number] {
  if (entry.joinToken !== undefined) return { kind: "joinToken" };
  return { kind: entry.oidc !== undefined ? "oidc" : "kubernetes" };
}
