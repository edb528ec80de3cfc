import { attestRequest, enrolResponse } from "../../protocol/index.ts";
import { audited, type Services } from "../services.ts";
import { json, post, type Route } from "./route.ts";

const LIMIT_BYTES = 32 * 1024;

/** Joins a node that a token issuer or a Kubernetes cluster vouches for. */
export function attestRoute({ attestation, clock, audit, metrics, nodes }: Services): Route {
  return post({
    path: "/v1/attest",
    access: "open",
    summary: "Joins a node: a token of an issuer or cluster that its document names, for an agent's certificate.",
    request: { name: "AttestRequest", schema: attestRequest, limitBytes: LIMIT_BYTES },
    response: { kind: "json", name: "EnrolResponse", schema: enrolResponse },
    failures: [401, 403, 404, 503],
    async handle(_call, body) {
      const issued = await attestation.enrol(body);
      const subject = `node ${issued.node}`;
      await audited({ audit, clock }, { actor: "anybody", action: "enrol", subject }, async () => undefined);
      metrics.issued.inc({ kind: "agent" });
      nodes.seen(issued.node, clock(), new Date(issued.certificate.notAfter));
      return json(issued);
    },
  });
}
