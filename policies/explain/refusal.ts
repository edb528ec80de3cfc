import { canonicalHost } from "../match/host.ts";
import type { Decision, ReasonCode } from "../model/index.ts";
import { printable } from "../printable.ts";
import { apartLabels, isolateLabelOf, type Situation } from "../reference/situation.ts";
import { canonicalSpelling } from "./canonical-spelling.ts";

/** Why a request never came as far as a line, and what to do about it. */
export interface Refusal {
  readonly reason: ReasonCode;
  /** One sentence each. */
  readonly message: string;
  readonly remedy: string;
  /** A spelling of the path that is accepted, where the path was refused and there is one. */
  readonly spelling?: string;
}

type Told = Omit<Refusal, "reason">;

/** Tells of a denial that fell before any rule; nothing of any other decision. */
export function refusalOf(decision: Decision, situation: Situation): Refusal | undefined {
  const told = tell(decision, situation);
  return told && { reason: decision.reason, ...told };
}

function tell({ reason, detail }: Decision, situation: Situation): Told | undefined {
  const { attributes } = situation;
  const caller = `\`${printable(attributes.caller?.toString() ?? "")}\``;
  const destination = `\`${printable(attributes.destination.toString())}\``;
  switch (reason) {
    case "isolated":
      return isolated(situation);
    case "unknown-destination":
      return {
        message: `${destination} is no workload that this set decides about`,
        remedy: "register it with a `Workload`, or ask the set that has it",
      };
    case "malformed-identity":
      return {
        message: `the caller presents no SPIFFE ID: ${printable(detail ?? "none")}`,
        remedy: "let the caller come through its sidecar, with a certificate of this mesh",
      };
    case "untrusted-domain":
      return {
        message: `${caller} is of a trust domain that is neither the mesh's own nor federated`,
        remedy: "federate its trust domain in the `Mesh`, or let it come with an identity of this mesh",
      };
    case "unregistered-identity":
      return {
        message: `${caller} is of the mesh's own trust domain, but no \`Workload\` has this identity`,
        remedy: "register a `Workload` with this identity; a rule cannot name it before",
      };
    case "revoked-identity":
      return { message: `${caller}: ${detail ?? "revoked"}`, remedy: "have a new certificate or identity issued" };
    case "system-identity":
      return {
        message: `${caller} belongs to the mesh itself and never calls a workload`,
        remedy: "call with a workload's identity",
      };
    case "ambiguous-path":
      return ambiguousPath(situation);
    case "ambiguous-host":
      return ambiguousHost(situation);
    case "no-policy":
    case "stale-policy":
      return {
        message: "there was no valid policy set to decide by",
        remedy: "see `cellwall status`: the agent needs the authority to be there",
      };
    case "internal-error":
      return { message: `the decision failed: ${printable(detail ?? "unknown")}`, remedy: "please report this" };
    default:
      return undefined;
  }
}

function isolated(situation: Situation): Told {
  const texts = apartLabels(situation).map((key) => {
    const own = situation.destination?.labels.get(key);
    return `\`${key}\` (caller ${value(isolateLabelOf(situation.caller, key))}, destination ${value(own)})`;
  });
  const keys = apartLabels(situation).join(", ");
  return {
    message: `isolation keeps the two apart by ${texts.join(" and ")}, and no rule that matches crosses it`,
    remedy: `a rule crosses it with \`across: [${keys}]\`; a label that is wrong is mended in the \`Workload\``,
  };
}

function value(text: string | undefined): string {
  return text === undefined ? "has none" : `has \`${printable(text)}\``;
}

function ambiguousPath({ attributes, destination, path }: Situation): Told {
  const raw = attributes.http?.path ?? "";
  const why = path?.ok === false ? path.reason : "refused";
  const message = `the path cannot be read in one way only: ${why}`;
  const spelling = canonicalSpelling(raw, destination?.paths);
  if (spelling === undefined) {
    return { message, remedy: "send a path without encoded separators, doubled escapes and parameters" };
  }
  return { message, remedy: `send \`${printable(spelling)}\``, spelling };
}

function ambiguousHost({ attributes }: Situation): Told {
  const read = canonicalHost(attributes.http?.host ?? "");
  return {
    message: `the host cannot be read in one way only: ${read.ok ? "refused" : read.reason}`,
    remedy: "send one host name, with a port at most",
  };
}
