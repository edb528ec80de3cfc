import { once } from "node:events";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import { createTestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import type { Fetch } from "../issuer-keys.ts";

/** What a token is to say; `key` signs in place of the issuer's own. */
export interface TokenFields {
  readonly claims?: JWTPayload;
  readonly subject?: string;
  readonly audience?: string | string[];
  readonly expiresIn?: string | number;
  readonly issuer?: string;
  readonly issuedAt?: number;
  readonly key?: CryptoKey;
}

/** A token issuer that serves its discovery document and keys over HTTPS on loopback. */
export interface TokenIssuer {
  readonly url: string;
  /** The key set as text. */
  readonly jwks: string;
  token(fields?: TokenFields): Promise<string>;
  /** Reaches the issuer: `fetch` that trusts its certificate. */
  readonly fetch: Fetch;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

/** Certificates for `localhost` and `127.0.0.1`, as a web server has one. */
export function webCertificate(): TestCertificate & { readonly rootPem: string } {
  const ca = createTestCa({ trustDomain: "web.example" });
  const leaf = ca.issue({ uris: [], dns: ["localhost"], ips: ["127.0.0.1"] });
  return { ...leaf, rootPem: ca.rootPem };
}

export async function startTokenIssuer(): Promise<TokenIssuer> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256", use: "sig" }] });
  const certificate = webCertificate();
  const asked: string[] = [];
  const server = createServer({ cert: certificate.chainPem, key: certificate.keyPem }, (request, response) => {
    asked.push(request.url ?? "");
    response.setHeader("content-type", "application/json");
    if (request.url === "/keys") response.end(jwks);
    else if (request.url === "/.well-known/openid-configuration")
      response.end(JSON.stringify({ issuer: url, jwks_uri: `${url}/keys` }));
    else response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  const url = `https://127.0.0.1:${address.port}`;
  return {
    url,
    jwks,
    asked,
    token: ({ claims = {}, subject = "ci", audience = "cellwall", expiresIn = "5 min", ...fields } = {}) =>
      new SignJWT(claims)
        .setProtectedHeader({ alg: "ES256", kid: "k1" })
        .setIssuer(fields.issuer ?? url)
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt(fields.issuedAt)
        .setExpirationTime(expiresIn)
        .sign(fields.key ?? privateKey),
    fetch: fetchTrusting(certificate.rootPem),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** `fetch` over `node:https` with an anchor of its own. */
export function fetchTrusting(rootPem: string): Fetch {
  return async (url) => {
    const request = get(url, { ca: rootPem, agent: false });
    const [incoming] = await once(request, "response");
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk));
    return new Response(Buffer.concat(chunks), { status: incoming.statusCode });
  };
}
