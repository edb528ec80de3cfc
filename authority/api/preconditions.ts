const WAIT = /^wait=("?)(\d{1,6})\1$/i;

/** Seconds that `Prefer: wait=…` asks for (RFC 7240, section 4.3), at most `maxSeconds`; 0 without one. */
export function preferredWaitSeconds(header: string | undefined, maxSeconds: number): number {
  for (const preference of (header ?? "").split(",")) {
    const match = WAIT.exec(preference.trim().split(";")[0]?.trim() ?? "");
    if (match?.[2] !== undefined) return Math.min(Number(match[2]), maxSeconds);
  }
  return 0;
}

/** Whether `If-None-Match` holds this entity tag, compared weakly (RFC 9110, section 13.1.2). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((entry) => entry.trim().replace(/^W\//, "") === `"${etag}"`);
}
