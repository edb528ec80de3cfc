import { constants } from "node:crypto";
import type { RequestListener } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, ListenOptions } from "node:net";
import type { CertificateAuthority } from "../ca/index.ts";
import { MOZILLA_INTERMEDIATE } from "../spiffe/bundle-endpoint/index.ts";
import { systemId, type X509Svid } from "../spiffe/index.ts";
import { AuthorityError } from "./authority-error.ts";

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/** What the HTTPS server is made of. */
export interface ServerOptions {
  readonly app: RequestListener;
  /** `agents`, the default: asks for a certificate and shows the root. `anybody`: neither, for whoever trusts the bundle. */
  readonly clients?: "agents" | "anybody";
  readonly ca: Pick<
    CertificateAuthority,
    "trustDomain" | "trustBundle" | "crossCertificates" | "issueSystemSvid" | "subscribe"
  >;
  readonly clock: () => Date;
  /** DNS names and IP addresses, beside the loopback's, that the certificate is good for. */
  readonly names: ReadonlySet<string>;
  /** Told when the certificate could not be renewed; it is tried again after a minute. */
  renewalFailed(error: unknown): void;
}

/** A listening server. */
export interface RunningServer {
  readonly server: Server;
  readonly port: number;
  /** Stops accepting, lets running requests finish for a moment, then ends every connection. */
  close(): Promise<void>;
}

const CERTIFICATE_SECONDS = 24 * 3600;
const RETRY_MS = 60_000;
const GRACE_MS = 2_000;
const IP_ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)$/i;

/** Listens with the authority's own certificate, renewed at half its life without a dropped connection; `ERR_AUTHORITY_LISTEN`. */
export async function startServer(options: ServerOptions, address: ListenAddress): Promise<RunningServer> {
  const first = await issueCertificate(options);
  const server = createServer({ ...tlsOptions(options), ...keyPair(first, options) }, options.app);
  server.keepAliveTimeout = 65_000;
  await listen(server, address);
  const stopRenewing = keepCertificate(server, first, options);
  return {
    server,
    port: portOf(server),
    close: () => {
      stopRenewing();
      return closeServer(server);
    },
  };
}

/**
 * SECURITY: every certificate is accepted here and judged per request by `verifyAgent`. Sessions are never resumed: a resumed one carries
 * the leaf alone, without the chain that the judgement needs.
 */
const TLS_OPTIONS = {
  minVersion: "TLSv1.3",
  requestCert: true,
  rejectUnauthorized: false,
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

/** Nobody shows a certificate to a bundle endpoint (SPIFFE Federation, section 5.2.2). */
function tlsOptions({ clients = "agents" }: ServerOptions): typeof TLS_OPTIONS | typeof MOZILLA_INTERMEDIATE {
  return clients === "agents" ? TLS_OPTIONS : MOZILLA_INTERMEDIATE;
}

function issueCertificate({ ca, names }: ServerOptions): Promise<X509Svid> {
  const ipAddresses = ["127.0.0.1", "::1", ...[...names].filter((name) => IP_ADDRESS.test(name))];
  const dnsNames = ["localhost", ...[...names].filter((name) => !IP_ADDRESS.test(name))];
  const id = systemId(ca.trustDomain, "authority");
  return ca.issueSystemSvid(id, { dnsNames, ipAddresses, ttlSeconds: CERTIFICATE_SECONDS });
}

/**
 * The root is part of what the server shows: a joining agent knows it by the fingerprint in its token alone. Who was away
 * while the root was replaced believes the new one through the old one's certificate of it, which stands before it.
 */
function keyPair(
  svid: X509Svid,
  { ca, clients = "agents" }: ServerOptions,
): { readonly key: string; readonly cert: string } {
  const key = svid.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const above = clients === "agents" ? [...ca.crossCertificates(), ...ca.trustBundle().x509Authorities] : [];
  const chain = [...svid.chain, ...above];
  return { key, cert: chain.map((certificate) => certificate.toString()).join("") };
}

/** INVARIANT: once another authority signs, so it is for the server's own certificate: the old one may be gone before half its life. */
function keepCertificate(server: Server, first: X509Svid, options: ServerOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const schedule = (delayMs: number): void => {
    if (stopped) return;
    clearTimeout(timer);
    timer = setTimeout(renew, Math.max(delayMs, 1_000));
    timer.unref();
  };
  let current = first;
  const show = (): void => server.setSecureContext({ ...TLS_OPTIONS, ...keyPair(current, options) });
  const renew = async (): Promise<void> => {
    if (stopped) return;
    try {
      current = await issueCertificate(options);
      show();
      schedule(halfLifeMs(current, options.clock()));
    } catch (error) {
      options.renewalFailed(error);
      schedule(RETRY_MS);
    }
  };
  schedule(halfLifeMs(first, options.clock()));
  const unsubscribe = options.ca.subscribe((what) => {
    if (what === "signing") void renew();
    if (what === "trust-bundle") show();
  });
  return () => {
    stopped = true;
    unsubscribe();
    clearTimeout(timer);
  };
}

function halfLifeMs(svid: X509Svid, now: Date): number {
  return (svid.notAfter.getTime() - now.getTime()) / 2;
}

/** Listens there; `ERR_AUTHORITY_LISTEN`. */
export function listen(server: Server, { host, port }: ListenAddress): Promise<void> {
  const address: ListenOptions = { host, port, exclusive: true };
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new AuthorityError("ERR_AUTHORITY_LISTEN", `cannot listen on \`${host}:${port}\`: ${listenProblem(error)}`, {
          hint: "choose another address or port, or stop what uses it",
          cause: error,
        }),
      ),
    );
    server.listen(address, resolve);
  });
}

function listenProblem(error: NodeJS.ErrnoException): string {
  if (error.code === "EADDRINUSE") return "something else listens there";
  return error.code === "EADDRNOTAVAIL" ? "this host has no such address" : error.message;
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new TypeError("the server does not listen on a port");
  return address.port;
}

/** Stops accepting, lets running requests finish for a moment, then ends every connection. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), GRACE_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
