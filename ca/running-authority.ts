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
import { CaError } from "./ca-error.ts";
import { caStatusOf } from "./ca-status.ts";
import type { CaChange, CertificateAuthority } from "./certificate-authority.ts";
import type { CaContext } from "./context.ts";
import type { CaCounters, Counting } from "./counters.ts";
import type { Hierarchy } from "./hierarchy.ts";
import type { HighWaterKeeper } from "./high-water.ts";
import { type AttestedNode, type Issuing, type SystemSvidOptions, startIssuing } from "./issuing.ts";
import { issueToken } from "./join-tokens.ts";
import { checkLedger, followHead, type LedgerCheck, type LedgerHead, type LedgerQuery, readLedger } from "./ledger.ts";
import type { PolicyBundles, Provenance, PublishedBundle, PublishOutcome } from "./policy-bundles.ts";
import { startQueue } from "./queue.ts";
import { type EnrolmentRefusal, recordRefusals } from "./refusal.ts";
import { type Registry, registryOf } from "./registry.ts";
import type { RevocationList, RevocationLists } from "./revocation-lists.ts";
import type { PublishedRevocations, Revocations } from "./revocations.ts";
import { Rotation, type TrustNotice } from "./rotation.ts";
import { SettlingGroup } from "./settling-group.ts";
import type { Grounds } from "./standing.ts";
import { RenewalTimer, type Timers } from "./timers.ts";

/** What a running authority is put together from. */
export interface RunningParts {
  readonly context: CaContext;
  readonly hierarchy: Hierarchy;
  readonly revocations: Revocations;
  readonly bundles: PolicyBundles;
  readonly counters: Counting;
  /** The ledger's head when it was opened. */
  readonly head: LedgerHead;
  readonly timers: Timers;
  readonly onProblem: (error: unknown) => void;
  readonly highWater: HighWaterKeeper;
  /** Absent where nobody asked for them. */
  readonly lists: RevocationLists | undefined;
}

/** Who signs, and what agents are told of it; compared to tell that it has changed. */
interface Signing {
  readonly signs: string;
  readonly told: string;
}

/** The authority: its parts behind one queue, and the renewals that it does by itself. */
export class RunningAuthority implements CertificateAuthority {
  readonly trustDomain: TrustDomain;
  readonly #parts: RunningParts;
  readonly #issuing: Issuing;
  readonly #rotation: Rotation;
  readonly #queue = startQueue();
  readonly #listeners = new Set<(what: CaChange) => void>();
  readonly #timer: RenewalTimer;
  #registry: Registry = registryOf({ nodes: [], workloads: [] });
  readonly #group: SettlingGroup;
  readonly #certificates: Grounds["certificates"] = new Map();
  #head: LedgerHead;
  #closed = false;
  /** Whether a look at what is due waits for its turn. */
  #looks = false;

  constructor(parts: RunningParts) {
    this.#parts = parts;
    this.trustDomain = parts.context.trustDomain;
    this.#head = parts.head;
    const { hierarchy, counters } = parts;
    this.#group = new SettlingGroup({
      ...parts,
      exclusively: (work) => this.#alone(work),
      appended: (from, to) => this.#followLedger(from, to),
    });
    this.#issuing = startIssuing({ hierarchy, counters, group: this.#group, grounds: () => this.#grounds() });
    this.#rotation = new Rotation({ ...parts, isNodeRevoked: (node) => parts.revocations.isNodeRevoked(node) });
    const hurry = () => this.#rotation.waiting;
    this.#timer = new RenewalTimer(parts.timers, parts.context.lifetimes, () => this.#renewByItself(), hurry);
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
    this.#tell("registry");
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
    if (outcome.published) this.#tell("bundle");
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
      await this.#note(true);
      return revoked;
    });
    this.#tell("revocations");
    if (this.#parts.lists !== undefined) this.#tell("trust-bundle");
    return response;
  }

  revocations(): PublishedRevocations {
    return this.#parts.revocations.current();
  }

  ledger(query?: LedgerQuery): Promise<LedgerEntries> {
    return readLedger(this.#parts.context.db, query);
  }

  verifyLedger(): Promise<LedgerCheck> {
    return this.#exclusive(() => checkLedger(this.#parts.context.db, this.#head));
  }

  renewDue(): Promise<void> {
    return this.#exclusive(() => this.#renew());
  }

  async rotate(request: RotateOrder): Promise<CaStatus> {
    return this.#exclusive(async () => {
      const before = this.#signing();
      await this.#rotation.begin(request);
      await this.#renew(before);
      this.#timer.again();
      return this.#caStatus();
    });
  }

  request(): Promise<string> {
    return this.#exclusive(() => requestIntermediate(this.#parts.context));
  }

  bring(brought: Brought): Promise<CaStatus> {
    return this.#exclusive(async () => {
      const before = this.#signing();
      await this.#parts.hierarchy.bring(brought);
      await this.#renew(before);
      this.#timer.again();
      return this.#caStatus();
    });
  }

  status(): Promise<CaStatus> {
    return this.#exclusive(() => this.#caStatus());
  }

  reportTrust(node: string, report: NodeTrustReport): void {
    this.#rotation.reported(node, report);
    if (!this.#rotation.waiting || this.#looks) return;
    this.#looks = true;
    void this.#renewByItself();
  }

  trustNotice(): TrustNotice {
    return { ...this.#rotation.notice(), ...this.#parts.lists?.notice() };
  }

  revocationLists(): readonly RevocationList[] {
    return this.#parts.lists?.current ?? [];
  }

  subscribe(listener: (what: CaChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.stop();
    await this.#queue.idle();
    await this.#note(true);
    this.#listeners.clear();
  }

  /** INVARIANT: whatever decides on state and changes it runs alone, so that nothing is issued past a revocation. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.#group.close();
    return this.#alone(async () => {
      this.#head = await followHead(this.#parts.context.db, this.#head);
      return work();
    });
  }

  /** The same for work that tells itself how far it has brought the ledger. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      if (this.#closed) throw new CaError("ERR_CA_CLOSED", "the certificate authority has been closed");
      const result = await work();
      await this.#note(false);
      return result;
    });
  }

  /** An append to the very entry that was known says that it is still there; after any other, the store is asked. */
  async #followLedger(from: LedgerHead, to: LedgerHead): Promise<void> {
    const known = from.sequence === this.#head.sequence && from.hash === this.#head.hash;
    this.#head = known ? to : await followHead(this.#parts.context.db, this.#head);
  }

  /** Does what is due, and tells of what has changed since `before`. */
  async #renew(before: Signing = this.#signing()): Promise<void> {
    const { revocations, bundles } = this.#parts;
    await this.#rotation.advance();
    await this.#parts.lists?.renew();
    const after = this.#signing();
    if (after.signs !== before.signs) this.#tell("signing");
    if (after.told !== before.told) this.#tell("trust-bundle");
    if (await revocations.renew()) this.#tell("revocations");
    if (await bundles.renew()) this.#tell("bundle");
    await this.#note(true);
  }

  /** Keeps the high-water mark; where it cannot be written, the work that it is about is done all the same. */
  async #note(now: boolean): Promise<void> {
    const { highWater, onProblem, revocations } = this.#parts;
    await highWater.note(revocations.current().document, now).catch(onProblem);
  }

  #signing(): Signing {
    const { hierarchy } = this.#parts;
    const signs = hierarchy.all().filter(({ state }) => state === "active");
    return {
      signs: signs.map(({ serial }) => serial).join(),
      told: JSON.stringify([hierarchy.bundleHash(), this.trustNotice()]),
    };
  }

  #caStatus(): Promise<CaStatus> {
    return caStatusOf({ ...this.#parts, rotation: this.#rotation });
  }

  #grounds(): Grounds {
    const { context, revocations } = this.#parts;
    return { context, revocations, registry: this.#registry, certificates: this.#certificates };
  }

  /** A report that comes while it looks is worth another look. */
  #lookAndRenew(): Promise<void> {
    this.#looks = false;
    return this.#renew();
  }

  async #renewByItself(): Promise<void> {
    try {
      if (!this.#closed) await this.#exclusive(() => this.#lookAndRenew());
    } catch (error) {
      if (!this.#closed) this.#parts.onProblem(error);
    }
  }

  /** A listener that throws keeps no other one from hearing. */
  #tell(what: CaChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(what);
      } catch (error) {
        this.#parts.onProblem(error);
      }
    }
  }
}
