import { ProtocolError } from "./protocol-error.ts";

/** A join token's parts: `cwj1.<id>.<secret>.<root fingerprint>` (docs/architecture.md, "Joining"). */
export interface JoinToken {
  /** Public handle of the token, 16 lower-case hex digits. */
  readonly id: string;
  /** 256 random bits, base64url without padding, 43 characters. */
  readonly secret: string;
  /** SHA-256 over the root's SubjectPublicKeyInfo, lower-case hex: the agent accepts no other root. */
  readonly rootFingerprint: string;
}

const FORM = /^cwj1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{43})\.([0-9a-f]{64})$/;

/** Reads a join token's text; throws `ProtocolError` `ERR_PROTOCOL_JOIN_TOKEN`, without repeating the secret. */
export function parseJoinToken(text: string): JoinToken {
  const [, id, secret, rootFingerprint] = FORM.exec(text.trim()) ?? [];
  if (id === undefined || secret === undefined || rootFingerprint === undefined) {
    throw new ProtocolError(
      "ERR_PROTOCOL_JOIN_TOKEN",
      "not a join token: expected `cwj1.<id>.<secret>.<fingerprint>`",
      {
        hint: "copy the whole line that `cellwall ca token` printed",
      },
    );
  }
  return Object.freeze({ id, secret, rootFingerprint });
}

/** The text of a join token, as it is handed to an agent. */
export function formatJoinToken(token: JoinToken): string {
  return `cwj1.${token.id}.${token.secret}.${token.rootFingerprint}`;
}
