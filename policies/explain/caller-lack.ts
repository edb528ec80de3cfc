import { type Caller, identityMatches, type SelectorContext, selectorMatches } from "../match/caller.ts";
import { optionalMatches } from "../match/value.ts";
import type { CallerSelector } from "../model/index.ts";
import type { Lack } from "./explanation.ts";
import { matcherText, selectorText } from "./matcher-text.ts";

/** What keeps a caller from every entry of a `from`: told of the entry that comes nearest. */
export function callerLacks(
  from: readonly CallerSelector[],
  caller: Caller | undefined,
  context: SelectorContext,
  peerAddress: string | undefined,
): readonly Lack[] {
  if (caller === undefined) return [callerLack(from, "a caller that was refused")];
  const reports = from.map((selector) => selectorLacks(selector, caller, context, peerAddress));
  if (reports.some((lacks) => lacks.length === 0)) return [];
  const unknown = reports.find((lacks) => lacks.every((lack) => lack.unknown));
  const specific = unknown ?? reports.find((lacks) => lacks.length > 0 && lacks.every(({ kind }) => kind !== "caller"));
  return specific ?? [callerLack(from, callerText(caller))];
}

function selectorLacks(
  selector: CallerSelector,
  caller: Caller,
  context: SelectorContext,
  peerAddress: string | undefined,
): readonly Lack[] {
  const truth = selectorMatches(selector, caller, context);
  if (truth === true) return [];
  if (identityMatches(selector, caller, context.labelsKnown)) {
    const expected = (selector.addresses ?? []).map(({ text }) => text);
    return [{ kind: "address", expected, got: peerAddress, unknown: truth === "unknown" }];
  }
  const labels = labelLacks(selector, caller, context.labelsKnown);
  return labels.length > 0 ? labels : [callerLack([selector], callerText(caller))];
}

/** The labels that are wrong, where nothing but labels is. */
function labelLacks(selector: CallerSelector, caller: Caller, labelsKnown: boolean): readonly Lack[] {
  if (caller.kind !== "registered" || !labelsKnown || selector.labels === undefined) return [];
  const { labels } = caller.workload;
  const wrong = [...selector.labels].filter(([key, matcher]) => !optionalMatches(matcher, labels.get(key)));
  const others: CallerSelector = { ...selector, labels: new Map() };
  if (!identityMatches(others, caller, labelsKnown)) return [];
  return wrong.map(([key, matcher]) => ({
    kind: "label",
    key,
    expected: matcherText(matcher),
    got: labels.get(key),
    unknown: false,
  }));
}

function callerLack(from: readonly CallerSelector[], got: string): Lack {
  return { kind: "caller", expected: from.map(selectorText).join(", or "), got, unknown: false };
}

/** A caller in words. */
export function callerText(caller: Caller): string {
  return caller.kind === "anonymous" ? "an anonymous caller" : caller.id.toString();
}
