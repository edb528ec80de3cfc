import type { Caller } from "../match/caller.ts";
import type { Revocations, Workload } from "../model/index.ts";
import type { CallerRules } from "./caller-rules.ts";
import type { CompiledRule, ViewLine } from "./compiled-rule.ts";
import type { PathTable } from "./path-table.ts";

/** The lines that one caller can meet, laid out by kind, method and path. */
export interface Tables {
  readonly allow: {
    readonly methods: ReadonlyMap<string, PathTable<ViewLine>>;
    readonly otherMethods: PathTable<ViewLine>;
    readonly grpc: PathTable<ViewLine>;
    readonly websocket: PathTable<ViewLine>;
    readonly tcp: readonly ViewLine[];
  };
  readonly deny: {
    readonly methods: ReadonlyMap<string, PathTable<ViewLine>>;
    readonly otherMethods: PathTable<ViewLine>;
    readonly websocket: PathTable<ViewLine>;
    readonly tcp: readonly ViewLine[];
    readonly everything: readonly ViewLine[];
    /** Every line of a deny marked `always`. */
    readonly always: readonly ViewLine[];
  };
}

/** What a destination looks like to one caller. */
export interface CallerView {
  readonly caller: Caller;
  /** The isolation labels that keep the two apart. */
  readonly apart: readonly string[];
  readonly tables: Tables;
}

/** One destination's rules. The two caches are bounded and hold nothing that the rules and the registry do not say. */
export interface DestinationIndex {
  readonly workload: Workload;
  readonly rules: readonly CompiledRule[];
  readonly byCaller: CallerRules;
  readonly hasLivePolicies: boolean;
  /** Absent where no candidate changes anything for the destination. */
  readonly candidate: { readonly hasPolicies: boolean } | undefined;
  readonly views: Map<string, CallerView>;
  readonly tables: Map<string, Tables>;
}

/** What an index knows of callers and trust domains. */
export interface Registry {
  readonly trustDomain: string;
  readonly federated: ReadonlySet<string>;
  readonly isolate: readonly string[];
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly unnamed: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

/** A compiled policy set, or the knowledge that there is none. One decision reads one index. */
export interface Index {
  readonly epoch: number;
  readonly revision: number;
  readonly staleAfterMs: number;
  readonly revocations: Revocations | undefined;
  readonly random: () => string;
  /** Absent where there is no valid bundle: everything is denied with `no-policy`. */
  readonly policies:
    | { readonly registry: Registry; readonly destinations: ReadonlyMap<string, DestinationIndex> }
    | undefined;
}
