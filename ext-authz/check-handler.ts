import { randomBytes } from "node:crypto";
import { attributesFromCheck, checkResponseBytes } from "../envoy/index.ts";
import { type Decision, decide, type ReasonCode } from "../policies/index.ts";
import type { SpiffeId } from "../spiffe/index.ts";
import type { AskingSidecar, Observed } from "./decision-record.ts";
import type { PolicyView } from "./policy-state.ts";

/**
 * A CheckRequest's bytes in, a CheckResponse's bytes out. Synchronous; neither throws nor awaits. `from` is the sidecar that asks
 * over the network; over a workload's own socket there is none to name.
 */
export type CheckHandler = (request: Buffer, from?: AskingSidecar) => Buffer;

/** What a workload's handler decides with. */
export interface CheckHandlerOptions {
  /** `<namespace>/<name>`, for records. */
  readonly workload: string;
  readonly destination: SpiffeId;
  readonly view: () => PolicyView;
  readonly nowMs: () => number;
  /** Denies every request with `unknown-destination` and this detail: the handler of a workload that is not served here. */
  readonly refuse?: string;
  /** Gets every decision. INVARIANT: only stores it; what it throws is swallowed. */
  readonly observe: (observed: Observed) => void;
  readonly steps?: Partial<CheckSteps>;
}

/** The handler's steps, replaceable in tests of its failures. */
export interface CheckSteps {
  readonly read: typeof attributesFromCheck;
  readonly decide: typeof decide;
  readonly write: typeof checkResponseBytes;
}

interface Refusal {
  readonly reason: ReasonCode;
  readonly detail: string;
  readonly caller?: string | undefined;
  readonly path?: string | undefined;
}

const UNAVAILABLE: ReadonlySet<ReasonCode> = new Set<ReasonCode>([
  "no-policy",
  "stale-policy",
  "unknown-destination",
  "cannot-evaluate",
  "internal-error",
]);

/**
 * The request's way: bytes, attributes, decision, bytes. The answer starts as a denial; an unexpected exception in any step becomes
 * `internal-error`, answered 503 by bytes that were made before the first request.
 */
export function createCheckHandler(options: CheckHandlerOptions): CheckHandler {
  const read = options.steps?.read ?? attributesFromCheck;
  const judge = options.steps?.decide ?? decide;
  const write = options.steps?.write ?? checkResponseBytes;
  // SECURITY: made by the real encoder, whatever the steps, so that the last resort is a denial with an explicit status.
  const lastResort = Buffer.from(checkResponseBytes(failure(options, "the request could not be handled")));
  return (request, from) => {
    try {
      const atMs = options.nowMs();
      const intake = read(request, { destination: options.destination, now: new Date(atMs) });
      const attributes = intake.ok ? intake.attributes : undefined;
      const decision =
        options.refuse !== undefined
          ? refusal(options, refusedByName(intake, options.refuse))
          : intake.ok
            ? judge(options.view().index, intake.attributes)
            : refusal(options, intake);
      const response = asBuffer(write(decision));
      const { workload } = options;
      tell(options, () => ({ workload, atMs, decision, attributes, from, requestId: intake.correlationId }));
      return response;
    } catch (error) {
      tell(options, () => unexpected(options, error, from));
      return lastResort;
    }
  };
}

function refusedByName(intake: ReturnType<typeof attributesFromCheck>, detail: string): Refusal {
  const caller = intake.ok ? intake.attributes.caller?.toString() : intake.caller;
  const path = intake.ok ? intake.attributes.http?.path.split(/[?#]/, 1)[0] : intake.path;
  return { reason: "unknown-destination", detail, caller, path };
}

/** The answer stands, whatever happens here: an observer must not turn a decision into a failure, nor a failure into no answer. */
function tell(options: CheckHandlerOptions, observed: () => Observed): void {
  try {
    options.observe(observed());
  } catch {
    // Nobody is left to tell.
  }
}

function unexpected(options: CheckHandlerOptions, error: unknown, from: AskingSidecar | undefined): Observed {
  const decision = failure(options, error instanceof Error ? error.message : "unknown");
  const { workload } = options;
  return { workload, atMs: Date.now(), decision, attributes: undefined, from, requestId: undefined };
}

function failure(options: CheckHandlerOptions, detail: string): Decision {
  return refusal(options, { reason: "internal-error", detail });
}

function refusal(options: CheckHandlerOptions, refused: Refusal): Decision {
  const bundle = options.view().bundle;
  const unavailable = UNAVAILABLE.has(refused.reason);
  return Object.freeze({
    id: randomBytes(8).toString("hex"),
    verdict: "deny",
    evaluated: "deny",
    mode: "enforce",
    phase: unavailable ? "failure" : "intake",
    outcome: unavailable ? "unavailable" : "forbidden",
    reason: refused.reason,
    detail: refused.detail,
    epoch: bundle?.epoch ?? 0,
    revision: bundle?.revision ?? 0,
    destination: options.destination.toString(),
    tookMicros: 0,
    ...(refused.caller === undefined ? {} : { caller: refused.caller }),
    ...(refused.path === undefined ? {} : { path: refused.path }),
  });
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
