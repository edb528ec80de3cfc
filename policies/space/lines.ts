import { nameOf } from "../decide/policies-of.ts";
import { type Caller, identityMatches } from "../match/caller.ts";
import { foldLine } from "../match/request.ts";
import type { AccessPolicy, CallerSelector, Cidr, PathOptions, RequestLine, Rule } from "../model/index.ts";
import { lineContent, ruleContent } from "./line-content.ts";
import type { FromLeft } from "./pieces.ts";

/** One line of one rule of one policy, as a policy file has it. */
export interface NamedLine {
  /** `<namespace>/<policy>/<rule>#<text>`; `#*` for a deny without requests. */
  readonly id: string;
  readonly policy: AccessPolicy;
  readonly rule: Rule;
  /** Absent in a deny without requests. */
  readonly request: RequestLine | undefined;
}

/** Lines that mean the same under the same reading of paths: of one side or both, under whatever names. */
export interface SpaceLine {
  readonly number: number;
  readonly rule: Rule;
  /** Folded where the reading folds. */
  readonly request: RequestLine | undefined;
  readonly exceptRequests: readonly RequestLine[] | undefined;
  /** Which reading of paths: place in the space's list. */
  readonly reading: number;
  /** By side. */
  readonly named: readonly (readonly NamedLine[])[];
  /** Number of the rule's content, for what does not depend on the line. */
  readonly ruleNumber: number;
}

/** The lines of a policy. */
export function namedLines(policy: AccessPolicy): readonly NamedLine[] {
  return [...policy.deny, ...policy.allow].flatMap((rule) => {
    const requests = rule.requests ?? (rule.effect === "deny" ? [undefined] : []);
    return requests.map((request) => ({
      id: `${nameOf(policy)}/${rule.name}#${request?.text ?? "*"}`,
      policy,
      rule,
      request,
    }));
  });
}

interface Draft extends SpaceLine {
  readonly named: NamedLine[][];
}

/** Where the policies of a destination come from. */
export interface PolicySource {
  policies(destination: string): readonly AccessPolicy[];
}

/** Puts the lines of all sides together. Of one side alone, lines that mean the same stay apart. */
export function spaceLines(
  sides: readonly PolicySource[],
  destination: string,
  readings: readonly PathOptions[],
  readingOf: readonly number[],
): readonly SpaceLine[] {
  const lines = new Map<string, Draft>();
  const rules = new Map<string, number>();
  for (const [side, source] of sides.entries()) {
    for (const policy of source.policies(destination)) {
      let last: { readonly rule: Rule; readonly content: string } | undefined;
      for (const named of namedLines(policy)) {
        if (last?.rule !== named.rule) last = { rule: named.rule, content: ruleContent(named.rule) };
        const reading = readingOf[side] ?? 0;
        const folds = readings[reading]?.caseInsensitive === true;
        const own = sides.length === 1 ? named.id : "";
        const key = `${reading} ${last.content} ${lineContent(named.request, folds)} ${own}`;
        const draft = lines.get(key) ?? draftOf(named, { reading, folds, number: lines.size, sides: sides.length });
        const ruleKey = `${reading} ${last.content}`;
        if (!rules.has(ruleKey)) rules.set(ruleKey, rules.size);
        draft.named[side]?.push(named);
        lines.set(key, { ...draft, ruleNumber: rules.get(ruleKey) ?? 0 });
      }
    }
  }
  return [...lines.values()];
}

function draftOf(
  { rule, request }: NamedLine,
  at: { readonly reading: number; readonly folds: boolean; readonly number: number; readonly sides: number },
): Draft {
  const read = (line: RequestLine): RequestLine => (at.folds ? foldLine(line) : line);
  return {
    number: at.number,
    rule,
    request: request && read(request),
    exceptRequests: rule.except?.requests?.map(read),
    reading: at.reading,
    named: Array.from({ length: at.sides }, () => []),
    ruleNumber: 0,
  };
}

/** What is left of a rule's callers once one is known; `key` tells what is left apart. */
export interface Met {
  readonly key: string;
  readonly from: FromLeft;
  readonly except: FromLeft | undefined;
}

/** What is left of a rule for one caller; nothing where it cannot match. */
export function meet(
  rule: Rule,
  { labelled }: AccessPolicy,
  caller: Caller,
  apart: readonly string[],
): Met | undefined {
  if (rule.effect === "allow" && !apart.every((label) => rule.across.includes(label))) return undefined;
  const labelsKnown =
    labelled === undefined || (caller.kind !== "anonymous" && labelled.includes(caller.id.toString()));
  const from = left(rule.from, rule.effect === "deny", caller, labelsKnown);
  if (from === undefined) return undefined;
  const carves = rule.except?.from !== undefined || rule.except?.requests !== undefined;
  const except = carves ? left(rule.except?.from, true, caller, labelsKnown) : undefined;
  if (except === "met" && rule.except?.requests === undefined) return undefined;
  return { key: `${keyOf(from)}-${except === undefined ? "" : keyOf(except)}`, from, except };
}

function keyOf(from: FromLeft): string {
  return from === "met" ? "met" : from.map(({ text }) => text).join(",");
}

function left(
  selectors: readonly CallerSelector[] | undefined,
  whenLeftOut: boolean,
  caller: Caller,
  labelsKnown: boolean,
): FromLeft | undefined {
  if (selectors === undefined) return whenLeftOut ? "met" : undefined;
  const blocks: Cidr[] = [];
  let matches = false;
  for (const selector of selectors) {
    if (!identityMatches(selector, caller, labelsKnown)) continue;
    if (selector.addresses === undefined) return "met";
    matches = true;
    blocks.push(...selector.addresses);
  }
  return matches ? blocks : undefined;
}
