import type { Index } from "../compile/compiled.ts";
import { rulingsOf } from "../decide/decide.ts";
import type { UnknownLine } from "../decide/evaluation.ts";
import { type Open, type Ruling, verdictOf } from "../decide/seal-decision.ts";
import type { Attributes, ReasonCode, Verdict, Workload } from "../model/index.ts";
import { canonicalPath } from "../path/canonical-path.ts";

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
export function outcomeOf(index: Index, attributes: Attributes, stage: AskedStage): Outcome {
  const destination = index.policies?.destinations.get(attributes.destination.toString());
  const { http } = attributes;
  const path = http === undefined ? undefined : canonicalPath(http.path, destination?.workload.paths);
  const rulings = rulingsOf(index, destination, attributes, path);
  const ruling = stage === "candidate" ? (rulings.candidate ?? rulings.live) : rulings.live;
  if (ruling.open !== undefined && destination !== undefined)
    return settle(ruling, ruling.open, destination.workload, attributes);
  return decided(ruling, verdictOf(ruling, destination?.workload.mode ?? "enforce"));
}

const NOTHING: readonly string[] = Object.freeze([]);

function decided({ verdict: evaluated, reason, line }: Ruling, verdict: Verdict): Outcome {
  return { verdict, evaluated, reason, line: line?.id, why: NOTHING };
}

interface Asked {
  readonly unknown: UnknownLine;
  /** What the line asks for and no record holds. */
  readonly unrecorded: readonly string[];
  /** Whether it also asks for something that the sidecar itself does not know. */
  readonly isWithheld: boolean;
}

function settle(ruling: Ruling, open: Open, destination: Workload, attributes: Attributes): Outcome {
  const asked = open.lines.map((unknown) => askedOf(unknown, destination, attributes));
  // Unknown to the live path as well, which denies for that.
  if (asked.some(({ unrecorded }) => unrecorded.length === 0)) return decided(ruling, "deny");
  const denies = asked.some(({ unknown }) => unknown.found.rule.effect === "deny");
  const isWithheld = asked.some((each) => each.isWithheld);
  const mayAllow = open.allow !== undefined || asked.some(({ unknown }) => unknown.found.rule.effect === "allow");
  const mayDeny = denies || isWithheld || open.allow === undefined;
  const evaluated = mayAllow && mayDeny ? undefined : mayAllow ? "allow" : "deny";
  const relaxed = open.held || isWithheld ? undefined : "allow";
  const verdict = destination.mode === "monitor" ? relaxed : evaluated;
  return { verdict, evaluated, ...named(evaluated, ruling, open), why: unrecordedOf(asked) };
}

function named(evaluated: Verdict | undefined, ruling: Ruling, open: Open): Pick<Outcome, "reason" | "line"> {
  if (evaluated === "allow") return { reason: "allowed-by-rule", line: open.allow?.id };
  return { reason: undefined, line: evaluated === undefined ? ruling.line?.id : undefined };
}

function unrecordedOf(asked: readonly Asked[]): readonly string[] {
  return [...new Set(asked.flatMap(({ unrecorded }) => unrecorded))].sort();
}

/** Headers that a generated sidecar keeps from the decision unless the workload asks for them. */
const WITHHELD = ["authorization", "cookie", "proxy-authorization"];

function askedOf(unknown: UnknownLine, destination: Workload, { http }: Attributes): Asked {
  const { rule } = unknown.found;
  const headers = http === undefined ? [] : rule.headers.map(([name]) => name);
  const forwarded = destination.sidecar?.checkHeaders ?? [];
  const withheld = headers.filter((name) => WITHHELD.includes(name) && !forwarded.includes(name));
  const unrecorded = [
    ...(unknown.isKindUnknown ? ["whether the request is gRPC (`content-type`)"] : []),
    ...(rule.hosts === undefined || http === undefined ? [] : ["the host"]),
    ...headers.filter((name) => !withheld.includes(name)).map((name) => `header \`${name}\``),
    ...(http === undefined ? [] : rule.query.map(([name]) => `query parameter \`${name}\``)),
    ...(rule.jwt === undefined ? [] : [`a token of \`${rule.jwt.provider}\``]),
  ];
  return { unknown, unrecorded, isWithheld: withheld.length > 0 };
}
