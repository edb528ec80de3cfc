import { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { isIP } from "node:net";
import { connect, type DetailedPeerCertificate, type TLSSocket } from "node:tls";
import { excerpt } from "../excerpt.ts";
import { type EndpointErrorCode, SpiffeError } from "../spiffe-error.ts";
import type { SpiffeId } from "../spiffe-id.ts";
import { parseTrustBundle, type TrustBundle } from "../trust-bundle.ts";
import type { TrustDomain } from "../trust-domain.ts";
import { MAX_CHAIN_CERTIFICATES, verifyX509Svid } from "../verify-x509-svid.ts";
import { within } from "../within.ts";
import { MOZILLA_INTERMEDIATE } from "./tls-settings.ts";

/** A bundle endpoint: its URL, its profile, and with `https_spiffe` its identity and the bundle that vouches for it (F-1, F-4). */
export type BundleEndpointTarget =
  | { readonly profile: "https_web"; readonly url: string }
  | {
      readonly profile: "https_spiffe";
      readonly url: string;
      readonly endpointId: SpiffeId;
      /** Of the trust domain of `endpointId`, which may be another one than that of the bundle that is fetched. */
      readonly bundle: TrustBundle;
    };

/** How a bundle's text is fetched. */
export interface FetchOptions {
  /** When certificates must be valid. */
  readonly at: Date;
  readonly signal: AbortSignal;
  /** Anchors of `https_web` in place of the web's own; PEM. */
  readonly ca?: string;
}

/** How a bundle is fetched. */
export interface FetchTrustBundleOptions extends FetchOptions {
  /** Whose bundle it is; no document names its own trust domain. */
  readonly trustDomain: TrustDomain;
}

const TIMEOUT_MS = 10_000;
const MAX_REDIRECTS = 3;
const MAX_BYTES = 4 * 1024 * 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Fetches the current trust bundle (SPIFFE Federation, section 5). A redirect is followed for this once, under the same
 * rules (F-5). Throws `SpiffeError` with the codes of `EndpointErrorCode` and `BundleErrorCode`.
 */
export async function fetchTrustBundle(
  target: BundleEndpointTarget,
  options: FetchTrustBundleOptions,
): Promise<TrustBundle> {
  return parseTrustBundle(options.trustDomain, await fetchBundleText(target, options));
}

/** The same before it is read: what the endpoint answers, as text. Throws `SpiffeError` with the codes of `EndpointErrorCode`. */
export function fetchBundleText(target: BundleEndpointTarget, options: FetchOptions): Promise<string> {
  return within(options.signal, TIMEOUT_MS, (signal) => textBehind(target, { ...options, signal }));
}

async function textBehind(target: BundleEndpointTarget, options: FetchOptions): Promise<string> {
  let url = urlOf(target.url);
  for (let redirects = 0; ; redirects++) {
    const answer = await exchange(url, target, options);
    if (answer.location === undefined) return answer.text;
    if (redirects === MAX_REDIRECTS) throw failed("ANSWER", `more than ${MAX_REDIRECTS} redirects`);
    url = urlOf(answer.location, url);
  }
}

function urlOf(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (url?.protocol === "https:" && url.username === "" && url.password === "") return url;
  throw failed("URL", `${excerpt(text)} is no https URL without credentials`);
}

interface Answer {
  readonly location: string | undefined;
  readonly text: string;
}

async function exchange(url: URL, target: BundleEndpointTarget, options: FetchOptions): Promise<Answer> {
  const socket = await connected(url, target, options);
  try {
    const incoming = await answered(url, socket, options.signal);
    const status = incoming.statusCode ?? 0;
    const location = REDIRECTS.has(status) ? incoming.headers.location : undefined;
    if (location !== undefined) return { location, text: "" };
    if (status !== 200) throw failed("ANSWER", `${url.origin} answers with HTTP status ${status}`);
    return { location, text: await textOf(incoming, url) };
  } finally {
    socket.destroy();
  }
}

/**
 * A connection to a server that has proved itself.
 *
 * SECURITY: with `https_spiffe` the handshake itself accepts any certificate, since a bundle may hold authorities that
 * OpenSSL takes for no anchor; the chain is judged here, and not a byte is sent before. No client certificate is ever shown (F-3).
 */
function connected(url: URL, target: BundleEndpointTarget, options: FetchOptions): Promise<TLSSocket> {
  const { at, ca, signal } = options;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const web = target.profile === "https_web";
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...MOZILLA_INTERMEDIATE,
      host,
      port: Number(url.port === "" ? 443 : url.port),
      ALPNProtocols: ["http/1.1"],
      rejectUnauthorized: web,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(web && ca !== undefined ? { ca } : {}),
    });
    const abort = (): void => void socket.destroy(new Error("no answer in time"));
    signal.addEventListener("abort", abort, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", abort));
    socket.on("error", (error) => reject(connectionError(url, error)));
    socket.once("secureConnect", () => {
      const problem = target.profile === "https_spiffe" ? problemOf(socket, target, at) : undefined;
      if (problem === undefined) return resolve(socket);
      reject(failed("UNTRUSTED", `the server at ${url.origin} is not \`${target.profile}\`'s: ${problem}`));
      socket.destroy();
    });
    if (signal.aborted) abort();
  });
}

function problemOf(
  socket: TLSSocket,
  { endpointId, bundle }: Extract<BundleEndpointTarget, { readonly profile: "https_spiffe" }>,
  at: Date,
): string | undefined {
  const verified = verifyX509Svid(chainOf(socket), bundle, { at });
  if (!verified.ok) return verified.message;
  return verified.id.equals(endpointId) ? undefined : `it is \`${verified.id}\`, not \`${endpointId}\``;
}

/** What the server showed, leaf first; authorities at its end are of no use here, nor do they harm. */
function chainOf(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<object>();
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !seen.has(next) && chain.length < MAX_CHAIN_CERTIFICATES) {
    seen.add(next);
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  return chain;
}

function answered(url: URL, socket: TLSSocket, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, {
      createConnection: () => socket,
      headers: { accept: "application/json", connection: "close" },
      signal,
    });
    outgoing.once("error", (error) => reject(connectionError(url, error)));
    outgoing.once("response", resolve);
    outgoing.end();
  });
}

async function textOf(incoming: IncomingMessage, url: URL): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    for await (const chunk of incoming) {
      const bytes = Buffer.from(chunk);
      sizeBytes += bytes.length;
      if (sizeBytes > MAX_BYTES) throw failed("ANSWER", `the answer of ${url.origin} is larger than 4 MiB`);
      chunks.push(bytes);
    }
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch (error) {
    if (error instanceof SpiffeError) throw error;
    if (error instanceof TypeError) throw failed("ANSWER", `the answer of ${url.origin} is not UTF-8`);
    throw connectionError(url, error);
  }
}

function connectionError(url: URL, error: unknown): SpiffeError {
  if (error instanceof SpiffeError) return error;
  const code = error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
  const reason = error instanceof Error ? error.message : String(error);
  const untrusted = /CERT|SELF_SIGNED|UNABLE_TO|INVALID_CA|ALTNAME/.test(code);
  if (untrusted) return failed("UNTRUSTED", `the server at ${url.origin} is not trusted: ${reason}`, error);
  return failed("UNREACHABLE", `no answer from ${url.origin}: ${reason}`, error);
}

type Suffix = EndpointErrorCode extends `ERR_SPIFFE_BUNDLE_ENDPOINT_${infer S}` ? S : never;

function failed(code: Suffix, message: string, cause?: unknown): SpiffeError {
  return new SpiffeError(`ERR_SPIFFE_BUNDLE_ENDPOINT_${code}`, message, { cause });
}
