import type { X509Certificate } from "node:crypto";
import { certificateFromDer } from "./certificate.ts";
import { SpiffeError } from "./spiffe-error.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\s]*?)-----END \1-----/g;
const LABEL = "CERTIFICATE";

/** Certificates as PEM blocks one after the other, each ending in a line break (RFC 7468). */
export function certificatesToPem(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => derToPem(certificate.raw, LABEL)).join("");
}

/** A certificate revocation list as a PEM block. */
export function revocationListToPem(der: Uint8Array): string {
  return derToPem(der, "X509 CRL");
}

function derToPem(der: Uint8Array, label: string): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/**
 * Reads one or more certificates from PEM text, in their order. Text between the blocks is ignored; a block of another
 * kind, or none at all, is refused. Throws `SpiffeError` `ERR_SPIFFE_PEM`, `ERR_SPIFFE_CERTIFICATE_MALFORMED`.
 */
export function certificatesFromPem(pem: string): readonly X509Certificate[] {
  const blocks = [...pem.matchAll(BLOCK)];
  if (blocks.length !== pem.split("-----BEGIN ").length - 1) throw badPem("a block is cut short or holds strange text");
  if (blocks.length === 0) throw badPem("there is no certificate in it");
  return blocks.map(([, label, body = ""]) => {
    if (label !== LABEL) throw badPem("it holds something other than certificates");
    return certificateFromDer(fromBase64(body));
  });
}

function fromBase64(body: string): Buffer {
  const text = body.replace(/\s+/g, "");
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw badPem("a block is not in base64");
  return bytes;
}

function badPem(what: string): SpiffeError {
  return new SpiffeError("ERR_SPIFFE_PEM", `not a PEM text of certificates: ${what}`);
}
