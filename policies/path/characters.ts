/** One flag for each character that stands for itself in canonical text: unreserved and `!$&'()*+,=:@`. */
const PLAIN = flags("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@");

function flags(characters: string): Uint8Array {
  const table = new Uint8Array(128);
  for (const character of characters) table[character.charCodeAt(0)] = 1;
  return table;
}

/** Whether a character stands for itself in the canonical text of a path. */
export function isPlainCode(code: number): boolean {
  return code < 128 && PLAIN[code] === 1;
}

/** Whether a character code is a hexadecimal digit; false for `NaN`. */
export function isHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);
}

/** Lower-cases ASCII letters and nothing else. */
export function foldAscii(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
