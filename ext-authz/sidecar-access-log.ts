import type { Server } from "@grpc/grpc-js";
import type { SpiffeId } from "../spiffe/index.ts";
import type { ConnectionRefusedRecord, RequestRefusedRecord } from "./decision-record.ts";

export interface SidecarAccessLogOptions {
  readonly workload: string;
  readonly identity: SpiffeId;
  readonly now: () => Date;
  readonly record: (record: ConnectionRefusedRecord | RequestRefusedRecord) => void;
}

/** What one sidecar's access log tells of connections and requests that it refused itself. */
export class SidecarAccessLog {
  readonly options: SidecarAccessLogOptions;
  constructor(options: SidecarAccessLogOptions) {
    this.options = options;
  }
  addTo(_server: Server): void {}
}
