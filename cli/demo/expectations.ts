import type { CallResult } from "../../compose/index.ts";
import type { LogRecord } from "../../ext-authz/index.ts";
import { type Finding, finding, reasonOf, type Stage, type Step, type Witnessed, witness } from "./step.ts";

interface Expected<In extends Stage> {
  readonly actor: string;
  readonly title: string;
  readonly destination: string;
  /** Who it claims to be, as the last segment of a SPIFFE ID; default: the actor. */
  readonly caller?: string;
  readonly call: (stage: In) => Promise<CallResult>;
}

const PERMISSION_DENIED = 7;
/** A decision about that caller; one about an unreadable identity names none. */
const isDecisionOn =
  (caller: string) =>
  (record: LogRecord): boolean =>
    record.kind === "decision" && (record.caller?.endsWith(`/${caller}`) ?? true);

/** A step whose call a rule must allow, and whose request must arrive at the app. */
export function allowed<In extends Stage = Stage>(
  expected: Expected<In> & { readonly rule: string; readonly arrives?: (seen: Witnessed) => boolean },
): Step<In> {
  return step(expected, isDecisionOn(expected.actor), (seen) =>
    finding(
      happened(seen.result),
      reasonOf(seen.record),
      [seen.record?.reason === "allowed-by-rule", "allowed-by-rule"],
      [seen.record?.kind === "decision" && seen.record.rule === expected.rule, `rule ${expected.rule}`],
      [seen.arrived.length > 0, "the app to receive it"],
      [seen.result.error === undefined && (seen.result.status ?? 200) === 200, "an answer from the app"],
      [expected.arrives?.(seen) ?? true, "the app's view of it to be right"],
    ),
  );
}

/** A step whose call must be denied with this reason, the app receiving nothing. */
export function denied<In extends Stage = Stage>(
  expected: Expected<In> & { readonly reason: string; readonly status?: number },
): Step<In> {
  return step(expected, isDecisionOn(expected.caller ?? expected.actor), (seen) =>
    finding(
      happened(seen.result),
      reasonOf(seen.record),
      [seen.record?.reason === expected.reason, expected.reason],
      [seen.record?.kind === "decision" && seen.record.verdict === "deny", "a denial"],
      [isDenial(seen.result, expected.status ?? 403), `status ${expected.status ?? 403}`],
      [seen.arrived.length === 0, "the app to receive nothing"],
    ),
  );
}

/** A step whose connection a `tcp` listener must close without a byte from the app. */
export function deniedConnection<In extends Stage = Stage>(
  expected: Expected<In> & { readonly reason: string },
): Step<In> {
  return step(expected, isDecisionOn(expected.actor), (seen) =>
    finding(
      `closed, ${seen.result.bytesReceived} bytes`,
      reasonOf(seen.record),
      [seen.record?.reason === expected.reason, expected.reason],
      [seen.result.bytesReceived === 0, "0 bytes"],
      [seen.arrived.length === 0, "the app to see no connection"],
    ),
  );
}

/** A step that the sidecar itself must refuse, before any decision. */
export function refusedBySidecar<In extends Stage = Stage>(
  expected: Expected<In> & { readonly kind: "connection-refused" | "request-refused"; readonly reason: RegExp },
): Step<In> {
  return step(
    expected,
    (record) => record.kind === expected.kind,
    (seen) =>
      finding(
        seen.result.status === undefined ? "TLS refused" : happened(seen.result),
        seen.record === undefined ? "no record" : `refused by the sidecar: ${seen.record.reason}`,
        [seen.record !== undefined && expected.reason.test(seen.record.reason), String(expected.reason)],
        [seen.result.status === undefined || seen.result.status === 400, "no answer, or 400"],
        [seen.arrived.length === 0, "the app to receive nothing"],
      ),
  );
}

function step<In extends Stage>(
  expected: Expected<In>,
  fits: (record: LogRecord) => boolean,
  judge: (seen: Witnessed) => Finding,
): Step<In> {
  return {
    actor: expected.actor,
    title: expected.title,
    play: async (stage) => judge(await witness(stage, expected.destination, () => expected.call(stage), fits)),
  };
}

/** A gRPC caller is told PERMISSION_DENIED, whatever the HTTP status says. */
function isDenial(result: CallResult, status: number): boolean {
  return result.grpcStatus === undefined ? result.status === status : result.grpcStatus === PERMISSION_DENIED;
}

function happened(result: CallResult): string {
  if (result.grpcStatus !== undefined) return `grpc ${result.grpcStatus}`;
  return result.status === undefined ? (result.error ?? `${result.bytesReceived} bytes`) : String(result.status);
}
