import type { DiagnosticCode } from "../diagnostics/codes.ts";
import { suggestion } from "../diagnostics/nearest.ts";
import type { ParameterType, PathPattern, PatternSegment } from "../model/index.ts";
import { printable } from "../printable.ts";
import { parseLiteral } from "./path-segment.ts";

/** Something wrong or doubtful within a text; `at` are offsets into it. */
export interface TextFinding {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at: readonly [start: number, end: number];
}

/** What a text was read as; with errors among the findings there is no value. */
export interface TextResult<T> {
  readonly value?: T;
  readonly findings: readonly TextFinding[];
}

/** The longest path a request can have, in bytes; a longer pattern matches nothing. */
const MAX_PATH_BYTES = 8192;

const TYPES: readonly Exclude<ParameterType, "any">[] = ["int", "uuid", "hex", "slug", "date"];
const PARAMETER_NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,63}$/;

type Report = (message: string, at: readonly [number, number], hint?: string) => undefined;

/** Reads a path pattern (docs/policy-language.md, "Path patterns"); `offset` is where it starts in the whole line. */
export function parsePathPattern(text: string, offset = 0): TextResult<PathPattern> {
  const findings: TextFinding[] = [];
  const report: Report = (message, [start, end], hint) => {
    findings.push({ code: "ERR_POLICY_PATH", message, hint, at: [offset + start, offset + end] });
    return undefined;
  };
  if (!text.startsWith("/")) {
    report(
      "a path begins with `/`",
      [0, Math.max(1, text.length)],
      text === "" ? undefined : `write \`/${printable(text, 60)}\``,
    );
    return { findings };
  }
  if (text.length > MAX_PATH_BYTES)
    report(`a path of more than ${MAX_PATH_BYTES} characters matches no request`, [0, text.length]);
  const segments = findings.length === 0 ? segmentsOf(text, report) : [];
  findings.push(...doubts(text, offset));
  if (findings.some(({ code }) => code.startsWith("ERR_"))) return { findings };
  return { value: { text, segments }, findings };
}

function segmentsOf(text: string, report: Report): readonly PatternSegment[] {
  const segments: PatternSegment[] = [];
  const names = new Set<string>();
  let rests = 0;
  let start = 1;
  const parts = text.slice(1).split("/");
  parts.forEach((part, index) => {
    const at = [start, start + part.length] as const;
    start += part.length + 1;
    if (part === "**") {
      rests += 1;
      if (rests === 2)
        report("`**` can be there once only", at, "with two of them it is undecided which segments belong to which");
      segments.push({ kind: "rest" });
      return;
    }
    const segment = part === "" ? emptySegment(index, parts.length, at, report) : segmentOf(part, at[0], names, report);
    if (segment !== undefined) segments.push(segment);
  });
  return segments;
}

function emptySegment(
  index: number,
  count: number,
  [start]: readonly [number, number],
  report: Report,
): PatternSegment | undefined {
  if (index === count - 1) return { kind: "literal", value: "" };
  return report("an empty segment: `//` is refused in every request", [start - 1, start + 1], "write one `/`");
}

function segmentOf(part: string, start: number, names: Set<string>, report: Report): PatternSegment | undefined {
  const whole = [start, start + part.length] as const;
  if (part === "." || part === "..")
    return report(`\`${part}\` as a segment is refused in every request`, whole, "write the path it leads to");
  if (part === "*") return report("`*` is not a pattern", whole, "use `{name}` for one segment, `**` for any number");
  const open = part.indexOf("{");
  if (open === -1) {
    const value = literalOf(part, start, report);
    return value === undefined ? undefined : { kind: "literal", value };
  }
  const close = part.indexOf("}", open);
  if (close === -1)
    return report(
      "`{` without its `}`",
      [start + open, start + part.length],
      "a parameter is `{name}` within one segment",
    );
  const parameter = parameterOf(part.slice(open + 1, close), start + open, names, report);
  const rest = part.slice(close + 1);
  if (rest.includes("{"))
    return report(
      "two parameters in one segment",
      whole,
      "one parameter a segment, with literal text before or after it",
    );
  const prefix = literalOf(part.slice(0, open), start, report);
  const suffix = literalOf(rest, start + close + 1, report);
  if (parameter === undefined || prefix === undefined || suffix === undefined) return undefined;
  return { kind: "parameter", ...parameter, prefix, suffix };
}

function literalOf(text: string, start: number, report: Report): string | undefined {
  const result = parseLiteral(text);
  if (result.ok) return result.value;
  return report(result.message, [start + result.at[0], start + result.at[1]], result.hint);
}

interface Parameter {
  readonly name: string;
  readonly type: ParameterType;
}

function parameterOf(inner: string, start: number, names: Set<string>, report: Report): Parameter | undefined {
  const whole = [start, start + inner.length + 2] as const;
  const colon = inner.indexOf(":");
  const name = colon === -1 ? inner : inner.slice(0, colon);
  if (inner === "") return report("a parameter without a name", whole, "write `{id}`");
  if (/^\*+$/.test(inner))
    return report(`\`{${inner}}\` is not a parameter`, whole, inner === "**" ? "write `**`" : "give it a name: `{id}`");
  if (!PARAMETER_NAME.test(name))
    return report(
      `\`${printable(name, 60)}\` is not a parameter's name`,
      [start + 1, start + 1 + Math.max(1, name.length)],
      "letters, digits, `_` and `-`, beginning with a letter or `_`",
    );
  const type = colon === -1 ? "any" : TYPES.find((one) => one === inner.slice(colon + 1));
  if (type === undefined) {
    const given = inner.slice(colon + 1);
    const hint = /^[a-z]+$/i.test(given)
      ? suggestion(given, TYPES)
      : `there are no regular expressions here; known types: ${TYPES.map((one) => `\`${one}\``).join(", ")}`;
    return report(
      `\`${printable(given, 60)}\` is not a type of parameter`,
      [start + 2 + colon, start + 1 + Math.max(inner.length, colon + 2)],
      hint,
    );
  }
  if (names.has(name))
    return report(`the parameter \`${name}\` is here a second time`, whole, "give each its own name");
  names.add(name);
  return { name, type };
}

/** Spellings of other routers that are literals here. */
function doubts(text: string, offset: number): readonly TextFinding[] {
  return [...text.matchAll(/\/:([A-Za-z_][A-Za-z0-9_]*)(?=\/|$)/g)].map((match) => ({
    code: "WARN_POLICY_PATH",
    message: `\`:${match[1]}\` is literal text here`,
    hint: `a parameter is written \`{${match[1]}}\``,
    at: [offset + match.index + 1, offset + match.index + match[0].length],
  }));
}
