import type { Notes } from "../draft/notes.ts";
import type { Authorization, Resource } from "./authorization.ts";

const isRoute = ({ kind }: Resource): boolean => kind === "HTTPRoute" || kind === "GRPCRoute";

/** Reports routes and authorizations of nothing that is among the documents: what they say of a Server comes to nothing. */
export function sayWithoutServer(
  resources: readonly Resource[],
  authorizations: readonly Authorization[],
  notes: Notes,
): void {
  const isThere = (kind: string, name: string, namespace: string): boolean =>
    resources.some((one) => one.kind === kind && one.name === name && one.namespace === namespace);
  for (const { kind, namespace, name, fields } of resources.filter(isRoute)) {
    const parents = fields.map("spec")?.maps("parentRefs") ?? [];
    const servers = parents.filter((ref) => ref.text("kind") === "Server").map((ref) => ref.text("name") ?? "");
    if (servers.some((server) => isThere("Server", server, namespace))) continue;
    const reason =
      servers.length === 0
        ? "it is of no Server: a route of outbound requests decides nothing here"
        : `its Server \`${servers.join(", ")}\` is not among the documents, and the route is left out`;
    notes.add(fields.place("spec"), `${kind} ${namespace}/${name}`, "unsupported", reason);
  }
  for (const { target, namespace, place, construct } of authorizations) {
    const [kind = "", name = ""] = target.split("/");
    const found =
      kind === "Namespace"
        ? resources.some((one) => one.kind === "Server" && one.namespace === namespace)
        : isThere(kind, name, namespace);
    if (!found)
      notes.add(
        place,
        construct,
        "unsupported",
        `\`${target}\` is not among the documents, and nothing is allowed by it`,
      );
  }
}
