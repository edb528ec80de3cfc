import type { Index } from "../compile/compiled.ts";
import type { CompiledRule } from "../compile/compiled-rule.ts";
import { rulingsOf } from "../decide/decide.ts";
import type { UnknownLine } from "../decide/evaluation.ts";
import { type Open, type Ruling, verdictOf } from "../decide/seal-decision.ts";
import { parseAddress } from "../match/address.ts";
import type { Attributes, Matcher, ReasonCode, Verdict, Workload } from "../model/index.ts";
import { canonicalPath } from "../path/canonical-path.ts";
import { conditionText, hostsHold, type KnownConditions, tokenText } from "./known-conditions.ts";

/** What the new set says of a recorded request. A verdict is absent where it depends on what no record holds. */
export interface Outcome {
  /** What the sidecar is told. */
  readonly verdict: Verdict | undefined;
  /** What the policies say, monitor mode left aside. */
  readonly evaluated: Verdict | undefined;
  /** Absent where it depends on what no record holds, or is denied for one reason or another. */
  readonly reason: ReasonCode | undefined;
  /** The line that decides, or the first one that is unknown. */
  readonly line: string | undefined;
  /** What the verdict depends on and no record holds. */
  readonly why: readonly string[];
}

/** Which policies are asked. */
export type AskedStage = "live" | "candidate";

/**
 * Decides a recorded request by the code of the live path. Where something unknown would be a denial, the verdict
 * stands if it is the same however the unknown comes out, and is undecidable otherwise.
 */
export function outcomeOf(
  index: Index,
  attributes: Attributes,
  { stage, known }: { readonly stage: AskedStage; readonly known?: KnownConditions | undefined },
): Outcome {
  const destination = index.policies?.destinations.get(attributes.destination.toString());
  const { http } = attributes;
  const path = http === undefined ? undefined : canonicalPath(http.path, destination?.workload.paths);
  const rulings = rulingsOf(index, destination, attributes, path);
  const ruling = stage === "candidate" ? (rulings.candidate ?? rulings.live) : rulings.live;
  const mode = destination?.workload.mode ?? "enforce";
  if (ruling.open === undefined || destination === undefined) return decided(ruling, verdictOf(ruling, mode));
  const settle = ruling.reason === "cannot-evaluate" ? settleUnknown : settleDenial;
  return settle(ruling, ruling.open, { destination: destination.workload, attributes, known });
}

const NOTHING: readonly string[] = Object.freeze([]);

function decided({ verdict: evaluated, reason, line }: Ruling, verdict: Verdict): Outcome {
  return { verdict, evaluated, reason, line: line?.id, why: NOTHING };
}

interface Asked {
  readonly unknown: UnknownLine;
  /** What the line asks for and no record holds. */
  readonly unrecorded: readonly string[];
  /** Whether it also asks for something that the sidecar itself does not know: then it never comes out true. */
  readonly isBlind: boolean;
  /** Whether it may ask for such a thing: an exception does only where its requests match. */
  readonly mayBeBlind: boolean;
  /** Whether it is an allow, all of which was true when the record was made. */
  readonly isMet: boolean;
}

interface Recorded {
  readonly destination: Workload;
  readonly attributes: Attributes;
  readonly known: KnownConditions | undefined;
}

/** A denial that stands, of which monitor mode may be kept by a deny marked `always`. */
function settleDenial(ruling: Ruling, open: Open, recorded: Recorded): Outcome {
  const mode = recorded.destination.mode;
  if (mode === "enforce" || ruling.held !== true) return decided(ruling, verdictOf(ruling, mode));
  const asked = open.lines.map((unknown) => askedOf(unknown, recorded));
  const verdict = relaxed(open, asked);
  return { ...decided(ruling, "deny"), verdict, why: verdict === undefined ? unrecordedOf(asked) : NOTHING };
}

/** What monitor mode makes of a denial: none where an `always` holds for certain, nothing certain where one is unknown. */
function relaxed(open: Open, asked: readonly Asked[]): Verdict | undefined {
  const always = asked.filter(({ unknown }) => unknown.found.rule.always);
  if (open.held || always.some(({ unrecorded }) => unrecorded.length === 0)) return "deny";
  return always.length > 0 ? undefined : "allow";
}

function settleUnknown(ruling: Ruling, open: Open, recorded: Recorded): Outcome {
  const all = open.lines.map((unknown) => askedOf(unknown, recorded));
  const [met] = all.flatMap(({ isMet, unknown }) => (isMet ? [unknown.found.line.name.id] : [])).sort();
  const allow = open.allow?.id ?? met;
  const asked = all.filter(({ isMet }) => !isMet);
  // Unknown to the live path as well, which denies for that.
  if (asked.some(({ unrecorded }) => unrecorded.length === 0)) return decided(ruling, "deny");
  const denies = asked.some((each) => !isAllow(each));
  const mayBeBlind = asked.some((each) => each.mayBeBlind);
  const mayAllow = allow !== undefined || asked.some((each) => isAllow(each) && !each.isBlind);
  const mayDeny = denies || mayBeBlind || allow === undefined;
  const evaluated = mayAllow && mayDeny ? undefined : mayAllow ? "allow" : "deny";
  const monitored = mayBeBlind ? undefined : relaxed(open, asked);
  const verdict = recorded.destination.mode === "monitor" ? monitored : evaluated;
  return { verdict, evaluated, ...named(evaluated, ruling, allow), why: unrecordedOf(asked) };
}

function isAllow({ unknown }: Asked): boolean {
  return unknown.found.rule.effect === "allow";
}

function named(
  evaluated: Verdict | undefined,
  ruling: Ruling,
  allow: string | undefined,
): Pick<Outcome, "reason" | "line"> {
  if (evaluated === "allow") return { reason: "allowed-by-rule", line: allow };
  return { reason: undefined, line: evaluated === undefined ? ruling.line?.id : undefined };
}

function unrecordedOf(asked: readonly Asked[]): readonly string[] {
  return [...new Set(asked.flatMap(({ unrecorded }) => unrecorded))].sort();
}

/** Headers that a generated sidecar keeps from the decision unless the workload asks for them. */
const WITHHELD = ["authorization", "cookie", "proxy-authorization"];

function askedOf(unknown: UnknownLine, recorded: Recorded): Asked {
  const { rule } = unknown.found;
  const { destination, attributes } = recorded;
  const forwarded = destination.sidecar?.checkHeaders ?? [];
  const headers = attributes.http === undefined ? [] : rule.headers.map(([name]) => name);
  const withheld = headers.filter((name) => WITHHELD.includes(name) && !forwarded.includes(name)).map(headerText);
  const unrecorded = [
    ...(unknown.isKindUnknown ? ["whether the request is gRPC (`content-type`)"] : []),
    ...unrecordedConditions(rule, recorded).filter((text) => !withheld.includes(text)),
  ];
  const isBlind = withheld.length > 0 || (unknown.found.fromBlocks !== undefined && lacksAddress(attributes));
  const mayBeBlind = isBlind || (unknown.found.except?.fromBlocks !== undefined && lacksAddress(attributes));
  const isMet = rule.effect === "allow" && unrecorded.length === 0 && !mayBeBlind;
  return { unknown, unrecorded, isBlind, mayBeBlind, isMet };
}

/** The conditions of a rule that no record holds, but for those of an allow that are known to have been true. */
function unrecordedConditions(rule: CompiledRule, { attributes, known }: Recorded): readonly string[] {
  const told = rule.effect === "allow" ? known : undefined;
  const isOpen = (kind: "header" | "query", [name, matcher]: readonly [string, Matcher]): boolean =>
    told?.has(conditionText(kind, name, matcher)) !== true;
  const ofHttp =
    attributes.http === undefined
      ? []
      : [
          ...(hostsHold(rule, told) ? [] : ["the host"]),
          ...rule.headers.filter((each) => isOpen("header", each)).map(([name]) => headerText(name)),
          ...rule.query.filter((each) => isOpen("query", each)).map(([name]) => `query parameter \`${name}\``),
        ];
  const isTokenOpen = rule.jwt !== undefined && told?.has(tokenText(rule.jwt)) !== true;
  return [...ofHttp, ...(isTokenOpen && rule.jwt ? [`a token of \`${rule.jwt.provider}\``] : [])];
}

function headerText(name: string): string {
  return `header \`${name}\``;
}

/** Whether there is no address, so that what asks for one is unknown to the live path as well. */
function lacksAddress({ peerAddress }: Attributes): boolean {
  return peerAddress === undefined || parseAddress(peerAddress) === undefined;
}
