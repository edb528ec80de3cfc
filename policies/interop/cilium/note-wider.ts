import type { DraftCaller } from "../draft/draft.ts";
import { nameOf } from "../draft/world.ts";
import type { SourcePlace } from "../report.ts";
import type { Fields } from "../translate/fields.ts";
import type { Context } from "./callers.ts";
import type { HttpRule } from "./http-rule.ts";
import type { Spec } from "./read-specs.ts";
import { type EndpointSelector, readEndpointSelector, selectsEndpoint } from "./selector.ts";

/** A rule with whom it lets in. */
interface Around extends Context {
  readonly from: readonly DraftCaller[];
  readonly spec: Spec;
}

/** The source looks at the query and at the host's port; rules do not. */
export function noteWider(
  { refusedTarget, refusedHost, condition }: HttpRule,
  place: SourcePlace,
  construct: string,
  around: Around,
): void {
  const { notes } = around;
  const names = witnessNames(around);
  const method = condition.methods === "ANY" ? "GET" : (condition.methods[0] ?? "GET");
  if (refusedTarget !== undefined)
    notes.add(place, `${construct}: path`, "wider", "the source compares the query with the path, which rules do not", {
      scope: "query",
      counterExample: { ...names, request: `${method} ${refusedTarget}` },
    });
  if (refusedHost !== undefined)
    notes.add(place, `${construct}: host`, "wider", "the source compares the port of the host, which rules do not", {
      scope: "host-with-port",
      counterExample: { ...names, request: `${method} ${refusedTarget ?? "/"}`, host: refusedHost },
    });
}

/** A workload that the rule lets in and one that it protects, where the registry has them. */
function witnessNames({ from, spec, world }: Around): { readonly from: string; readonly to: string } {
  const to = world.workloads.find(
    (one) =>
      (spec.home === undefined || one.namespace === spec.home) && selectsEndpoint(spec.selector, one, spec.home, world),
  );
  const caller = spec.fields
    .maps("ingress")
    .flatMap((rule) => selectorsOf(rule))
    .flatMap((selector) => world.workloads.find((one) => selectsEndpoint(selector, one, spec.home, world)) ?? [])[0];
  const anonymous = from.some(({ anyone }) => anyone === "anonymous");
  const known = caller ?? world.workloads[0];
  return {
    from: caller === undefined && anonymous ? "anonymous" : known === undefined ? "anonymous" : nameOf(known),
    to: to === undefined ? spec.name : nameOf(to),
  };
}

function selectorsOf(rule: Fields): readonly EndpointSelector[] {
  const list = rule.get("fromEndpoints");
  const values: readonly unknown[] = Array.isArray(list) ? list : [];
  return values.flatMap((value) => readEndpointSelector(value) ?? []);
}
