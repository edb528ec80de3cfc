import {
  DOCUMENT_TYPES,
  parseMessage,
  type RevocationsDocument,
  type RevokeRequest,
  type RevokeResponse,
  revocationsDocument,
  type SignedEnvelope,
} from "../protocol/index.ts";
import type { CaContext } from "./context.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { revocationTarget } from "./revocation-target.ts";
import { readSetting } from "./settings.ts";
import { readSevered, sever } from "./severed.ts";
import { envelopeOf, signRow } from "./signed-row.ts";
import type { CaTransaction, RevocationsRow } from "./tables.ts";

/** The revocations that are served. */
export interface PublishedRevocations {
  readonly envelope: SignedEnvelope;
  readonly document: RevocationsDocument;
}

/** Who and what is refused for good; the signed document says it to the agents. There is no way back for an entry. */
export interface Revocations {
  current(): PublishedRevocations;
  isSerialRevoked(serial: string): boolean;
  isIdentityRevoked(identity: string): boolean;
  isNodeRevoked(node: string): boolean;
  /** Throws `ERR_CA_REVOKE_REQUEST`, `ERR_CA_UNKNOWN_SERIAL`, `ERR_CA_NOT_REVOCABLE`. */
  revoke(request: RevokeRequest, actor: string): Promise<RevokeResponse>;
  /** Signs again where the signer has changed or an entry's certificate has expired. */
  renew(): Promise<boolean>;
}

interface State {
  readonly published: PublishedRevocations;
  readonly signer: string;
  readonly serials: ReadonlySet<string>;
  readonly identities: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
}

/** Loads the document in force, or signs the first, empty one. */
export async function openRevocations(context: CaContext, hierarchy: Hierarchy): Promise<Revocations> {
  const sign = () => context.db.transaction().execute((trx) => write(trx, context, hierarchy));
  const loaded = await load(context);
  const floor = Number((await readSetting(context.db, "revocations_floor")) ?? "0");
  // After a recovery the document in force is older than what agents know, and lacks what was brought back.
  const isCurrent = loaded !== undefined && loaded.published.document.sequence > floor;
  let state = isCurrent ? loaded : await sign();
  return {
    current: () => state.published,
    isSerialRevoked: (serial) => state.serials.has(serial),
    isIdentityRevoked: (identity) => state.identities.has(identity),
    isNodeRevoked: (node) => state.nodes.has(node),
    revoke: async (request, actor) => {
      const [next, response] = await context.db.transaction().execute(async (trx) => {
        const revoked = await record(trx, context, request, actor);
        const written = await write(trx, context, hierarchy);
        return [written, { sequence: written.published.document.sequence, ...revoked }] as const;
      });
      state = next;
      return response;
    },
    renew: async () => {
      if (state.signer === hierarchy.signer().serial && !hasExpired(state, context.clock())) return false;
      state = await sign();
      return true;
    },
  };
}

function hasExpired(state: State, now: Date): boolean {
  return state.published.document.serials.some(({ notAfter }) => new Date(notAfter) < now);
}

/** What is to be revoked, with everything that hangs on it. */
async function record(trx: CaTransaction, context: CaContext, request: RevokeRequest, actor: string) {
  const entry = { revoked_at: context.clock().toISOString(), reason: request.reason, actor };
  const hit = await revocationTarget(trx, context, request);
  const serials = hit.certificates.map(({ serial, not_after }) => ({ ...entry, serial, not_after }));
  for (const row of serials) {
    await trx
      .insertInto("ca_revoked_serial")
      .values(row)
      .onConflict((at) => at.doNothing())
      .execute();
  }
  if (hit.identity !== undefined) {
    const row = { ...entry, identity: hit.identity };
    await trx
      .insertInto("ca_revoked_identity")
      .values(row)
      .onConflict((at) => at.doNothing())
      .execute();
  }
  if (hit.node !== undefined) {
    const row = { ...entry, node: hit.node };
    await trx
      .insertInto("ca_revoked_node")
      .values(row)
      .onConflict((at) => at.doNothing())
      .execute();
  }
  const named = hit.identity === undefined ? [] : [hit.identity];
  const identities = [...new Set([...named, ...hit.certificates.map((certificate) => certificate.identity)])].sort();
  if (request.sever === true) await sever(trx, identities, context.clock());
  return { serials: serials.length, identities };
}

/** Signs all entries under the next sequence, without those whose certificate has expired, and stores it. */
async function write(trx: CaTransaction, context: CaContext, hierarchy: Hierarchy): Promise<State> {
  const now = context.clock();
  await trx.deleteFrom("ca_revoked_serial").where("not_after", "<", now.toISOString()).execute();
  const newest = trx.selectFrom("ca_revocations").select("sequence").orderBy("sequence", "desc").limit(1);
  const floor = Number((await readSetting(trx, "revocations_floor")) ?? "0");
  const sequence = Math.max((await newest.executeTakeFirst())?.sequence ?? 0, floor) + 1;
  const document = await documentOf(trx, context, sequence, now);
  const row = { sequence, ...(await signRow(hierarchy, DOCUMENT_TYPES.revocations, document)) };
  await trx.insertInto("ca_revocations").values(row).execute();
  await trx.deleteFrom("ca_revocations").where("sequence", "<", sequence).execute();
  return stateOf(row);
}

async function documentOf(
  trx: CaTransaction,
  context: CaContext,
  sequence: number,
  now: Date,
): Promise<RevocationsDocument> {
  const serials = await trx.selectFrom("ca_revoked_serial").selectAll().orderBy("serial").execute();
  const identities = await trx.selectFrom("ca_revoked_identity").selectAll().orderBy("identity").execute();
  const nodes = await trx.selectFrom("ca_revoked_node").selectAll().orderBy("node").execute();
  const severed = await readSevered(trx, now);
  return {
    format: "cellwall.revocations/1",
    trustDomain: context.trustDomain,
    sequence,
    issuedAt: now.toISOString(),
    serials: serials.map(({ serial, not_after }) => ({ serial, notAfter: not_after })),
    identities: identities.map(({ identity, revoked_at, reason }) => ({ identity, revokedAt: revoked_at, reason })),
    nodes: nodes.map(({ node, revoked_at, reason }) => ({ node, revokedAt: revoked_at, reason })),
    ...(severed.length === 0 ? {} : { severed: [...severed] }),
  };
}

async function load(context: CaContext): Promise<State | undefined> {
  const newest = context.db.selectFrom("ca_revocations").selectAll().orderBy("sequence", "desc").limit(1);
  const row = await newest.executeTakeFirst();
  return row === undefined ? undefined : stateOf(row);
}

function stateOf(row: RevocationsRow): State {
  const document = parseMessage(revocationsDocument, JSON.parse(row.payload.toString("utf8")), "revocations document");
  return {
    published: Object.freeze({ envelope: envelopeOf(row), document: Object.freeze(document) }),
    signer: row.signer,
    serials: new Set(document.serials.map(({ serial }) => serial)),
    identities: new Set(document.identities.map(({ identity }) => identity)),
    nodes: new Set(document.nodes.map(({ node }) => node)),
  };
}
