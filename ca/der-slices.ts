/** One element of a DER text, in its place. */
export interface DerSlice {
  readonly source: Buffer;
  /** Class, form and number in one byte, as in the text. */
  readonly tag: number;
  readonly start: number;
  /** Where the content begins. */
  readonly body: number;
  readonly end: number;
  /** Of a constructed one. */
  readonly children: readonly DerSlice[];
}

/** Tags of the elements that requests are made of. */
export const SliceTag = {
  BOOLEAN: 0x01,
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  SEQUENCE: 0x30,
  SET: 0x31,
  /** `[0]` around whole elements. */
  ATTRIBUTES: 0xa0,
  /** `[6]` in the place of a text's own tag. */
  URI: 0x86,
} as const;

const CONSTRUCTED = 0x20;
const LONG_TAG = 0x1f;
/** Deeper than anything that somebody means. */
const MAX_DEPTH = 32;

/**
 * Reads DER and nothing else, without copying: the one encoding, so that what is judged is what the signature covers. Throws a plain `Error`.
 * Tags of more than one byte and lengths of more than two are refused too.
 */
export function readSlices(source: Buffer): DerSlice {
  const whole = sliceAt(source, 0, source.length, MAX_DEPTH);
  if (whole.end !== source.length) throw new Error("bytes after the end");
  return whole;
}

/** The elements within one of this tag; throws a plain `Error` for any other. */
export function slicesIn(slice: DerSlice | undefined, tag: number): readonly DerSlice[] {
  if (slice?.tag !== tag) throw new Error("not the shape expected");
  return slice.children;
}

/** The content of one of this tag; throws a plain `Error` for any other. */
export function bytesIn(slice: DerSlice | undefined, tag: number): Buffer {
  if (slice?.tag !== tag) throw new Error("not the shape expected");
  return slice.source.subarray(slice.body, slice.end);
}

/** Tag, length and content. */
export function bytesOf({ end, source, start }: DerSlice): Buffer {
  return source.subarray(start, end);
}

/** Whether these are the bytes, tag and length included. */
export function isExactly(slice: DerSlice | undefined, bytes: Buffer): boolean {
  if (slice === undefined || slice.end - slice.start !== bytes.length) return false;
  return slice.source.compare(bytes, 0, bytes.length, slice.start, slice.end) === 0;
}

function sliceAt(source: Buffer, start: number, limit: number, depth: number): DerSlice {
  const tag = byteAt(source, start, limit);
  if ((tag & LONG_TAG) === LONG_TAG || depth === 0) throw new Error("not the shape expected");
  const first = byteAt(source, start + 1, limit);
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  const body = start + 2 + lengthBytes;
  const end = body + (lengthBytes === 0 ? first : longLength(source, start + 2, { lengthBytes, limit }));
  if (end > limit || first === 0x80) throw new Error("not in its one distinguished encoding");
  if ((tag & CONSTRUCTED) === 0) demandMinimal(source, { tag, body, end });
  const children = (tag & CONSTRUCTED) === 0 ? [] : slicesAt(source, body, end, depth - 1);
  return { source, tag, start, body, end, children };
}

function slicesAt(source: Buffer, from: number, limit: number, depth: number): readonly DerSlice[] {
  const slices: DerSlice[] = [];
  for (let at = from; at < limit; ) {
    const slice = sliceAt(source, at, limit, depth);
    slices.push(slice);
    at = slice.end;
  }
  return slices;
}

function byteAt(source: Buffer, at: number, limit: number): number {
  const byte = at < limit ? source[at] : undefined;
  if (byte === undefined) throw new Error("it ends early");
  return byte;
}

/** One or two bytes, in the shortest form that holds the length. */
function longLength(
  source: Buffer,
  at: number,
  { lengthBytes, limit }: { readonly lengthBytes: number; readonly limit: number },
): number {
  const high = byteAt(source, at, limit);
  const length = lengthBytes === 1 ? high : high * 0x100 + byteAt(source, at + 1, limit);
  if (lengthBytes > 2 || length < (lengthBytes === 1 ? 0x80 : 0x100))
    throw new Error("not in its one distinguished encoding");
  return length;
}

/** Booleans and integers have one spelling. */
function demandMinimal(source: Buffer, { body, end, tag }: Pick<DerSlice, "body" | "end" | "tag">): void {
  const [first = -1, second = -1] = [source[body], source[body + 1]];
  const length = end - body;
  if (tag === SliceTag.BOOLEAN && (length !== 1 || (first !== 0 && first !== 0xff))) {
    throw new Error("a boolean that is neither 00 nor ff");
  }
  const padded = length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (tag === SliceTag.INTEGER && (length === 0 || padded)) throw new Error("an integer with leading zeros");
}
