import { readFile, stat } from "node:fs/promises";
import { fetchBundleText } from "../../spiffe/bundle-endpoint/index.ts";
import type { TrustDomain } from "../../spiffe/index.ts";
import { WorkloadApiClient } from "../../spiffe/workload-api/index.ts";
import { messageOf } from "../agent-error.ts";
import { type BundleLocation, checked, type ReadBundle, readExternalBundle } from "./external-bundle.ts";
import type { Timers } from "./timers.ts";

/** What follows a bundle at its place. */
export interface Follower {
  /** Undefined while the agent does not know it; then nothing is read. */
  readonly trustDomain: () => TrustDomain | undefined;
  /** Gets every reading, changed or not. */
  readonly read: (read: ReadBundle) => void;
  readonly timers: Timers;
  readonly signal: AbortSignal;
  /** Anchors of HTTPS servers in place of the web's own; PEM. */
  readonly ca?: string;
}

/** Reads a bundle again and again until the signal is aborted. */
export type FollowBundle = (location: BundleLocation, follower: Follower) => void;

const FILE_MS = 1_000;
const SOON_MS = 1_000;
const URL_DEFAULT_MS = 60_000;
const URL_LEAST_MS = 5_000;
const URL_MOST_MS = 3_600_000;
const MAX_BYTES = 1024 * 1024;

/** Follows a file, a URL or a Workload API. */
export const followBundle: FollowBundle = (location, follower) => {
  if ("file" in location) void repeat(follower, (trustDomain) => readOnce(trustDomain, location.file));
  else if ("url" in location) void repeat(follower, (trustDomain) => fetchOnce(trustDomain, location.url, follower));
  else void followWorkloadApi(location.workloadApi, follower);
};

interface Round {
  readonly read: ReadBundle;
  readonly nextMs: number;
}

async function repeat(follower: Follower, once: (trustDomain: TrustDomain) => Promise<Round>): Promise<void> {
  const { read, signal, timers } = follower;
  while (!signal.aborted) {
    const trustDomain = follower.trustDomain();
    const round = trustDomain === undefined ? undefined : await once(trustDomain);
    if (round !== undefined && !signal.aborted) read(round.read);
    await timers.sleep(round?.nextMs ?? SOON_MS, signal);
  }
}

/** Files are read whole each time: they are small, and no watch notices every way to replace one. */
async function readOnce(trustDomain: TrustDomain, path: string): Promise<Round> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) return { read: { ok: false, why: `\`${path}\` is larger than 1 MiB` }, nextMs: FILE_MS };
    const read = readExternalBundle(trustDomain, await readFile(path, "utf8"));
    return { read: read.ok ? read : { ok: false, why: `\`${path}\`: ${read.why}` }, nextMs: FILE_MS };
  } catch (error) {
    return { read: { ok: false, why: messageOf(error) }, nextMs: FILE_MS };
  }
}

async function fetchOnce(trustDomain: TrustDomain, url: string, { signal, ca }: Follower): Promise<Round> {
  const at = new Date();
  try {
    const text = await fetchBundleText(
      { profile: "https_web", url },
      { at, signal, ...(ca === undefined ? {} : { ca }) },
    );
    const read = readExternalBundle(trustDomain, text);
    if (!read.ok) return { read: { ok: false, why: `\`${url}\`: ${read.why}` }, nextMs: URL_LEAST_MS };
    const hintMs = (read.bundle.refreshHintSeconds ?? URL_DEFAULT_MS / 1000) * 1000;
    return { read, nextMs: Math.min(URL_MOST_MS, Math.max(URL_LEAST_MS, hintMs)) };
  } catch (error) {
    return { read: { ok: false, why: `\`${url}\`: ${messageOf(error)}` }, nextMs: URL_LEAST_MS };
  }
}

/** A client that has ended begins anew: who runs the Workload API may yet let the agent in. */
async function followWorkloadApi(socket: string, { read, signal, timers, trustDomain }: Follower): Promise<void> {
  while (!signal.aborted) {
    const over = new AbortController();
    const problem = (error: Error): void => read({ ok: false, why: error.message });
    const client = new WorkloadApiClient({ address: `unix://${socket.slice("unix:".length)}`, onProblem: problem });
    client.watchX509Bundles({
      updated: (bundles) => {
        const own = trustDomain();
        if (own !== undefined) read(checked(bundles.get(own)));
      },
      withdrawn: problem,
      ended: (error) => {
        problem(error);
        over.abort();
      },
    });
    await untilAborted(AbortSignal.any([signal, over.signal]));
    client.close();
    await timers.sleep(URL_LEAST_MS, signal);
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
