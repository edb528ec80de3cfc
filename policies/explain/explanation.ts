import type { TokenTruth } from "../match/token.ts";
import type { Decision, ReasonCode, Span, Verdict } from "../model/index.ts";
import type { Refusal } from "./refusal.ts";
import type { Suggestion } from "./suggestion.ts";

/** One thing that a line lacks, or, where `unknown`, one that cannot be told. Texts are as they are: print them escaped. */
export type Lack = { readonly unknown: boolean } & (
  | { readonly kind: "caller"; readonly expected: string; readonly got: string }
  | { readonly kind: "label"; readonly key: string; readonly expected: string; readonly got: string | undefined }
  | { readonly kind: "address"; readonly expected: readonly string[]; readonly got: string | undefined }
  | {
      readonly kind: "isolation";
      readonly key: string;
      readonly caller: string | undefined;
      readonly destination: string | undefined;
    }
  | { readonly kind: "request"; readonly expected: RequestKind; readonly got: RequestKind }
  | { readonly kind: "port"; readonly expected: readonly number[]; readonly got: number }
  | { readonly kind: "method"; readonly expected: readonly string[]; readonly got: string }
  | {
      readonly kind: "segment";
      /** Counts from 1. */
      readonly position: number;
      /** What the pattern has there; empty where `isEnd`. */
      readonly expected: string;
      readonly got: string | undefined;
      /** Whether the pattern ends before this segment. */
      readonly isEnd: boolean;
      /** How many segments differ, this one included. */
      readonly differing: number;
    }
  | { readonly kind: "trailing-slash"; readonly expected: "present" | "absent" }
  | { readonly kind: "path"; readonly refusal: string }
  | { readonly kind: "host"; readonly expected: readonly string[]; readonly got: string }
  | {
      readonly kind: "header" | "query";
      readonly name: string;
      readonly expected: string;
      readonly got: readonly string[] | "withheld" | "malformed" | "unrecorded";
    }
  | { readonly kind: "time"; readonly notBefore: Date | undefined; readonly notAfter: Date | undefined }
  | { readonly kind: "except" }
  | {
      readonly kind: "token";
      readonly provider: string;
      readonly why: "absent" | "not-run" | "claims";
      readonly expected: readonly string[];
    }
);

export type LackKind = Lack["kind"];

/** What kind of request a line is about, or a request is. */
export type RequestKind = "http" | "grpc" | "websocket" | "upgrade" | "tcp";

/** One line and what it lacks to match. */
export interface LineReport {
  /** `<namespace>/<policy>/<rule>#<canonical text>` */
  readonly id: string;
  readonly policy: string;
  readonly rule: string;
  /** The line's own text, `*` for a deny without `requests`. */
  readonly text: string;
  readonly effect: "allow" | "deny";
  /** Where the line stands, or its rule where it has none of its own. */
  readonly span: Span;
  readonly truth: TokenTruth;
  /** Empty where the line matches. */
  readonly lacks: readonly Lack[];
  /** How far the line is from matching; 0 where it matches. */
  readonly distance: number;
}

/** Why a request was decided as it was. */
export interface Explanation {
  readonly decision: Decision;
  /** The line that decided; absent where none did. */
  readonly deciding: LineReport | undefined;
  /** Where nothing allowed the request: the allow lines that came nearest, nearest first. */
  readonly nearest: readonly LineReport[];
  /** Of a denial before any rule: why, and what to do. */
  readonly refusal?: Refusal;
  /** The deny line that decided: whom and what its `except` spares. */
  readonly except?: string;
  /** Where nothing allowed the request: the smallest edit that would, where there is one. */
  readonly suggestion?: Suggestion;
  /** What the caller could send instead, where a condition on the request is what the nearest line lacks. */
  readonly instead?: string;
  /** What the candidate policies say of the request, where they change anything for the destination. */
  readonly candidate?: CandidateExplanation;
}

/** Why the candidate policies decide as they do. */
export interface CandidateExplanation {
  readonly verdict: Verdict;
  readonly reason: ReasonCode;
  readonly deciding: LineReport | undefined;
  /** Where they do not allow the request: the allow lines that came nearest. */
  readonly nearest: readonly LineReport[];
}
