import type { Tables } from "../compile/compiled.ts";
import type { RequestView } from "../match/request.ts";
import { lineMatches, opensWebsocket } from "../match/request-line.ts";
import { negate } from "../match/truth.ts";
import type { Evaluation } from "./evaluation.ts";

/** Asks every line of the tables whose request part can match. `path` is the canonical text of the view's segments. */
export function lookUp(tables: Tables, request: RequestView, path: string, evaluation: Evaluation): void {
  for (const found of tables.deny.everything) evaluation.visit(found);
  if (request.kind === "tcp") lookUpConnection(tables, request.port, evaluation);
  else if (request.segments !== undefined) lookUpRequest(tables, request, request.segments, path, evaluation);
}

/** Asks only the denies marked `always`, of a request whose path or host was refused. */
export function lookUpAlways(tables: Tables, request: RequestView, evaluation: Evaluation): void {
  for (const found of tables.deny.always) {
    const { request: line } = found.line;
    evaluation.lookup = line === undefined ? true : lineMatches("deny", line, request);
    evaluation.visit(found);
  }
}

function lookUpConnection(tables: Tables, port: number, evaluation: Evaluation): void {
  for (const list of [tables.deny.tcp, tables.allow.tcp]) {
    for (const found of list) {
      const { request } = found.line;
      if (request?.kind === "tcp" && request.port !== "*" && request.port !== port) continue;
      evaluation.visit(found);
    }
  }
}

function lookUpRequest(
  tables: Tables,
  request: Extract<RequestView, { readonly kind: "http" }>,
  segments: readonly string[],
  path: string,
  evaluation: Evaluation,
): void {
  const { allow, deny } = tables;
  (deny.methods.get(request.method) ?? deny.otherMethods).find(path, segments, evaluation);
  if (request.upgrade !== undefined) {
    deny.websocket.find(path, segments, evaluation);
    if (request.upgrade === "websocket" && opensWebsocket(request.method)) {
      allow.websocket.find(path, segments, evaluation);
    }
    return;
  }
  const { grpc } = request;
  if (grpc.maybe !== true) {
    evaluation.lookup = negate(grpc.maybe);
    (allow.methods.get(request.method) ?? allow.otherMethods).find(path, segments, evaluation);
  }
  if (grpc.surely !== false) {
    evaluation.lookup = grpc.surely;
    allow.grpc.find(path, segments, evaluation);
  }
}
