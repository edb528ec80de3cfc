import { type Caller, identityMatches } from "../match/caller.ts";
import type { CallerSelector, Cidr, Workload } from "../model/index.ts";
import { buildTables } from "./build-tables.ts";
import type { CallerView, DestinationIndex, Registry } from "./compiled.ts";
import type { CompiledRule, ViewExcept, ViewLine } from "./compiled-rule.ts";

/** How many callers' views one destination keeps; the oldest goes first. */
export const MAX_VIEWS = 1_024;

/**
 * What a destination looks like to a caller, kept under `key`. Views of callers that meet the same lines share their
 * tables, so memory grows with the rules and not with the callers.
 */
export function makeView(destination: DestinationIndex, registry: Registry, caller: Caller, key: string): CallerView {
  const apart = apartLabels(registry.isolate, destination.workload, caller);
  const met = destination.byCaller
    .candidates(caller)
    .flatMap(({ rule, place }) => meet(rule, place, caller, apart) ?? []);
  const signature = met.map((each) => each.signature).join(" ");
  const tables = destination.tables.get(signature) ?? buildTables(met.flatMap((each) => each.lines));
  remember(destination.tables, signature, tables);
  const view: CallerView = { caller, apart, tables };
  remember(destination.views, key, view);
  return view;
}

interface Met {
  readonly signature: string;
  readonly lines: readonly ViewLine[];
}

/** The lines of a rule that a caller can meet at all, with what each request must still be asked. */
function meet(rule: CompiledRule, index: number, caller: Caller, apart: readonly string[]): Met | undefined {
  if (rule.effect === "allow" && !apart.every((label) => rule.across.has(label))) return undefined;
  const labelsKnown =
    rule.labelled === undefined || (caller.kind !== "anonymous" && rule.labelled.has(caller.id.toString()));
  const from = remainder(rule.from, rule.effect === "deny", caller, labelsKnown);
  if (from === undefined) return undefined;
  const except = rule.except && remainder(rule.except.from, true, caller, labelsKnown);
  if (rule.except !== undefined && except === "met" && rule.except.requests === undefined) return undefined;
  const viewExcept = rule.except && except && { fromBlocks: blocksOf(except), requests: rule.except.requests };
  const lines = rule.lines.map((line) => viewLine(line, rule, blocksOf(from), viewExcept));
  return { signature: `${index}${signatureOf(from)}${except === undefined ? "" : `-${signatureOf(except)}`}`, lines };
}

/** What is left of a `from` for one caller: nothing to ask, lists of address blocks to ask for, or it cannot match. */
type Remainder = "met" | { readonly blocks: readonly (readonly Cidr[])[]; readonly at: readonly number[] };

function remainder(
  selectors: readonly CallerSelector[] | undefined,
  whenLeftOut: boolean,
  caller: Caller,
  labelsKnown: boolean,
): Remainder | undefined {
  if (selectors === undefined) return whenLeftOut ? "met" : undefined;
  const blocks: (readonly Cidr[])[] = [];
  const at: number[] = [];
  for (const [index, selector] of selectors.entries()) {
    if (!identityMatches(selector, caller, labelsKnown)) continue;
    if (selector.addresses === undefined) return "met";
    blocks.push(selector.addresses);
    at.push(index);
  }
  return blocks.length === 0 ? undefined : { blocks, at };
}

function blocksOf(remainder: Remainder): readonly (readonly Cidr[])[] | undefined {
  return remainder === "met" ? undefined : remainder.blocks;
}

function signatureOf(remainder: Remainder): string {
  return remainder === "met" ? "" : `@${remainder.at.join(",")}`;
}

function viewLine(
  line: ViewLine["line"],
  rule: CompiledRule,
  fromBlocks: ViewLine["fromBlocks"],
  except: ViewExcept | undefined,
): ViewLine {
  const asksMore =
    rule.ports ?? rule.hosts ?? rule.jwt ?? fromBlocks ?? except ?? (rule.headers.length > 0 || rule.query.length > 0);
  const timed = Number.isFinite(rule.notBeforeMs) || Number.isFinite(rule.notAfterMs);
  return { line, rule, fromBlocks, except, unconditional: asksMore === false && !timed };
}

function apartLabels(isolate: readonly string[], destination: Workload, caller: Caller): readonly string[] {
  return isolate.filter((key) => {
    const own = destination.labels.get(key);
    return own === undefined || labelOf(caller, key) !== own;
  });
}

function labelOf(caller: Caller, key: string): string | undefined {
  if (caller.kind === "registered") return caller.workload.labels.get(key);
  return caller.kind === "unnamed" ? caller.isolate.get(key) : undefined;
}

function remember<T>(cache: Map<string, T>, key: string, value: T): void {
  if (cache.size >= MAX_VIEWS && !cache.has(key)) {
    const oldest = cache.keys().next();
    if (!oldest.done) cache.delete(oldest.value);
  }
  cache.set(key, value);
}
