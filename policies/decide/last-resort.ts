import type { Index } from "../compile/compiled.ts";
import { randomId } from "../compile/options.ts";
import type { Attributes, Decision } from "../model/index.ts";

/**
 * The denial that stands for an exception. Reads nothing that may have thrown before.
 *
 * SECURITY: must not throw, whatever the attributes are.
 */
export function lastResort(index: Index, attributes: Attributes, error: unknown): Decision {
  return Object.freeze<Decision>({
    id: attempt(() => index.random()) ?? randomId(),
    verdict: "deny",
    evaluated: "deny",
    mode: "enforce",
    phase: "failure",
    outcome: "unavailable",
    reason: "internal-error",
    detail: attempt(() => (error instanceof Error ? error.message : "an exception that is no error")) ?? "an exception",
    epoch: attempt(() => index.epoch) ?? 0,
    revision: attempt(() => index.revision) ?? 0,
    destination: attempt(() => attributes.destination.toString()) ?? "",
    tookMicros: 0,
  });
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
