import { existsSync, readFileSync, writeFileSync } from "node:fs";
import {
  type Authority,
  type AuthorityLog,
  createAdminToken,
  createAuthority,
  isAddressInUse,
  isLoopback,
} from "../../authority/index.ts";
import { type CertificateAuthority, type Lifetimes, openCertificateAuthority } from "../../ca/index.ts";
import { shardOf } from "../../policies/index.ts";
import { certificatesToPem, parseTrustDomain, type TrustDomain } from "../../spiffe/index.ts";
import { openStore } from "../../store/index.ts";
import { CliError } from "../cli-error.ts";
import { packageVersion } from "../package-version.ts";
import { makeOwnFolder, removeAdminAccess, type StateFolder, writeAdminAccess } from "../state-folder.ts";
import { lockState } from "./state-lock.ts";
import { Undo } from "./undo.ts";

/** Where authorities listen when nobody says otherwise. */
export const DEFAULT_PORT = 7443;

/** How to run an authority on a state folder. */
export interface AuthorityStart {
  readonly state: StateFolder;
  /** Needed at the first start only; a later one must name the same. */
  readonly trustDomain?: string;
  readonly host: string;
  readonly port: number;
  /** Take a free port where `port` is taken. */
  readonly orFreePort: boolean;
  readonly clock: () => Date;
  /** How long things hold; the certificate authority's own where absent. */
  readonly lifetimes?: Partial<Lifetimes> | undefined;
  /** Encrypts the private keys on disk. */
  readonly keyPassphrase?: string | undefined;
  /** Signs revocation lists (CRLs) too. */
  readonly revocationLists?: boolean | undefined;
  readonly localNode?: string;
  readonly names?: readonly string[];
  readonly log?: AuthorityLog;
}

/** An authority that listens. */
export interface StartedAuthority {
  readonly authority: Authority;
  readonly ca: CertificateAuthority;
  readonly url: string;
  stop(): Promise<void>;
}

/** Opens state, keys and certificate authority, restores the last good set and listens; writes `admin.json`. */
export async function startAuthority(start: AuthorityStart): Promise<StartedAuthority> {
  makeOwnFolder(start.state.root);
  makeOwnFolder(start.state.authority);
  const undo = new Undo();
  try {
    const lock = await lockState(start.state);
    undo.add(() => lock.release());
    return await open(start, undo);
  } catch (error) {
    await undo.run();
    throw error;
  }
}

async function open(start: AuthorityStart, undo: Undo): Promise<StartedAuthority> {
  const { state, clock, log } = start;
  const trustDomain = ownTrustDomain(state, start.trustDomain);
  const store = await openStore({ file: state.database });
  undo.add(() => store.close());
  const onProblem = (error: unknown): void => log?.error({ err: error }, "a renewal failed; it is tried again");
  let running: Authority | undefined;
  const ca = await openCertificateAuthority({
    store,
    keyFolder: state.keys,
    keyPassphrase: start.keyPassphrase,
    trustDomain,
    clock,
    shardOf,
    onProblem,
    revocationLists: start.revocationLists,
    jwtIssuer: () => running?.jwtIssuer(),
    ...(start.lifetimes === undefined ? {} : { lifetimes: start.lifetimes }),
  });
  undo.add(() => ca.close());
  writeFileSync(state.trustDomain, `${trustDomain}\n`, { mode: 0o600 });
  const adminToken = createAdminToken();
  const authority = createAuthority({ ...optionsOf(start), ca, store, adminToken });
  running = authority;
  undo.add(() => authority.close());
  const { url, adminUrl } = await listen(authority, start);
  undo.add(keepAdminAccess(state, ca, { url: adminUrl, token: adminToken }));
  return { authority, ca, url, stop: () => undo.run() };
}

/** Commands believe the roots in it, so it is written anew when they change. Returns how to take it away. */
function keepAdminAccess(
  state: StateFolder,
  ca: CertificateAuthority,
  access: { readonly url: string; readonly token: string },
): () => void {
  const write = (): void => {
    const rootPem = certificatesToPem(ca.trustBundle().x509Authorities);
    writeAdminAccess(state, { ...access, rootPem, rootFingerprint: ca.rootFingerprint() });
  };
  write();
  const unsubscribe = ca.subscribe((what) => {
    if (what === "trust-bundle" || what === "signing") write();
  });
  return () => {
    unsubscribe();
    removeAdminAccess(state, access.token);
  };
}

function optionsOf(start: AuthorityStart): Omit<Parameters<typeof createAuthority>[0], "ca" | "adminToken"> {
  const { clock, localNode, names, log } = start;
  return {
    clock,
    version: packageVersion(),
    ...(localNode === undefined ? {} : { localNode }),
    ...(names === undefined ? {} : { names }),
    ...(log === undefined ? {} : { log }),
  };
}

/** The trust domain of earlier starts, which a named one must equal; `ERR_CLI_USAGE`, `ERR_CLI_STATE`. */
function ownTrustDomain(state: StateFolder, named: string | undefined): TrustDomain {
  const kept = existsSync(state.trustDomain) ? readFileSync(state.trustDomain, "utf8").trim() : undefined;
  if (kept === undefined && named === undefined) {
    throw new CliError("ERR_CLI_USAGE", "the first start needs to know the trust domain", {
      hint: "give `--trust-domain shop.example`; it is remembered",
    });
  }
  if (kept !== undefined && named !== undefined && kept !== named) {
    throw new CliError(
      "ERR_CLI_STATE",
      `the state folder \`${state.root}\` belongs to the mesh \`${kept}\`, not \`${named}\``,
      {
        hint: "an authority keeps its trust domain for life: choose another folder with `--state`",
      },
    );
  }
  return parseTrustDomain(kept ?? named ?? "");
}

interface Addresses {
  /** How agents reach it. */
  readonly url: string;
  /** How administrators on this host reach it: always over loopback. */
  readonly adminUrl: string;
}

async function listen(authority: Authority, start: AuthorityStart): Promise<Addresses> {
  const { host } = start;
  const { url, port } = await listenSomewhere(authority, start);
  if (isLoopback(host)) return { url, adminUrl: url };
  if (host === "0.0.0.0" || host === "::") {
    const [name = `127.0.0.1`] = start.names ?? [];
    return { url: `https://${name}:${port}`, adminUrl: `https://127.0.0.1:${port}` };
  }
  const local = await listenSomewhere(authority, { host: "127.0.0.1", port, orFreePort: true });
  return { url, adminUrl: local.url };
}

async function listenSomewhere(
  authority: Authority,
  { host, port, orFreePort }: Pick<AuthorityStart, "host" | "port" | "orFreePort">,
): Promise<{ readonly url: string; readonly port: number }> {
  try {
    return await authority.listen({ host, port });
  } catch (error) {
    if (!orFreePort || !isAddressInUse(error)) throw error;
    return authority.listen({ host, port: 0 });
  }
}
