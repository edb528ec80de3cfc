import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTrustDomain } from "../../spiffe/index.ts";
import { openStore, type Store } from "../../store/index.ts";
import type { Brought } from "../bring.ts";
import type { CertificateAuthority } from "../certificate-authority.ts";
import type { Lifetimes } from "../lifetimes.ts";
import { openCertificateAuthority } from "../open.ts";
import type { ShardOf } from "../policy-bundles.ts";
import type { CaDatabase, CaTables } from "../tables.ts";
import type { Timers } from "../timers.ts";

/** A clock that stands until it is moved. */
export interface TestClock {
  now(): Date;
  advance(seconds: number): void;
}

export function testClock(start = new Date("2030-01-01T00:00:00Z")): TestClock {
  let at = start.getTime();
  return {
    now: () => new Date(at),
    advance: (seconds) => {
      at += seconds * 1000;
    },
  };
}

/** Timers that fire when told. */
export interface TestTimers extends Timers {
  /** Calls back what is due next, and tells after how many milliseconds it wanted to be called. */
  fire(): number;
  readonly pending: number;
}

export function testTimers(): TestTimers {
  const waiting = new Map<number, { callback: () => void; ms: number }>();
  let last = 0;
  return {
    set: (callback, ms) => {
      last += 1;
      waiting.set(last, { callback, ms });
      return last;
    },
    clear: (handle) => {
      if (typeof handle === "number") waiting.delete(handle);
    },
    fire: () => {
      const [first] = waiting;
      if (first === undefined) throw new Error("no timer is set");
      waiting.delete(first[0]);
      first[1].callback();
      return first[1].ms;
    },
    get pending() {
      return waiting.size;
    },
  };
}

/** An authority on real disk, which can be closed and opened again. */
export interface TestAuthority {
  readonly ca: CertificateAuthority;
  readonly store: Store;
  readonly db: CaDatabase;
  readonly folder: string;
  readonly clock: TestClock;
  readonly timers: TestTimers;
  readonly problems: readonly unknown[];
  /** Closes authority and store. */
  stop(): Promise<void>;
}

/** What to open it with; all of it has a default. */
export interface TestOptions {
  readonly folder?: string;
  readonly trustDomain?: string;
  readonly clock?: TestClock;
  readonly lifetimes?: Partial<Lifetimes>;
  readonly shardOf?: ShardOf;
  readonly keyPassphrase?: string;
  readonly brought?: Brought;
  readonly revocationLists?: boolean;
}

/** Makes a folder that the caller removes by `removeFolder`. */
export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "cellwall-ca-"));
}

export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

/** Opens an authority of `shop.example`. */
export async function openTestAuthority(options: TestOptions & { readonly folder: string }): Promise<TestAuthority> {
  const { folder, clock = testClock() } = options;
  const timers = testTimers();
  const problems: unknown[] = [];
  const store = await openStore({ file: join(folder, "ca.db") });
  const opening = openCertificateAuthority({
    store,
    keyFolder: join(folder, "keys"),
    trustDomain: parseTrustDomain(options.trustDomain ?? "shop.example"),
    clock: clock.now,
    timers,
    onProblem: (error) => problems.push(error),
    keyPassphrase: options.keyPassphrase,
    brought: options.brought,
    revocationLists: options.revocationLists,
    ...(options.shardOf === undefined ? {} : { shardOf: options.shardOf }),
    ...(options.lifetimes === undefined ? {} : { lifetimes: options.lifetimes }),
  });
  const ca = await opening.catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const stop = async (): Promise<void> => {
    await ca.close();
    await store.close();
  };
  return { ca, store, db: store.db.withTables<CaTables>(), folder, clock, timers, problems, stop };
}
