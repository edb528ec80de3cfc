import { X509Certificate } from "node:crypto";
import type { CertificateFacts } from "./peer.ts";

const NOTHING: CertificateFacts = Object.freeze({ callers: [], serials: [] });
const UNREADABLE: CertificateFacts = Object.freeze({
  callers: [],
  serials: [],
  problem: "the peer's certificate cannot be read",
});
const MAX_KNOWN = 1_000;
const MAX_TEXT = 64 * 1024;

/** A peer sends many requests with one certificate, and reading it costs more than a decision. */
const known = new Map<string, CertificateFacts>();

/**
 * What a peer's certificate says (`include_peer_certificate`: URL-encoded PEM, as Envoy sends it): its URI SANs and its serial.
 * The sidecar has verified it. An empty text says nothing; one that cannot be read is a problem. Never throws.
 */
export function certificateFacts(encoded: string): CertificateFacts {
  if (encoded === "") return NOTHING;
  const before = known.get(encoded);
  if (before !== undefined) return before;
  const facts = encoded.length > MAX_TEXT ? UNREADABLE : read(encoded);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(encoded, facts);
  return facts;
}

function read(encoded: string): CertificateFacts {
  try {
    const certificate = new X509Certificate(decodeURIComponent(encoded));
    return Object.freeze({
      callers: uriNames(certificate.subjectAltName ?? ""),
      serials: [certificate.serialNumber],
    });
  } catch {
    return UNREADABLE;
  }
}

/** The URI names as one text, joined by a comma. A name with a comma of its own is quoted there, so that it equals no identity. */
function uriNames(names: string): readonly string[] {
  const uris = names.split(", ").flatMap((name) => (name.startsWith("URI:") ? [name.slice("URI:".length)] : []));
  return uris.length === 0 ? [] : [uris.join(",")];
}
