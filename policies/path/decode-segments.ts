import type { PathOptions } from "../model/index.ts";
import { foldAscii } from "./characters.ts";
import { percentDecode } from "./percent-decode.ts";

/** Why segments are refused, in the order in which the reasons are looked for. */
export type SegmentRefusal =
  | "nul"
  | "encoded-control"
  | "invalid-utf8"
  | "double-encoding"
  | "encoded-slash"
  | "encoded-backslash"
  | "path-parameter"
  | "duplicate-slash"
  | "dot-segment"
  | "non-ascii";

const ORDER: readonly SegmentRefusal[] = [
  "nul",
  "encoded-control",
  "invalid-utf8",
  "double-encoding",
  "encoded-slash",
  "encoded-backslash",
  "path-parameter",
  "duplicate-slash",
  "dot-segment",
  "non-ascii",
];

type Decoded =
  | { readonly ok: true; readonly segments: readonly string[] }
  | { readonly ok: false; readonly reason: SegmentRefusal };

/** Decodes raw segments once each; of several refusals the one that stands first in the order above is given. */
export function decodeSegments(raw: readonly string[], options: PathOptions): Decoded {
  const segments: string[] = [];
  let first = ORDER.length;
  for (const [index, segment] of raw.entries()) {
    const decoded = decodeSegment(segment, index === raw.length - 1, options);
    if (decoded.ok) segments.push(decoded.segment);
    else first = Math.min(first, ORDER.indexOf(decoded.reason));
  }
  const reason = ORDER[first];
  return reason === undefined ? { ok: true, segments } : { ok: false, reason };
}

type DecodedSegment =
  | { readonly ok: true; readonly segment: string }
  | { readonly ok: false; readonly reason: SegmentRefusal };

function decodeSegment(raw: string, isLast: boolean, options: PathOptions): DecodedSegment {
  const whole = percentDecode(raw);
  if (whole === undefined) return { ok: false, reason: raw.includes("%00") ? "nul" : "invalid-utf8" };
  const parameterAt = raw.indexOf(";");
  const reason = refuseDecoded(whole) ?? refuseParameters(raw, whole, parameterAt, options);
  if (reason !== undefined) return { ok: false, reason };
  // INVARIANT: the part before a raw `;` decodes, since the whole segment does and `;` is ASCII.
  const segment = parameterAt === -1 ? whole : (percentDecode(raw.slice(0, parameterAt)) ?? "");
  const shape = refuseShape(segment, isLast, options);
  if (shape !== undefined) return { ok: false, reason: shape };
  return { ok: true, segment: options.caseInsensitive ? foldAscii(segment) : segment };
}

function refuseDecoded(segment: string): SegmentRefusal | undefined {
  if (segment.includes("\0")) return "nul";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\u0000-\u001f\u007f-\u009f]/.test(segment)) return "encoded-control";
  if (/%[0-9A-Fa-f]{2}/.test(segment)) return "double-encoding";
  if (segment.includes("/")) return "encoded-slash";
  if (segment.includes("\\")) return "encoded-backslash";
  return undefined;
}

/**
 * Refuses `;` that was encoded, and raw `;` unless the workload ignores parameters and something stands before it.
 *
 * SECURITY: a server that strips parameters reads `/a/..;x/b` as `/a/../b`; the segment's shape is judged after this.
 */
function refuseParameters(
  raw: string,
  whole: string,
  parameterAt: number,
  options: PathOptions,
): SegmentRefusal | undefined {
  const rawCount = raw.split(";").length;
  if (whole.split(";").length !== rawCount) return "path-parameter";
  if (parameterAt === -1) return undefined;
  return options.matrixParameters === "reject" || parameterAt === 0 ? "path-parameter" : undefined;
}

function refuseShape(segment: string, isLast: boolean, options: PathOptions): SegmentRefusal | undefined {
  if (segment === "" && !isLast) return "duplicate-slash";
  if (segment === "." || segment === "..") return "dot-segment";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
  if (options.caseInsensitive && /[^\u0000-\u007f]/.test(segment)) return "non-ascii";
  return undefined;
}
