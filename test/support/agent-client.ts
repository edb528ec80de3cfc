import { AuthorityClient } from "../../ext-authz/agent/authority-client.ts";
import { certificateRequest } from "../../ext-authz/agent/csr.ts";
import { readStoredSvid } from "../../ext-authz/agent/issued.ts";
import { newPrivateKey } from "../../ext-authz/agent/private-key.ts";
import { StateDir } from "../../ext-authz/agent/state-dir.ts";
import { TrustStore } from "../../ext-authz/agent/trust-store.ts";
import { certificatesToPem, type X509Svid } from "../../spiffe/index.ts";
import type { Shown } from "./straight.ts";

/** The identity that an agent keeps on its disk. */
export function agentSvid(stateDir: string): X509Svid {
  const svid = readStoredSvid(new StateDir(stateDir), "agent.json");
  if (svid === undefined) throw new Error(`no agent's identity in ${stateDir}`);
  return svid;
}

/** The same, as it is shown in a handshake. */
export function agentIdentity(stateDir: string): Shown {
  const svid = agentSvid(stateDir);
  const privateKey = svid.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { certificates: certificatesToPem(svid.chain), privateKey };
}

/** Asks the authority for a workload's certificate with the identity that an agent keeps on its disk: what a stolen agent would do. */
export async function askForSvid(stateDir: string, url: string, identity: string): Promise<void> {
  const trust = new TrustStore(new StateDir(stateDir));
  trust.restore();
  if (trust.own === undefined) throw new Error(`no trust bundle in ${stateDir}`);
  const credentials = { trust: trust.own, svid: agentSvid(stateDir) };
  const client = new AuthorityClient({ url, credentials, now: () => new Date() });
  try {
    const csr = certificateRequest(newPrivateKey()).toString("base64url");
    await client.svids({ requests: [{ identity, csr }] }, new AbortController().signal);
  } finally {
    client.close();
  }
}
