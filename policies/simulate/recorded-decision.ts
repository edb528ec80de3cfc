import type { ReasonCode, Verdict } from "../model/index.ts";

/** What a simulation reads of one line of the decision log (`kind: "decision"`). */
export interface RecordedDecision {
  readonly id: string;
  readonly verdict: Verdict;
  readonly evaluated: Verdict;
  readonly reason: ReasonCode;
  readonly detail: string | undefined;
  /** Line id. */
  readonly line: string | undefined;
  /** Canonical path; absent where it was refused, or for a connection. */
  readonly path: string | undefined;
  readonly destination: string;
  readonly caller: string | undefined;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** 0 where the request could not be read. */
  readonly listenerPort: number;
  readonly listenerKind: "mesh" | "edge" | undefined;
  /** Absent for a connection. */
  readonly method: string | undefined;
  readonly pathTemplate: string | undefined;
  readonly upgrade: string | undefined;
  readonly peerAddress: string | undefined;
}

/** What a line of the log is: a decision, a record of another kind, or nothing that can be read. */
export type ReadRecord =
  | { readonly kind: "decision"; readonly record: RecordedDecision }
  | { readonly kind: "other" }
  | { readonly kind: "unreadable" };

const OTHER: ReadRecord = Object.freeze({ kind: "other" });
const UNREADABLE: ReadRecord = Object.freeze({ kind: "unreadable" });

/** Reads one line of a decision log. Never throws: what is no record is `unreadable`. */
export function parseRecordLine(line: string): ReadRecord {
  try {
    return readRecord(JSON.parse(line));
  } catch {
    return UNREADABLE;
  }
}

/** Reads one value of a decision log. */
export function readRecord(value: unknown): ReadRecord {
  if (!isObject(value)) return UNREADABLE;
  if (value.kind !== "decision") return typeof value.kind === "string" ? OTHER : UNREADABLE;
  const { id, verdict, evaluated, reason, destination, time, listenerPort, listenerKind } = value;
  if (!isText(id) || !isVerdict(verdict) || !isReason(reason) || !isText(destination) || !isText(time))
    return UNREADABLE;
  if (typeof listenerPort !== "number") return UNREADABLE;
  const record: RecordedDecision = {
    id,
    verdict,
    evaluated: isVerdict(evaluated) ? evaluated : verdict,
    reason,
    destination,
    time,
    listenerPort,
    listenerKind: listenerKind === "mesh" || listenerKind === "edge" ? listenerKind : undefined,
    detail: optional(value.detail),
    line: optional(value.line),
    path: optional(value.path),
    caller: optional(value.caller),
    method: optional(value.method),
    pathTemplate: optional(value.pathTemplate),
    upgrade: optional(value.upgrade),
    peerAddress: optional(value.peerAddress),
  };
  return { kind: "decision", record };
}

const REASONS: ReadonlySet<unknown> = new Set<ReasonCode>([
  "no-policy",
  "stale-policy",
  "unknown-destination",
  "malformed-identity",
  "untrusted-domain",
  "unregistered-identity",
  "revoked-identity",
  "system-identity",
  "ambiguous-path",
  "ambiguous-host",
  "isolated",
  "denied-by-rule",
  "allowed-by-rule",
  "no-rule-matched",
  "no-policy-protects",
  "cannot-evaluate",
  "internal-error",
]);

function isReason(value: unknown): value is ReasonCode {
  return REASONS.has(value);
}

function isVerdict(value: unknown): value is Verdict {
  return value === "allow" || value === "deny";
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function optional(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
