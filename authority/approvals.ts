import { randomBytes } from "node:crypto";
import { broadens } from "../policies/index.ts";
import type { PublishReview } from "../protocol/index.ts";
import { AuthorityError } from "./authority-error.ts";
import { type Composition, digestOf, filesWith } from "./composition.ts";
import type { PendingPublish, PolicyArchive, PolicyFile } from "./policy-archive.ts";

/** How long an approval may come. */
const LIFETIME_MS = 7 * 24 * 3_600_000;
/** How many publishes wait at most; the oldest goes. */
const MAX_PENDING = 50;

/** Why a change needs somebody else's approval, by the mesh in force; undefined where it needs none. */
export function needsApproval(before: Composition | undefined, after: Composition, now: Date): string | undefined {
  const approvals = before?.set.mesh.approvals;
  if (before === undefined || approvals === undefined) return undefined;
  if (digestOf(before.files) === digestOf(after.files)) return undefined;
  if (approvals.changes === "all") return "every change needs a second approval";
  return broadens(before, after, { now })?.why;
}

/** What an approver sees of a publish that waits, beside the files in force. */
export function reviewOf(pending: PendingPublish, inForce: readonly PolicyFile[]): PublishReview {
  const { publisher, at, source, why, commit, files } = pending;
  return {
    publisher,
    at: at.toISOString(),
    source,
    why,
    ...(commit === undefined ? {} : { commit }),
    files: filesWith(inForce, source, files).map((file) => ({ source: "", ...file })),
  };
}

/** Publishes that wait for approval. */
export class Approvals {
  readonly #archive: PolicyArchive;
  readonly #clock: () => Date;
  #all: readonly PendingPublish[] = [];

  constructor(archive: PolicyArchive, clock: () => Date) {
    this.#archive = archive;
    this.#clock = clock;
  }

  async restore(): Promise<void> {
    this.#all = await this.#archive.pending();
  }

  /** Oldest first, without those that have run out. */
  list(): readonly PendingPublish[] {
    const since = this.#clock().getTime() - LIFETIME_MS;
    return this.#all.filter(({ at }) => at.getTime() > since);
  }

  /** Keeps a publish and names it. */
  async add(draft: Omit<PendingPublish, "id" | "at">): Promise<PendingPublish> {
    const added = { ...draft, id: randomBytes(8).toString("hex"), at: this.#clock() };
    await this.#save([...this.list(), added].slice(-MAX_PENDING));
    return added;
  }

  /**
   * The publish of an id, if this actor may approve it now: `ERR_AUTHORITY_PENDING`, `ERR_AUTHORITY_FORBIDDEN`,
   * `ERR_AUTHORITY_CONFLICT`.
   *
   * SECURITY: nobody approves what they published, and nobody approves a change of something that they have not seen.
   */
  demand(id: string, actor: string, base: string): PendingPublish {
    const pending = this.list().find((each) => each.id === id);
    if (pending === undefined)
      throw new AuthorityError("ERR_AUTHORITY_PENDING", `no publish \`${id}\` waits for approval`, {
        hint: "it was approved, or waited for more than 7 days; publish again",
      });
    if (pending.publisher === actor)
      throw new AuthorityError(
        "ERR_AUTHORITY_FORBIDDEN",
        `\`${actor}\` published \`${id}\`, so somebody else must approve it`,
        {
          hint: "those whom `approvals.approvers` of the Mesh names may, with their OIDC token; so may the local administrator, of what others published",
        },
      );
    if (pending.base !== base)
      throw new AuthorityError("ERR_AUTHORITY_CONFLICT", `something else was published after \`${id}\``, {
        hint: "publish again, so that what is approved is what takes effect",
      });
    return pending;
  }

  async remove(id: string): Promise<void> {
    await this.#save(this.list().filter((each) => each.id !== id));
  }

  async #save(all: readonly PendingPublish[]): Promise<void> {
    await this.#archive.savePending(all);
    this.#all = all;
  }
}
