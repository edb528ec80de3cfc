import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { certificatesFromPem } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import type { CaContext } from "./context.ts";
import { spkiOf } from "./public-key.ts";
import { readSetting } from "./settings.ts";
import type { AuthorityRole, AuthorityRow, AuthorityState, CaDatabase } from "./tables.ts";

/** One signing authority as the store holds it, with its private key where that is at hand. */
export interface SigningAuthority {
  readonly role: AuthorityRole;
  readonly state: AuthorityState;
  /** Of the certificate; of a token key its key id. */
  readonly serial: string;
  readonly generation: number;
  /** Absent for token keys. */
  readonly certificate: X509Certificate | undefined;
  /** Certificates that travel with it; see `AuthorityRow.links`. */
  readonly links: readonly X509Certificate[];
  readonly publicKey: KeyObject;
  readonly keyName: string | undefined;
  readonly privateKey: KeyObject | undefined;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly preparedAt: Date;
  readonly activateFrom: Date | undefined;
  readonly activateBy: Date | undefined;
  readonly activatedAt: Date | undefined;
  readonly retiredAt: Date | undefined;
  /** The ledger's newest entry when it retired. */
  readonly retiredSequence: number;
  readonly removeAt: Date | undefined;
  readonly compromised: boolean;
  /** People founded the authority on this root: nothing replaces it but people. */
  readonly brought: boolean;
}

/** Reads every authority, newest first; throws `ERR_CA_STATE` for a key that is not its certificate's. */
export async function readAuthorities(context: CaContext, db: CaDatabase): Promise<readonly SigningAuthority[]> {
  const rows = await db.selectFrom("ca_authority").selectAll().orderBy("generation", "desc").execute();
  const brought = await readSetting(db, "brought_root");
  return Promise.all(rows.map((row) => readAuthority(context, row, row.role === "root" && row.serial === brought)));
}

async function readAuthority(context: CaContext, row: AuthorityRow, brought: boolean): Promise<SigningAuthority> {
  const certificate = row.role === "jwt" ? undefined : new X509Certificate(row.certificate);
  const publicKey = certificate?.publicKey ?? createPublicKey({ key: row.certificate, format: "der", type: "spki" });
  const privateKey = row.key_name === null ? undefined : await context.keys.read(row.key_name);
  if (privateKey !== undefined && !spkiOf(createPublicKey(privateKey)).equals(spkiOf(publicKey))) {
    throw brokenState(`the ${row.role} certificate and the key \`${row.key_name}\` do not belong together`);
  }
  const preparedAt = new Date(row.prepared_at);
  return Object.freeze({
    role: row.role,
    state: row.state,
    serial: row.serial,
    generation: row.generation,
    certificate,
    links: row.links === null ? [] : certificatesFromPem(row.links),
    publicKey,
    keyName: row.key_name ?? undefined,
    privateKey,
    notBefore: certificate === undefined ? preparedAt : new Date(certificate.validFrom),
    notAfter: new Date(certificate?.validTo ?? row.not_after ?? row.prepared_at),
    preparedAt,
    activateFrom: instant(row.activate_from),
    activateBy: instant(row.activate_by),
    activatedAt: instant(row.activated_at),
    retiredAt: instant(row.retired_at),
    retiredSequence: row.retired_sequence ?? 0,
    removeAt: instant(row.remove_at),
    compromised: row.compromised === 1,
    brought,
  });
}

/** The number of the next authority of a role. */
export async function nextGeneration(db: CaDatabase, role: AuthorityRole): Promise<number> {
  const newest = db.selectFrom("ca_authority").select("generation").where("role", "=", role);
  return ((await newest.orderBy("generation", "desc").limit(1).executeTakeFirst())?.generation ?? 0) + 1;
}

function instant(text: string | null): Date | undefined {
  return text === null ? undefined : new Date(text);
}

/** `ERR_CA_STATE`: what lies on disk does not fit together. */
export function brokenState(message: string, cause?: unknown): CaError {
  return new CaError("ERR_CA_STATE", message, {
    hint: "restore the key folder and the database from one backup; only a wholly new trust domain starts with both empty",
    cause,
  });
}
