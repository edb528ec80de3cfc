import type { CertificateAuthority } from "../ca/index.ts";
import { type Diagnostic, type PolicySet, parseDocuments, resolve } from "../policies/index.ts";
import type { AuthorityStatus, PublishResponse } from "../protocol/index.ts";
import type { AuditTrail } from "./audit.ts";
import { AuthorityError } from "./authority-error.ts";
import type { AuthorityMetrics } from "./metrics.ts";
import type { PolicyArchive, PolicyFile } from "./policy-archive.ts";
import { summarizeChange } from "./publish-summary.ts";

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
}

/** The set in force, and who published it. */
interface InForce {
  readonly set: PolicySet;
  readonly files: readonly PolicyFile[];
  readonly publisher: string;
}

/** Publishes policy sets one after the other; the last good one stays in force whatever comes after it. */
export class Publications {
  readonly #options: PublicationsOptions;
  #inForce: InForce | undefined;
  #refused: AuthorityStatus["refused"];
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: PublicationsOptions) {
    this.#options = options;
  }

  /** The set in force; absent before the first publish. */
  get set(): PolicySet | undefined {
    return this.#inForce?.set;
  }

  /** The newest refused publish, until a good one follows. */
  get refused(): AuthorityStatus["refused"] {
    return this.#refused;
  }

  /**
   * Replaces the whole set. A set with errors is refused: the answer carries its diagnostics, `published` is false, and what was in
   * force stays so. A dry run changes nothing, `refused` included.
   */
  publish(
    files: readonly PolicyFile[],
    actor: string,
    options: { readonly dryRun?: boolean } = {},
  ): Promise<PublishResponse> {
    const done = this.#queue.then(() => this.#publish(files, actor, options.dryRun === true));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  /** Brings back the last good set after a restart; resolves to whether there was one that is still good. */
  async restore(): Promise<boolean> {
    const kept = await this.#options.archive.load();
    if (kept === undefined) return false;
    const set = this.#read(kept.files);
    if (hasError(set.diagnostics)) {
      this.#refuse(set.diagnostics);
      return false;
    }
    await this.#enforce({ set, files: kept.files, publisher: kept.publisher });
    return true;
  }

  async #publish(files: readonly PolicyFile[], actor: string, dryRun: boolean): Promise<PublishResponse> {
    const set = this.#read(files);
    const workloads = summarizeChange(this.#inForce?.set, set);
    const answer = {
      workloads,
      policies: set.policies.length,
      diagnostics: set.diagnostics.map((each) => ({ ...each })),
    };
    if (dryRun) return { ...answer, published: false, ...this.#revision() };
    if (hasError(set.diagnostics)) {
      await this.#auditRefusal(actor, this.#refuse(set.diagnostics));
      return { ...answer, published: false, ...this.#revision() };
    }
    const { published, epoch, revision } = await this.#enforce({ set, files, publisher: actor });
    this.#accepted(published);
    if (published) await this.#audit(actor, "done", `bundle ${epoch}.${revision}`);
    return { ...answer, published, epoch, revision };
  }

  /** INVARIANT: registry and archive follow the bundle: when it cannot be published, both go back to what they were. */
  async #enforce(
    next: InForce,
  ): Promise<{ readonly published: boolean; readonly epoch: number; readonly revision: number }> {
    const { ca, archive } = this.#options;
    const before = this.#inForce;
    await archive.save({ files: next.files, publisher: next.publisher });
    this.#register(next.set);
    try {
      const result = await ca.publishBundle(next.set, next.publisher);
      this.#inForce = next;
      this.#measureBundle();
      return result;
    } catch (error) {
      if (before !== undefined) this.#register(before.set);
      await archive.save(before === undefined ? undefined : { files: before.files, publisher: before.publisher });
      throw error;
    }
  }

  #register(set: PolicySet): void {
    const { ca, localNode } = this.#options;
    ca.setRegistry(set, localNode === undefined ? {} : { localNode });
  }

  /** Parsed and resolved, with one finding more where the set is of another trust domain. */
  #read(files: readonly PolicyFile[]): PolicySet {
    const { documents, diagnostics } = parseDocuments(files);
    const set = resolve(documents, { diagnostics });
    const own = this.#options.ca.trustDomain;
    if (hasError(set.diagnostics) || set.mesh.trustDomain === own) return set;
    const span = { file: files[0]?.path ?? "policies", line: 1, column: 1, endLine: 1, endColumn: 1 };
    const foreign: Diagnostic = {
      severity: "error",
      code: "ERR_AUTHORITY_TRUST_DOMAIN",
      span: documents.findLast((each) => each.kind === "Mesh")?.span ?? span,
      message: `the mesh's trust domain is \`${set.mesh.trustDomain}\`, this authority's is \`${own}\``,
      hint: "an authority keeps the trust domain it was made with: use another state folder for another mesh",
    };
    return { ...set, diagnostics: [...set.diagnostics, foreign] };
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

  #audit(actor: string, outcome: "done" | "refused", subject: string, detail?: string): Promise<void> {
    const { audit, clock } = this.#options;
    return audit.record({
      at: clock(),
      actor,
      action: "publish",
      outcome,
      subject,
      ...(detail === undefined ? {} : { detail }),
    });
  }
}

/** Throws what a refused publish is over HTTP: `ERR_AUTHORITY_POLICIES_REFUSED` with the findings. */
export function throwIfRefused(answer: PublishResponse): PublishResponse {
  const errors = answer.diagnostics.filter((each) => each.severity === "error");
  const first = errors[0];
  if (first === undefined) return answer;
  const place = `${first.span.file}:${first.span.line}:${first.span.column}`;
  throw new AuthorityError("ERR_AUTHORITY_POLICIES_REFUSED", `${place}: ${first.message}`, {
    hint: `${errors.length === 1 ? "this error" : `these ${errors.length} errors`} must go first; the last good revision stays in force`,
    diagnostics: answer.diagnostics.map(({ hint, ...each }) => (hint === undefined ? each : { ...each, hint })),
  });
}

function hasError(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((each) => each.severity === "error");
}
