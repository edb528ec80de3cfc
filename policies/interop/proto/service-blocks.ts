/** A method of a service, and where it is named. */
export interface ProtoMethod {
  readonly name: string;
  readonly line: number;
  readonly column: number;
}

/** A service with its full name. */
export interface ProtoService {
  readonly name: string;
  readonly line: number;
  readonly column: number;
  readonly methods: readonly ProtoMethod[];
}

/** Something that keeps a text from being read, and where. */
export interface ProtoProblem {
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

interface Word {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** A comment, a text in quotes, a name, or one sign. */
const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*'|[A-Za-z_][A-Za-z0-9_.]*|[^\s]/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * The services of a .proto text and their methods. Everything else is passed over by its braces; comments and texts in quotes
 * are no code. Time is linear in the text.
 */
export function protoServices(text: string): readonly ProtoService[] | ProtoProblem {
  const words = wordsOf(text);
  if ("message" in words) return words;
  let prefix = "";
  let depth = 0;
  const services: ProtoService[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    if (word?.text === "{") depth++;
    else if (word?.text === "}") depth--;
    else if (depth === 0 && word?.text === "package" && words[at + 2]?.text === ";")
      prefix = `${words[at + 1]?.text ?? ""}.`;
    else if (depth === 0 && word?.text === "service" && words[at + 2]?.text === "{") {
      const end = closing(words, at + 2);
      const name = words[at + 1];
      if (end === undefined || name === undefined || !NAME.test(name.text))
        return problem(word, "this service does not end");
      services.push({
        name: `${prefix}${name.text}`,
        line: name.line,
        column: name.column,
        methods: methodsIn(words.slice(at + 3, end)),
      });
      at = end;
    }
  }
  return services;
}

function problem({ line, column }: Word, message: string): ProtoProblem {
  return { message, line, column };
}

function wordsOf(text: string): readonly Word[] | ProtoProblem {
  const words: Word[] = [];
  let [line, start, next] = [1, 0, text.indexOf("\n")];
  for (const match of text.matchAll(TOKEN)) {
    for (; next !== -1 && next < match.index; next = text.indexOf("\n", start)) {
      line++;
      start = next + 1;
    }
    const [token] = match;
    const word = { text: token, line, column: match.index - start + 1 };
    if (token === '"' || token === "'") return problem(word, "this text in quotes does not end");
    if (token === "/" && text.startsWith("/*", match.index)) return problem(word, "this comment does not end");
    if (!/^\/[/*]/.test(token)) words.push(word);
  }
  return words;
}

/** The place of the brace that closes the one at `open`. */
function closing(words: readonly Word[], open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < words.length; at++) {
    if (words[at]?.text === "{") depth++;
    if (words[at]?.text === "}" && --depth === 0) return at;
  }
  return undefined;
}

/** `rpc Name (` at the service's own level; options of a method are in braces of their own. */
function methodsIn(words: readonly Word[]): readonly ProtoMethod[] {
  const methods: ProtoMethod[] = [];
  let depth = 0;
  words.forEach((word, at) => {
    const [name, bracket] = [words[at + 1], words[at + 2]];
    if (word.text === "{") depth++;
    else if (word.text === "}") depth--;
    else if (depth === 0 && word.text === "rpc" && name !== undefined && NAME.test(name.text) && bracket?.text === "(")
      methods.push({ name: name.text, line: name.line, column: name.column });
  });
  return methods;
}
