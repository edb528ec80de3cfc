import { z } from "zod";

/** Bytes, without padding. */
export const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/);
/** Lower case. */
export const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/);
/** RFC 3339, in UTC. */
export const instant = z.iso.datetime();
/** A number that only grows. */
export const counter = z.int().nonnegative();
/** Git commit; ends in `+changes` where the folder held others than it. */
export const commit = z.string().regex(/^[0-9a-f]{7,64}(?:\+changes)?$/);
/** Name of a source: what one publisher publishes, replaced as a whole; `""` is the platform's own. */
export const source = z.string().regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)?$/);
