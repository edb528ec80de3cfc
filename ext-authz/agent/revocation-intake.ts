import { createHash } from "node:crypto";
import { z } from "zod";
import type { Revocations } from "../../policies/index.ts";
import {
  type RevocationsDocument,
  revocationsDocument,
  type SignedEnvelope,
  signedEnvelope,
} from "../../protocol/index.ts";
import { normalizeSerial, type TrustBundle } from "../../spiffe/index.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import type { PolicyState } from "../policy-state.ts";
import type { Intake, RefusalReason } from "./refusal.ts";
import { formatOf, openDocument, type StoredEnvelope } from "./signed-document.ts";
import type { StateDir } from "./state-dir.ts";

export interface RevocationIntakeOptions {
  readonly clock: MonotonicClock;
  readonly state: PolicyState;
  readonly files: StateDir;
  readonly trust: () => TrustBundle | undefined;
}

/** Readers by format: this version's and, once there is one, the version before. */
const READERS: ReadonlyMap<string, z.ZodType<RevocationsDocument>> = new Map([
  ["cellwall.revocations/1", revocationsDocument],
]);

const FILE = "revocations.json";
const storedRevocations = z.object({ envelope: signedEnvelope, issuedAt: z.string() });

interface Refused {
  readonly reason: RefusalReason;
  readonly detail: string;
}

/** Takes revocations in: verified, and of a sequence that only grows. */
export class RevocationIntake {
  readonly #options: RevocationIntakeOptions;
  #inForce: { readonly document: RevocationsDocument; readonly digest: string } | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: RevocationIntakeOptions) {
    this.#options = options;
  }

  /** The document in force. */
  get document(): RevocationsDocument | undefined {
    return this.#inForce?.document;
  }

  /** Takes a document from the authority; its signer must be valid now. */
  take(envelope: SignedEnvelope): Promise<Intake> {
    return this.#inTurn(async () => {
      const intake = await this.#use(envelope, this.#options.clock.now(), undefined);
      const issuedAt = this.document?.issuedAt;
      if (intake.kind !== "applied" || issuedAt === undefined) return intake;
      this.#options.clock.told(new Date(issuedAt));
      const stored: StoredEnvelope = { envelope, issuedAt };
      this.#options.files.writeJson(FILE, stored);
      return intake;
    });
  }

  /** Puts the document on disk in force again, verified as of its `issuedAt`; `unchanged` where there is none. */
  restore(): Promise<Intake> {
    return this.#inTurn(async () => {
      const stored = storedRevocations.safeParse(this.#options.files.readJson(FILE));
      if (!stored.success) return { kind: "unchanged" };
      return await this.#use(stored.data.envelope, new Date(stored.data.issuedAt), stored.data.issuedAt);
    });
  }

  async #use(envelope: SignedEnvelope, at: Date, expectedIssuedAt: string | undefined): Promise<Intake> {
    const bundle = this.#options.trust();
    if (bundle === undefined)
      return this.#refused({ reason: "unknown-signer", detail: "the agent has no trust anchors" });
    const opened = await openDocument(envelope, "revocations", { bundle, at });
    if (!opened.ok) return this.#refused(opened);
    const read = readDocument(opened.content, bundle);
    if ("reason" in read) return this.#refused(read);
    if (expectedIssuedAt !== undefined && read.issuedAt !== expectedIssuedAt) {
      return this.#refused({
        reason: "unreadable",
        detail: "the file names another `issuedAt` than the signed document",
      });
    }
    return this.#order(read, createHash("sha256").update(opened.payload).digest("hex"));
  }

  #order(document: RevocationsDocument, digest: string): Intake {
    const sequence = this.#inForce?.document.sequence ?? -1;
    if (document.sequence < sequence) {
      return this.#refused({
        reason: "older-revision",
        detail: `sequence ${document.sequence} is older than ${sequence}, which is in force`,
      });
    }
    if (document.sequence === sequence) {
      if (digest === this.#inForce?.digest) return { kind: "unchanged" };
      return this.#refused({
        reason: "revision-conflict",
        detail: `sequence ${sequence} is in force with another content`,
      });
    }
    this.#options.state.revoke(revocationsOf(document));
    this.#inForce = { document, digest };
    return { kind: "applied" };
  }

  #refused(refused: Refused): Intake {
    const { reason, detail } = refused;
    return { kind: "refused", refusal: { reason, detail, at: this.#options.clock.now() } };
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(run, run);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

function readDocument(content: unknown, bundle: TrustBundle): RevocationsDocument | Refused {
  const format = formatOf(content);
  const reader = READERS.get(format);
  if (reader === undefined) {
    return {
      reason: "unsupported-format",
      detail: `its format is \`${format}\`, this agent reads ${[...READERS.keys()].join(", ")}`,
    };
  }
  const read = reader.safeParse(content);
  if (!read.success)
    return { reason: "unreadable", detail: read.error.issues[0]?.message ?? "not a list of revocations" };
  if (read.data.trustDomain !== bundle.trustDomain) {
    return { reason: "other-trust-domain", detail: `it is of trust domain \`${read.data.trustDomain}\`` };
  }
  return read.data;
}

/** What a decision reads of a document. */
export function revocationsOf(document: RevocationsDocument): Revocations {
  return Object.freeze({
    sequence: document.sequence,
    serials: new Set(document.serials.map(({ serial }) => normalizeSerial(serial))),
    identities: new Set(document.identities.map(({ identity }) => identity)),
  });
}
