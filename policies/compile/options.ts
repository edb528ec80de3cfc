import { randomBytes } from "node:crypto";
import type { Revocations } from "../model/index.ts";

/** What an index knows beside the policies. */
export interface CompileOptions {
  readonly epoch?: number;
  readonly revision?: number;
  /** When the bundle expires; absent means never. */
  readonly expiresAt?: Date;
  /** How long an expired bundle still decides, in milliseconds; one hour where absent. */
  readonly maxStaleMs?: number;
  readonly revocations?: Revocations;
  /** Makes the id of a decision; by default 128 random bits in base64url. */
  readonly random?: () => string;
  /** Identities that are decided about; all of the set's where absent. */
  readonly destinations?: readonly string[];
}

/** How long an expired bundle still decides where nothing else is said, in milliseconds. */
export const DEFAULT_MAX_STALE_MS = 3_600_000;

/** The instant after which a bundle no longer decides, in milliseconds since the epoch. */
export function staleAfterMs(options: CompileOptions): number {
  if (options.expiresAt === undefined) return Number.POSITIVE_INFINITY;
  return options.expiresAt.getTime() + (options.maxStaleMs ?? DEFAULT_MAX_STALE_MS);
}

const ID_BYTES = 16;
const POOL_IDS = 256;
let pool = Buffer.alloc(0);
let used = 0;

/** 128 random bits in base64url; drawn from the system a few thousand bytes at a time. */
export function randomId(): string {
  if (used >= pool.length) {
    pool = randomBytes(ID_BYTES * POOL_IDS);
    used = 0;
  }
  const id = pool.toString("base64url", used, used + ID_BYTES);
  used += ID_BYTES;
  return id;
}
