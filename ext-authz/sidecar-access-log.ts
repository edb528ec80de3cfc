import type { Server } from "@grpc/grpc-js";
import { AccessLogIntake, addAccessLogIntake, type OpenStreamEvent, type SidecarRefusal } from "../envoy/index.ts";
import { printable } from "../policies/index.ts";
import type { SpiffeId } from "../spiffe/index.ts";
import type { ConnectionRefusedRecord, RequestRefusedRecord } from "./decision-record.ts";

export interface SidecarAccessLogOptions {
  /** `<namespace>/<name>`, for records. */
  readonly workload: string;
  readonly destination: SpiffeId;
  readonly now: () => Date;
  readonly record: (record: ConnectionRefusedRecord | RequestRefusedRecord) => void;
  /** Told of what stays open. */
  readonly open?: (event: OpenStreamEvent) => void;
}

/** What one sidecar's access log tells of connections and requests that it refused by itself, as records. */
export class SidecarAccessLog {
  readonly #intake: AccessLogIntake;

  constructor({ destination, now, open, record, workload }: SidecarAccessLogOptions) {
    const listener = (refusal: SidecarRefusal): void => record(refusalRecord(workload, refusal));
    this.#intake = new AccessLogIntake({
      destination,
      clock: now,
      listener,
      ...(open === undefined ? {} : { open }),
    });
  }

  addTo(server: Server): void {
    addAccessLogIntake(server, this.#intake);
  }
}

/** A sidecar's refusal as a record. Texts that came from outside are made printable. */
export function refusalRecord(
  workload: string,
  refusal: SidecarRefusal,
): ConnectionRefusedRecord | RequestRefusedRecord {
  const { listenerPort, peerAddress } = refusal;
  const place = {
    time: refusal.at.toISOString(),
    workload,
    ...(listenerPort === undefined ? {} : { listenerPort }),
    ...(peerAddress === undefined ? {} : { peerAddress: printable(peerAddress) }),
  };
  switch (refusal.kind) {
    case "connection": {
      const { reason, unverifiedPeer } = refusal;
      const peer = unverifiedPeer === undefined ? {} : { unverifiedPeer: printable(unverifiedPeer) };
      return { kind: "connection-refused", ...place, reason, ...peer };
    }
    case "request": {
      const { caller, method, path, reason, status } = refusal;
      return {
        kind: "request-refused",
        ...place,
        reason: printable(reason),
        status,
        ...(method === undefined ? {} : { method }),
        ...(path === undefined ? {} : { path: printable(path) }),
        ...(caller === undefined ? {} : { caller: caller.toString() }),
      };
    }
  }
}
