import { diagnostic } from "../diagnostics/codes.ts";
import { distance, nearest } from "../diagnostics/nearest.ts";
import type { RequestLine, Span } from "../model/index.ts";
import { printable } from "../printable.ts";
import { parsePathPattern, type TextFinding, type TextResult } from "./path-pattern.ts";
import { text as anyText, FAILED, mismatch, type Reader } from "./readers.ts";
import { spanWithin } from "./tree.ts";

/** The methods of the IANA registry, without those that no line can match. */
const METHODS: ReadonlySet<string> = new Set(
  `ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF
  MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SUBSCRIBE TRACE UNBIND UNCHECKOUT
  UNLINK UNLOCK UNSUBSCRIBE UPDATE UPDATEREDIRECTREF VERSION-CONTROL NOTIFY M-SEARCH`.split(/\s+/),
);
const COMMON = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

const FORMS = "write `GET|HEAD /orders/{id}`, `ANY /x`, `grpc pkg.Service/Method`, `websocket /live/**` or `tcp 5432`";

/** A request line without its place. */
type Parsed<Line = RequestLine> = Line extends RequestLine ? Omit<Line, "span"> : never;

const error = (message: string, at: readonly [number, number], hint?: string): TextFinding => ({
  code: "ERR_POLICY_REQUEST",
  message,
  hint,
  at,
});
const refused = (message: string, at: readonly [number, number], hint?: string): TextResult<never> => ({
  findings: [error(message, at, hint)],
});

/** Reads one line of `requests` (docs/policy-language.md, "Request lines"). */
export function parseRequestLine(text: string): TextResult<Parsed> {
  const space = text.indexOf(" ");
  if (text.trim() === "") return refused("an empty request", [0, Math.max(1, text.length)], FORMS);
  if (space === -1) return oneWord(text);
  const blank = /^ | $| {2}|[\t\r\n]/.exec(text);
  if (blank !== null)
    return refused(
      "one single space stands between the two parts of a request",
      [blank.index, blank.index + blank[0].length],
      FORMS,
    );
  const [word, rest, at] = [text.slice(0, space), text.slice(space + 1), space + 1];
  if (word === "grpc") return grpcLine(rest, at);
  if (word === "tcp") return tcpLine(rest, at);
  if (word === "websocket")
    return pathLine(rest, at, (path) => ({ kind: "websocket", path, text: `websocket ${path.text}` }));
  return httpLine(word, rest, at);
}

function oneWord(text: string): TextResult<never> {
  const whole = [0, text.length] as const;
  if (text.startsWith("/"))
    return refused(
      "a request without its method",
      whole,
      `write \`GET ${printable(text, 60)}\`, or \`ANY\` for every method`,
    );
  if (text === "tcp") return refused("`tcp` without a port", whole, "write `tcp 5432`, or `tcp *` for every port");
  if (text === "grpc")
    return refused("`grpc` without a method", whole, "write `grpc pkg.Service/Method` or `grpc pkg.Service/*`");
  return refused(`\`${printable(text, 60)}\` is not a request`, whole, FORMS);
}

function pathLine(
  rest: string,
  at: number,
  build: (path: NonNullable<ReturnType<typeof parsePathPattern>["value"]>) => Parsed,
): TextResult<Parsed> {
  const { value, findings } = parsePathPattern(rest, at);
  return value === undefined ? { findings } : { value: build(value), findings };
}

function httpLine(word: string, rest: string, at: number): TextResult<Parsed> {
  const methods = methodsOf(word);
  const path = parsePathPattern(rest, at);
  // Where both parts are wrong, what was meant as what is anybody's guess.
  const guess = methods.value === undefined && !rest.startsWith("/");
  const findings = guess ? methods.findings : [...methods.findings, ...path.findings];
  if (methods.value === undefined || path.value === undefined) return { findings };
  const text = `${methods.value === "ANY" ? "ANY" : methods.value.join("|")} ${path.value.text}`;
  return { value: { kind: "http", methods: methods.value, path: path.value, text }, findings };
}

function methodsOf(word: string): TextResult<readonly string[] | "ANY"> {
  if (word === "ANY") return { value: "ANY", findings: [] };
  const methods = word.split("|");
  const findings: TextFinding[] = [];
  let start = 0;
  methods.forEach((method, index) => {
    const finding = judgeMethod(method, [start, start + Math.max(1, method.length)], methods.indexOf(method) !== index);
    if (finding !== undefined) findings.push(finding);
    start += method.length + 1;
  });
  return findings.some(({ code }) => code.startsWith("ERR_")) ? { findings } : { value: methods, findings };
}

function judgeMethod(method: string, at: readonly [number, number], repeated: boolean): TextFinding | undefined {
  const upper = method.toUpperCase();
  if (method === "") return error("a method is missing beside `|`", at, "write `GET|HEAD`, without spaces");
  if (method === "*" || method === "ALL")
    return error(`\`${method}\` is not a method`, at, "write `ANY` for every method");
  if (method === "ANY") return error("`ANY` stands alone", at, "`ANY` is every method already");
  if (/^(?:grpc|tcp|websocket)$/i.test(method))
    return error(`\`${method}\` is not a method`, at, `write \`${method.toLowerCase()}\``);
  if (method !== upper && /^[A-Za-z-]+$/.test(method))
    return error(`\`${method}\` is not a method`, at, `methods are upper case: \`${near(upper) ?? upper}\``);
  if (!/^[A-Z]+(?:-[A-Z]+)*$/.test(method)) return error(`\`${printable(method, 60)}\` is not a method`, at, FORMS);
  if (method === "CONNECT")
    return error("`CONNECT` opens a tunnel, which no line matches", at, "write `websocket /path` for a WebSocket");
  if (repeated) return error(`the method \`${method}\` is here a second time`, at, "remove it");
  if (METHODS.has(method)) return undefined;
  const close = near(method);
  if (close !== undefined) return error(`\`${method}\` is not a method`, at, `did you mean \`${close}\`?`);
  return {
    code: "WARN_POLICY_METHOD",
    message: `\`${method}\` is not a registered method`,
    hint: "it matches this exact method and no other",
    at,
  };
}

function near(method: string): string | undefined {
  if (METHODS.has(method)) return method;
  const close = nearest(method, COMMON);
  return close !== undefined && distance(method, close, 1) <= 1 ? close : undefined;
}

function grpcLine(rest: string, at: number): TextResult<Parsed> {
  const whole = [at, at + rest.length] as const;
  const match = /^([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\/([A-Za-z_][A-Za-z0-9_]*|\*)$/.exec(rest);
  const [, service = "", method = ""] = match ?? [];
  if (match !== null)
    return { value: { kind: "grpc", service, method, text: `grpc ${service}/${method}` }, findings: [] };
  if (rest.startsWith("/"))
    return refused(
      "a gRPC method is named without its first `/`",
      whole,
      `write \`grpc ${printable(rest.slice(1), 60)}\``,
    );
  if (!rest.includes("/"))
    return refused(
      `\`${printable(rest, 60)}\` names no method`,
      whole,
      `write \`grpc ${printable(rest, 60)}/*\` for all of a service`,
    );
  return refused(
    `\`${printable(rest, 60)}\` is not a gRPC method`,
    whole,
    "write `grpc pkg.Service/Method` or `grpc pkg.Service/*`; services have no wildcards",
  );
}

function tcpLine(rest: string, at: number): TextResult<Parsed> {
  const port = rest === "*" ? "*" : /^[1-9][0-9]{0,4}$/.test(rest) ? Number(rest) : 0;
  if (port === "*" || (port > 0 && port < 65536))
    return { value: { kind: "tcp", port, text: `tcp ${port}` }, findings: [] };
  return refused(
    `\`${printable(rest, 60)}\` is not a port`,
    [at, at + rest.length],
    "write `tcp 5432`, or `tcp *` for every port",
  );
}

/** Reads a request line of a policy, with findings at the characters to blame. */
export const requestLine: Reader<RequestLine> = {
  schema: { type: "string", pattern: "^([A-Z|-]+ /|grpc [A-Za-z_]|websocket /|tcp ([0-9]+|\\*)$)" },
  expects: "a request such as `GET /orders/{id}`",
  read(node, reading) {
    if (node.kind === "map")
      return mismatch(reading, node, this.expects, "YAML reads a map here: put the request in quotes");
    const scalar = anyText({ expects: this.expects }).read(node, reading);
    if (scalar === FAILED) return FAILED;
    const { value, findings } = parseRequestLine(scalar.text);
    const place = (at: readonly [number, number]): Span => spanWithin(scalar, at[0], at[1]);
    for (const { code, message, hint, at } of findings) reading.found.push(diagnostic(code, place(at), message, hint));
    return value === undefined ? FAILED : { ...value, span: scalar.span };
  },
};
