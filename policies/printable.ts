/** Characters that move, hide or fake text on a terminal or page: controls, line separators, bidi marks, zero-width and tag characters, lone surrogates. */
const UNSAFE =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/** Most texts: nothing in them that could be unsafe. */
const PLAIN = /^[ -~]*$/;

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/**
 * Foreign text made safe for one line of a terminal, log or message: control, bidi and zero-width characters and lone
 * surrogates are written as `\uXXXX`, and what is longer than `maxChars` UTF-16 units after that is cut and ends in `…`.
 */
export function printable(text: string, maxChars = 256): string {
  // What lies past the limit never reaches the output, so it is not even looked at.
  const start = text.slice(0, maxChars + 1);
  const safe = PLAIN.test(start) ? start : start.replace(UNSAFE, escaped);
  if (safe.length <= maxChars) return safe;
  const kept = safe.slice(0, Math.max(0, maxChars - 1));
  return `${kept.replace(/[\ud800-\udbff]$/, "")}…`;
}
