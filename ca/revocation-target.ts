import { printable } from "../policies/index.ts";
import type { RevokeRequest } from "../protocol/index.ts";
import { agentNodeOf, isSystemId, tryNormalizeSerial, tryParseSpiffeId } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import type { CaTransaction, LedgerRow } from "./tables.ts";

/** Certificates that agents and workloads hold; the others are the system's own and end by renewal. */
const REVOCABLE_KINDS = ["x509-svid", "agent"] as const;

interface Certificate {
  readonly serial: string;
  readonly identity: string;
  readonly not_after: string;
}

/** What is to be revoked: certificates, and with them an identity or a node for good. */
export interface RevocationTarget {
  readonly certificates: readonly Certificate[];
  readonly identity?: string;
  readonly node?: string;
}

/** What a request means. Throws `ERR_CA_REVOKE_REQUEST`, `ERR_CA_UNKNOWN_SERIAL`, `ERR_CA_NOT_REVOCABLE`. */
export async function revocationTarget(
  trx: CaTransaction,
  context: CaContext,
  request: RevokeRequest,
): Promise<RevocationTarget> {
  const { serial, identity, node } = request;
  if ([serial, identity, node].filter((part) => part !== undefined).length !== 1) {
    throw new CaError("ERR_CA_REVOKE_REQUEST", "name exactly one of a serial, an identity and a node to revoke");
  }
  if (serial !== undefined) return { certificates: [await bySerial(trx, serial)] };
  const live = liveCertificates(trx, context.clock());
  if (identity !== undefined) {
    const revoked = revocableIdentity(identity);
    return { identity: revoked, certificates: certificatesOf(await live.where("identity", "=", revoked).execute()) };
  }
  const name = revocableNode(node);
  return { node: name, certificates: certificatesOf(await live.where("node", "=", name).execute()) };
}

function liveCertificates(trx: CaTransaction, now: Date) {
  return trx
    .selectFrom("ca_ledger")
    .selectAll()
    .where("kind", "in", REVOCABLE_KINDS)
    .where("not_after", ">=", now.toISOString());
}

function certificatesOf(rows: readonly LedgerRow[]): Certificate[] {
  return rows.flatMap(({ serial, identity, not_after }) =>
    serial === null || not_after === null ? [] : [{ serial, identity, not_after }],
  );
}

async function bySerial(trx: CaTransaction, text: string): Promise<Certificate> {
  const serial = tryNormalizeSerial(text);
  if (serial === undefined) {
    throw new CaError("ERR_CA_REVOKE_REQUEST", `not a serial number: \`${printable(text)}\``, {
      hint: "write it in hexadecimal digits, as `cellwall ca status` shows it",
    });
  }
  const row = await trx.selectFrom("ca_ledger").selectAll().where("serial", "=", serial).executeTakeFirst();
  const [certificate] = row === undefined ? [] : certificatesOf([row]);
  if (row === undefined || certificate === undefined) {
    throw new CaError("ERR_CA_UNKNOWN_SERIAL", `this authority has issued no certificate with serial \`${serial}\``);
  }
  if (!REVOCABLE_KINDS.some((kind) => kind === row.kind))
    throw notRevocable(`the ${row.kind} certificate \`${serial}\``);
  return certificate;
}

function revocableIdentity(text: string): string {
  const read = tryParseSpiffeId(text);
  if (!read.ok) throw new CaError("ERR_CA_REVOKE_REQUEST", `not an identity to revoke: ${read.message}`);
  const node = agentNodeOf(read.id);
  if (node !== undefined)
    throw notRevocable(`the agent's identity \`${read.id}\``, `revoke its node \`${node}\` instead`);
  if (isSystemId(read.id)) throw notRevocable(`\`${read.id}\``);
  return read.id.toString();
}

function revocableNode(name: string | undefined): string {
  if (name === undefined || name === "") throw new CaError("ERR_CA_REVOKE_REQUEST", "a node to revoke has a name");
  return name;
}

function notRevocable(what: string, hint = "revoke workloads, nodes and their certificates only"): CaError {
  return new CaError("ERR_CA_NOT_REVOCABLE", `${what} belongs to the system and cannot be revoked`, { hint });
}
