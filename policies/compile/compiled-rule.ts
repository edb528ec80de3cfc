import type { CallerSelector, Cidr, JwtCondition, Matcher, RequestLine, Rule } from "../model/index.ts";

/** One evaluated line of a rule: what a decision names. */
export interface LineName {
  /** `<namespace>/<policy>` */
  readonly policy: string;
  readonly rule: string;
  /** `<namespace>/<policy>/<rule>#<canonical text>`; `#*` for a deny without `requests`. */
  readonly id: string;
}

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
