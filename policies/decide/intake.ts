import { createHash } from "node:crypto";
import { isSystemId, type SpiffeId } from "../../spiffe/index.ts";
import { makeView } from "../compile/caller-view.ts";
import type { CallerView, DestinationIndex, Registry } from "../compile/compiled.ts";
import type { Caller } from "../match/caller.ts";
import type { Attributes, ReasonCode, Revocations } from "../model/index.ts";
import type { Ruling } from "./seal-decision.ts";

/** The caller's view of the destination, or why the caller is denied before any rule. */
export type Intake = { readonly ok: true; readonly view: CallerView } | { readonly ok: false; readonly ruling: Ruling };

const ANONYMOUS = "";

/** Finds out who calls. A view is kept only of callers that may be asked about at all. */
export function takeIn(
  attributes: Attributes,
  destination: DestinationIndex,
  registry: Registry,
  revocations: Revocations | undefined,
): Intake {
  if (attributes.callerProblem !== undefined) return refuse("malformed-identity", attributes.callerProblem);
  if (attributes.listener.kind === "edge") {
    const known = destination.views.get(ANONYMOUS);
    return { ok: true, view: known ?? makeView(destination, registry, { kind: "anonymous" }, ANONYMOUS) };
  }
  const id = attributes.caller;
  if (id === undefined) return refuse("malformed-identity", "no identity on a mesh listener");
  const text = id.toString();
  const known = destination.views.get(text);
  if (known !== undefined) return revocationOf(text, attributes, revocations) ?? { ok: true, view: known };
  return takeInStranger(id, text, attributes, destination, registry, revocations);
}

function takeInStranger(
  id: SpiffeId,
  text: string,
  attributes: Attributes,
  destination: DestinationIndex,
  registry: Registry,
  revocations: Revocations | undefined,
): Intake {
  const isOwn = id.trustDomain === registry.trustDomain;
  if (!isOwn && !registry.federated.has(id.trustDomain)) return refuse("untrusted-domain");
  const isSystem = isSystemId(id);
  const caller: Caller | undefined = isOwn ? registeredCaller(id, text, registry) : { kind: "foreign", id };
  if (caller === undefined && !isSystem) return refuse("unregistered-identity");
  const revoked = revocationOf(text, attributes, revocations);
  if (revoked !== undefined) return revoked;
  if (isSystem || caller === undefined) return refuse("system-identity");
  return { ok: true, view: makeView(destination, registry, caller, text) };
}

function registeredCaller(id: SpiffeId, text: string, registry: Registry): Caller | undefined {
  const workload = registry.workloads.get(text);
  if (workload !== undefined) return { kind: "registered", id, workload };
  if (registry.unnamed.size === 0) return undefined;
  const isolate = registry.unnamed.get(createHash("sha256").update(text).digest("hex").slice(0, 32));
  return isolate && { kind: "unnamed", id, isolate };
}

function revocationOf(text: string, attributes: Attributes, revocations: Revocations | undefined): Intake | undefined {
  if (revocations === undefined) return undefined;
  if (revocations.identities.has(text)) return refuse("revoked-identity", "the identity is revoked");
  const serial = attributes.callerSerial;
  if (serial === undefined || !revocations.serials.has(serial)) return undefined;
  return refuse("revoked-identity", "the certificate is revoked");
}

function refuse(reason: ReasonCode, detail?: string): Intake {
  return {
    ok: false,
    ruling: { verdict: "deny", reason, phase: "intake", ...(detail === undefined ? undefined : { detail }) },
  };
}
