import { EnvoyError } from "../envoy-error.ts";

/** A released version of Envoy. */
export interface EnvoyVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

const RELEASE = /(?:^|[\s/v])(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?=$|[\s/+-])/;

/**
 * Reads a version from `1.40.0`, `v1.40.0`, or from what `envoy --version` prints
 * (`envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`).
 * Throws `ERR_ENVOY_VERSION`.
 */
export function parseEnvoyVersion(text: string): EnvoyVersion {
  const [, major, minor, patch] = RELEASE.exec(text.trim()) ?? [];
  if (major === undefined || minor === undefined || patch === undefined) {
    throw new EnvoyError("ERR_ENVOY_VERSION", `\`${text.trim().slice(0, 100)}\` names no version of Envoy`);
  }
  return { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** Negative where `a` is older than `b`, positive where it is newer, 0 where they are equal. */
export function compareEnvoyVersions(a: EnvoyVersion, b: EnvoyVersion): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

/** `1.40.0` */
export function formatEnvoyVersion(version: EnvoyVersion): string {
  return `${version.major}.${version.minor}.${version.patch}`;
}
