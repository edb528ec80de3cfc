import type { CertificateAuthority } from "../ca/index.ts";
import {
  type Diagnostic,
  guardrailDigest,
  type OidcProof,
  type PolicySet,
  type Team,
  teamsOf,
} from "../policies/index.ts";
import type { AuthorityStatus, PublishedPolicies, PublishResponse } from "../protocol/index.ts";
import { Approvals, needsApproval, reviewOf } from "./approvals.ts";
import type { AuditEntry, AuditTrail } from "./audit.ts";
import { type Composition, compose, digestOf, foreignTrustDomain, hasError } from "./composition.ts";
import { judgePublish } from "./judge-publish.ts";
import type { AuthorityMetrics } from "./metrics.ts";
import type { ArchivedSet, PendingPublish, PolicyArchive, PolicyFile } from "./policy-archive.ts";
import { summarizeChange } from "./publish-summary.ts";
import { changesRegistry, registryChange } from "./registry-change.ts";

/** What publishing needs. */
export interface PublicationsOptions {
  readonly ca: CertificateAuthority;
  readonly clock: () => Date;
  readonly archive: PolicyArchive;
  readonly audit: AuditTrail;
  readonly metrics: AuthorityMetrics;
  /** Told of refused sets; the other outcomes are in the audit trail and the metrics. */
  readonly log: { info(fields: object, message: string): void };
  /** Node that may run every workload without `runsOn`. */
  readonly localNode?: string;
  /** Called with each set that comes in force, before its publish is answered; never rejects. */
  readonly enforced?: (set: PolicySet) => Promise<void>;
}

/** How files are published. */
export interface PublishOptions {
  /** Says what would happen, and changes nothing. */
  readonly dryRun?: boolean;
  /** The source whose files these are, all of them; the platform's own by default. */
  readonly source?: string;
  /** Git commit of the files. */
  readonly commit?: string;
}

/** The set in force, and who published it. */
interface InForce {
  readonly composition: Composition;
  readonly archived: ArchivedSet;
}

/** A publish on its way. */
interface Attempt {
  readonly source: string;
  readonly publisher: string;
  readonly commit?: string | undefined;
  readonly approver?: string | undefined;
}

/** Publishes policy sets one after the other; the last good one stays in force whatever comes after it. */
export class Publications {
  readonly #options: PublicationsOptions;
  #inForce: InForce | undefined;
  #refused: AuthorityStatus["refused"];
  #queue: Promise<unknown> = Promise.resolve();
  readonly #approvals: Approvals;

  constructor(options: PublicationsOptions) {
    this.#options = options;
    this.#approvals = new Approvals(options.archive, options.clock);
  }

  /** The set in force; absent before the first publish. */
  get set(): PolicySet | undefined {
    return this.#inForce?.composition.set;
  }

  /** The teams of the set in force, by name. */
  get teams(): ReadonlyMap<string, Team> {
    return teamsOf(this.#inForce?.composition.documents ?? []);
  }

  /** Every proof that the set in force takes: of teams' publishers and of approvers. */
  get proofs(): readonly OidcProof[] {
    const approvers = this.set?.mesh.approvals?.approvers ?? [];
    return [...[...this.teams.values()].flatMap(({ publishers }) => publishers), ...approvers];
  }

  /** Publishes that can be approved now, oldest first: what was published before something else took effect cannot. */
  get pending(): readonly PendingPublish[] {
    const current = digestOf(this.#inForce?.archived.files ?? []);
    return this.#approvals.list().filter(({ base }) => base === current);
  }

  /** The files in force, each with its source. */
  get published(): PublishedPolicies {
    const { files = [], publisher = "" } = this.#inForce?.archived ?? {};
    return { ...this.#revision(), publisher, files: files.map((file) => ({ source: "", ...file })) };
  }

  /** The newest refused publish, until a good one follows. */
  get refused(): AuthorityStatus["refused"] {
    return this.#refused;
  }

  /**
   * Replaces one source's files, together with nothing else. A set with errors, one outside the source's grant and one that
   * breaks a guardrail are refused: the answer carries the diagnostics, `published` is false, and what was in force stays
   * so. A dry run changes nothing, `refused` included. Where the mesh asks for approvals the answer may be `pending`.
   */
  publish(files: readonly PolicyFile[], actor: string, options: PublishOptions = {}): Promise<PublishResponse> {
    const { source = "", commit, dryRun = false } = options;
    return this.#inTurn(() => this.#publish(files, { source, publisher: actor, commit }, dryRun));
  }

  /** Puts a publish that waits in force, or shows it to the approver and leaves it waiting: codes of `Approvals.demand`. */
  approve(
    id: string,
    actor: string,
    { dryRun = false }: Pick<PublishOptions, "dryRun"> = {},
  ): Promise<PublishResponse> {
    return this.#inTurn(async () => {
      const inForce = this.#inForce?.archived.files ?? [];
      const pending = this.#approvals.demand(id, actor, digestOf(inForce));
      const { files, source, publisher, commit } = pending;
      const answer = await this.#publish(files, { source, publisher, commit, approver: actor }, dryRun);
      if (dryRun) return { ...answer, review: reviewOf(pending, inForce) };
      if (!hasErrorMessage(answer)) await this.#approvals.remove(id);
      return answer;
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** Brings back the last good set after a restart; resolves to whether there was one that is still good. */
  async restore(): Promise<boolean> {
    await this.#approvals.restore();
    const kept = await this.#options.archive.load();
    if (kept === undefined) return false;
    const composition = compose(
      kept.files,
      "",
      kept.files.filter(({ source = "" }) => source === ""),
    );
    const diagnostics = [...composition.set.diagnostics, ...this.#foreign(composition)];
    if (hasError(diagnostics)) {
      this.#refuse(diagnostics);
      return false;
    }
    await this.#enforce({ composition, archived: kept });
    return true;
  }

  async #publish(files: readonly PolicyFile[], attempt: Attempt, dryRun: boolean): Promise<PublishResponse> {
    const { source, publisher, commit, approver } = attempt;
    const composition = compose(this.#inForce?.archived.files ?? [], source, files);
    const { set } = composition;
    const diagnostics = this.#judge(composition, source);
    const answer = {
      workloads: summarizeChange(this.set, set),
      registry: registryChange(this.set, set, this.#options.localNode),
      policies: set.policies.length,
      diagnostics: diagnostics.map((each) => ({ ...each })),
    };
    if (hasError(diagnostics)) {
      if (!dryRun) await this.#auditRefusal(publisher, this.#refuse(diagnostics));
      return { ...answer, published: false, ...this.#revision() };
    }
    const why = approver === undefined ? this.#needsApproval(composition) : undefined;
    if (dryRun) {
      const pending = why === undefined ? {} : { pending: { id: "", why } };
      return { ...answer, ...pending, published: false, ...this.#revision() };
    }
    if (why !== undefined) return { ...answer, ...(await this.#wait(files, attempt, why)) };
    const archived = {
      files: composition.files,
      publisher,
      ...(approver === undefined ? {} : { approvers: [approver] }),
      ...(commit === undefined ? {} : { commit }),
    };
    const { published, epoch, revision } = await this.#enforce({ composition, archived });
    this.#accepted(published);
    const subject = `bundle ${epoch}.${revision}${source === "" ? "" : ` of ${source}`}`;
    const approved = approver === undefined ? undefined : `approved by ${approver}`;
    if (published) await this.#audit(publisher, "done", subject, approved);
    else if (changesRegistry(answer.registry)) await this.#audit(publisher, "done", "registry", approved);
    return { ...answer, published, epoch, revision };
  }

  #judge(composition: Composition, source: string): readonly Diagnostic[] {
    const read = [...composition.set.diagnostics, ...this.#foreign(composition)];
    if (hasError(read)) return read;
    const inForce = this.#inForce?.composition.documents ?? [];
    return [...read, ...judgePublish(composition, { source, inForce, now: this.#options.clock() })];
  }

  #needsApproval(after: Composition): string | undefined {
    return needsApproval(this.#inForce?.composition, after, this.#options.clock());
  }

  async #wait(
    files: readonly PolicyFile[],
    { source, publisher, commit }: Attempt,
    why: string,
  ): Promise<Pick<PublishResponse, "pending" | "published" | "epoch" | "revision">> {
    const base = digestOf(this.#inForce?.archived.files ?? []);
    const own = files.map(({ path, text }) => ({ path, text }));
    const draft = { source, publisher, why, base, files: own, ...(commit === undefined ? {} : { commit }) };
    const { id } = await this.#approvals.add(draft);
    await this.#audit(publisher, "done", `pending ${id}`, why, "request-approval");
    return { pending: { id, why }, published: false, ...this.#revision() };
  }

  /** INVARIANT: registry and archive follow the bundle: when it cannot be published, both go back to what they were. */
  async #enforce(
    next: InForce,
  ): Promise<{ readonly published: boolean; readonly epoch: number; readonly revision: number }> {
    const { ca, archive } = this.#options;
    const before = this.#inForce;
    const { composition, archived } = next;
    await archive.save(archived);
    this.#register(composition.set);
    try {
      const result = await ca.publishBundle(composition.set, archived.publisher, provenanceOf(next));
      this.#inForce = next;
      this.#measureBundle();
      await this.#options.enforced?.(composition.set);
      return result;
    } catch (error) {
      if (before !== undefined) this.#register(before.composition.set);
      await archive.save(before?.archived);
      throw error;
    }
  }

  #foreign(composition: Composition): readonly Diagnostic[] {
    return foreignTrustDomain(composition, this.#options.ca.trustDomain);
  }

  #register(set: PolicySet): void {
    const { ca, localNode } = this.#options;
    ca.setRegistry(set, localNode === undefined ? {} : { localNode });
  }

  #revision(): { readonly epoch: number; readonly revision: number } {
    const manifest = this.#options.ca.bundle()?.manifest;
    return { epoch: manifest?.epoch ?? 0, revision: manifest?.revision ?? 0 };
  }

  #refuse(diagnostics: readonly Diagnostic[]): AuthorityStatus["refused"] {
    const errors = diagnostics.filter((each) => each.severity === "error");
    const first = errors[0];
    if (first === undefined) throw new TypeError("a set without errors is not refused");
    this.#refused = { at: this.#options.clock().toISOString(), errors: errors.length, first: { ...first } };
    this.#options.metrics.publishes.inc({ result: "refused" });
    this.#options.metrics.refusedEdit.set(1);
    this.#logRefusal(first, errors.length);
    return this.#refused;
  }

  #logRefusal({ code, message, span }: Diagnostic, errors: number): void {
    const { epoch, revision } = this.#revision();
    const stays = revision === 0 ? "nothing is in force yet" : `revision ${epoch}.${revision} stays in force`;
    const place = `${span.file}:${span.line}:${span.column}`;
    this.#options.log.info({ errors, code, place, message }, `the policies are refused; ${stays}`);
  }

  #accepted(published: boolean): void {
    this.#refused = undefined;
    this.#options.metrics.refusedEdit.set(0);
    this.#options.metrics.publishes.inc({ result: published ? "published" : "unchanged" });
  }

  #measureBundle(): void {
    const manifest = this.#options.ca.bundle()?.manifest;
    if (manifest === undefined) return;
    const { metrics } = this.#options;
    metrics.bundleEpoch.set(manifest.epoch);
    metrics.bundleRevision.set(manifest.revision);
    metrics.bundleExpires.set(Date.parse(manifest.expiresAt) / 1000);
  }

  #auditRefusal(actor: string, refused: AuthorityStatus["refused"]): Promise<void> {
    const detail = refused === undefined ? "" : `${refused.first.code}: ${refused.first.message}`;
    return this.#audit(actor, "refused", "policies", detail);
  }

  #audit(
    actor: string,
    outcome: AuditEntry["outcome"],
    subject: string,
    detail?: string,
    action: AuditEntry["action"] = "publish",
  ): Promise<void> {
    const { audit, clock } = this.#options;
    return audit.record({
      at: clock(),
      actor,
      action,
      outcome,
      subject,
      ...(detail === undefined ? {} : { detail }),
    });
  }
}

function hasErrorMessage({ diagnostics }: PublishResponse): boolean {
  return diagnostics.some((each) => each.severity === "error");
}

/** What the bundle says of how it came to be. */
function provenanceOf({
  composition: { documents },
  archived,
}: InForce): Parameters<CertificateAuthority["publishBundle"]>[2] {
  const { approvers, commit } = archived;
  const guarded = documents.some(({ kind }) => kind === "Guardrail");
  return {
    ...(approvers === undefined ? {} : { approvers: [...approvers] }),
    ...(commit === undefined ? {} : { commit }),
    ...(guarded ? { guardrails: guardrailDigest(documents) } : {}),
  };
}
