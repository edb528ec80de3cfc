import type { Node } from "../policies/index.ts";
import { printable } from "../policies/index.ts";
import { type SpiffeId, systemId, tryNormalizeSerial } from "../spiffe/index.ts";
import type { CaContext } from "./context.ts";
import { agentIdText, type Refusal } from "./refusal.ts";
import type { Registry } from "./registry.ts";
import type { Revocations } from "./revocations.ts";
import type { CaDatabase, LedgerRow } from "./tables.ts";

/** A node that may act now, by a certificate of its own agent that is in force; or why not. */
export type Standing =
  | { readonly ok: true; readonly node: Node; readonly id: SpiffeId; readonly evidence: string }
  | { readonly ok: false; readonly refusal: Refusal };

/** What a node's standing is judged by. */
export interface Grounds {
  readonly context: CaContext;
  readonly registry: Registry;
  readonly revocations: Revocations;
  /** Ledger entries of agents' certificates that were read before, by serial. */
  readonly certificates: Map<string, AgentCertificate>;
}

/** What the ledger says of an agent's certificate. */
export type AgentCertificate = Pick<LedgerRow, "identity" | "serial" | "not_after">;

/** Certificates that are remembered, of as many agents and a few renewals. */
const MAX_REMEMBERED = 10_000;

/** Whether a node may have an agent at all: registered and not revoked. */
export function nodeStanding(grounds: Grounds, name: string, evidence: string): Standing {
  const node = grounds.registry.node(name);
  const identity = agentIdText(grounds.context.trustDomain, name);
  const about = { identity, node: printable(name), evidence };
  if (node === undefined) return { ok: false, refusal: { ...about, ...unknownNode(grounds.registry, name) } };
  const id = systemId(grounds.context.trustDomain, `agent/${name}`);
  if (!grounds.revocations.isNodeRevoked(name)) return { ok: true, node, id, evidence };
  return { ok: false, refusal: { ...about, ...revokedNode(name) } };
}

/**
 * The standing of a node whose agent is connected. `serial` is that of the certificate which the agent presented; where
 * the caller does not say, the newest one that was issued to it counts.
 */
export async function agentStanding(
  db: CaDatabase,
  grounds: Grounds,
  name: string,
  serial?: string,
): Promise<Standing> {
  const standing = nodeStanding(grounds, name, "agent certificate");
  if (!standing.ok) return standing;
  const row = await agentCertificate(db, grounds.certificates, standing.id, serial);
  const about = { identity: standing.id.toString(), node: name };
  if (row?.serial == null)
    return { ok: false, refusal: { ...about, evidence: "no certificate", ...notEnrolled(name) } };
  const evidence = `agent certificate ${row.serial}`;
  if (grounds.revocations.isSerialRevoked(row.serial)) {
    const reason = `the certificate of the agent on \`${name}\` has been revoked`;
    return { ok: false, refusal: { ...about, evidence, code: "ERR_CA_REVOKED", reason, hint: REJOIN } };
  }
  if (row.not_after === null || new Date(row.not_after) < grounds.context.clock()) {
    return { ok: false, refusal: { ...about, evidence, ...notEnrolled(name) } };
  }
  return { ...standing, evidence };
}

const REJOIN = "make a join token for the node and start its agent with it";

async function agentCertificate(
  db: CaDatabase,
  certificates: Grounds["certificates"],
  id: SpiffeId,
  serial?: string,
): Promise<AgentCertificate | undefined> {
  const identity = id.toString();
  const known = serial === undefined ? undefined : certificates.get(serial);
  if (known?.identity === identity) return known;
  const fields = db.selectFrom("ca_ledger").select(["identity", "serial", "not_after"]);
  const own = fields.where("identity", "=", identity).where("kind", "=", "agent");
  if (serial === undefined) return own.orderBy("sequence", "desc").limit(1).executeTakeFirst();
  const wanted = tryNormalizeSerial(serial) ?? "";
  const row = await own.where("serial", "=", wanted).executeTakeFirst();
  if (row !== undefined) remember(certificates, wanted, row);
  return row;
}

/** INVARIANT: only what the ledger has, which never changes; whether it is revoked or has ended is looked at each time. */
function remember(certificates: Grounds["certificates"], serial: string, row: AgentCertificate): void {
  if (certificates.size >= MAX_REMEMBERED) certificates.clear();
  certificates.set(serial, row);
}

/** The refusal of a node that no document names. */
export function unknownNode(registry: Registry, name: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const known = registry.nodeNames().slice(0, 8);
  return {
    code: "ERR_CA_UNKNOWN_NODE",
    reason: `no \`Node\` document names \`${printable(name)}\``,
    hint: known.length === 0 ? "publish a `Node` document first" : `known are: ${known.join(", ")}`,
  };
}

/** The refusal of a node that has been revoked. */
export function revokedNode(name: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const hint = "a revoked name stays refused: give the machine a new name and a `Node` document";
  return { code: "ERR_CA_REVOKED", reason: `the node \`${name}\` has been revoked`, hint };
}

function notEnrolled(name: string): Pick<Refusal, "code" | "reason" | "hint"> {
  return { code: "ERR_CA_NOT_ENROLLED", reason: `the agent on \`${name}\` has no certificate in force`, hint: REJOIN };
}
