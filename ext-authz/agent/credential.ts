import { type JoinToken, parseJoinToken } from "../../protocol/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";

/** How an agent proves its node by tokens of the platform, again and again, where it has no join token. */
export interface NodeAttestationOptions {
  /** The platform's token, asked for at each try. */
  readonly token: () => string | Promise<string>;
  /** SHA-256 over the authority's root's SubjectPublicKeyInfo, lower-case hex: at the first contact no other root is accepted. */
  readonly rootFingerprint: string;
  /** The node that this host means to be, where the token fits several. */
  readonly node?: string;
}

/** What an agent joins with. */
export type Credential =
  | { readonly kind: "join-token"; readonly token: JoinToken; readonly text: string }
  | ({ readonly kind: "attestation" } & NodeAttestationOptions);

/** The credential that the options give; a join token goes before attestation. `ERR_AGENT_JOIN_TOKEN`, `ERR_AGENT_ATTESTATION`. */
export function credentialOf(options: {
  readonly joinToken?: string | undefined;
  readonly attestation?: NodeAttestationOptions | undefined;
}): Credential | undefined {
  const { joinToken, attestation } = options;
  if (joinToken !== undefined) return { kind: "join-token", token: readToken(joinToken), text: joinToken.trim() };
  if (attestation === undefined) return undefined;
  if (/^[0-9a-f]{64}$/.test(attestation.rootFingerprint)) return { kind: "attestation", ...attestation };
  throw new AgentError("ERR_AGENT_ATTESTATION", "the root's fingerprint is not 64 lower-case hexadecimal digits", {
    hint: "copy it from `cellwall status`, on the authority's host",
  });
}

/** The fingerprint of the one root that the first contact accepts. */
export function pinOf(credential: Credential): string {
  return credential.kind === "join-token" ? credential.token.rootFingerprint : credential.rootFingerprint;
}

function readToken(text: string): JoinToken {
  try {
    return parseJoinToken(text);
  } catch (error) {
    throw new AgentError("ERR_AGENT_JOIN_TOKEN", `the agent cannot join: ${messageOf(error)}`, {
      cause: error,
      hint: JOIN_HINT,
    });
  }
}

/** The error of a join that was refused. */
export function joinError(credential: Credential, error: unknown): AgentError {
  if (error instanceof AgentError && error.code !== "ERR_AGENT_AUTHORITY_REFUSED") return error;
  const message = `the agent cannot join: ${messageOf(error)}`;
  if (credential.kind === "join-token") {
    return new AgentError("ERR_AGENT_JOIN_TOKEN", message, { cause: error, hint: JOIN_HINT });
  }
  const hint = error instanceof AgentError ? error.hint : undefined;
  return new AgentError("ERR_AGENT_ATTESTATION", message, { cause: error, hint });
}

const JOIN_HINT = "join tokens are for one node and one use, within 15 minutes; make a new one at the authority";
