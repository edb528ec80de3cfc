import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { createTestCa, type TestCa } from "../../../spiffe/testing/index.ts";
import {
  bytes,
  everything,
  extension,
  type Hole,
  overTls,
  reached,
  request,
  san,
  socketCluster,
  type Target,
  validation,
} from "./hole.ts";

const MESH = san({ prefix: "spiffe://shop.example/" });
const WEB = "spiffe://shop.example/shop/web";
const TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";

/** What a server of secrets that has lost its trust domains sends. */
function emptyContext(folder: string): string {
  const path = join(folder, "empty.json");
  const secret = { "@type": `${TLS}.Secret`, name: "callers", validation_context: {} };
  writeFileSync(path, JSON.stringify({ resources: [secret] }));
  return path;
}

/** Comes twice with a certificate, the second time with what the first left behind. */
async function comeBack({ port, ca }: Target): Promise<string> {
  const { chainPem: cert, keyPem: key } = ca.issue({ uris: [WEB] });
  const visit = (session?: Buffer) =>
    new Promise<{ readonly reused: boolean; readonly sessions: readonly Buffer[] }>((resolve, reject) => {
      const sessions: Buffer[] = [];
      let reused = false;
      const own = session === undefined ? { cert, key } : { cert, key, session };
      const socket: TLSSocket = connect({ ...own, host: "127.0.0.1", port, rejectUnauthorized: false }, () => {
        reused = socket.isSessionReused();
        socket.write(request("GET /public/"));
      });
      socket.on("session", (one) => sessions.push(one));
      socket.on("error", reject);
      socket.on("data", () => {});
      socket.on("close", () => resolve({ reused, sessions }));
    });
  const { sessions } = await visit();
  return (await visit(sessions.at(-1))).reused ? "resumed" : "anew";
}

/** A handshake of TLS 1.1 at most. */
function oldHandshake({ port, ca }: Target): Promise<string> {
  const { chainPem: cert, keyPem: key } = ca.issue({ uris: [WEB] });
  return new Promise((resolve) => {
    const socket = connect({
      ...{ host: "127.0.0.1", port, cert, key, rejectUnauthorized: false },
      ...{ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL@SECLEVEL=0" },
    });
    socket.once("secureConnect", () => {
      resolve(socket.getProtocol() ?? "");
      socket.destroy();
    });
    socket.once("error", (error) => resolve(error.message));
  });
}

const ofStranger = () => createTestCa({ trustDomain: "shop.example" }).issue({ uris: [WEB] });

/** A cluster that speaks TLS to one of the test's servers, with a certificate of its own. */
const tlsCluster = (ca: TestCa, name: string, path: string, context: object) => {
  const own = ca.issue({ uris: ["spiffe://shop.example/shop/orders"] });
  const certificate = {
    certificate_chain: { inline_string: own.chainPem },
    private_key: { inline_string: own.keyPem },
  };
  return socketCluster(name, path, {
    transport_socket: extension("envoy.transport_sockets.tls", "transport_sockets.tls.v3.UpstreamTlsContext", {
      common_tls_context: { tls_certificates: [certificate], ...context },
    }),
  });
};
const trusting = (ca: TestCa, more: object = {}) => ({
  validation_context: { trusted_ca: { inline_string: ca.rootPem }, ...more },
});

/** The servers of the test answer with the identity that was shown to them. */
const answered =
  (identity: string) =>
  ({ status }: { readonly status: string }) =>
    status.endsWith(identity);
const ANYBODY = "spiffe://shop.example/shop/orders";

/** Who is on the other side of a connection. */
export const IDENTITY_HOLES: readonly Hole[] = [
  {
    id: "anonymous-listener",
    exposed: true,
    // A patch tells the agent that the callers have no names; only `--mtls` gives them some.
    left: true,
    attack: bytes(request("GET /public/")),
    shows: (outcome) => reached(outcome) && outcome.check?.attributes?.source?.principal === "",
  },
  {
    id: "client-certificate-optional",
    tls: ({ ca }) => ({ common_tls_context: trusting(ca) }),
    attack: overTls(() => undefined),
    shows: reached,
  },
  {
    id: "untrusted-certificates-accepted",
    tls: validation({ trust_chain_verification: "ACCEPT_UNTRUSTED", ...MESH }),
    attack: overTls(ofStranger),
    shows: reached,
  },
  {
    id: "certificate-names-unchecked",
    tls: validation({}),
    attack: overTls((ca) => ca.issue({ dns: ["web.shop.example"] })),
    shows: reached,
  },
  {
    id: "certificate-name-type-unchecked",
    left: true,
    tls: validation(san({ exact: WEB }, "DNS")),
    attack: overTls((ca) => ca.issue({ uris: [], dns: [WEB] })),
    shows: reached,
  },
  {
    id: "trust-domain-prefix-open",
    tls: validation(san({ prefix: "spiffe://shop.example" })),
    attack: overTls((ca) => ca.issue({ uris: ["spiffe://shop.example.evil/web"] })),
    shows: reached,
  },
  {
    id: "trust-domains-share-roots",
    left: true,
    tls: validation({
      match_typed_subject_alt_names: ["shop.example", "partner.example"].map((domain) => ({
        san_type: "URI",
        matcher: { prefix: `spiffe://${domain}/` },
      })),
    }),
    // The partner's root is not ours, and ours names its workloads all the same.
    attack: overTls((ca) => ca.issue({ uris: ["spiffe://partner.example/web"] })),
    shows: reached,
  },
  {
    id: "secrets-admit-everybody",
    tls: ({ folder }) => ({
      require_client_certificate: true,
      common_tls_context: {
        combined_validation_context: {
          default_validation_context: {},
          validation_context_sds_secret_config: {
            name: "callers",
            sds_config: { path_config_source: { path: emptyContext(folder) } },
          },
        },
      },
    }),
    attack: overTls(() => undefined),
    shows: reached,
  },
  { id: "sessions-resumed", tls: validation(MESH), attack: comeBack, shows: ({ status }) => status === "resumed" },
  {
    id: "old-tls",
    tls: ({ ca }) => ({
      require_client_certificate: true,
      common_tls_context: {
        ...trusting(ca, MESH),
        tls_params: {
          tls_minimum_protocol_version: "TLSv1_0",
          tls_maximum_protocol_version: "TLSv1_3",
          cipher_suites: ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-GCM-SHA256"],
        },
      },
    }),
    attack: oldHandshake,
    shows: ({ status }) => /^TLSv1(?:\.1)?$/.test(status),
  },
  {
    id: "upstream-unverified",
    left: true,
    scope: "cluster `unverified`",
    cluster: ({ ca, folder }) => tlsCluster(ca, "unverified", `${folder}/stranger.sock`, {}),
    host: { routes: [everything({ route: { cluster: "unverified" } })] },
    attack: bytes(request("GET /public/")),
    shows: answered(ANYBODY),
  },
  {
    id: "upstream-name-unchecked",
    left: true,
    scope: "cluster `unnamed`",
    cluster: ({ ca, folder }) => tlsCluster(ca, "unnamed", `${folder}/peer.sock`, trusting(ca)),
    host: { routes: [everything({ route: { cluster: "unnamed" } })] },
    attack: bytes(request("GET /public/")),
    shows: answered(ANYBODY),
  },
  {
    id: "egress-exposed",
    left: true,
    exposed: true,
    authz: "none",
    listener: { traffic_direction: "OUTBOUND" },
    cluster: ({ ca, folder }) =>
      tlsCluster(ca, "billing", `${folder}/peer.sock`, trusting(ca, san({ exact: "spiffe://shop.example/shop/peer" }))),
    host: { routes: [everything({ route: { cluster: "billing" } })] },
    attack: bytes(request("GET /anything")),
    shows: answered(ANYBODY),
  },
];
