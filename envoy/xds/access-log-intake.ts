import type { SpiffeId } from "../../spiffe/index.ts";
import type {
  AccessLogCommon,
  HTTPAccessLogEntry,
  TCPAccessLogEntry,
} from "../gen/envoy/data/accesslog/v3/accesslog.ts";
import { StreamAccessLogsMessage } from "../gen/envoy/service/accesslog/v3/als.ts";
import { isForeign, refusedConnection, refusedRequest, type SidecarRefusal } from "./access-log-entry.ts";
import { isPassing, type OpenStreamEvent, openStreamEvent } from "./open-stream.ts";

/** What an intake takes. */
export interface AccessLogIntakeOptions {
  /** The workload whose sidecar may open the socket: entries about another one do not count. */
  readonly destination: SpiffeId;
  readonly clock: () => Date;
  readonly listener: (refusal: SidecarRefusal) => void;
  /** Told of what stays open. */
  readonly open?: (event: OpenStreamEvent) => void;
}

/** What came in since the start. */
export interface AccessLogCounts {
  readonly refusals: number;
  /** Entries that tell of no refusal by the sidecar. */
  readonly others: number;
  /** Entries that show another workload's certificate. */
  readonly foreign: number;
  /** Messages that could not be decoded, and entries that the listener failed on. */
  readonly failed: number;
}

/** Reads one sidecar's access log streams and hands out what the sidecar refused by itself. */
export class AccessLogIntake {
  readonly #options: AccessLogIntakeOptions;
  readonly #counts = { refusals: 0, others: 0, foreign: 0, failed: 0 };

  constructor(options: AccessLogIntakeOptions) {
    this.#options = options;
  }

  get counts(): AccessLogCounts {
    return { ...this.#counts };
  }

  /** Takes the bytes of one `StreamAccessLogsMessage`. Never throws. */
  receive(bytes: Uint8Array): void {
    try {
      const { logEntries } = StreamAccessLogsMessage.decode(bytes);
      if (logEntries?.$case === "tcpLogs") this.#takeAll(logEntries.value.logEntry, this.#connection);
      if (logEntries?.$case === "httpLogs") this.#takeAll(logEntries.value.logEntry, this.#request);
    } catch {
      this.#counts.failed += 1;
    }
  }

  #takeAll<E extends TCPAccessLogEntry | HTTPAccessLogEntry>(
    entries: readonly E[],
    read: (entry: E) => SidecarRefusal | undefined,
  ): void {
    for (const entry of entries) {
      try {
        this.#take(entry, read);
      } catch {
        this.#counts.failed += 1;
      }
    }
  }

  #take<E extends TCPAccessLogEntry | HTTPAccessLogEntry>(
    entry: E,
    read: (entry: E) => SidecarRefusal | undefined,
  ): void {
    if (isForeign(entry.commonProperties, this.#options.destination)) {
      this.#counts.foreign += 1;
      return;
    }
    this.#tellOpen(entry.commonProperties);
    const refusal = isPassing(entry.commonProperties) ? undefined : read(entry);
    if (refusal === undefined) {
      this.#counts.others += 1;
      return;
    }
    this.#options.listener(refusal);
    this.#counts.refusals += 1;
  }

  #tellOpen(common: AccessLogCommon | undefined): void {
    const { clock, destination, open } = this.#options;
    const event = open === undefined ? undefined : openStreamEvent(common, destination, clock());
    if (event !== undefined) open?.(event);
  }

  readonly #connection = (entry: TCPAccessLogEntry): SidecarRefusal | undefined =>
    refusedConnection(entry, this.#options.clock());

  readonly #request = (entry: HTTPAccessLogEntry): SidecarRefusal | undefined =>
    refusedRequest(entry, this.#options.destination, this.#options.clock());
}
