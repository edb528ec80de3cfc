import { parseAddress } from "../match/address.ts";
import type { Cidr } from "../model/index.ts";
import { printable } from "../printable.ts";
import { type Judged, type Located, parsed, type Reader } from "./readers.ts";

function masked(bytes: readonly number[], prefixLength: number): readonly number[] {
  return bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefixLength - index * 8));
    return byte & (0xff00 >> kept) & 255;
  });
}

function addressText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** Reads an address block; host bits must be zero, an IPv4-mapped block becomes the IPv4 block. */
export function judgeCidr(given: string): Judged<Cidr> {
  const refuse = (message: string, hint?: string): Judged<Cidr> => ({ ok: false, message, hint });
  const [address = "", length, ...rest] = given.split("/");
  const bytes = address.includes("%") ? undefined : parseAddress(address);
  if (bytes === undefined || rest.length > 0)
    return refuse(`\`${printable(given, 80)}\` is not an address block`, "write `10.0.0.0/8` or `fd00::/8`");
  const mapped = bytes.length === 4 && address.includes(":");
  const bits = address.includes(":") ? 128 : 32;
  if (length === undefined)
    return refuse(`\`${given}\` has no prefix length`, `write \`${given}/${bits}\` for this one address`);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > bits)
    return refuse(`\`${printable(length, 20)}\` is not a prefix length from 0 to ${bits}`);
  if (mapped && Number(length) < 96)
    return refuse(`\`${given}\` covers more than the IPv4-mapped addresses`, "write an IPv4 block");
  const prefixLength = mapped ? Number(length) - 96 : Number(length);
  const network = masked(bytes, prefixLength);
  const text = `${addressText(network)}/${prefixLength}`;
  if (network.some((byte, index) => byte !== bytes[index]))
    return refuse(`\`${given}\` has bits set after its first ${length}`, `write \`${text}\``);
  return { ok: true, value: { text, bytes, prefixLength } };
}

/** An address block, `10.0.0.0/8`. */
export const cidr: Reader<Located<Cidr>> = parsed({ expects: "an address block" }, judgeCidr);
