import { renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { OpenStreamEvent } from "../../envoy/index.ts";
import type { OpenStreamsReport, RevocationsDocument } from "../../protocol/index.ts";
import { messageOf } from "../agent-error.ts";
import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import type { OpenStreams } from "../open-streams.ts";

/** What is open at one workload's sidecar, and where orders to it lie. */
export interface Severable {
  /** `<namespace>/<name>` */
  readonly workload: string;
  /** The folder of the workload's sockets. */
  readonly folder: string;
  readonly open: OpenStreams;
}

/** What ending open streams stands on. */
export interface SeveranceOptions {
  readonly clock: MonotonicClock;
  readonly log: Logger;
  readonly sidecars: () => readonly Severable[];
  /** Called where the report has something new to say. */
  readonly changed: () => void;
}

/** Name of the order, beside a workload's sockets. Whoever runs the sidecar watches it. */
export const SEVER_FILE = "sever";

/** An order takes two seconds; what is told meanwhile was open before it. */
const BETWEEN_ORDERS_MS = 4_000;

/**
 * Has sidecars end what severed callers have open. A sidecar can only end everything at once: other callers connect anew, severed
 * ones are refused.
 */
export class Severance {
  readonly #options: SeveranceOptions;
  /** Callers, with the instant before which what they opened is to end, by this host's clock. */
  #severed = new Map<string, { readonly at: string; readonly before: Date }>();
  readonly #orderedMs = new Map<string, number>();

  constructor(options: SeveranceOptions) {
    this.#options = options;
  }

  /** Takes the callers of a document; one that was restored from disk orders nothing that is new since. */
  take({ severed = [] }: RevocationsDocument, { restored = false }: { readonly restored?: boolean } = {}): void {
    const { clock, sidecars } = this.#options;
    this.#severed = new Map(
      severed.map(({ at, identity }) => {
        const known = this.#severed.get(identity);
        if (known?.at === at) return [identity, known];
        return [identity, { at, before: restored ? new Date(at) : clock.now() }];
      }),
    );
    for (const sidecar of sidecars()) this.#consider(sidecar);
  }

  /** A sidecar told of something; what it tells late may have been open before. */
  told(sidecar: Severable, { caller }: OpenStreamEvent): void {
    if (!this.#severed.has(caller.toString())) return;
    this.#consider(sidecar);
    this.#options.changed();
  }

  #consider(sidecar: Severable): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - (this.#orderedMs.get(sidecar.workload) ?? Number.NEGATIVE_INFINITY) < BETWEEN_ORDERS_MS) return;
    const left = [...this.#severed].filter(([identity, { before }]) => sidecar.open.has(identity, before));
    if (left.length === 0) return;
    this.#orderedMs.set(sidecar.workload, nowMs);
    this.#order(sidecar);
  }

  #order({ folder, workload }: Severable): void {
    const { clock, log } = this.#options;
    const file = join(folder, SEVER_FILE);
    try {
      // SECURITY: the folder is the workload's: a link that lies there must not be written through.
      rmSync(`${file}.new`, { force: true });
      writeFileSync(`${file}.new`, `${clock.now().toISOString()}\n`, { flag: "wx", mode: 0o644 });
      renameSync(`${file}.new`, file);
      log.info({ workload }, "the sidecar is to end what severed callers have open");
    } catch (error) {
      log.error({ workload, error: messageOf(error) }, "the order to end open streams cannot be written");
    }
  }
}

const MOST_REPORTED = 4_096;

/** What callers have open, for the authority. */
export function openReport(sidecars: readonly Severable[]): OpenStreamsReport {
  const all = sidecars.flatMap(({ open, workload }) =>
    open.summary().map(({ until, ...counts }) => ({ workload, ...counts, until: until.toISOString() })),
  );
  return all.slice(0, MOST_REPORTED);
}

/** Where the order for the sidecar with these sockets lies. */
export function severFile(paths: { readonly envoy: string }): string {
  return join(dirname(paths.envoy), SEVER_FILE);
}
