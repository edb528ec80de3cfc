const MAX_CHARS = 100;

/**
 * Foreign text as it may stand in an error: between backticks, printable ASCII only, cut at 100 characters.
 * Everything else is written as `\u{hex}`, so no control, bidi or zero-width character reaches a terminal.
 */
export function excerpt(text: string): string {
  const start = text.slice(0, MAX_CHARS);
  const shown = start.replace(
    /[^\x20-\x5b\x5d-\x5f\x61-\x7e]/gu,
    (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
  return `\`${shown}${text.length > MAX_CHARS ? "…" : ""}\``;
}
