import { parseAddress } from "../match/address.ts";
import type { Caller } from "../match/caller.ts";
import { identityMatches } from "../match/caller.ts";
import type { CallerSelector, Span } from "../model/index.ts";
import type { Asked, Change } from "./edit.ts";

/** An entry of `from` that names one caller, as it is written in a policy of a namespace. */
export interface CallerEntry {
  readonly selector: CallerSelector;
  readonly yaml: string;
}

/** The entry that names a caller and nobody else. */
export function entryOf(caller: Caller, namespace: string, span: Span): CallerEntry {
  if (caller.kind === "anonymous") return { selector: { anyone: "anonymous", span }, yaml: "anyone: anonymous" };
  if (caller.kind === "registered") {
    const { workload } = caller;
    const name = workload.namespace === namespace ? workload.name : `${workload.namespace}/${workload.name}`;
    const selector: CallerSelector = { workload: { namespace: workload.namespace, name: workload.name }, span };
    return { selector, yaml: `workload: ${name}` };
  }
  return { selector: { spiffe: { id: caller.id, descendants: false }, span }, yaml: `spiffe: ${caller.id}` };
}

/** Adds the caller to the rule's `from`. */
export function addCaller({ line, situation }: Asked): Change | undefined {
  const { from } = line.of;
  const last = from?.at(-1);
  if (situation.caller === undefined || from === undefined || last === undefined) return undefined;
  const { selector, yaml } = entryOf(situation.caller, line.owner.namespace, last.span);
  return {
    edit: { message: "add the caller to `from`", span: last.span, action: "insert", yaml: `- ${yaml}` },
    size: 1,
    apply: (rule) => ({ ...rule, from: [...(rule.from ?? []), selector] }),
  };
}

/** Spares the caller in the `except` of a deny that names callers only, or has none. */
export function spareCaller({ line, situation }: Asked): Change | undefined {
  const { except } = line.of;
  if (situation.caller === undefined || except?.requests !== undefined) return undefined;
  const before = except?.from ?? [];
  const place = before.at(-1)?.span ?? line.of.span;
  const { selector, yaml } = entryOf(situation.caller, line.owner.namespace, place);
  const isNew = before.length === 0;
  return {
    edit: {
      message: isNew ? "spare the caller with an `except`" : "add the caller to `except.from`",
      span: place,
      action: isNew ? "set" : "insert",
      yaml: isNew ? `except:\n  from:\n    - ${yaml}` : `- ${yaml}`,
    },
    size: 1,
    apply: (rule) => ({ ...rule, except: { from: [...before, selector] } }),
  };
}

/** Adds the peer's address to the entry that names the caller. */
export function addAddress({ line, situation, attributes }: Asked): Change | undefined {
  const { caller } = situation;
  const { peerAddress } = attributes;
  const bytes = peerAddress === undefined ? undefined : parseAddress(peerAddress);
  const entry = line.of.from?.find((each) => caller !== undefined && identityMatches(each, caller, true));
  if (bytes === undefined || entry?.addresses === undefined || peerAddress === undefined) return undefined;
  const addresses = [...entry.addresses, { text: peerAddress, bytes, prefixLength: bytes.length * 8 }];
  const changed: CallerSelector = { ...entry, addresses };
  return {
    edit: {
      message: "add the peer's address",
      span: entry.span,
      action: "set",
      yaml: `addresses: [${addresses.map(({ text }) => (text.includes(":") ? `"${text}"` : text)).join(", ")}]`,
    },
    size: 1,
    apply: (rule) => ({ ...rule, from: (rule.from ?? []).map((each) => (each === entry ? changed : each)) }),
  };
}
