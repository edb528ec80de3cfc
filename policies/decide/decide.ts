import { performance } from "node:perf_hooks";
import type { CallerView, DestinationIndex, Index } from "../compile/compiled.ts";
import { type CanonicalHost, canonicalHost } from "../match/host.ts";
import { requestView } from "../match/request.ts";
import type { Attributes, Decision } from "../model/index.ts";
import { type CanonicalPath, canonicalPath } from "../path/canonical-path.ts";
import { RequestFacts } from "./conditions.ts";
import { Evaluation } from "./evaluation.ts";
import { takeIn } from "./intake.ts";
import { lastResort } from "./last-resort.ts";
import { lookUp, lookUpAlways } from "./look-up.ts";
import { openOf, rulingOf } from "./ruling.ts";
import { type Ruling, sealDecision } from "./seal-decision.ts";

/** What the live policies say, and where a candidate changes anything for the destination, the candidate ones. */
export interface Rulings {
  readonly live: Ruling;
  readonly candidate?: Ruling | undefined;
}

/**
 * Decides one request or connection (docs/semantics.md). Never throws and never awaits: whatever goes wrong is a denial
 * with the reason `internal-error`. The decision is frozen.
 */
export function decide(index: Index, attributes: Attributes): Decision {
  const startedMs = performance.now();
  try {
    const destination = index.policies?.destinations.get(attributes.destination.toString());
    const { http } = attributes;
    const path = http === undefined ? undefined : canonicalPath(http.path, destination?.workload.paths);
    const rulings = rulingsOf(index, destination, attributes, path);
    return sealDecision(rulings.live, attributes, {
      id: index.random(),
      mode: destination?.workload.mode ?? "enforce",
      epoch: index.epoch,
      revision: index.revision,
      path: path?.ok ? path.path : undefined,
      candidate: rulings.candidate,
      tookMicros: Math.round((performance.now() - startedMs) * 1_000),
    });
  } catch (error) {
    return lastResort(index, attributes, error);
  }
}

/** The rulings behind a decision. May throw: `decide` is what makes a denial of that. */
export function rulingsOf(
  index: Index,
  destination: DestinationIndex | undefined,
  attributes: Attributes,
  path: CanonicalPath | undefined,
): Rulings {
  if (index.policies === undefined) return { live: { verdict: "deny", reason: "no-policy", phase: "intake" } };
  const nowMs = attributes.now.getTime();
  if (Number.isNaN(nowMs)) return { live: failure("no time") };
  if (!(nowMs <= index.staleAfterMs)) return { live: { verdict: "deny", reason: "stale-policy", phase: "intake" } };
  if ((attributes.http === undefined) === (attributes.tcp === undefined)) {
    return { live: failure("neither or both of http and tcp") };
  }
  if (destination === undefined) return { live: { verdict: "deny", reason: "unknown-destination", phase: "intake" } };
  const intake = takeIn(attributes, destination, index.policies.registry, index.revocations);
  if (!intake.ok) return same(intake.ruling, destination);
  return ask(destination, intake.view, attributes, path);
}

function ask(
  destination: DestinationIndex,
  view: CallerView,
  attributes: Attributes,
  path: CanonicalPath | undefined,
): Rulings {
  const host = attributes.http === undefined ? undefined : canonicalHost(attributes.http.host);
  const request = requestView(attributes, path?.ok ? path.segments : undefined);
  const evaluation = new Evaluation(new RequestFacts(attributes, request, hostOf(attributes, host)));
  const refusal = ambiguity(path, host);
  if (refusal !== undefined) {
    lookUpAlways(view.tables, request, evaluation);
    return {
      live: { ...refusal, held: evaluation.live.held, ...openOf(evaluation.live) },
      candidate: destination.candidate && {
        ...refusal,
        held: evaluation.candidate.held,
        ...openOf(evaluation.candidate),
      },
    };
  }
  lookUp(view.tables, request, path?.ok ? path.path : "", evaluation);
  return {
    live: rulingOf(evaluation.live, view, destination.hasLivePolicies),
    candidate: destination.candidate && rulingOf(evaluation.candidate, view, destination.candidate.hasPolicies),
  };
}

function hostOf({ unrecorded }: Attributes, host: CanonicalHost | undefined): string | undefined {
  return unrecorded === undefined && host?.ok ? host.host : undefined;
}

function ambiguity(path: CanonicalPath | undefined, host: CanonicalHost | undefined): Ruling | undefined {
  if (path?.ok === false) return { verdict: "deny", reason: "ambiguous-path", phase: "intake", detail: path.reason };
  if (host?.ok === false) return { verdict: "deny", reason: "ambiguous-host", phase: "intake", detail: host.reason };
  return undefined;
}

function same(ruling: Ruling, destination: DestinationIndex): Rulings {
  return { live: ruling, candidate: destination.candidate && ruling };
}

function failure(detail: string): Ruling {
  return { verdict: "deny", reason: "internal-error", phase: "failure", detail };
}
