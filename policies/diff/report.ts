import type { WitnessRequest } from "../findings/index.ts";
import type { Mode, ReasonCode, Span, Verdict } from "../model/index.ts";

/** What a change does: nothing, allows more, allows less, or some of each. */
export type Direction = "equivalent" | "broader" | "narrower" | "both";

/** What one set says of a request. */
export interface SideVerdict {
  readonly verdict: Verdict;
  readonly reason: ReasonCode;
  /** Id of the line that decided, where one did. */
  readonly line?: string;
}

/** A request whose verdict changes, and what both sets say of it: decided anew, not derived. */
export interface DiffWitness {
  readonly request: WitnessRequest;
  readonly old: SideVerdict;
  readonly new: SideVerdict;
}

/** One line that only one set has, or that means something else in each. */
export interface LineDiff {
  /** `<namespace>/<policy>/<rule>#<text>` */
  readonly id: string;
  readonly effect: "allow" | "deny";
  readonly change: "added" | "removed" | "changed";
  readonly direction: Direction;
  /** Where it stands: in the new set, or in the old one where it was removed. */
  readonly span: Span;
  readonly broader?: DiffWitness;
  readonly narrower?: DiffWitness;
}

/** What changes for callers that nothing in either set tells apart. */
export interface CallerDiff {
  /** `anonymous`, `namespace/name`, or an identity; one that ends in `/someone` stands for all others of its kind. */
  readonly callers: readonly string[];
  readonly direction: Direction;
  readonly broader?: DiffWitness;
  readonly narrower?: DiffWitness;
  /** The lines that it is due to; none where a mode, an isolation label or the registry is the cause. */
  readonly lines: readonly LineDiff[];
}

/** A setting of a destination that changes. */
export interface SettingDiff<T> {
  readonly old: T;
  readonly new: T;
}

/** What changes for one workload that is called. */
export interface DestinationDiff {
  /** `namespace/name` */
  readonly destination: string;
  readonly identity: string;
  readonly change: "added" | "removed" | "kept";
  readonly mode?: SettingDiff<Mode>;
  /** Whether the two sets read its paths differently (`paths` of the Workload). */
  readonly pathsRead?: "differently";
  readonly direction: Direction;
  readonly callers: readonly CallerDiff[];
  /** Every line that changed, those that change nothing included, over all callers together. */
  readonly lines: readonly LineDiff[];
  /** False where the space was too large to look at all of it. */
  readonly exact: boolean;
}

/** Values that were added or removed. */
export interface ListDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What changes between two policy sets. */
export interface DiffReport {
  readonly direction: Direction;
  /** True where something could not be worked out exactly; `notes` say what. */
  readonly inexact: boolean;
  readonly notes: readonly string[];
  readonly workloads: ListDiff;
  /** Trust domains. */
  readonly federation: ListDiff;
  /** Isolation labels. */
  readonly isolation: ListDiff;
  readonly trustDomain?: SettingDiff<string>;
  /** Destinations with a line, a mode or a verdict that changed, sorted. */
  readonly destinations: readonly DestinationDiff[];
}
