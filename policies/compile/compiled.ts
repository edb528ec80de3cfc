import type { LineName } from "../decide/seal-decision.ts";
import type { Caller } from "../match/caller.ts";
import type {
  CallerSelector,
  Cidr,
  JwtCondition,
  Matcher,
  RequestLine,
  Revocations,
  Rule,
  Workload,
} from "../model/index.ts";
import type { CallerRules } from "./caller-rules.ts";
import type { PathTable } from "./path-table.ts";

/** One rule as the engine reads it: patterns folded where the destination's paths are, hosts canonical. */
export interface CompiledRule {
  readonly effect: Rule["effect"];
  readonly always: boolean;
  readonly across: ReadonlySet<string>;
  readonly from: readonly CallerSelector[] | undefined;
  /** `AccessPolicy.labelled` of its policy. */
  readonly labelled: ReadonlySet<string> | undefined;
  readonly except:
    | { readonly from: readonly CallerSelector[] | undefined; readonly requests: readonly RequestLine[] | undefined }
    | undefined;
  readonly ports: ReadonlySet<number> | undefined;
  readonly hosts: ReadonlySet<string> | undefined;
  readonly headers: readonly (readonly [string, Matcher])[];
  readonly query: readonly (readonly [string, Matcher])[];
  readonly jwt: JwtCondition | undefined;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly lines: readonly CompiledLine[];
}

/** One line of a rule. */
export interface CompiledLine {
  readonly name: LineName;
  /** Absent in a deny without `requests`. */
  readonly request: RequestLine | undefined;
  /** Place in the order of ids among all lines of the destination. */
  readonly order: number;
  readonly live: boolean;
  readonly candidate: boolean;
}

/** A line as one caller meets it: what its `from` and `except` leave to be asked of each request. */
export interface ViewLine {
  readonly line: CompiledLine;
  readonly rule: CompiledRule;
  /** Address blocks of which the peer must be in one list; absent where the caller's identity is enough. */
  readonly fromBlocks: readonly (readonly Cidr[])[] | undefined;
  readonly except: ViewExcept | undefined;
  /** Whether the request line alone decides. */
  readonly unconditional: boolean;
}

/** The part of an `except` that is left to be asked of each request. */
export interface ViewExcept {
  readonly fromBlocks: readonly (readonly Cidr[])[] | undefined;
  readonly requests: readonly RequestLine[] | undefined;
}

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
