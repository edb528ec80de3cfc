import type { Kysely, Transaction } from "kysely";
import type { LedgerEntries } from "../protocol/index.ts";

/** Kinds of ledger entries, as the protocol names them. */
export type LedgerKind = LedgerEntries["entries"][number]["kind"];

/** The signing certificates, the signer of documents and the keys of tokens. */
export type AuthorityRole = "root" | "intermediate" | "policy-signer" | "jwt";

/** Prepared: known to those who verify, signs nothing yet. Retired: signs nothing any more, what it signed still holds. */
export type AuthorityState = "prepared" | "active" | "retired";

/** The authority's tables. Instants are ISO texts in UTC with milliseconds, so that text order is time order. */
export type CaTables = {
  readonly ca_setting: { readonly name: string; readonly value: string };
  readonly ca_authority: AuthorityRow;
  readonly ca_ledger: LedgerRow;
  readonly ca_join_token: JoinTokenRow;
  readonly ca_bundle: BundleRow;
  readonly ca_shard: { readonly sha256: string; readonly content: Buffer };
  readonly ca_revocations: RevocationsRow;
  readonly ca_revoked_serial: RevokedRow & { readonly serial: string; readonly not_after: string };
  readonly ca_revoked_identity: RevokedRow & { readonly identity: string };
  readonly ca_revoked_node: RevokedRow & { readonly node: string };
};

export interface AuthorityRow {
  /** Of a certificate; the key id of a token key. */
  readonly serial: string;
  readonly role: AuthorityRole;
  /** At most one of a role is prepared, exactly one is active. */
  readonly state: AuthorityState;
  /** Name of the private key in the key folder; null where the key is kept elsewhere or has been destroyed. */
  readonly key_name: string | null;
  /** DER; of a token key its SubjectPublicKeyInfo. */
  readonly certificate: Buffer;
  /**
   * PEM of further certificates. An intermediate's: those between it and its root. A root's: the same
   * key signed by the root before it.
   */
  readonly links: string | null;
  readonly generation: number;
  readonly prepared_at: string;
  /** Not used before, for readers of the trust bundle who cannot confirm it. */
  readonly activate_from: string | null;
  /** Used then, whoever has not confirmed it. */
  readonly activate_by: string | null;
  readonly activated_at: string | null;
  readonly retired_at: string | null;
  /** The ledger's newest entry then: what comes after it was signed by its successor. */
  readonly retired_sequence: number | null;
  /** When nothing that a retired one signed holds any more. */
  readonly remove_at: string | null;
  /** End of a token key; null for certificates, which say it themselves. */
  readonly not_after: string | null;
  /** 1 where the key may be in other hands. */
  readonly compromised: number;
}

export interface LedgerRow {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly at: string;
  readonly kind: LedgerKind;
  readonly identity: string;
  readonly serial: string | null;
  readonly not_after: string | null;
  readonly node: string | null;
  readonly evidence: string;
  readonly reason: string | null;
  /** SHA-256 of the certificate's DER, lower-case hex. */
  readonly fingerprint: string | null;
  readonly previous: string;
  readonly hash: string;
}

export interface JoinTokenRow {
  readonly id: string;
  /** SHA-256 of the secret's text. */
  readonly secret_hash: Buffer;
  readonly node: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly used_at: string | null;
  readonly refusals: number;
}

export interface SignedRow {
  readonly payload: Buffer;
  /** Detached JWS. */
  readonly signature: string;
  /** Serial of the policy signer's certificate that signed it. */
  readonly signer: string;
}

export interface BundleRow extends SignedRow {
  readonly epoch: number;
  readonly revision: number;
}

export interface RevocationsRow extends SignedRow {
  readonly sequence: number;
}

interface RevokedRow {
  readonly revoked_at: string;
  readonly reason: string;
  readonly actor: string;
}

/** The query builder over the authority's tables, inside a transaction or not. */
export type CaDatabase = Kysely<CaTables>;
export type CaTransaction = Transaction<CaTables>;
