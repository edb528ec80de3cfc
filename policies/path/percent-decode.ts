const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes every escape of a text of single-byte characters once, as UTF-8; nothing where the bytes are not valid UTF-8.
 * INVARIANT: every `%` in the text is followed by two hexadecimal digits.
 */
export function percentDecode(text: string): string | undefined {
  if (!text.includes("%")) return isAscii(text) ? text : undefined;
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x25) {
      bytes[length++] = Number.parseInt(text.slice(at + 1, at + 3), 16);
      at += 2;
    } else bytes[length++] = code;
  }
  try {
    return STRICT_UTF8.decode(bytes.subarray(0, length));
  } catch {
    return undefined;
  }
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) >= 0x80) return false;
  return true;
}
