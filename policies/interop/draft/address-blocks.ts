import { parseAddress } from "../../match/address.ts";

interface Block {
  readonly bytes: readonly number[];
  readonly length: number;
}

/** An address or a block in the form the language takes: with a prefix length, host bits zero. Absent where it is neither. */
export function addressBlock(text: string): string | undefined {
  const block = parseBlock(text);
  return block === undefined ? undefined : `${addressText(block.bytes)}/${block.length}`;
}

/** Whether a block lies within another. */
export function blockWithin(inner: string, outer: string): boolean {
  const [a, b] = [parseBlock(inner), parseBlock(outer)];
  if (a === undefined || b === undefined || a.bytes.length !== b.bytes.length || a.length < b.length) return false;
  return mask(a.bytes, b.length).every((byte, index) => byte === b.bytes[index]);
}

/** The addresses that are in a block of each of two lists. */
export function blocksWithinAll(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.flatMap((one) =>
    b.flatMap((other) => (blockWithin(one, other) ? [one] : blockWithin(other, one) ? [other] : [])),
  );
}

function parseBlock(text: string): Block | undefined {
  const [address = "", length, ...rest] = text.trim().split("/");
  const bytes = address.includes("%") ? undefined : parseAddress(address);
  if (bytes === undefined || rest.length > 0) return undefined;
  const bits = bytes.length * 8;
  const mapped = bytes.length === 4 && address.includes(":") ? 96 : 0;
  const given = length === undefined ? bits : Number(length) - mapped;
  if (!Number.isInteger(given) || given < 0 || given > bits) return undefined;
  return { bytes: mask(bytes, given), length: given };
}

function mask(bytes: readonly number[], length: number): readonly number[] {
  return bytes.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, length - index * 8));
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

/** The blocks of both address families that together hold every address outside the blocks given. */
export function blocksOutside(blocks: readonly string[]): readonly string[] {
  const all: readonly Block[] = [
    { bytes: Array.from({ length: 4 }, () => 0), length: 0 },
    { bytes: Array.from({ length: 16 }, () => 0), length: 0 },
  ];
  const excluded = blocks.flatMap((text) => parseBlock(text) ?? []);
  return all.flatMap((block) => outside(block, excluded)).map(({ bytes, length }) => `${addressText(bytes)}/${length}`);
}

function outside(block: Block, excluded: readonly Block[]): readonly Block[] {
  if (excluded.some((one) => holds(one, block))) return [];
  if (!excluded.some((one) => holds(block, one))) return [block];
  return halves(block).flatMap((half) => outside(half, excluded));
}

function holds(outer: Block, inner: Block): boolean {
  if (outer.bytes.length !== inner.bytes.length || inner.length < outer.length) return false;
  return mask(inner.bytes, outer.length).every((byte, index) => byte === outer.bytes[index]);
}

function halves({ bytes, length }: Block): readonly Block[] {
  const bit = 128 >> (length % 8);
  const upper = bytes.map((byte, index) => (index === Math.floor(length / 8) ? byte | bit : byte));
  return [
    { bytes, length: length + 1 },
    { bytes: upper, length: length + 1 },
  ];
}
