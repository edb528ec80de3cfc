import { isIP } from "node:net";
import { type SpiffeId, tryNormalizeSerial, tryParseSpiffeId } from "../../spiffe/index.ts";
import type { Address } from "../gen/envoy/config/core/v3/address.ts";

/** Who calls: an identity, a reason why what was presented is none, or neither for an anonymous caller. */
export interface Peer {
  readonly caller?: SpiffeId;
  readonly callerProblem?: string;
  readonly callerSerial?: string;
}

/** What the sidecar itself says of the peer's certificate, beside the principal. */
export interface PeerFacts {
  /** Every URI SAN, joined by a comma; more than one text, or another one than the principal, is a problem. */
  readonly callers: readonly string[];
  readonly serials: readonly string[];
}

/** The same, read from the certificate; `problem` where it cannot be. */
export interface CertificateFacts extends PeerFacts {
  readonly problem?: string;
}

/**
 * Reads the caller of a request or connection.
 *
 * SECURITY: the principal is text that carries no SAN type and only the first URI SAN; the facts hold every URI SAN of the
 * peer's certificate. The two must name one and the same SPIFFE ID.
 */
export function peerOf(principal: string, facts: CertificateFacts, kind: "mesh" | "edge"): Peer {
  const problem = facts.problem ?? disagreement(principal, facts.callers);
  if (problem !== undefined) return { callerProblem: problem };
  if (principal === "") return kind === "mesh" ? { callerProblem: "the peer showed no certificate" } : {};
  const read = tryParseSpiffeId(principal);
  if (!read.ok) return { callerProblem: read.message };
  const serial = serialOf(facts.serials);
  if (serial === "malformed")
    return { callerProblem: "the sidecar's serial of the peer's certificate is not one serial" };
  return serial === undefined ? { caller: read.id } : { caller: read.id, callerSerial: serial };
}

/** A sidecar that says nothing beside it leaves the principal to stand alone. */
function disagreement(principal: string, callers: readonly string[]): string | undefined {
  const [caller, second] = callers;
  if (caller === undefined || caller === principal) {
    return second === undefined ? undefined : "the caller header is there more than once";
  }
  if (caller.includes(",")) return "the peer's certificate holds more than one uri san";
  return "the caller header and the peer's principal differ";
}

function serialOf(serials: readonly string[]): string | "malformed" | undefined {
  const [serial, second] = serials;
  if (serial === undefined) return undefined;
  if (second !== undefined || serial.length > 128) return "malformed";
  return tryNormalizeSerial(serial) ?? "malformed";
}

/** Textual IP address of the direct peer, IPv4-mapped IPv6 as IPv4; undefined over a unix socket. */
export function ipAddressOf(address: Address | undefined): string | undefined {
  if (address?.address?.$case !== "socketAddress") return undefined;
  const text = address.address.value.address;
  if (isIP(text) === 0) return undefined;
  return text.includes(":") ? unmapped(text.toLowerCase()) : text;
}

/** The listener's port as the connection saw it. */
export function portOf(address: Address | undefined): number | undefined {
  if (address?.address?.$case !== "socketAddress") return undefined;
  const port = address.address.value.portSpecifier;
  return port?.$case === "portValue" && port.value > 0 && port.value <= 65_535 ? port.value : undefined;
}

function unmapped(text: string): string {
  if (!text.startsWith("::ffff:")) return text;
  const rest = text.slice("::ffff:".length);
  if (rest.includes(".")) return rest;
  const groups = rest.split(":");
  if (groups.length !== 2) return text;
  const bytes = groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
  return bytes.join(".");
}
