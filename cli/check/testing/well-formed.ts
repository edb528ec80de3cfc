const TOKEN = /<\?xml [^<>?]*\?>|<\/([A-Za-z][\w.-]*)>|<([A-Za-z][\w.-]*)((?: [A-Za-z][\w.-]*="[^"<]*")*)(\/?)>|[^<]+/y;
const TEXT = /^(?:[^&]|&(?:amp|lt|gt|quot|apos|#\d+|#x[0-9A-Fa-f]+);)*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML 1.0 forbids.
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/;

/** Why a text is not well-formed XML 1.0 of elements and attributes; undefined where it is. */
export function wellFormed(text: string): string | undefined {
  const open: string[] = [];
  let roots = 0;
  if (FORBIDDEN.test(text)) return "a character that XML forbids";
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < text.length; ) {
    const at = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    if (found === null) return `no markup at ${at}: ${text.slice(at, at + 60)}`;
    const [whole, closed, opened, attributes = "", empty] = found;
    if (!TEXT.test(opened === undefined ? whole : attributes)) return `a bare & at ${at}`;
    const names = [...attributes.matchAll(/ ([\w.-]+)=/g)].map(([, name]) => name);
    if (new Set(names).size < names.length) return `an attribute twice at ${at}`;
    if (closed !== undefined && open.pop() !== closed) return `</${closed}> at ${at} closes nothing`;
    if (opened === undefined) continue;
    if (open.length === 0) roots += 1;
    if (empty === "") open.push(opened);
  }
  if (open.length > 0) return `<${open.join("> <")}> is not closed`;
  return roots === 1 ? undefined : `${roots} roots`;
}
