import { acknowledgement, federationRefresh, federationStatus } from "../../protocol/index.ts";
import { formatTrustBundle } from "../../spiffe/index.ts";
import { federationOf } from "../federation/federation-status.ts";
import type { Services } from "../services.ts";
import { get, json, post, type Route } from "./route.ts";

/** What administrators see and do of federation. */
export function federationRoutes({ ca, foreign, outward }: Services): readonly Route[] {
  return [
    get({
      path: "/v1/federation",
      access: "admin",
      summary: "The own trust bundle as others fetch it, and what is known of federated trust domains.",
      response: { kind: "json", name: "FederationStatus", schema: federationStatus },
      handle: () =>
        json({
          trustDomain: ca.trustDomain,
          bundle: formatTrustBundle(ca.trustBundle()),
          ...federationOf(foreign, outward),
        }),
    }),
    post({
      path: "/v1/federation/refresh",
      access: "admin",
      summary: "Asks the bundle endpoint of one federated trust domain now, or of all.",
      request: { name: "FederationRefresh", schema: federationRefresh },
      response: { kind: "json", name: "Acknowledgement", schema: acknowledgement },
      failures: [404],
      async handle(_call, { trustDomain }) {
        await foreign.refresh(trustDomain);
        return json({ ok: true });
      },
    }),
  ];
}
