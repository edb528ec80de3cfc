import { isIP } from "node:net";
import type { Cidr } from "../model/index.ts";
import { printable } from "../printable.ts";
import { type Judged, type Located, parsed, type Reader } from "./readers.ts";

/** The 4 or 16 bytes of an IP address, or undefined. */
export function addressBytes(text: string): readonly number[] | undefined {
  const family = text.includes("%") ? 0 : isIP(text);
  if (family === 4) return text.split(".").map(Number);
  return family === 6 ? ipv6Bytes(text) : undefined;
}

function ipv6Bytes(text: string): readonly number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  const hex = (high: string | undefined, low: string | undefined): string =>
    (Number(high) * 256 + Number(low)).toString(16);
  const pure = dotted ? `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}` : text;
  const [head = "", tail] = pure.split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const [front, back] = [groups(head), groups(tail ?? "")];
  const zeros = Array.from({ length: tail === undefined ? 0 : 8 - front.length - back.length }, () => "0");
  return [...front, ...zeros, ...back].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

function isMapped(bytes: readonly number[]): boolean {
  return (
    bytes.length === 16 && bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255
  );
}

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
  const joined = groups.join(":");
  const runs = joined.match(/(?:^|:)0(?::0)+(?=:|$)/g) ?? [];
  const longest = runs.reduce((best, run) => (run.split(":").length > best.split(":").length ? run : best), "");
  return longest === ""
    ? joined
    : joined
        .replace(longest, longest.startsWith(":") || joined.startsWith(longest) ? ":" : "::")
        .replace(/:$|^:(?!:)/, "::")
        .replace(/:{3,}/, "::");
}

/** Reads an address block; host bits must be zero, an IPv4-mapped block becomes the IPv4 block. */
export function judgeCidr(given: string): Judged<Cidr> {
  const refuse = (message: string, hint?: string): Judged<Cidr> => ({ ok: false, message, hint });
  const [address = "", length, ...rest] = given.split("/");
  const bytes = addressBytes(address);
  if (bytes === undefined || rest.length > 0)
    return refuse(`\`${printable(given, 80)}\` is not an address block`, "write `10.0.0.0/8` or `fd00::/8`");
  const bits = bytes.length * 8;
  if (length === undefined)
    return refuse(`\`${given}\` has no prefix length`, `write \`${given}/${bits}\` for this one address`);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(length) || Number(length) > bits)
    return refuse(`\`${printable(length, 20)}\` is not a prefix length from 0 to ${bits}`);
  const network = masked(bytes, Number(length));
  if (network.some((byte, index) => byte !== bytes[index]))
    return refuse(`\`${given}\` has bits set after its first ${length}`, `write \`${addressText(network)}/${length}\``);
  if (!isMapped(bytes)) return { ok: true, value: { text: given, bytes, prefixLength: Number(length) } };
  if (Number(length) < 96)
    return refuse(`\`${given}\` covers more than the IPv4-mapped addresses`, "write an IPv4 block");
  const [ipv4, prefixLength] = [bytes.slice(12), Number(length) - 96];
  return { ok: true, value: { text: `${addressText(ipv4)}/${prefixLength}`, bytes: ipv4, prefixLength } };
}

/** An address block, `10.0.0.0/8`. */
export const cidr: Reader<Located<Cidr>> = parsed({ expects: "an address block" }, judgeCidr);
