import type { Laggard, NodeTrustReport } from "../protocol/index.ts";
import type { IssuedSince } from "./holders.ts";

/** What a node's agent said last. */
export interface KnownReport {
  readonly at: Date;
  readonly trust: NodeTrustReport;
}

/** The last report of each node, since the authority was opened. */
export type Reports = ReadonlyMap<string, KnownReport>;

/** Nodes that have not taken the trust bundle of this hash. */
export function withoutBundle(nodes: readonly string[], reports: Reports, hash: string): readonly Laggard[] {
  return nodes.flatMap((node) => {
    const report = reports.get(node)?.trust;
    if (report === undefined) return [{ node, reason: "its agent has not reported since the authority started" }];
    return report.bundle === hash ? [] : [{ node, reason: "its agent has not taken the trust bundle yet" }];
  });
}

/** Nodes and sidecars in which the trust bundle of this hash is not in force. */
export function unconfirmed(nodes: readonly string[], reports: Reports, hash: string): readonly Laggard[] {
  const agents = withoutBundle(nodes, reports, hash);
  const behind = new Set(agents.map(({ node }) => node));
  const sidecars = sidecarsOf(nodes, reports, behind).flatMap(({ node, sidecar }) =>
    sidecar.confirmed === hash ? [] : [lag(node, sidecar, "its sidecar has not confirmed the trust bundle")],
  );
  return [...agents, ...settling(nodes, reports, behind), ...sidecars];
}

/** Sidecars that have not taken a handshake with a certificate of this authority. */
export function unprobed(nodes: readonly string[], reports: Reports, authority: string): readonly Laggard[] {
  return sidecarsOf(nodes, reports, new Set()).flatMap(({ node, sidecar }) => {
    const probe = sidecar.probe?.authority === authority ? sidecar.probe : undefined;
    if (probe === undefined) return [lag(node, sidecar, "no handshake has been tried yet")];
    if (probe.outcome !== "refused") return [];
    return [lag(node, sidecar, "its sidecar refuses a certificate of the new authority")];
  });
}

/** Agents and sidecars that use a certificate which is not among the new ones. */
export function unreplaced(nodes: readonly string[], reports: Reports, fresh: IssuedSince): readonly Laggard[] {
  const agents = nodes
    .filter((node) => !fresh.agents.has(node))
    .map((node) => ({ node, reason: "its agent still uses a certificate of the old authority" }));
  const behind = new Set(agents.map(({ node }) => node));
  const silent = nodes
    .filter((node) => !behind.has(node) && !reports.has(node))
    .map((node) => ({ node, reason: "its agent has not reported since the authority started" }));
  const sidecars = sidecarsOf(nodes, reports, behind).flatMap(({ node, sidecar }) =>
    sidecar.serial !== undefined && fresh.serials.has(sidecar.serial)
      ? []
      : [lag(node, sidecar, "its sidecar still uses a certificate of the old authority")],
  );
  return [...agents, ...silent, ...settling(nodes, reports, behind), ...sidecars];
}

type Sidecar = NodeTrustReport["sidecars"][number];

function settling(nodes: readonly string[], reports: Reports, but: ReadonlySet<string>): readonly Laggard[] {
  return nodes
    .filter((node) => !but.has(node) && reports.get(node)?.trust.settling === true)
    .map((node) => ({ node, reason: "its agent has just started and waits for its sidecars" }));
}

function sidecarsOf(nodes: readonly string[], reports: Reports, but: ReadonlySet<string>) {
  return nodes
    .filter((node) => !but.has(node))
    .flatMap((node) => (reports.get(node)?.trust.sidecars ?? []).map((sidecar) => ({ node, sidecar })));
}

function lag(node: string, sidecar: Sidecar, reason: string): Laggard {
  const { problem, workload } = sidecar;
  return { node, workload, reason: problem === undefined ? reason : `${reason}: ${problem}` };
}
