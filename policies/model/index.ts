export type * from "./attributes.ts";
export type * from "./decision.ts";
export type * from "./matcher.ts";
export type * from "./policy-set.ts";
export type * from "./request-line.ts";
export type * from "./span.ts";
