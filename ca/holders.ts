import type { CaDatabase } from "./tables.ts";

/** What a node holds that is in force. */
export interface Holder {
  readonly node: string;
  readonly agentNotAfter: Date | undefined;
  /** Identities of workloads with a certificate in force. */
  readonly workloads: number;
  /** When the first of them ends, by the newest certificate of each. */
  readonly firstNotAfter: Date | undefined;
}

/** Every node that holds a certificate in force, by the ledger. */
export async function holdersAt(db: CaDatabase, now: Date): Promise<readonly Holder[]> {
  const inForce = db.selectFrom("ca_ledger").where("not_after", ">=", now.toISOString()).where("node", "is not", null);
  const rows = await inForce
    .select(({ fn }) => ["node", "kind", "identity", fn.max("not_after").as("last")])
    .where("kind", "in", ["agent", "x509-svid"])
    .groupBy(["node", "kind", "identity"])
    .execute();
  const nodes = new Set(rows.flatMap(({ node }) => node ?? []));
  return [...nodes].sort().map((node) => {
    const mine = rows.filter((row) => row.node === node);
    const workloads = mine.flatMap(({ kind, last }) => (kind === "x509-svid" && last !== null ? [last] : []));
    const agent = mine.find(({ kind }) => kind === "agent")?.last;
    const [first] = workloads.sort();
    return {
      node,
      agentNotAfter: agent == null ? undefined : new Date(agent),
      workloads: workloads.length,
      firstNotAfter: first === undefined ? undefined : new Date(first),
    };
  });
}

/** What was issued after an entry of the ledger: nodes whose agent has a new certificate, and which of these serials are new. */
export async function issuedSince(db: CaDatabase, serials: readonly string[], sequence: number): Promise<IssuedSince> {
  const since = db.selectFrom("ca_ledger").where("sequence", ">", sequence);
  const agents = await since.select("node").distinct().where("kind", "=", "agent").execute();
  const mine = serials.length === 0 ? [] : await since.select("serial").where("serial", "in", serials).execute();
  return {
    agents: new Set(agents.flatMap(({ node }) => node ?? [])),
    serials: new Set(mine.flatMap(({ serial }) => serial ?? [])),
  };
}

/** Nodes and serials. */
export interface IssuedSince {
  readonly agents: ReadonlySet<string>;
  readonly serials: ReadonlySet<string>;
}
