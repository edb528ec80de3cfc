import type { OpenStreamEvent } from "../envoy/index.ts";

/** What one caller has open at a workload. */
export interface OpenOfCaller {
  readonly caller: string;
  /** HTTP requests that last: WebSockets, gRPC streams, long answers. */
  readonly streams: number;
  readonly connections: number;
  /** When the last of them ends at the latest. */
  readonly until: Date;
}

interface OpenStream {
  readonly caller: string;
  readonly transport: OpenStreamEvent["transport"];
  readonly since: Date;
  readonly seenMs: number;
}

/** The longest life of a stream and of a TCP connection through a generated sidecar. */
const LONGEST_MS = 3_600_000;
/** Three reports of the sidecar: one that says nothing for so long is gone, or has ended without a word. */
const FORGOTTEN_MS = 16_000;
const MOST_STREAMS = 65_536;

/** What is open at one workload's sidecar, as it tells in its access log. */
export class OpenStreams {
  readonly #nowMs: () => number;
  readonly #streams = new Map<string, OpenStream>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  take({ kind, id, caller, transport, since }: OpenStreamEvent): void {
    if (kind === "ended") this.#streams.delete(id);
    else if (this.#streams.has(id) || this.#streams.size < MOST_STREAMS)
      this.#streams.set(id, { caller: caller.toString(), transport, since, seenMs: this.#nowMs() });
  }

  /** Whether something of that caller is open that began before an instant. */
  has(caller: string, before: Date): boolean {
    return this.#live().some((stream) => stream.caller === caller && stream.since <= before);
  }

  /** By caller. */
  summary(): readonly OpenOfCaller[] {
    const byCaller = new Map<string, OpenStream[]>();
    for (const stream of this.#live()) {
      const known = byCaller.get(stream.caller);
      if (known === undefined) byCaller.set(stream.caller, [stream]);
      else known.push(stream);
    }
    return [...byCaller].map(([caller, streams]) => ({
      caller,
      streams: streams.filter(({ transport }) => transport === "http").length,
      connections: streams.filter(({ transport }) => transport === "tcp").length,
      until: new Date(streams.reduce((last, { since }) => Math.max(last, since.getTime()), 0) + LONGEST_MS),
    }));
  }

  #live(): readonly OpenStream[] {
    const oldestMs = this.#nowMs() - FORGOTTEN_MS;
    for (const [id, { seenMs }] of this.#streams) if (seenMs < oldestMs) this.#streams.delete(id);
    return [...this.#streams.values()];
  }
}
