import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";
import { z } from "zod";

/** The web as the authority sees it: the global `fetch` fits. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** Where an issuer's keys are; absent means OpenID Connect discovery. */
export type KeySource = { readonly inline: string } | { readonly url: string } | { readonly file: string } | undefined;

const TIMEOUT_MS = 5_000;

/** Keys of token issuers; kept for as long as `jose` thinks right, files for as long as they do not change. */
export class IssuerKeys {
  readonly #fetch: Fetch;
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>();

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
  }

  /** The key that verifies a token of the issuer; rejects where the keys cannot be had. SECURITY: `issuer` is one that a document names. */
  of(issuer: string, source: KeySource): Promise<JWTVerifyGetKey> {
    const key = JSON.stringify([issuer, source]);
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const made = this.#make(issuer, source);
    this.#keys.set(key, made);
    // What failed is tried again with the next token.
    made.catch(() => this.#keys.delete(key));
    return made;
  }

  async #make(issuer: string, source: KeySource): Promise<JWTVerifyGetKey> {
    if (source !== undefined && "inline" in source) return createLocalJWKSet(JSON.parse(source.inline));
    if (source !== undefined && "file" in source) return keysInFile(source.file);
    const url = source === undefined ? await this.#discover(issuer) : source.url;
    return createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS, [customFetch]: this.#fetch });
  }

  /** OpenID Connect Discovery 1.0, section 4: the document must name the same issuer. */
  async #discover(issuer: string): Promise<string> {
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const answer = await this.#fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const read = z
      .object({ issuer: z.literal(issuer), jwks_uri: z.url({ protocol: /^https$/ }) })
      .parse(await answer.json());
    return read.jwks_uri;
  }
}

/** Keys in a file, read again when it was replaced. */
function keysInFile(path: string): JWTVerifyGetKey {
  let read: { readonly version: string; readonly keys: JWTVerifyGetKey } | undefined;
  return async (header, token) => {
    const { mtimeMs, size, ino } = statSync(path);
    const version = `${ino}:${mtimeMs}:${size}`;
    if (read?.version !== version) {
      read = { version, keys: createLocalJWKSet(JSON.parse(await readFile(path, "utf8"))) };
    }
    return read.keys(header, token);
  };
}
