import type { ParameterType, PathPattern, PatternSegment, RequestLine } from "../model/index.ts";
import { SPAN } from "./span.ts";

/** Reads the lines that tests write. It trusts them: the language's own parser is the one that judges. */
export function requestLine(text: string): RequestLine {
  const [first = "", second = ""] = text.split(" ");
  switch (first) {
    case "tcp":
      return { kind: "tcp", port: second === "*" ? "*" : Number(second), text, span: SPAN };
    case "websocket":
      return { kind: "websocket", path: pathPattern(second), text, span: SPAN };
    case "grpc": {
      const [service = "", method = ""] = second.split("/");
      return { kind: "grpc", service, method, text, span: SPAN };
    }
    default:
      return {
        kind: "http",
        methods: first === "ANY" ? "ANY" : first.split("|"),
        path: pathPattern(second),
        text,
        span: SPAN,
      };
  }
}

export function pathPattern(text: string): PathPattern {
  return { text, segments: text.slice(1).split("/").map(patternSegment) };
}

function patternSegment(text: string): PatternSegment {
  if (text === "**") return { kind: "rest" };
  const [, prefix, name, type, suffix] = /^([^{]*)\{([a-z]+)(?::([a-z]+))?\}(.*)$/.exec(text) ?? [];
  if (prefix === undefined || name === undefined || suffix === undefined) {
    return { kind: "literal", value: decodeURIComponent(text) };
  }
  return { kind: "parameter", name, type: parameterType(type), prefix, suffix };
}

function parameterType(text: string | undefined): ParameterType {
  const types: readonly ParameterType[] = ["any", "int", "uuid", "hex", "slug", "date"];
  return types.find((type) => type === text) ?? "any";
}
