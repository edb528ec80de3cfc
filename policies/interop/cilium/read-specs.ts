import type { Notes } from "../draft/notes.ts";
import type { Fields } from "../translate/fields.ts";
import { type EndpointSelector, readEndpointSelector } from "./selector.ts";

/** One `spec` of a policy. */
export interface Spec {
  readonly fields: Fields;
  readonly name: string;
  /** Absent: of the cluster. */
  readonly home: string | undefined;
  readonly selector: EndpointSelector;
  readonly construct: string;
  /** Whether what it selects is closed but for its rules. */
  readonly closes: boolean;
}

const SPEC_KEYS =
  "endpointSelector ingress ingressDeny egress egressDeny enableDefaultDeny description labels log".split(" ");

/** The specs of a document. What is of hosts, and selectors that no registry can tell, are left out and reported. */
export function specsOf(document: Fields, kind: string, namespace: string, notes: Notes): readonly Spec[] {
  const metadata = document.map("metadata");
  const name = metadata?.text("name") ?? "";
  const home = kind === "CiliumNetworkPolicy" ? (metadata?.text("namespace") ?? namespace) : undefined;
  const single = document.map("spec");
  const all = [...(single === undefined ? [] : [single]), ...document.maps("specs")];
  if (all.length === 0 || name === "") throw document.invalid("spec", "or the name is missing");
  return all.flatMap((fields, index) => {
    const construct = `${kind} ${home === undefined ? "" : `${home}/`}${name}${all.length > 1 ? ` specs[${index}]` : ""}`;
    for (const key of fields.unknown([...SPEC_KEYS, "nodeSelector"]))
      notes.add(fields.place(key), `${construct}: ${key}`, "unsupported", "this key is not known");
    const selector = readEndpointSelector(fields.get("endpointSelector"));
    if (selector === undefined) {
      const reason = fields.has("nodeSelector")
        ? "policies of hosts are no policies of workloads"
        : "what it selects is not told by the registry";
      notes.add(fields.place("endpointSelector"), construct, "unsupported", reason);
      return [];
    }
    for (const key of ["egress", "egressDeny"])
      if (fields.get(key) !== undefined) {
        const place = fields.place(key);
        notes.add(place, `${construct}: ${key}`, "narrower", AT_CALLEE, { scope: "egress" });
        notes.add(place, `${construct}: ${key}`, "unsupported", OUT_OF_REACH, { scope: "unregistered" });
      }
    return [{ fields, name, home, selector, construct, closes: closesIngress(fields) }];
  });
}

const AT_CALLEE =
  "what a caller may not reach is denied at each registered callee; what a rule opens that cannot be said stays closed";
const OUT_OF_REACH = "destinations that are no registered workloads are out of reach of a sidecar at the callee";

function closesIngress(fields: Fields): boolean {
  const said = fields.map("enableDefaultDeny")?.get("ingress");
  if (said === false) return false;
  return said === true || fields.maps("ingress").length + fields.maps("ingressDeny").length > 0;
}
