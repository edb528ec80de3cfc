import type { CertificateAuthority } from "../ca/index.ts";
import type { AuthorityStatus } from "../protocol/index.ts";
import type { TokenEnrolment } from "./attestation/enrol-by-token.ts";
import type { AuditEntry, AuditTrail } from "./audit.ts";
import type { ForeignDomains } from "./federation/foreign-domains.ts";
import type { AuthorityMetrics } from "./metrics.ts";
import type { NodeBook } from "./node-book.ts";
import type { OutwardServers } from "./outward/outward-servers.ts";
import type { Publications } from "./publications.ts";
import type { WaitingRoom } from "./waiting-room.ts";

/** The parts of an authority that its routes work with. */
export interface Services {
  readonly foreign: ForeignDomains;
  readonly outward: OutwardServers;
  readonly attestation: TokenEnrolment;
  readonly ca: CertificateAuthority;
  readonly clock: () => Date;
  readonly version: string;
  readonly publications: Publications;
  readonly nodes: NodeBook;
  readonly audit: AuditTrail;
  readonly metrics: AuthorityMetrics;
  readonly waitingRoom: WaitingRoom;
  status(): AuthorityStatus;
  /** Whether requests are served; false once it closes. */
  ready(): boolean;
}

/** Does a change and writes it down, whether it was done or refused, before anybody is told. */
export async function audited<T>(
  services: Pick<Services, "audit" | "clock">,
  entry: Omit<AuditEntry, "at" | "outcome">,
  change: () => Promise<T>,
): Promise<T> {
  const record = (outcome: AuditEntry["outcome"], detail?: string): Promise<void> =>
    services.audit.record({ ...entry, at: services.clock(), outcome, ...(detail === undefined ? {} : { detail }) });
  let result: T;
  try {
    result = await change();
  } catch (error) {
    await record("refused", error instanceof Error ? error.message : String(error));
    throw error;
  }
  await record("done", entry.detail);
  return result;
}
