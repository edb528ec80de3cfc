import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EdgeCertificate } from "../../envoy/index.ts";
import type { PolicySet } from "../../policies/index.ts";
import { certificatesFromPem, certificatesToPem } from "../../spiffe/index.ts";
import { messageOf } from "../agent-error.ts";

/** The certificates of one workload's public listeners, by port, and what is wrong with those that could not be read. */
export interface EdgeCertificates {
  readonly certificates: ReadonlyMap<number, EdgeCertificate>;
  readonly problems: readonly string[];
}

const NONE: EdgeCertificates = Object.freeze({ certificates: new Map<number, EdgeCertificate>(), problems: [] });

/**
 * Reads `tls.crt` and `tls.key` of each public listener's folder (`serverCertificate`). A pair that cannot be read, does not belong
 * together or has run out is a problem and takes nothing away: `before` is what was read last.
 */
export function readEdgeCertificates(
  set: PolicySet | undefined,
  workload: string,
  at: Date,
  before: EdgeCertificates = NONE,
): EdgeCertificates {
  const listens = set?.workloads.find(({ identity }) => identity.toString() === workload)?.sidecar?.listens ?? [];
  const certificates = new Map<number, EdgeCertificate>();
  const problems: string[] = [];
  for (const { port, serverCertificate } of listens) {
    if (serverCertificate === undefined) continue;
    try {
      certificates.set(port, readPair(serverCertificate, at));
    } catch (error) {
      problems.push(`the certificate of port ${port} in \`${serverCertificate}\` cannot be used: ${messageOf(error)}`);
      const last = before.certificates.get(port);
      if (last !== undefined) certificates.set(port, last);
    }
  }
  return certificates.size === 0 && problems.length === 0 ? NONE : { certificates, problems };
}

/** Whether two readings come to the same. */
export function sameEdges(a: EdgeCertificates, b: EdgeCertificates): boolean {
  const text = ({ certificates, problems }: EdgeCertificates): string => JSON.stringify([[...certificates], problems]);
  return a === b || text(a) === text(b);
}

function readPair(folder: string, at: Date): EdgeCertificate {
  const chain = certificatesFromPem(readFileSync(join(folder, "tls.crt"), "utf8"));
  const keyPem = readFileSync(join(folder, "tls.key"), "utf8");
  const [leaf] = chain;
  // A half-replaced pair is refused here, so that it never reaches the sidecar.
  if (leaf === undefined || !leaf.checkPrivateKey(createPrivateKey(keyPem)))
    throw new Error("`tls.key` is not the key of `tls.crt`");
  if (new Date(leaf.validTo) <= at) throw new Error(`it has expired on ${new Date(leaf.validTo).toISOString()}`);
  return { chainPem: certificatesToPem(chain), keyPem };
}
