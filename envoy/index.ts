export * from "./binary/index.ts";
export * from "./config/index.ts";
export { EnvoyError, type EnvoyErrorCode, type EnvoyErrorOptions } from "./envoy-error.ts";
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
export type {
  RefusedConnection,
  RefusedRequest,
  SidecarRefusal,
  TlsRefusalReason,
} from "./xds/access-log-entry.ts";
export { type AccessLogCounts, AccessLogIntake, type AccessLogIntakeOptions } from "./xds/access-log-intake.ts";
export { addAccessLogIntake } from "./xds/add-access-log-intake.ts";
export { addSecretDiscovery } from "./xds/add-secret-discovery.ts";
export type { DeltaSecretSink } from "./xds/delta-secret-stream.ts";
export type { OpenStreamEvent } from "./xds/open-stream.ts";
export {
  type OpenSecretStream,
  SecretDiscovery,
  type SecretDiscoveryOptions,
  type SecretStatus,
} from "./xds/secret-discovery.ts";
export type { EdgeCertificate, SecretSnapshot } from "./xds/secret-snapshot.ts";
export type { SecretSink } from "./xds/secret-stream.ts";
export { SECRET_NAMES, SECRET_TYPE_URL } from "./xds/secrets.ts";
