import { AgentError } from "../agent-error.ts";
import type { Logger } from "../logger.ts";
import type { AgentMetrics } from "../metrics.ts";

/** Whether the authority answers. */
export interface ContactState {
  readonly reachable: boolean;
  readonly last: Date | undefined;
  /** What went wrong last, while nothing has gone right since. */
  readonly problem: string | undefined;
}

const AWAY: ReadonlySet<string> = new Set(["ERR_AGENT_AUTHORITY_UNREACHABLE", "ERR_AGENT_AUTHORITY_UNTRUSTED"]);

/** Keeps whether the authority answers, for status, log and metrics. */
export class Contact {
  readonly #log: Logger;
  readonly #metrics: AgentMetrics;
  readonly #now: () => Date;
  #state: ContactState = { reachable: false, last: undefined, problem: undefined };

  constructor(log: Logger, metrics: AgentMetrics, now: () => Date) {
    this.#log = log;
    this.#metrics = metrics;
    this.#now = now;
  }

  get state(): ContactState {
    return this.#state;
  }

  answered(): void {
    if (!this.#state.reachable) this.#log.info({}, "the authority answers");
    this.#state = { reachable: true, last: this.#now(), problem: undefined };
    this.#metrics.authorityReachable(true);
  }

  failed(error: unknown, message: string): void {
    const code = error instanceof AgentError ? error.code : "unknown";
    const { last, problem, reachable } = this.#state;
    const hint = error instanceof AgentError ? error.hint : undefined;
    const fields = { code, error: message, ...(hint === undefined ? {} : { hint }) };
    if (problem !== message) this.#log.warn(fields, "an exchange with the authority failed");
    this.#state = { reachable: reachable && !AWAY.has(code), last, problem: message };
    this.#metrics.authorityFailed(code);
    this.#metrics.authorityReachable(this.#state.reachable);
  }
}
