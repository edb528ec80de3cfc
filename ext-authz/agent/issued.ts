import type { KeyObject } from "node:crypto";
import { z } from "zod";
import { type IssuedCertificate, issuedCertificate } from "../../protocol/index.ts";
import { parseX509Svid, type TrustBundle, verifyX509Svid, type X509Svid } from "../../spiffe/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";
import { formatPrivateKey, parsePrivateKey } from "./private-key.ts";
import type { StateDir } from "./state-dir.ts";

const stored = z.object({ privateKey: z.string(), certificate: issuedCertificate });

/**
 * Makes an SVID of an issued certificate and the key that was asked for, after checking that it is what was asked for: identity, key,
 * chain to the own anchors. Throws `AgentError` `ERR_AGENT_CERTIFICATE`.
 */
export function acceptIssued(
  issued: IssuedCertificate,
  expected: {
    readonly identity: string;
    readonly privateKey: KeyObject;
    readonly trust: TrustBundle;
    readonly at: Date;
  },
): X509Svid {
  try {
    const chain = issued.chain.map((der) => Buffer.from(der, "base64url"));
    const svid = parseX509Svid({ chain, privateKey: expected.privateKey });
    if (svid.id.toString() !== expected.identity) throw new Error(`it names \`${svid.id.toString()}\``);
    const verified = verifyX509Svid(svid.chain, expected.trust, { at: expected.at });
    if (!verified.ok) throw new Error(verified.message);
    return svid;
  } catch (error) {
    throw new AgentError(
      "ERR_AGENT_CERTIFICATE",
      `the certificate for \`${expected.identity}\` is refused: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** Keeps an SVID with its key. */
export function storeSvid(files: StateDir, name: string, svid: X509Svid): void {
  const certificate: IssuedCertificate = {
    identity: svid.id.toString(),
    chain: svid.chain.map((link) => link.raw.toString("base64url")),
    serial: svid.serial,
    notBefore: svid.notBefore.toISOString(),
    notAfter: svid.notAfter.toISOString(),
  };
  files.writeJson(name, { privateKey: formatPrivateKey(svid.privateKey), certificate });
}

/** Reads an SVID back as it was kept, its chain unverified; undefined where there is none or it cannot be read. */
export function readStoredSvid(files: StateDir, name: string): X509Svid | undefined {
  const read = stored.safeParse(files.readJson(name));
  if (!read.success) return undefined;
  try {
    return parseX509Svid({
      chain: read.data.certificate.chain.map((der) => Buffer.from(der, "base64url")),
      privateKey: parsePrivateKey(read.data.privateKey),
    });
  } catch {
    return undefined;
  }
}
