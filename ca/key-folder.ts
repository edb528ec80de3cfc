import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmod, mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { flushFolder, writeFileAtomically } from "./atomic-write.ts";
import { CaError } from "./ca-error.ts";
import { encryptKey, isEncrypted, tryReadKey } from "./encrypted-key.ts";

/**
 * A folder of private keys: one PKCS#8 PEM file each, mode 0600, in a folder of mode 0700; encrypted where it was opened
 * with a passphrase.
 */
export interface KeyFolder {
  readonly path: string;
  /** Makes a P-256 key and writes it down before it is used. */
  create(name: string): Promise<KeyObject>;
  /** Writes down a key that was made elsewhere. */
  adopt(name: string, key: KeyObject): Promise<void>;
  /** Throws `ERR_CA_KEY_FILE` for a file that is missing, open to others, or no P-256 key. */
  read(name: string): Promise<KeyObject>;
  /** Names of all keys, sorted. */
  list(): Promise<readonly string[]>;
  remove(names: readonly string[]): Promise<void>;
}

const SUFFIX = ".key.pem";
/** Group's and others' permission bits. */
const FOREIGN_BITS = 0o077;

/**
 * Opens the folder, creating it where it is missing; throws `ERR_CA_KEY_FILE`. With a passphrase new keys are encrypted, and
 * those that are not yet are when they are read.
 */
export async function openKeyFolder(path: string, passphrase?: string): Promise<KeyFolder> {
  demandPassphrase(passphrase);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  } catch (cause) {
    throw new CaError("ERR_CA_KEY_FILE", `cannot use \`${path}\` as the folder of the authority's keys`, { cause });
  }
  const fileOf = (name: string) => join(path, `${name}${SUFFIX}`);
  // Deriving a key from a passphrase is slow on purpose, and the folder is this process's own.
  const known = new Map<string, KeyObject>();
  const adopt = async (name: string, key: KeyObject): Promise<void> => {
    await writeFileAtomically(fileOf(name), textOf(key, passphrase));
    known.set(name, key);
  };
  return {
    path,
    adopt,
    create: async (name) => {
      const key = generateKey();
      await adopt(name, key);
      return key;
    },
    read: async (name) => {
      if (passphrase === undefined) return (await readKey(fileOf(name))).key;
      const before = known.get(name);
      if (before !== undefined) return before;
      const { encrypted, key } = await readKey(fileOf(name), passphrase);
      if (!encrypted) await adopt(name, key);
      known.set(name, key);
      return key;
    },
    list: () => listKeys(path),
    remove: async (names) => {
      for (const name of names) known.delete(name);
      await removeKeys(path, names.map(fileOf));
    },
  };
}

const LEAST_PASSPHRASE_CHARS = 12;

function demandPassphrase(passphrase: string | undefined): void {
  if (passphrase === undefined || passphrase.length >= LEAST_PASSPHRASE_CHARS) return;
  throw new CaError(
    "ERR_CA_KEY_FILE",
    `a passphrase of fewer than ${LEAST_PASSPHRASE_CHARS} characters protects nothing`,
    {
      hint: "make one: openssl rand -base64 24",
    },
  );
}

function textOf(key: KeyObject, passphrase: string | undefined): string {
  if (passphrase !== undefined) return encryptKey(key, passphrase);
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A P-256 key that lives in memory only. */
export function generateKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

async function readKey(
  file: string,
  passphrase?: string,
): Promise<{ readonly key: KeyObject; readonly encrypted: boolean }> {
  const text = await readPrivately(file);
  const encrypted = isEncrypted(text);
  const key = tryReadKey(text, passphrase);
  if (key?.asymmetricKeyDetails?.namedCurve === "prime256v1") return { key, encrypted };
  if (!encrypted) throw new CaError("ERR_CA_KEY_FILE", `not a P-256 key in PKCS#8 PEM: \`${file}\``);
  const problem = passphrase === undefined ? "is encrypted" : "cannot be read with this passphrase";
  throw new CaError("ERR_CA_KEY_FILE", `the key \`${file}\` ${problem}`, {
    hint: "give the passphrase by `--key-passphrase-file` or `CELLWALL_KEY_PASSPHRASE`",
  });
}

/** SECURITY: mode and content are read through one handle, so that they are of one file. */
async function readPrivately(file: string): Promise<string> {
  const handle = await open(file, "r").catch((cause: unknown) => {
    throw new CaError("ERR_CA_KEY_FILE", `cannot read the key \`${file}\``, {
      hint: "restore the key folder and the database from one backup",
      cause,
    });
  });
  try {
    const { mode } = await handle.stat();
    if ((mode & FOREIGN_BITS) !== 0) {
      throw new CaError("ERR_CA_KEY_FILE", `the key \`${file}\` is open to other users`, {
        hint: `if nobody else can have read it: chmod 600 ${file}`,
      });
    }
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}

async function listKeys(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.endsWith(SUFFIX))
    .map((name) => name.slice(0, -SUFFIX.length))
    .sort();
}

async function removeKeys(folder: string, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  for (const file of files) await unlink(file);
  await flushFolder(folder);
}
