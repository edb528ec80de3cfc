import { parseAddress } from "../../match/address.ts";
import { addressBlock, blockWithin } from "../draft/address-blocks.ts";

/** The most blocks that one network with exceptions is cut into. */
const MOST_BLOCKS = 512;

/**
 * A block without others, as blocks. `undefined` where one of the texts is no block, or there would be too many.
 */
export function networkWithout(cidr: string, except: readonly string[]): readonly string[] | undefined {
  const whole = addressBlock(cidr);
  const holes = except.map(addressBlock);
  const known = holes.filter((hole) => hole !== undefined);
  if (whole === undefined || known.length < holes.length) return undefined;
  const blocks: string[] = [];
  return cut(whole, known, blocks) ? blocks : undefined;
}

function cut(block: string, holes: readonly string[], blocks: string[]): boolean {
  if (holes.some((hole) => blockWithin(block, hole))) return true;
  const inside = holes.filter((hole) => blockWithin(hole, block));
  if (inside.length === 0) {
    blocks.push(block);
    return blocks.length <= MOST_BLOCKS;
  }
  return halvesOf(block).every((half) => cut(half, inside, blocks));
}

function halvesOf(block: string): readonly string[] {
  const [address = "", length = ""] = block.split("/");
  const bits = Number(length);
  const upper = [...(parseAddress(address) ?? [])];
  const at = bits >> 3;
  upper[at] = (upper[at] ?? 0) | (0x80 >> (bits & 7));
  const text =
    upper.length === 4
      ? upper.join(".")
      : Array.from({ length: 8 }, (_, i) => (((upper[2 * i] ?? 0) << 8) | (upper[2 * i + 1] ?? 0)).toString(16)).join(
          ":",
        );
  return [`${address}/${bits + 1}`, addressBlock(`${text}/${bits + 1}`) ?? block];
}
