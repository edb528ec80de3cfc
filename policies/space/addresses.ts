import type { Cidr } from "../model/index.ts";

const IPV4_LENGTH = 4;
const IPV6_LENGTH = 16;
/** `::ffff:0:0/96`, which is read as IPv4. */
const MAPPED_START = 0xffff_0000_0000n;
const MAPPED_END = 0xffff_ffff_ffffn;

/**
 * One address of every stretch between two neighbouring ends of blocks: whatever blocks there are, each is constant on
 * a stretch. Usual ones first.
 */
export function boundaryAddresses(blocks: readonly Cidr[]): readonly (readonly number[])[] {
  const of = (length: number): readonly Cidr[] => blocks.filter(({ bytes }) => bytes.length === length);
  return [
    [192, 0, 2, 1],
    ...stretches(of(IPV4_LENGTH), IPV4_LENGTH).map(([start]) => bytesOf(start, IPV4_LENGTH)),
    ...stretches(of(IPV6_LENGTH), IPV6_LENGTH)
      .flatMap(outsideMapped)
      .map((start) => bytesOf(start, IPV6_LENGTH)),
  ];
}

function stretches(blocks: readonly Cidr[], length: number): readonly (readonly [start: bigint, end: bigint])[] {
  const end = 1n << BigInt(8 * length);
  const starts = new Set([0n]);
  for (const { bytes, prefixLength } of blocks) {
    const free = BigInt(8 * length - prefixLength);
    const first = (numberOf(bytes) >> free) << free;
    starts.add(first);
    starts.add(first + (1n << free));
  }
  const sorted = [...starts].filter((start) => start < end).sort((left, right) => (left < right ? -1 : 1));
  return sorted.map((start, index) => [start, sorted[index + 1] ?? end]);
}

/** An IPv6 address of a stretch that is not read as IPv4, where there is one. */
function outsideMapped([start, end]: readonly [bigint, bigint]): readonly bigint[] {
  if (start < MAPPED_START || start > MAPPED_END) return [start];
  return MAPPED_END + 1n < end ? [MAPPED_END + 1n] : [];
}

function numberOf(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function bytesOf(number: bigint, length: number): readonly number[] {
  return Array.from({ length }, (_, at) => Number((number >> BigInt(8 * (length - 1 - at))) & 0xffn));
}

/** An address as text. */
export function addressText(bytes: readonly number[]): string {
  if (bytes.length === IPV4_LENGTH) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0));
  return groups.map((group) => group.toString(16)).join(":");
}
