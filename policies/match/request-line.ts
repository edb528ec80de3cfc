import type { PathPattern, RequestLine, Rule } from "../model/index.ts";
import { isEverything, patternMatches } from "./pattern.ts";
import type { RequestView } from "./request.ts";
import { both, negate, type Truth } from "./truth.ts";

type HttpView = Extract<RequestView, { readonly kind: "http" }>;
type HttpLine = Extract<RequestLine, { readonly kind: "http" }>;

/** Whether one line of `requests` matches, as an allow reads it or as a deny does, which reaches further. */
export function lineMatches(effect: Rule["effect"], line: RequestLine, request: RequestView): Truth {
  return effect === "allow" ? allowLineMatches(line, request) : denyLineMatches(line, request);
}

function allowLineMatches(line: RequestLine, request: RequestView): Truth {
  if (request.kind === "tcp") return tcpMatches(line, request.port);
  const isUpgrade = request.upgrade !== undefined;
  switch (line.kind) {
    case "http":
      if (isUpgrade || !methodsMatch(line.methods, request.method)) return false;
      return both(negate(request.grpc.maybe), pathMatches("allow", line.path, request));
    case "grpc":
      if (isUpgrade) return false;
      return both(request.grpc.surely, pathMatches("allow", grpcPattern(line), request));
    case "websocket":
      if (request.upgrade !== "websocket" || !opensWebsocket(request.method)) return false;
      return pathMatches("allow", line.path, request);
    case "tcp":
      return false;
  }
}

function denyLineMatches(line: RequestLine, request: RequestView): Truth {
  if (request.kind === "tcp") {
    return (
      tcpMatches(line, request.port) || (line.kind === "http" && line.methods === "ANY" && isEverything(line.path))
    );
  }
  switch (line.kind) {
    case "http":
      return denyMethodsMatch(line, request.method) && pathMatches("deny", line.path, request);
    case "grpc":
      return pathMatches("deny", grpcPattern(line), request);
    case "websocket":
      return request.upgrade !== undefined && pathMatches("deny", line.path, request);
    case "tcp":
      return false;
  }
}

function tcpMatches(line: RequestLine, port: number): boolean {
  return line.kind === "tcp" && (line.port === "*" || line.port === port);
}

function pathMatches(effect: Rule["effect"], pattern: PathPattern, request: HttpView): Truth {
  if (request.segments === undefined) return effect === "deny" && isEverything(pattern) ? true : "unknown";
  return patternMatches(effect, pattern, request.segments);
}

function methodsMatch(methods: HttpLine["methods"], method: string): boolean {
  return methods === "ANY" || methods.includes(method);
}

function denyMethodsMatch(line: HttpLine, method: string): boolean {
  return methodsMatch(line.methods, method) || (method === "HEAD" && methodsMatch(line.methods, "GET"));
}

/** `GET` of HTTP/1.1, `CONNECT` of HTTP/2 and HTTP/3 (RFC 6455, RFC 8441). */
export function opensWebsocket(method: string): boolean {
  return method === "GET" || method === "CONNECT";
}

/** The path of a `grpc` line: `/<service>/<method>`, `*` being one segment. */
export function grpcPattern(line: Extract<RequestLine, { readonly kind: "grpc" }>): PathPattern {
  const method =
    line.method === "*"
      ? ({ kind: "parameter", name: "method", type: "any", prefix: "", suffix: "" } as const)
      : ({ kind: "literal", value: line.method } as const);
  return { text: `/${line.service}/${line.method}`, segments: [{ kind: "literal", value: line.service }, method] };
}
