import { AgentError } from "../agent-error.ts";
import { DecisionLog } from "../decision-log.ts";
import { type Logger, stderrLogger } from "../logger.ts";
import { AgentMetrics } from "../metrics.ts";
import { MonotonicClock, systemClock } from "../monotonic-clock.ts";
import { PolicyState } from "../policy-state.ts";
import type { AgentOptions } from "./agent-options.ts";
import type { AuthorityClient } from "./authority-client.ts";
import { BundleIntake } from "./bundle-intake.ts";
import { readClockFloor } from "./clock-file.ts";
import { Contact } from "./contact.ts";
import { Enrolment } from "./enrolment.ts";
import { ExternalTrust } from "./external-trust.ts";
import { IntakeJournal } from "./intake-journal.ts";
import { NetworkChecks } from "./network-checks.ts";
import { Reporter } from "./reporter.ts";
import { RevocationIntake } from "./revocation-intake.ts";
import { ServedWorkloads } from "./served-workloads.ts";
import { openReport, Severance } from "./severance.ts";
import { StateDir } from "./state-dir.ts";
import { SvidKeeper } from "./svid-keeper.ts";
import { systemTimers, type Timers } from "./timers.ts";
import { TokenKeeper } from "./token-keeper.ts";
import { TrustConfirmation } from "./trust-confirmation.ts";
import { TrustStore } from "./trust-store.ts";

/** The parts of an agent, wired to each other. */
export interface AgentParts {
  readonly maxStaleMs: number;
  readonly log: Logger;
  readonly timers: Timers;
  readonly files: StateDir;
  readonly clock: MonotonicClock;
  readonly state: PolicyState;
  readonly trust: TrustStore;
  readonly metrics: AgentMetrics;
  readonly decisionLog: DecisionLog;
  readonly contact: Contact;
  readonly journal: IntakeJournal;
  readonly enrolment: Enrolment;
  readonly bundles: BundleIntake;
  readonly revocations: RevocationIntake;
  readonly keeper: SvidKeeper;
  readonly served: ServedWorkloads;
  readonly external: ExternalTrust;
  readonly network: NetworkChecks;
  readonly reporter: Reporter;
  readonly confirmation: TrustConfirmation;
  readonly severance: Severance;
  /** Speaks to the authority with the agent's identity; throws `ERR_AGENT_NOT_ENROLLED` while there is none. */
  readonly client: () => AuthorityClient;
}

const DEFAULT_MAX_STALE_MS = 3_600_000;

/** Makes the parts; starts none of them. */
export function buildParts(options: AgentOptions, stopping: AbortSignal): AgentParts {
  const { joinToken, maxStaleMs = DEFAULT_MAX_STALE_MS, log = stderrLogger(), timers = systemTimers } = options;
  const files = new StateDir(options.stateDir);
  const clock = new MonotonicClock(systemClock(options.clock), readClockFloor(files));
  const state = new PolicyState(maxStaleMs);
  const trust = new TrustStore(files);
  const nowMs = (): number => clock.nowMs();
  const metrics = new AgentMetrics({ view: () => state.view, revocations: () => state.revocations.sequence, nowMs });
  const decisionLog = new DecisionLog(options.decisionLog ?? {}, {
    counted: (observed) => metrics.counted(observed),
    dropped: (records) => metrics.dropped(records),
    failed: (message) => log.error({ error: message }, "the decision log failed"),
  });
  const common = { files, clock, timers, log, trust };
  const contact = new Contact(log, metrics, () => clock.now());
  const journal = new IntakeJournal(log, metrics, state);
  const { authorityUrl: url, attestation } = options;
  const enrolment = new Enrolment({ ...common, url, joinToken, attestation });
  const client = (): AuthorityClient => enrolledClient(enrolment);
  const intake = { files, clock, state, trust: () => trust.own };
  const bundles = new BundleIntake({ ...intake, fetchShard: (sha256) => client().shard(sha256, stopping) });
  const revocations = new RevocationIntake(intake);
  const external = new ExternalTrust({
    ...common,
    changed: () => {
      keeper.reconsider();
      served.refreshSecrets();
      network.reconsider();
    },
  });
  const keeper: SvidKeeper = new SvidKeeper({
    ...common,
    elsewhere: () => external.elsewhere,
    client: () => enrolment.client,
    revocations: () => state.revocations,
    policy: () => state.view.set,
    changed: (workload, svid) => metrics.svid(workload, svid?.notAfter),
  });
  const tokens = new TokenKeeper({ ...common, client: () => enrolment.client, signal: stopping });
  const served: ServedWorkloads = new ServedWorkloads({
    ...common,
    runDir: options.runDir,
    state,
    keeper,
    tokens,
    metrics,
    decisionLog,
    secretsSettled: () => reporter.changed(),
    toldOpen: (sidecar, event) => severance.told(sidecar, event),
  });
  const network: NetworkChecks = new NetworkChecks({ ...common, state, enrolment, served, metrics, decisionLog });
  const failed = (error: unknown, message: string): void => contact.failed(error, message);
  const reporter: Reporter = new Reporter({
    client: () => enrolment.client,
    state,
    trust: () => confirmation.report(),
    open: () => openReport(served.severable()),
    timers,
    failed,
  });
  const changed = (): void => reporter.changed();
  const severance: Severance = new Severance({ ...common, sidecars: () => served.severable(), changed });
  const confirmation = new TrustConfirmation({ ...common, enrolment, keeper, served, changed });
  const intakes = { bundles, revocations, journal };
  return {
    ...common,
    ...intakes,
    maxStaleMs,
    state,
    metrics,
    decisionLog,
    contact,
    enrolment,
    keeper,
    served,
    external,
    network,
    reporter,
    confirmation,
    severance,
    client,
  };
}

function enrolledClient(enrolment: Enrolment): AuthorityClient {
  const { client, state } = enrolment;
  if (client !== undefined) return client;
  const why = state.problem === undefined ? "" : `: ${state.problem}`;
  throw new AgentError(
    "ERR_AGENT_NOT_ENROLLED",
    `the agent has no valid identity to speak to the authority with${why}`,
  );
}
