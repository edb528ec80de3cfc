import { Counter, Gauge, Registry } from "prom-client";

/** What the authority counts; one registry a server, so that several can live in one process. */
export interface AuthorityMetrics {
  readonly registry: Registry;
  readonly publishes: Counter<"result">;
  /** 1 while the newest edit is refused and an older revision stays in force. */
  readonly refusedEdit: Gauge;
  readonly bundleEpoch: Gauge;
  readonly bundleRevision: Gauge;
  readonly bundleExpires: Gauge;
  readonly issued: Counter<"kind">;
  readonly refused: Counter<"code">;
  readonly revocations: Counter<"kind">;
  readonly revocationsSequence: Gauge;
  readonly waiting: Gauge;
  readonly requests: Counter<"route" | "status">;
}

/** The authority's metrics, all at zero. */
export function createMetrics(): AuthorityMetrics {
  const registry = new Registry();
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> =>
    new Counter({ name: `cellwall_authority_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string): Gauge =>
    new Gauge({ name: `cellwall_authority_${name}`, help, registers });
  return {
    registry,
    publishes: counter("publishes_total", "Policy publishes by result: published, unchanged, refused.", ["result"]),
    refusedEdit: gauge("refused_edit", "1 while the newest policy edit is refused and an older revision is in force."),
    bundleEpoch: gauge("bundle_epoch", "Epoch of the policy bundle in force."),
    bundleRevision: gauge("bundle_revision", "Revision of the policy bundle in force."),
    bundleExpires: gauge("bundle_expires_timestamp_seconds", "When the policy bundle in force expires."),
    issued: counter("issued_certificates_total", "Certificates issued, by kind: agent, x509-svid.", ["kind"]),
    refused: counter("refused_requests_total", "Requests refused, by error code.", ["code"]),
    revocations: counter("revocations_total", "Revocations by what they name: serial, identity, node.", ["kind"]),
    revocationsSequence: gauge("revocations_sequence", "Sequence of the revocations document."),
    waiting: gauge("waiting_requests", "Long polls that are held."),
    requests: counter("http_requests_total", "Requests by route and status.", ["route", "status"]),
  };
}
