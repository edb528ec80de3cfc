import { createHash } from "node:crypto";
import type { Finding } from "./finding.ts";

/** A finding before it has its fingerprint. */
export type Draft = Omit<Finding, "fingerprint"> & {
  /** Ids and names of what it is about, e.g. policy, rule and line ids: what stays when lines move in the text. */
  readonly about: readonly string[];
};

/** A stable name of a finding: 32 hexadecimal digits over its id and what it is about, never over its place. */
export function fingerprint(id: string, about: readonly string[]): string {
  return createHash("sha256")
    .update(JSON.stringify([id, ...about]))
    .digest("hex")
    .slice(0, 32);
}

/** Puts a finding together; `about` becomes its fingerprint. */
export function finding({ about, ...rest }: Draft): Finding {
  return { ...rest, fingerprint: fingerprint(rest.id, about) };
}

/**
 * Makes fingerprints unique within one report: of several findings about the same thing the second and later ones get
 * their place in the order mixed in, so that no tool takes two for one.
 */
export function withUniqueFingerprints(findings: readonly Finding[]): readonly Finding[] {
  const seen = new Map<string, number>();
  return findings.map((one) => {
    const before = seen.get(one.fingerprint) ?? 0;
    seen.set(one.fingerprint, before + 1);
    return before === 0 ? one : { ...one, fingerprint: fingerprint(one.id, [one.fingerprint, String(before)]) };
  });
}
