import { isEverything } from "../match/pattern.ts";
import { grpcPattern } from "../match/request-line.ts";
import type { RequestLine, Rule } from "../model/index.ts";
import type { Tables } from "./compiled.ts";
import type { ViewLine } from "./compiled-rule.ts";
import { PathTable } from "./path-table.ts";

type HttpLine = Extract<RequestLine, { readonly kind: "http" }>;

/** Lays the lines that a caller can meet out by effect, kind, method and path. */
export function buildTables(lines: readonly ViewLine[]): Tables {
  const allow = lines.filter((line) => line.rule.effect === "allow");
  const deny = lines.filter((line) => line.rule.effect === "deny");
  return {
    allow: {
      ...methodTables(allow, "allow", []),
      grpc: grpcTable(allow),
      websocket: websocketTable(allow, "allow"),
      tcp: allow.filter((line) => line.line.request?.kind === "tcp"),
    },
    deny: {
      ...methodTables(deny, "deny", deny),
      websocket: websocketTable(deny, "deny"),
      tcp: deny.filter((line) => reachesTcp(line.line.request)),
      everything: deny.filter((line) => line.line.request === undefined),
      always: deny.filter((line) => line.rule.always),
    },
  };
}

/** Tables of every method that a line names, and one for all others. `grpc` lines go into each: a deny reads them so. */
function methodTables(
  lines: readonly ViewLine[],
  effect: Rule["effect"],
  grpc: readonly ViewLine[],
): { readonly methods: ReadonlyMap<string, PathTable<ViewLine>>; readonly otherMethods: PathTable<ViewLine> } {
  const names = new Set(lines.flatMap((line) => methodsOf(line.line.request)));
  if (effect === "deny" && names.has("GET")) names.add("HEAD");
  const table = (method: string | undefined): PathTable<ViewLine> => {
    const found = new PathTable<ViewLine>(effect);
    for (const line of lines) addHttp(found, line, method, effect);
    for (const line of grpc) addGrpc(found, line);
    return found;
  };
  return { methods: new Map([...names].map((name) => [name, table(name)])), otherMethods: table(undefined) };
}

function addHttp(table: PathTable<ViewLine>, line: ViewLine, method: string | undefined, effect: Rule["effect"]): void {
  const { request } = line.line;
  if (request?.kind === "http" && namesMethod(request, method, effect)) table.add(request.path, line);
}

function addGrpc(table: PathTable<ViewLine>, line: ViewLine): void {
  const { request } = line.line;
  if (request?.kind === "grpc") table.add(grpcPattern(request), line);
}

function namesMethod(line: HttpLine, method: string | undefined, effect: Rule["effect"]): boolean {
  if (line.methods === "ANY") return true;
  if (method === undefined) return false;
  return line.methods.includes(method) || (effect === "deny" && method === "HEAD" && line.methods.includes("GET"));
}

function methodsOf(request: RequestLine | undefined): readonly string[] {
  return request?.kind === "http" && request.methods !== "ANY" ? request.methods : [];
}

function grpcTable(lines: readonly ViewLine[]): PathTable<ViewLine> {
  const table = new PathTable<ViewLine>("allow");
  for (const line of lines) addGrpc(table, line);
  return table;
}

function websocketTable(lines: readonly ViewLine[], effect: Rule["effect"]): PathTable<ViewLine> {
  const table = new PathTable<ViewLine>(effect);
  for (const line of lines) {
    const { request } = line.line;
    if (request?.kind === "websocket") table.add(request.path, line);
  }
  return table;
}

function reachesTcp(request: RequestLine | undefined): boolean {
  if (request === undefined) return false;
  return request.kind === "tcp" || (request.kind === "http" && request.methods === "ANY" && isEverything(request.path));
}
