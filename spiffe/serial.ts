import { excerpt } from "./excerpt.ts";
import { SpiffeError } from "./spiffe-error.ts";

const HEX = /^(?:[0-9a-f]+|[0-9a-f]{2}(?::[0-9a-f]{2})+)$/;

/**
 * A certificate's serial number in the one spelling used everywhere: lower-case hex, no colons, no leading zeros.
 * Reads `0A:FF`, `0aff` and `AFF` alike; nothing for any other text.
 */
export function tryNormalizeSerial(hex: string): string | undefined {
  const lower = hex.toLowerCase();
  return HEX.test(lower) ? lower.replaceAll(":", "").replace(/^0+(?=.)/, "") : undefined;
}

/** As `tryNormalizeSerial`, throwing `SpiffeError` `ERR_SPIFFE_SERIAL`. */
export function normalizeSerial(hex: string): string {
  const serial = tryNormalizeSerial(hex);
  if (serial === undefined) {
    throw new SpiffeError("ERR_SPIFFE_SERIAL", `a serial number is written in hexadecimal digits: ${excerpt(hex)}`);
  }
  return serial;
}
