import { CaError } from "./ca-error.ts";
import type { Validity } from "./profile.ts";

/** How long things hold, in seconds. */
export interface Lifetimes {
  /** A workload's X.509-SVID and the authority's own TLS certificate. */
  readonly svidSeconds: number;
  /** An agent's own certificate: how long an agent may be away and still come back without a new join token. */
  readonly agentSeconds: number;
  /** The policy signer's certificate; renewed at half life. */
  readonly signerSeconds: number;
  /** The intermediate's certificate; renewed at half life. */
  readonly intermediateSeconds: number;
  readonly rootSeconds: number;
  /** The longest life of a JWT-SVID. */
  readonly jwtSvidSeconds: number;
  /** A key that signs JWT-SVIDs; replaced at half life. */
  readonly jwtKeySeconds: number;
  /** A policy bundle; renewed at half life. */
  readonly bundleSeconds: number;
  /** How long a new root or token key lies in the trust bundle before it signs by itself, for readers who confirm nothing. */
  readonly announceSeconds: number;
  /** How far back a certificate's validity starts, for peers whose clock is behind. */
  readonly backdateSeconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** How soon consumers of the trust bundle should look for a new one. */
export const REFRESH_HINT_SECONDS: number = 5 * MINUTE;

/** An agent may be away for this many SVID lifetimes, and for a day at least. */
const AGENT_SVIDS = 24;

/**
 * The lifetimes of an authority. `svidSeconds` is the one setting that matters; the rest follows from it or has a fixed
 * default. Refuses what cannot hold (`ERR_CA_LIFETIME`) instead of shortening it silently.
 */
export function resolveLifetimes(given: Partial<Lifetimes> = {}): Lifetimes {
  const svidSeconds = given.svidSeconds ?? HOUR;
  const lifetimes: Lifetimes = {
    svidSeconds,
    agentSeconds: given.agentSeconds ?? Math.max(DAY, AGENT_SVIDS * svidSeconds),
    signerSeconds: given.signerSeconds ?? 7 * DAY,
    intermediateSeconds: given.intermediateSeconds ?? YEAR,
    rootSeconds: given.rootSeconds ?? 10 * YEAR,
    jwtSvidSeconds: given.jwtSvidSeconds ?? Math.min(5 * MINUTE, svidSeconds),
    jwtKeySeconds: given.jwtKeySeconds ?? 30 * DAY,
    bundleSeconds: given.bundleSeconds ?? HOUR,
    announceSeconds: given.announceSeconds ?? 3 * REFRESH_HINT_SECONDS,
    backdateSeconds: given.backdateSeconds ?? MINUTE,
  };
  demandWholeSeconds(lifetimes);
  demandNesting(lifetimes);
  return Object.freeze(lifetimes);
}

/** From `backdateSeconds` before `now` to `seconds` after it, in whole seconds. */
export function validityFrom(now: Date, seconds: number, lifetimes: Lifetimes): Validity {
  const second = Math.floor(now.getTime() / 1000);
  return {
    notBefore: new Date((second - lifetimes.backdateSeconds) * 1000),
    notAfter: new Date((second + seconds) * 1000),
  };
}

/** Whether half of the time between the two has passed; true as well where the clock stands before `from`. */
export function pastHalf(from: Date, to: Date, now: Date): boolean {
  return now < from || now.getTime() - from.getTime() >= (to.getTime() - from.getTime()) / 2;
}

function demandWholeSeconds(lifetimes: Lifetimes): void {
  for (const [name, value] of Object.entries(lifetimes)) {
    const least = name === "backdateSeconds" || name === "announceSeconds" ? 0 : 2;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new CaError("ERR_CA_LIFETIME", `\`${name}\` must be a whole number of at least ${least}, got \`${value}\``);
    }
  }
}

/** What is renewed at half life must have that half left for all that it signs. */
function demandNesting(lifetimes: Lifetimes): void {
  demandHalf(lifetimes, "intermediateSeconds", "rootSeconds");
  for (const name of ["svidSeconds", "agentSeconds", "signerSeconds"] as const) {
    demandHalf(lifetimes, name, "intermediateSeconds");
  }
  demandHalf(lifetimes, "bundleSeconds", "signerSeconds");
  demandHalf(lifetimes, "jwtSvidSeconds", "jwtKeySeconds");
}

/** How long a replaced authority is still believed: what it signed last may be used that long, by a clock that is behind. */
export function outlastSeconds({ agentSeconds, backdateSeconds, svidSeconds }: Lifetimes): number {
  return Math.max(agentSeconds, svidSeconds) + backdateSeconds;
}

function demandHalf(lifetimes: Lifetimes, inner: keyof Lifetimes, outer: keyof Lifetimes): void {
  if (2 * lifetimes[inner] <= lifetimes[outer]) return;
  throw new CaError(
    "ERR_CA_LIFETIME",
    `\`${inner}\` (${lifetimes[inner]}) must be at most half of \`${outer}\` (${lifetimes[outer]})`,
    { hint: `lower \`${inner}\` or raise \`${outer}\`: what signs is replaced at half its life` },
  );
}
