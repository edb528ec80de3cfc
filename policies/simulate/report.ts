import type { ReasonCode, Verdict } from "../model/index.ts";

/** How a recorded request fares under the new set. */
export type ChangeKind = "newly-denied" | "newly-allowed" | "unchanged" | "undecidable";

/** All kinds, the worst first. */
export const CHANGE_KINDS: readonly ChangeKind[] = Object.freeze([
  "newly-denied",
  "newly-allowed",
  "undecidable",
  "unchanged",
]);

/** Requests that fare alike: same caller, destination, method and path template, decided alike before and now. */
export interface ChangeGroup {
  readonly change: ChangeKind;
  /** SPIFFE ID; absent where the caller was anonymous or had none. */
  readonly caller?: string;
  readonly destination: string;
  /** Absent for connections. */
  readonly method?: string;
  /** Path pattern of the deciding line, else the path with its numbers and identifiers left open. Absent for connections. */
  readonly template?: string;
  readonly port: number;
  readonly before: { readonly verdict: Verdict; readonly reason: ReasonCode; readonly line?: string };
  /** `verdict` is absent where it is undecidable. */
  readonly after: { readonly verdict?: Verdict; readonly reason?: ReasonCode; readonly line?: string };
  /** What an undecidable verdict depends on. */
  readonly why: readonly string[];
  readonly count: number;
  /** ISO 8601, of the records. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** One of the decisions, and its path. */
  readonly example: { readonly id: string; readonly path?: string };
}

/** What a new set would have done to recorded requests. */
export interface SimulationReport {
  /** Decisions that were looked at. */
  readonly decisions: number;
  /** Lines of the log that are no decisions, and ones that cannot be read. */
  readonly skipped: { readonly other: number; readonly unreadable: number };
  readonly counts: Readonly<Record<ChangeKind, number>>;
  readonly firstSeen?: string;
  readonly lastSeen?: string;
  /** The worst kinds first, then the most frequent. */
  readonly groups: readonly ChangeGroup[];
  /** Whether there were more groups than are kept, so that paths were put together as `/**`. */
  readonly folded: boolean;
}
