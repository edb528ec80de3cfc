import { compareEnvoyVersions, type EnvoyVersion, formatEnvoyVersion } from "./version.ts";

/**
 * The first release of each supported line that closes the published bypasses
 * (among them CVE-2026-73511, -73547, -73551, -73552, -73553). A line newer than these is past the floor from its first release.
 */
export const SECURITY_FLOOR: readonly EnvoyVersion[] = [
  { major: 1, minor: 36, patch: 10 },
  { major: 1, minor: 37, patch: 6 },
  { major: 1, minor: 38, patch: 4 },
  { major: 1, minor: 39, patch: 1 },
  { major: 1, minor: 40, patch: 0 },
];

/** Where a version stands to the security floor; `reason` is a sentence for people. */
export type FloorVerdict = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Holds a version against the security floor. */
export function checkSecurityFloor(version: EnvoyVersion): FloorVerdict {
  const line = SECURITY_FLOOR.find((floor) => floor.major === version.major && floor.minor === version.minor);
  if (line === undefined) return outsideKnownLines(version);
  if (compareEnvoyVersions(version, line) >= 0) return { ok: true };
  return {
    ok: false,
    reason: `Envoy ${formatEnvoyVersion(version)} has published authorization bypasses; ${formatEnvoyVersion(line)} closes them`,
  };
}

function outsideKnownLines(version: EnvoyVersion): FloorVerdict {
  const newest = SECURITY_FLOOR.at(-1);
  if (newest !== undefined && compareEnvoyVersions(version, newest) > 0) return { ok: true };
  return {
    ok: false,
    reason: `Envoy ${formatEnvoyVersion(version)} is of a line that gets no security fixes any more; use ${floorText()}`,
  };
}

/** `1.36.10, 1.37.6, 1.38.4, 1.39.1 or 1.40.0, or newer`, for messages. */
export function floorText(): string {
  const texts = SECURITY_FLOOR.map(formatEnvoyVersion);
  return `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}, or newer`;
}
