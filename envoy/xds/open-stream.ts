import type { SpiffeId } from "../../spiffe/index.ts";
import type { AccessLogCommon } from "../gen/envoy/data/accesslog/v3/accesslog.ts";
import { callerOf, startOf } from "./access-log-entry.ts";

/** What a sidecar says of a request or connection that stays open; `ended` may also be of one that it said nothing of before. */
export interface OpenStreamEvent {
  readonly kind: "open" | "ended";
  /** Envoy's id of the stream, another one for each. */
  readonly id: string;
  readonly transport: "http" | "tcp";
  /** The identity that the handshake verified. */
  readonly caller: SpiffeId;
  readonly since: Date;
}

/** `AccessLogType` of Envoy's data model. */
const TYPES: ReadonlyMap<number, Pick<OpenStreamEvent, "kind" | "transport">> = new Map([
  [1, { kind: "open", transport: "tcp" }],
  [2, { kind: "open", transport: "tcp" }],
  [3, { kind: "ended", transport: "tcp" }],
  [5, { kind: "open", transport: "http" }],
  [6, { kind: "ended", transport: "http" }],
]);

/** Reads an entry as one; undefined for an entry of another log, and where no peer was verified. */
export function openStreamEvent(
  common: AccessLogCommon | undefined,
  destination: SpiffeId,
  now: Date,
): OpenStreamEvent | undefined {
  const type = TYPES.get(common?.accessLogType ?? 0);
  if (common === undefined || type === undefined || common.streamId === "") return undefined;
  const caller = callerOf(common, destination);
  if (caller === undefined) return undefined;
  return { ...type, id: common.streamId, caller, since: startOf(common) ?? now };
}

/** Whether an entry tells of something that goes on, so that it is no refusal. */
export function isPassing(common: AccessLogCommon | undefined): boolean {
  return TYPES.get(common?.accessLogType ?? 0)?.kind === "open";
}
