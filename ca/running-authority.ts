import type { X509Certificate } from "node:crypto";
import type { PolicySet } from "../policies/index.ts";
import type {
  AuthorityStatus,
  CaStatus,
  EnrolRequest,
  EnrolResponse,
  IssuedCertificate,
  JoinTokenResponse,
  JwtSvidsRequest,
  JwtSvidsResponse,
  LedgerEntries,
  NodeTrustReport,
  NodeWorkloads,
  RenewRequest,
  RevokeRequest,
  RevokeResponse,
  RotateOrder,
  SvidsRequest,
  SvidsResponse,
} from "../protocol/index.ts";
import type { SpiffeId, TrustBundle, TrustDomain, X509Svid } from "../spiffe/index.ts";
import { type Brought, requestIntermediate } from "./bring.ts";
import type { CaChange, CertificateAuthority } from "./certificate-authority.ts";
import type { CaContext } from "./context.ts";
import type { CaCounters, Counting } from "./counters.ts";
import { type AttestedNode, type Issuing, type SystemSvidOptions, startIssuing } from "./issuing.ts";
import { issueToken } from "./join-tokens.ts";
import { checkLedger, type LedgerCheck, type LedgerQuery, readLedger } from "./ledger.ts";
import { Listeners } from "./listeners.ts";
import type { PolicyBundles, Provenance, PublishedBundle, PublishOutcome } from "./policy-bundles.ts";
import { type EnrolmentRefusal, recordRefusals } from "./refusal.ts";
import { type Registry, registryOf } from "./registry.ts";
import { type RenewalParts, Renewals } from "./renewals.ts";
import type { RevocationList } from "./revocation-lists.ts";
import type { PublishedRevocations, Revocations } from "./revocations.ts";
import type { TrustNotice } from "./rotation.ts";
import { SettlingGroup } from "./settling-group.ts";
import type { Grounds } from "./standing.ts";
import { type TurnParts, Turns } from "./turns.ts";

/** What a running authority is put together from. */
export interface RunningParts extends TurnParts, Pick<RenewalParts, "hierarchy" | "lists" | "timers"> {
  readonly context: CaContext;
  readonly revocations: Revocations;
  readonly bundles: PolicyBundles;
  readonly counters: Counting;
}

/** The authority: its parts, each piece of work in its turn. */
export class RunningAuthority implements CertificateAuthority {
  readonly trustDomain: TrustDomain;
  readonly #parts: RunningParts;
  readonly #issuing: Issuing;
  readonly #renewals: Renewals;
  readonly #turns: Turns;
  readonly #group: SettlingGroup;
  readonly #listeners: Listeners;
  readonly #certificates: Grounds["certificates"] = new Map();
  #registry: Registry = registryOf({ nodes: [], workloads: [] });

  constructor(parts: RunningParts) {
    this.#parts = parts;
    this.trustDomain = parts.context.trustDomain;
    this.#listeners = new Listeners(parts.onProblem);
    const turns = new Turns(parts);
    this.#turns = turns;
    const { hierarchy, counters } = parts;
    this.#group = new SettlingGroup({
      ...parts,
      exclusively: (work) => turns.takeAppending(work),
      appended: (from, to) => turns.appended(from, to),
    });
    this.#issuing = startIssuing({ hierarchy, counters, group: this.#group, grounds: () => this.#grounds() });
    this.#renewals = new Renewals({
      ...parts,
      exclusively: (work) => this.#exclusive(work),
      tell: (what) => this.#listeners.tell(what),
      note: () => turns.note(true),
    });
  }

  trustBundle(): TrustBundle {
    return this.#parts.hierarchy.trustBundle();
  }

  rootFingerprint(): string {
    return this.#parts.hierarchy.rootFingerprint();
  }

  crossCertificates(): readonly X509Certificate[] {
    return this.#parts.hierarchy.crossCertificates();
  }

  authorities(): AuthorityStatus["authorities"] {
    return this.#parts.hierarchy.authorities();
  }

  counters(): CaCounters {
    return this.#parts.counters.read();
  }

  setRegistry(set: PolicySet, options: { readonly localNode?: string } = {}): void {
    this.#registry = registryOf(set, options.localNode);
    this.#listeners.tell("registry");
  }

  workloadsOf(node: string): NodeWorkloads {
    if (this.#parts.revocations.isNodeRevoked(node)) return { node, workloads: [] };
    return this.#registry.workloadsOf(node);
  }

  createJoinToken(node: string): Promise<JoinTokenResponse> {
    return this.#exclusive(() => issueToken(this.#grounds(), node, this.rootFingerprint()));
  }

  enrol(request: EnrolRequest): Promise<EnrolResponse> {
    return this.#exclusive(() => this.#issuing.enrol(request));
  }

  enrolAttested(attested: AttestedNode): Promise<EnrolResponse> {
    return this.#issuing.enrolAttested(attested);
  }

  recordRefusal(refusal: EnrolmentRefusal): Promise<void> {
    const { db, clock } = this.#parts.context;
    return this.#exclusive(() =>
      db.transaction().execute((trx) => recordRefusals(trx, clock(), [{ ...refusal, code: "ERR_CA_ATTESTATION" }])),
    );
  }

  renewAgent(node: string, request: RenewRequest, serial?: string): Promise<EnrolResponse> {
    return this.#issuing.renewAgent(node, request, serial);
  }

  issueSvids(node: string, request: SvidsRequest, serial?: string): Promise<SvidsResponse> {
    return this.#issuing.issueSvids(node, request, serial);
  }

  issueJwtSvids(node: string, request: JwtSvidsRequest, serial?: string): Promise<JwtSvidsResponse> {
    return this.#issuing.issueJwtSvids(node, request, serial);
  }

  issueProbe(node: string, request: RenewRequest, serial?: string): Promise<IssuedCertificate> {
    return this.#issuing.issueProbe(node, request, serial);
  }

  issueSystemSvid(id: SpiffeId, options?: SystemSvidOptions): Promise<X509Svid> {
    return this.#exclusive(() => this.#issuing.issueSystemSvid(id, options));
  }

  async publishBundle(set: PolicySet, publisher: string, provenance?: Provenance): Promise<PublishOutcome> {
    const outcome = await this.#exclusive(() => this.#parts.bundles.publish(set, publisher, provenance));
    if (outcome.published) this.#listeners.tell("bundle");
    return outcome;
  }

  bundle(): PublishedBundle | undefined {
    return this.#parts.bundles.current();
  }

  shard(sha256: string): Uint8Array | undefined {
    return this.#parts.bundles.shard(sha256);
  }

  async revoke(request: RevokeRequest, actor: string): Promise<RevokeResponse> {
    const response = await this.#exclusive(async () => {
      const revoked = await this.#parts.revocations.revoke(request, actor);
      await this.#parts.lists?.renew();
      await this.#turns.note(true);
      return revoked;
    });
    this.#listeners.tell("revocations");
    if (this.#parts.lists !== undefined) this.#listeners.tell("trust-bundle");
    return response;
  }

  revocations(): PublishedRevocations {
    return this.#parts.revocations.current();
  }

  ledger(query?: LedgerQuery): Promise<LedgerEntries> {
    return readLedger(this.#parts.context.db, query);
  }

  verifyLedger(): Promise<LedgerCheck> {
    return this.#exclusive(() => checkLedger(this.#parts.context.db, this.#turns.head));
  }

  renewDue(): Promise<void> {
    return this.#exclusive(() => this.#renewals.renew());
  }

  async rotate(request: RotateOrder): Promise<CaStatus> {
    return this.#exclusive(() => this.#renewals.rotate(request));
  }

  request(): Promise<string> {
    return this.#exclusive(() => requestIntermediate(this.#parts.context));
  }

  bring(brought: Brought): Promise<CaStatus> {
    return this.#exclusive(() => this.#renewals.bring(brought));
  }

  status(): Promise<CaStatus> {
    return this.#exclusive(() => this.#renewals.status());
  }

  reportTrust(node: string, report: NodeTrustReport): void {
    this.#renewals.reported(node, report);
  }

  trustNotice(): TrustNotice {
    return this.#renewals.trustNotice();
  }

  revocationLists(): readonly RevocationList[] {
    return this.#parts.lists?.current ?? [];
  }

  subscribe(listener: (what: CaChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#renewals.stop();
    await this.#turns.close();
    this.#listeners.clear();
  }

  /** Whoever asks for a certificate from now on comes after this. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.#group.close();
    return this.#turns.take(work);
  }

  #grounds(): Grounds {
    const { context, revocations } = this.#parts;
    return { context, revocations, registry: this.#registry, certificates: this.#certificates };
  }
}
