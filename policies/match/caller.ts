import type { SpiffeId } from "../../spiffe/index.ts";
import type { CallerSelector, Cidr, Workload } from "../model/index.ts";
import { cidrContains } from "./address.ts";
import { both, either, type Truth } from "./truth.ts";
import { optionalMatches } from "./value.ts";

/** Who calls, once the registry has been asked. */
export type Caller =
  /** A caller of an edge listener. */
  | { readonly kind: "anonymous" }
  | { readonly kind: "registered"; readonly id: SpiffeId; readonly workload: Workload }
  /** Registered, but no rule of this set can tell it from another (`UnnamedCaller`). */
  | { readonly kind: "unnamed"; readonly id: SpiffeId; readonly isolate: ReadonlyMap<string, string> }
  /** Of a federated trust domain. */
  | { readonly kind: "foreign"; readonly id: SpiffeId };

/** What selectors look at beside the caller. */
export interface SelectorContext {
  /** The peer's address; absent where there is none or it cannot be read, so that conditions on it are unknown. */
  readonly address: readonly number[] | undefined;
  /** Whether this set knows the caller's values of the labels that the selector asks for (`AccessPolicy.labelled`). */
  readonly labelsKnown: boolean;
}

/** Whether any entry of a `from` matches. */
export function fromMatches(selectors: readonly CallerSelector[], caller: Caller, context: SelectorContext): Truth {
  let truth: Truth = false;
  for (const selector of selectors) truth = either(truth, selectorMatches(selector, caller, context));
  return truth;
}

/** Whether one entry of a `from` matches: all the keys that are there. */
export function selectorMatches(selector: CallerSelector, caller: Caller, context: SelectorContext): Truth {
  if (!identityMatches(selector, caller, context.labelsKnown)) return false;
  return both(true, addressesMatch(selector.addresses, context.address));
}

/** Whether all the keys of an entry match but for `addresses`. An entry without keys matches nobody. */
export function identityMatches(selector: CallerSelector, caller: Caller, labelsKnown: boolean): boolean {
  const { workload, labels, spiffe, trustDomain, anyone, addresses } = selector;
  if (!(workload || labels || spiffe || trustDomain || anyone || addresses)) return false;
  if (anyone !== undefined && !isAnyone(anyone, caller)) return false;
  if (trustDomain !== undefined && (caller.kind === "anonymous" || caller.id.trustDomain !== trustDomain)) return false;
  if (spiffe !== undefined && (caller.kind === "anonymous" || !spiffeMatches(spiffe, caller.id))) return false;
  if (workload === undefined && labels === undefined) return true;
  // SECURITY: labels belong to the registry, so `not` and `absent` say nothing of callers that are not in it.
  return caller.kind === "registered" && workloadMatches(selector, caller.workload, labelsKnown);
}

function isAnyone(anyone: "authenticated" | "anonymous", caller: Caller): boolean {
  return anyone === "anonymous"
    ? caller.kind === "anonymous"
    : caller.kind === "registered" || caller.kind === "unnamed";
}

/** Whether an identity is the one named, or one of its descendants by whole segments. */
export function spiffeMatches(spiffe: NonNullable<CallerSelector["spiffe"]>, id: SpiffeId): boolean {
  const [text, named] = [id.toString(), spiffe.id.toString()];
  return spiffe.descendants ? text.startsWith(`${named}/`) : text === named;
}

function workloadMatches(selector: CallerSelector, caller: Workload, labelsKnown: boolean): boolean {
  const { workload, labels, namespace } = selector;
  if (workload !== undefined && !(workload.namespace === caller.namespace && workload.name === caller.name))
    return false;
  if (labels === undefined) return true;
  if (!labelsKnown || (namespace !== "*" && namespace !== caller.namespace)) return false;
  for (const [key, matcher] of labels) if (!optionalMatches(matcher, caller.labels.get(key))) return false;
  return true;
}

/** Whether the peer's address lies in one of the blocks; unknown where there is no address. */
export function addressesMatch(blocks: readonly Cidr[] | undefined, address: readonly number[] | undefined): Truth {
  if (blocks === undefined) return true;
  if (address === undefined) return "unknown";
  return blocks.some((block) => cidrContains(block, address));
}
