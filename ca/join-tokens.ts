import { createHash, timingSafeEqual } from "node:crypto";
import { formatJoinToken, type JoinToken, type JoinTokenResponse, parseJoinToken } from "../protocol/index.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import { agentIdText, errorOf, type Refusal } from "./refusal.ts";
import { type Grounds, nodeStanding } from "./standing.ts";
import type { CaTransaction, JoinTokenRow } from "./tables.ts";

/** How long a join token can be used. */
const TOKEN_MINUTES = 15;
/** How long a token is remembered after that, so that a late second use is still told from an unknown token. */
const REMEMBERED_DAYS = 30;
/** Refused uses of one token that get a ledger entry; later ones only count, so that nobody can fill the disk. */
const RECORDED_REFUSALS = 16;

/** A token that may be redeemed now, or why not. `record` is false where the ledger has said so often enough. */
export type TokenCheck =
  | { readonly ok: true; readonly node: string }
  | { readonly ok: false; readonly refusal: Refusal; readonly record: boolean };

/**
 * Makes a token for one node that may enrol. Only a hash of its secret is kept. Throws `ERR_CA_UNKNOWN_NODE`,
 * `ERR_CA_REVOKED`, `ERR_CA_ATTESTATION`.
 *
 * SECURITY: 256 random bits need no slow hash; the text goes to the caller and nowhere else.
 */
export async function issueToken(grounds: Grounds, node: string, rootFingerprint: string): Promise<JoinTokenResponse> {
  demandJoinable(grounds, node);
  const { context } = grounds;
  const now = context.clock();
  const token: JoinToken = {
    id: context.random(8).toString("hex"),
    secret: context.random(32).toString("base64url"),
    rootFingerprint,
  };
  const expiresAt = new Date(now.getTime() + TOKEN_MINUTES * 60_000).toISOString();
  await context.db.transaction().execute(async (trx) => {
    await forgetOld(trx, now);
    const times = { created_at: now.toISOString(), expires_at: expiresAt, used_at: null };
    const row: JoinTokenRow = { id: token.id, secret_hash: hashOf(token), node, ...times, refusals: 0 };
    await trx.insertInto("ca_join_token").values(row).execute();
  });
  return { token: formatJoinToken(token), node, expiresAt };
}

function demandJoinable(grounds: Grounds, name: string): void {
  const standing = nodeStanding(grounds, name, "");
  if (!standing.ok) throw errorOf(standing.refusal);
  const { attest } = standing.node;
  if (attest.some((way) => way.kind === "joinToken")) return;
  throw new CaError("ERR_CA_ATTESTATION", `the node \`${name}\` may not join by token`, {
    hint: "add `joinToken: {}` to the `attest` of its `Node` document",
  });
}

/** Reads a token's text; throws `ERR_CA_JOIN_TOKEN` for a malformed one and for one of another authority. */
export function readToken(text: string, knowsRoot: (fingerprint: string) => boolean): JoinToken {
  const token = parseToken(text);
  if (knowsRoot(token.rootFingerprint)) return token;
  throw new CaError("ERR_CA_JOIN_TOKEN", "the join token is of another authority", {
    hint: "make a token on the authority that this agent connects to",
  });
}

/** Looks a token up, inside the transaction that will mark it as used. */
export async function checkToken(trx: CaTransaction, context: CaContext, token: JoinToken): Promise<TokenCheck> {
  const row = await trx.selectFrom("ca_join_token").selectAll().where("id", "=", token.id).executeTakeFirst();
  if (row === undefined) return { ok: false, refusal: unknownToken(token), record: false };
  const refusal = refusalOf(row, token, context);
  if (refusal === undefined) return { ok: true, node: row.node };
  await trx
    .updateTable("ca_join_token")
    .set({ refusals: row.refusals + 1 })
    .where("id", "=", row.id)
    .execute();
  return { ok: false, refusal, record: row.refusals < RECORDED_REFUSALS };
}

/** Marks a token as used. INVARIANT: in the transaction that writes the certificate into the ledger. */
export async function consumeToken(trx: CaTransaction, context: CaContext, token: JoinToken): Promise<void> {
  const unused = trx
    .updateTable("ca_join_token")
    .set({ used_at: context.clock().toISOString() })
    .where("id", "=", token.id);
  const { numUpdatedRows } = await unused.where("used_at", "is", null).executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw new Error("a join token was used twice at once");
}

/** What the ledger says of an issue or refusal by this token. */
export function tokenEvidence(token: JoinToken): string {
  return `join-token ${token.id}`;
}

function refusalOf(row: JoinTokenRow, token: JoinToken, context: CaContext): Refusal | undefined {
  const identity = agentIdText(context.trustDomain, row.node);
  const about = { identity, node: row.node, evidence: tokenEvidence(token) };
  if (!timingSafeEqual(hashOf(token), row.secret_hash)) return { ...about, ...WRONG, code: "ERR_CA_JOIN_TOKEN" };
  if (row.used_at !== null) {
    const reason = `the join token \`${token.id}\` has been used already, at ${row.used_at}`;
    const hint =
      "if that was not you, somebody else has read it: revoke the node, then make a new token for a new name";
    return { ...about, code: "ERR_CA_JOIN_TOKEN_USED", reason, hint };
  }
  if (new Date(row.expires_at) > context.clock()) return undefined;
  const reason = `the join token \`${token.id}\` expired at ${row.expires_at}`;
  return { ...about, code: "ERR_CA_JOIN_TOKEN_EXPIRED", reason, hint: "make a new one: `cellwall ca token`" };
}

/** The same words for an unknown token and a wrong secret: the difference is nobody's business. */
const WRONG = { reason: "the join token is not valid", hint: "copy the whole line that `cellwall ca token` printed" };

function unknownToken(token: JoinToken): Refusal {
  return { code: "ERR_CA_JOIN_TOKEN", identity: "", evidence: tokenEvidence(token), ...WRONG };
}

/** SECURITY: the parser's own error is not kept as cause: nothing that saw the secret goes up. */
function parseToken(text: string): JoinToken {
  try {
    return parseJoinToken(text);
  } catch {
    throw new CaError("ERR_CA_JOIN_TOKEN", WRONG.reason, { hint: WRONG.hint });
  }
}

async function forgetOld(trx: CaTransaction, now: Date): Promise<void> {
  const before = new Date(now.getTime() - REMEMBERED_DAYS * 86_400_000).toISOString();
  await trx.deleteFrom("ca_join_token").where("expires_at", "<", before).execute();
}

function hashOf(token: JoinToken): Buffer {
  return createHash("sha256").update(token.secret).digest();
}
