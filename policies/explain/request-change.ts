import { segmentMatches } from "../match/pattern.ts";
import type { PathPattern, RequestLine, Span } from "../model/index.ts";
import { encodePath } from "../path/encode-path.ts";
import { parseRequestLine } from "../syntax/request-line.ts";
import type { Asked, Change } from "./edit.ts";
import { segmentText } from "./matcher-text.ts";

/** Adds the request's method to the line. */
export function addMethod({ line, attributes }: Asked): Change | undefined {
  const { request } = line;
  const method = attributes.http?.method;
  if (request?.kind !== "http" || request.methods === "ANY" || method === undefined) return undefined;
  const changed = lineOf(`${[...request.methods, method].join("|")} ${request.path.text}`, request.span);
  if (changed === undefined) return undefined;
  return {
    edit: {
      message: `add \`${method}\` to the methods of the line`,
      span: request.span,
      action: "replace",
      yaml: `- ${changed.text}`,
    },
    size: 1,
    apply: (rule) => ({ ...rule, requests: (rule.requests ?? []).map((each) => (each === request ? changed : each)) }),
  };
}

/** Adds a line for the request beside the one that comes near. */
export function addLine(asked: Asked): Change | undefined {
  const near = asked.line.request;
  const added = near === undefined ? undefined : lineFor(asked, near, near.span);
  if (near === undefined || added === undefined) return undefined;
  return {
    edit: { message: "add a line to the rule", span: near.span, action: "insert", yaml: `- ${added.text}` },
    size: 1,
    apply: (rule) => ({ ...rule, requests: [...(rule.requests ?? []), added] }),
  };
}

/** A line for the request; parameters stay where a line that comes near has them and they fit. */
export function lineFor(
  { attributes, situation }: Pick<Asked, "attributes" | "situation">,
  near: RequestLine | undefined,
  span: Span,
): RequestLine | undefined {
  const { request } = situation;
  if (request.kind === "tcp") return lineOf(`tcp ${request.port}`, span);
  if (request.segments === undefined || attributes.http === undefined) return undefined;
  const path = pathFor(request.segments, near?.kind === "http" || near?.kind === "websocket" ? near.path : undefined);
  if (request.upgrade !== undefined)
    return request.upgrade === "websocket" ? lineOf(`websocket ${path}`, span) : undefined;
  if (request.grpc.surely === true) return lineOf(`grpc ${path.slice(1)}`, span);
  return request.grpc.maybe === false ? lineOf(`${request.method} ${path}`, span) : undefined;
}

function pathFor(segments: readonly string[], near: PathPattern | undefined): string {
  const isAlike = near !== undefined && near.segments.length === segments.length;
  const texts = segments.map((segment, at) => {
    const part = isAlike ? near.segments[at] : undefined;
    return part?.kind === "parameter" && segmentMatches(part, segment) ? segmentText(part) : literal(segment);
  });
  return `/${texts.join("/")}`;
}

function literal(segment: string): string {
  return encodePath([segment]).slice(1).replaceAll("*", "%2A");
}

function lineOf(text: string, span: Span): RequestLine | undefined {
  const { value, findings } = parseRequestLine(text);
  return value === undefined || findings.length > 0 ? undefined : { ...value, span };
}
