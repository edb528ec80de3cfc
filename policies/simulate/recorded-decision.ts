import { REASON_CODES, type ReasonCode, type Verdict } from "../model/index.ts";

/** What a simulation reads of one line of the decision log (`kind: "decision"`). */
export interface RecordedDecision {
  readonly id: string;
  readonly verdict: Verdict;
  readonly evaluated: Verdict;
  readonly reason: ReasonCode;
  readonly detail?: string | undefined;
  /** Line id. */
  readonly line?: string | undefined;
  /** Canonical path; absent where it was refused, or for a connection. */
  readonly path?: string | undefined;
  readonly destination: string;
  readonly caller?: string | undefined;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** 0 where the request could not be read. */
  readonly listenerPort: number;
  readonly listenerKind?: "mesh" | "edge" | undefined;
  /** Absent for a connection. */
  readonly method?: string | undefined;
  readonly pathTemplate?: string | undefined;
  readonly upgrade?: string | undefined;
  /** Absent where it is not known, and in logs of earlier versions. */
  readonly grpc?: boolean | undefined;
  readonly peerAddress?: string | undefined;
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
  if (isRecordedDecision(value)) return { kind: "decision", record: value };
  return typeof value.kind === "string" && value.kind !== "decision" ? OTHER : UNREADABLE;
}

type Fields = Readonly<Record<string, unknown>>;

function isRecordedDecision(value: Fields): value is Fields & RecordedDecision {
  return (
    value.kind === "decision" &&
    typeof value.id === "string" &&
    isVerdict(value.verdict) &&
    isVerdict(value.evaluated) &&
    REASONS.has(value.reason) &&
    typeof value.destination === "string" &&
    typeof value.time === "string" &&
    typeof value.listenerPort === "number" &&
    (value.listenerKind === undefined || value.listenerKind === "mesh" || value.listenerKind === "edge") &&
    isOptional(value.detail) &&
    isOptional(value.line) &&
    isOptional(value.path) &&
    isOptional(value.caller) &&
    isOptional(value.method) &&
    isOptional(value.pathTemplate) &&
    isOptional(value.upgrade) &&
    (value.grpc === undefined || typeof value.grpc === "boolean") &&
    isOptional(value.peerAddress)
  );
}

const REASONS: ReadonlySet<unknown> = new Set(REASON_CODES);

function isVerdict(value: unknown): value is Verdict {
  return value === "allow" || value === "deny";
}

function isOptional(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
