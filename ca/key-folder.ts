import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { chmod, mkdir, open, readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { flushFolder, writeFileAtomically } from "./atomic-write.ts";
import { CaError } from "./ca-error.ts";

/** A folder of private keys: one PKCS#8 PEM file each, mode 0600, in a folder of mode 0700. */
export interface KeyFolder {
  readonly path: string;
  /** Makes a P-256 key and writes it down before it is used. */
  create(name: string): Promise<KeyObject>;
  /** Throws `ERR_CA_KEY_FILE` for a file that is missing, open to others, or no P-256 key. */
  read(name: string): Promise<KeyObject>;
  /** Names of all keys, sorted. */
  list(): Promise<readonly string[]>;
  remove(names: readonly string[]): Promise<void>;
}

const SUFFIX = ".key.pem";
/** Group's and others' permission bits. */
const FOREIGN_BITS = 0o077;

/** Opens the folder, creating it where it is missing; throws `ERR_CA_KEY_FILE`. */
export async function openKeyFolder(path: string): Promise<KeyFolder> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
  } catch (cause) {
    throw new CaError("ERR_CA_KEY_FILE", `cannot use \`${path}\` as the folder of the authority's keys`, { cause });
  }
  const fileOf = (name: string) => join(path, `${name}${SUFFIX}`);
  return {
    path,
    create: (name) => createKey(fileOf(name)),
    read: (name) => readKey(fileOf(name)),
    list: () => listKeys(path),
    remove: (names) => removeKeys(path, names.map(fileOf)),
  };
}

/** A P-256 key that lives in memory only. */
export function generateKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

async function createKey(file: string): Promise<KeyObject> {
  const key = generateKey();
  await writeFileAtomically(file, key.export({ type: "pkcs8", format: "pem" }));
  return key;
}

async function readKey(file: string): Promise<KeyObject> {
  const text = await readPrivately(file);
  const key = tryParseKey(text);
  if (key?.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw new CaError("ERR_CA_KEY_FILE", `not a P-256 key in PKCS#8 PEM: \`${file}\``);
  }
  return key;
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

/** SECURITY: the parser's own error is dropped, lest it repeat the key. */
function tryParseKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: text, format: "pem" });
  } catch {
    return undefined;
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
