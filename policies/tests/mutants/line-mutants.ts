import type { PathPattern, PatternSegment, RequestLine, Rule } from "../../model/index.ts";
import { encodePath } from "../../path/encode-path.ts";
import type { RuleChange } from "./mutant.ts";

type HttpLine = Extract<RequestLine, { readonly kind: "http" }>;

/** Changes of a rule's request lines: a line less, wider paths, other methods. */
export function lineChanges(rule: Rule): readonly RuleChange[] {
  const lines = rule.requests ?? [];
  return lines.flatMap((line, at): readonly RuleChange[] => {
    const replaced = (edited: RequestLine | undefined): Rule | undefined =>
      edited === undefined && lines.length === 1
        ? undefined
        : { ...rule, requests: lines.flatMap((one, place) => (place === at ? (edited ?? []) : one)) };
    const dropped: RuleChange = {
      operator: "drop-line",
      text: `drop the line \`${line.text}\``,
      span: line.span,
      edited: replaced(undefined),
    };
    return [
      dropped,
      ...widerPaths(line).map((edited) => widened("widen-path", line, edited, replaced(edited))),
      ...(line.kind === "http" ? otherMethods(line, replaced) : []),
    ];
  });
}

function widened(
  operator: RuleChange["operator"],
  line: RequestLine,
  to: RequestLine,
  edited: Rule | undefined,
): RuleChange {
  return { operator, text: `widen \`${line.text}\` to \`${to.text}\``, span: line.span, edited };
}

/** Each literal or typed segment as `{any}`, and the last one as `**`. */
function widerPaths(line: RequestLine): readonly RequestLine[] {
  if (line.kind === "tcp") return line.port === "*" ? [] : [{ ...line, port: "*", text: "tcp *" }];
  if (line.kind === "grpc")
    return line.method === "*" ? [] : [{ ...line, method: "*", text: `grpc ${line.service}/*` }];
  const { segments } = line.path;
  const last = segments.length - 1;
  const hasRest = segments.some(({ kind }) => kind === "rest");
  const wider = segments.flatMap((segment, at): readonly PathPattern[] =>
    isAny(segment) || segment.kind === "rest" || isEmpty(segment)
      ? []
      : [patternOf(segments.with(at, { kind: "parameter", name: "any", type: "any", prefix: "", suffix: "" }))],
  );
  if (!hasRest) wider.push(patternOf(segments.with(last, { kind: "rest" })));
  return wider.map((path) => withPath(line, path));
}

function isAny(segment: PatternSegment): boolean {
  return segment.kind === "parameter" && segment.type === "any" && segment.prefix === "" && segment.suffix === "";
}

function isEmpty(segment: PatternSegment): boolean {
  return segment.kind === "literal" && segment.value === "";
}

function withPath(line: Extract<RequestLine, { readonly path: PathPattern }>, path: PathPattern): RequestLine {
  const methods = line.kind === "http" ? methodsText(line.methods) : "websocket";
  return { ...line, path, text: `${methods} ${path.text}` };
}

function methodsText(methods: HttpLine["methods"]): string {
  return methods === "ANY" ? "ANY" : methods.join("|");
}

/** A pattern with its text, for people and ids of lines. */
function patternOf(segments: readonly PatternSegment[]): PathPattern {
  return { text: `/${segments.map(segmentText).join("/")}`, segments };
}

function segmentText(segment: PatternSegment): string {
  switch (segment.kind) {
    case "literal":
      return encodePath([segment.value]).slice(1);
    case "parameter":
      return `${segment.prefix}{${segment.name}${segment.type === "any" ? "" : `:${segment.type}`}}${segment.suffix}`;
    case "rest":
      return "**";
  }
}

function otherMethods(line: HttpLine, replaced: (edited: RequestLine) => Rule | undefined): readonly RuleChange[] {
  const { methods } = line;
  if (methods === "ANY") return [];
  const withMethods = (to: HttpLine["methods"]): HttpLine => ({
    ...line,
    methods: to,
    text: `${methodsText(to)} ${line.path.text}`,
  });
  const any = withMethods("ANY");
  const fewer = methods.length < 2 ? [] : methods.map((method) => withMethods(methods.filter((one) => one !== method)));
  return [
    widened("widen-methods", line, any, replaced(any)),
    ...fewer.map((edited) => ({
      operator: "drop-method" as const,
      text: `narrow \`${line.text}\` to \`${edited.text}\``,
      span: line.span,
      edited: replaced(edited),
    })),
  ];
}
