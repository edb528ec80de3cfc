import type { EnrolResponse } from "../../protocol/index.ts";
import {
  parseTrustBundle,
  publicKeyFingerprint,
  systemId,
  type TrustBundle,
  type X509Svid,
} from "../../spiffe/index.ts";
import { AgentError } from "../agent-error.ts";
import { AuthorityClient } from "./authority-client.ts";
import { type Credential, type NodeAttestationOptions, pinOf } from "./credential.ts";
import { certificateRequest } from "./csr.ts";
import { pinnedTrust } from "./first-contact.ts";
import { acceptIssued } from "./issued.ts";
import { newPrivateKey } from "./private-key.ts";

/** Where to join, and whom this agent knows already. */
export interface JoinOptions {
  readonly url: string;
  readonly now: () => Date;
  /** The own trust domain's anchors, where the agent was enrolled before. */
  readonly own: TrustBundle | undefined;
  /** People vouch for a root that is not among those anchors. */
  readonly newRoot: boolean;
  readonly signal: AbortSignal;
}

/** What joining gave. */
export interface Joined {
  readonly svid: X509Svid;
  readonly own: TrustBundle;
  /** The same bundle as text. */
  readonly trustBundle: string;
}

/** Proves the node to the authority and obtains its agent's identity, with a key of its own. Throws `AgentError`. */
export async function joinWith(credential: Credential, options: JoinOptions): Promise<Joined> {
  const { url, now, signal } = options;
  const known = await knownTrust(credential, options);
  const client = new AuthorityClient({ url, credentials: { trust: known }, now });
  const privateKey = newPrivateKey();
  try {
    const csr = certificateRequest(privateKey).toString("base64url");
    const answer = await prove(client, credential, csr, signal);
    const own = bundleOf(answer, known);
    const identity = systemId(own.trustDomain, `agent/${answer.node}`).toString();
    const svid = acceptIssued(answer.certificate, { identity, privateKey, trust: own, at: now() });
    return { svid, own, trustBundle: answer.trustBundle };
  } finally {
    client.close();
  }
}

/** Whom to send a token to. An agent that attests anew goes by the anchors that it followed; a fingerprint is for its first use. */
async function knownTrust(credential: Credential, options: JoinOptions): Promise<TrustBundle> {
  const { url, now, own, newRoot, signal } = options;
  if (credential.kind === "attestation" && own !== undefined && !newRoot) return own;
  const pinned = await pinnedTrust({ url, rootFingerprint: pinOf(credential), now, signal });
  if (own === undefined || own.trustDomain === pinned.trustDomain) return pinned;
  throw new AgentError(
    "ERR_AGENT_OTHER_MESH",
    `the authority is of \`${pinned.trustDomain}\`, and the agent's state folder of \`${own.trustDomain}\``,
    { hint: "give this agent a state folder of its own, or remove that one to leave its mesh" },
  );
}

function prove(
  client: AuthorityClient,
  credential: Credential,
  csr: string,
  signal: AbortSignal,
): Promise<EnrolResponse> {
  switch (credential.kind) {
    case "join-token":
      return client.enrol({ token: credential.text, csr }, signal);
    case "attestation":
      return attest(client, credential, csr, signal);
    default:
      return credential satisfies never;
  }
}

async function attest(
  client: AuthorityClient,
  { token, node }: NodeAttestationOptions,
  csr: string,
  signal: AbortSignal,
): Promise<EnrolResponse> {
  const text = (await token()).trim();
  return client.attest({ token: text, csr, ...(node === undefined ? {} : { node }) }, signal);
}

/** The own trust bundle of an enrolment. SECURITY: it must hold a root that was known before, or the pin's promise would end here. */
function bundleOf(answer: EnrolResponse, known: TrustBundle): TrustBundle {
  const own = parseTrustBundle(known.trustDomain, answer.trustBundle);
  const roots = new Set(known.x509Authorities.map((authority) => publicKeyFingerprint(authority)));
  if (own.x509Authorities.some((authority) => roots.has(publicKeyFingerprint(authority)))) return own;
  throw new AgentError(
    "ERR_AGENT_AUTHORITY_UNTRUSTED",
    "the authority's trust bundle lacks the root that it was known by",
  );
}
