export { EnvoyError, type EnvoyErrorCode, type EnvoyErrorOptions } from "./envoy-error.ts";
export * as workloadApi from "./gen/workloadapi.ts";
export { NOBODY, THROW_AWAY_ANCHOR } from "./throw-away-anchor.ts";
export { attributesFromCheck, type CheckReading, type CheckSocket } from "./wire/attributes-from-check.ts";
export {
  type AnswerFacts,
  answerTo,
  type CheckAnswer,
  checkResponseBytes,
  DECISION_HEADER,
  DENIALS,
  type Denial,
  encodeAnswer,
} from "./wire/check-answer.ts";
export { CALLER_HEADER, PEER_SERIAL_HEADER } from "./wire/check-headers.ts";
export { CONTEXT } from "./wire/context-extensions.ts";
export { JWT_NAMESPACE, jwtFailedKey, jwtPayloadKey } from "./wire/jwt-metadata.ts";
