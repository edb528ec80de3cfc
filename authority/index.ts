/** The server around the certificate authority: publishing, status and revocation for administrators, identities and bundles for agents. */
export { createAdminToken } from "./api/admin-token.ts";
export { isLoopback } from "./api/host-guard.ts";
export type { AuditEntry } from "./audit.ts";
export {
  type Authority,
  type AuthorityLog,
  type AuthorityOptions,
  createAuthority,
  isAddressInUse,
} from "./authority.ts";
export { AuthorityError, type AuthorityErrorCode } from "./authority-error.ts";
export type { PolicyFile } from "./policy-archive.ts";
export type { ListenAddress } from "./server.ts";
