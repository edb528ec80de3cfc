import type { Decision } from "../../policies/index.ts";
import {
  HeaderValueOption_HeaderAppendAction as Append,
  type HeaderValueOption,
} from "../gen/envoy/config/core/v3/base.ts";
import { CheckResponse } from "../gen/envoy/service/auth/v3/external_auth.ts";

/** Response (denied) and request (allowed) header that carries the decision's id. */
export const DECISION_HEADER = "x-cellwall-decision";

/** How a denied client is answered: the HTTP status, and the status that a gRPC client reads instead. */
export const DENIALS = {
  forbidden: { httpStatus: 403, grpcStatus: 7, word: "denied" },
  unauthenticated: { httpStatus: 401, grpcStatus: 16, word: "denied" },
  unavailable: { httpStatus: 503, grpcStatus: 14, word: "unavailable" },
} as const;

/** One of the three denials. */
export type Denial = (typeof DENIALS)[keyof typeof DENIALS];

/**
 * What a sidecar is told. INVARIANT: `CheckResponse` bytes are made from this type only; to Envoy an answer without
 * status is an allow, and a denial with HTTP status 200 reads as a success, and neither can be said in it.
 */
export type CheckAnswer =
  | { readonly kind: "ok"; readonly facts: AnswerFacts }
  | { readonly kind: "denied"; readonly denial: Denial; readonly facts: AnswerFacts };

/** Dynamic metadata for the access log, namespace `envoy.filters.http.ext_authz`; never sent to the client. */
export interface AnswerFacts {
  readonly decision: string;
  readonly reason: string;
  /** The live set's own verdict, which a workload in monitor relaxes. */
  readonly evaluated: string;
}

/** The answer to a decision. Anything but a plain `allow` is a denial. */
export function answerTo(decision: Decision): CheckAnswer {
  const id = /^[\x21-\x7e]{1,128}$/.test(decision.id) ? decision.id : "unknown";
  const facts = { decision: id, reason: decision.reason, evaluated: decision.evaluated };
  if (decision.verdict === "allow") return { kind: "ok", facts };
  return { kind: "denied", denial: denialOf(decision), facts };
}

function denialOf(decision: Decision): Denial {
  switch (decision.outcome) {
    case "forbidden":
      return DENIALS.forbidden;
    case "unauthenticated":
      return DENIALS.unauthenticated;
    case "unavailable":
    case "allowed": // a denial with this outcome contradicts itself: a failure of ours
      return DENIALS.unavailable;
    default:
      decision.outcome satisfies never;
      return DENIALS.unavailable;
  }
}

/** Bytes of the `envoy.service.auth.v3.CheckResponse` for a decision, for the HTTP and the network filter alike. */
export function checkResponseBytes(decision: Decision): Uint8Array {
  return encodeAnswer(answerTo(decision));
}

/** Bytes of an answer; always with an explicit status. */
export function encodeAnswer(answer: CheckAnswer): Uint8Array {
  switch (answer.kind) {
    case "ok":
      return CheckResponse.encode(okResponse(answer)).finish();
    case "denied":
      return CheckResponse.encode(deniedResponse(answer)).finish();
  }
}

function okResponse(answer: Extract<CheckAnswer, { kind: "ok" }>): CheckResponse {
  return {
    status: { code: 0, message: "allowed", details: [] },
    httpResponse: {
      $case: "okResponse",
      value: {
        headers: [header(DECISION_HEADER, answer.facts.decision)],
        headersToRemove: [],
        dynamicMetadata: undefined,
        responseHeadersToAdd: [],
        queryParametersToSet: [],
        queryParametersToRemove: [],
      },
    },
    dynamicMetadata: { ...answer.facts },
  };
}

function deniedResponse(answer: Extract<CheckAnswer, { kind: "denied" }>): CheckResponse {
  const { httpStatus, grpcStatus, word } = answer.denial;
  const challenge = httpStatus === 401 ? [header("www-authenticate", "Bearer")] : [];
  return {
    status: { code: grpcStatus, message: word, details: [] },
    httpResponse: {
      $case: "deniedResponse",
      value: {
        status: { code: httpStatus },
        headers: [header(DECISION_HEADER, answer.facts.decision), ...challenge],
        // A gRPC client gets this text as its `grpc-message`.
        body: `${word}, decision-id ${answer.facts.decision}`,
      },
    },
    dynamicMetadata: { ...answer.facts },
  };
}

/** `append` stays unset and the action is explicit: an overwrite both to Envoys that read the one and to those that read the other. */
function header(key: string, value: string): HeaderValueOption {
  return {
    header: { key, value, rawValue: new Uint8Array(0) },
    append: undefined,
    appendAction: Append.OVERWRITE_IF_EXISTS_OR_ADD,
    keepEmptyValue: false,
  };
}
