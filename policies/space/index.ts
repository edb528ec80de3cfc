/**
 * Exact questions about all requests that policy sets can tell apart, each answered with a concrete request:
 * `requestSpace(set, { now })` for one set (`satisfiable`, `covered`, `absence`), `DestinationSpace` for two.
 */
export { type CallerClass, callerClasses } from "./caller-classes.ts";
export { DestinationSpace, type Finding as SpaceFinding, type Inquiry, type Situation } from "./destination-space.ts";
export type { NamedLine, SpaceLine } from "./lines.ts";
export { type AbsenceAnswer, RequestSpace, requestSpace, type SpaceAnswer } from "./request-space.ts";
export { Side } from "./side.ts";
export { Universe, type UniverseOptions } from "./universe.ts";
export { absence, BROADER, comparison, NARROWER } from "./verdict-question.ts";
