import type { AgentStatus, RefusalStatus, WorkloadStatus } from "../agent-status.ts";
import type { DecisionLog } from "../decision-log.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import type { PolicyState } from "../policy-state.ts";
import type { Contact } from "./contact.ts";
import type { Enrolment } from "./enrolment.ts";
import type { ExternalTrust } from "./external-trust.ts";
import type { IntakeJournal } from "./intake-journal.ts";
import type { NetworkChecks } from "./network-checks.ts";
import type { Refusal } from "./refusal.ts";
import type { RevocationIntake } from "./revocation-intake.ts";
import type { Served, ServedWorkloads } from "./served-workloads.ts";
import { type KeptSvid, nameOf, type SvidKeeper } from "./svid-keeper.ts";
import type { TrustStore } from "./trust-store.ts";

/** The parts whose state is shown. */
export interface StatusSources {
  readonly url: string;
  readonly maxStaleMs: number;
  readonly clock: MonotonicClock;
  readonly state: PolicyState;
  readonly trust: TrustStore;
  readonly enrolment: Enrolment;
  readonly revocations: RevocationIntake;
  readonly keeper: SvidKeeper;
  readonly served: ServedWorkloads;
  readonly contact: Contact;
  readonly external: ExternalTrust;
  readonly network: NetworkChecks;
  readonly journal: IntakeJournal;
  readonly opened: () => boolean;
  readonly decisionLog: DecisionLog;
  readonly metricsUrl: () => string | undefined;
}

/** The agent's status at this moment. */
export function statusOf(sources: StatusSources): AgentStatus {
  const { clock, state, trust, url } = sources;
  const waitingFor = missing(sources);
  const contact = sources.contact.state;
  const node = nodeOf(sources);
  const trustDomain = trust.state?.trustDomain;
  const metricsUrl = sources.metricsUrl();
  const externalTrust = sources.external.status();
  const listen = sources.network.status();
  return {
    ready: waitingFor.length === 0,
    waitingFor,
    ...(node === undefined ? {} : { node }),
    ...(trustDomain === undefined ? {} : { trustDomain }),
    enrolment: enrolmentStatus(sources.enrolment),
    authority: {
      url,
      reachable: contact.reachable,
      ...(contact.last === undefined ? {} : { lastContact: contact.last.toISOString() }),
      ...(contact.problem === undefined ? {} : { problem: contact.problem }),
    },
    policy: policyStatus(sources),
    revocations: {
      sequence: state.revocations.sequence,
      serials: state.revocations.serials.size,
      identities: state.revocations.identities.size,
      ...refusedStatus(sources.journal.refused("revocations")),
    },
    nodeRevoked: sources.revocations.document?.nodes.some((revoked) => revoked.node === node) ?? false,
    workloads: [...sources.keeper.kept.values()].map((kept) => workloadStatus(kept, sources)),
    ...(externalTrust === undefined ? {} : { externalTrust }),
    ...(listen === undefined ? {} : { listen }),
    clock: { now: clock.now().toISOString(), wallBehindSeconds: clock.wallBehindMs() / 1000 },
    decisionLog: { dropped: sources.decisionLog.dropped },
    ...(metricsUrl === undefined ? {} : { metricsUrl }),
  };
}

/** What keeps the agent from being ready; nothing where it is. */
export function missing(sources: StatusSources): readonly string[] {
  const { clock, enrolment, keeper, opened, served, state } = sources;
  const reasons: string[] = [];
  if (enrolment.state.kind === "joining" && keeper.kept.size === 0) reasons.push("the authority");
  const freshness = state.freshness(clock.nowMs());
  if (freshness === "none" || freshness === "stale") reasons.push("a valid policy bundle");
  if (!opened()) reasons.push("sockets");
  if (sources.external.status()?.authorities === 0) reasons.push("the trust bundle of the workloads' issuer");
  for (const [identity, { workload, identity: source }] of keeper.kept) {
    const refused = served.served.get(identity)?.refusal !== undefined;
    if (refused) continue;
    if (opened() && !served.served.has(identity)) reasons.push(`sockets of ${nameOf(workload)}`);
    if (source.state.kind === "pending") reasons.push(`a certificate for ${nameOf(workload)}`);
  }
  return reasons;
}

function enrolmentStatus({ state }: Enrolment): AgentStatus["enrolment"] {
  return {
    state: state.kind,
    ...(state.kind === "enrolled" ? { certificateNotAfter: state.svid.notAfter.toISOString() } : {}),
    ...(state.problem === undefined ? {} : { problem: state.problem }),
  };
}

function nodeOf({ enrolment }: StatusSources): string | undefined {
  return enrolment.state.kind === "enrolled" ? enrolment.state.node : undefined;
}

function policyStatus(sources: StatusSources): AgentStatus["policy"] {
  const { clock, maxStaleMs, state } = sources;
  const bundle = state.view.bundle;
  const place =
    bundle === undefined
      ? { epoch: 0, revision: 0 }
      : {
          epoch: bundle.epoch,
          revision: bundle.revision,
          issuedAt: bundle.issuedAt.toISOString(),
          expiresAt: bundle.expiresAt.toISOString(),
          source: bundle.source,
        };
  return {
    state: state.freshness(clock.nowMs()),
    maxStaleSeconds: maxStaleMs / 1000,
    ...place,
    ...refusedStatus(sources.journal.refused("bundle")),
  };
}

function workloadStatus(kept: KeptSvid, sources: StatusSources): WorkloadStatus {
  const { workload } = kept;
  const served = sources.served.served.get(workload.identity);
  const secrets = served?.secrets?.status();
  const problems = sources.served.edges.problems(workload.identity);
  return {
    workload: nameOf(workload),
    identity: workload.identity,
    ...(workload.uid === undefined ? {} : { uid: workload.uid }),
    isolation: served?.local.ok === true ? served.local.isolation : "none",
    ...servingStatus(served),
    inBundle: sources.state.view.bundle?.destinations.includes(workload.identity) ?? false,
    svid: svidStatus(kept),
    ...(secrets === undefined ? {} : { secrets }),
    ...(problems.length === 0 ? {} : { publicCertificates: problems }),
  };
}

function servingStatus(served: Served | undefined): Pick<WorkloadStatus, "state" | "refused" | "sockets"> {
  if (served === undefined) return { state: "opening" };
  if (served.refusal !== undefined) return { state: "refused", ...refusedStatus(served.refusal) };
  return { state: "serving", ...(served.sockets === undefined ? {} : { sockets: served.sockets.paths }) };
}

function svidStatus({ identity, problem, svid }: KeptSvid): WorkloadStatus["svid"] {
  const { state } = identity;
  const known = svid === undefined ? {} : { serial: svid.serial, notAfter: svid.notAfter.toISOString() };
  const why = state.kind === "none" ? state.reason : problem;
  return { state: state.kind, ...known, ...(why === undefined ? {} : { problem: why }) };
}

function refusedStatus(refusal: Refusal | undefined): { readonly refused?: RefusalStatus } {
  if (refusal === undefined) return {};
  return { refused: { reason: refusal.reason, detail: refusal.detail, at: refusal.at.toISOString() } };
}
