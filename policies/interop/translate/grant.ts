import type { Matcher } from "../../model/index.ts";
import type { DraftCaller, DraftMatcher, DraftRule } from "../draft/draft.ts";
import { GRPC_BY_SERVICE, UPGRADES_BY_LISTENER } from "../draft/everything.ts";
import type { Names } from "../draft/names.ts";
import type { Notes } from "../draft/notes.ts";
import type { World } from "../draft/world.ts";
import type { RequestScope, SourcePlace } from "../report.ts";
import { draftMatcher } from "./draft-matcher.ts";
import { isLiteral } from "./path-set.ts";
import type { Loss, Piece, Pieces } from "./piece.ts";

/** To whom pieces are granted. */
export interface Grant {
  readonly name: string;
  readonly from: readonly DraftCaller[];
  /** Callers left out; only of pieces without exceptions of their own, since the two AND within one `except`. */
  readonly exceptFrom?: readonly DraftCaller[];
  /** Also connections: only of pieces that ask for nothing that a connection lacks. */
  readonly connections?: boolean;
  readonly ports?: readonly number[];
  readonly reason?: string;
}

/** Allow rules that grant the pieces. */
export function rulesOf({ pieces }: Pieces, grant: Grant, names: Names, world: World): readonly DraftRule[] {
  return pieces.map((piece) => {
    const headers = matchersOf(piece.headers);
    const query = matchersOf(piece.query);
    const except = exceptOf(piece, grant);
    return {
      name: names.take(grant.name),
      from: grant.from,
      requests: linesOf(piece, grant, world),
      ...(piece.hosts === undefined ? {} : { hosts: piece.hosts }),
      ...(grant.ports === undefined ? {} : { ports: grant.ports }),
      ...(headers === undefined ? {} : { headers }),
      ...(query === undefined ? {} : { query }),
      ...(piece.jwt === undefined ? {} : { jwt: piece.jwt }),
      ...(except === undefined ? {} : { except }),
      ...(grant.reason === undefined ? {} : { reason: grant.reason }),
    };
  });
}

function exceptOf(piece: Piece, { exceptFrom = [] }: Grant): DraftRule["except"] {
  if (piece.except.length > 0) return { requests: [...new Set(piece.except)] };
  return exceptFrom.length > 0 ? { from: exceptFrom } : undefined;
}

function linesOf(piece: Piece, { connections }: Grant, world: World): readonly string[] {
  const word = piece.methods === "ANY" ? "ANY" : piece.methods.join("|");
  const lines = piece.paths.flatMap((path) => [
    `${word} ${path}`,
    ...(world.websocket && allows(piece, "GET") ? [`websocket ${path}`] : []),
    ...(allows(piece, "POST") ? grpcLines(path, world) : []),
  ]);
  const plain =
    piece.headers.size + piece.query.size === 0 &&
    piece.hosts === undefined &&
    piece.except.length === 0 &&
    piece.jwt === undefined;
  if (connections === true && plain) lines.push("tcp *");
  return [...new Set(lines)];
}

const allows = ({ methods }: Piece, method: string): boolean => methods === "ANY" || methods.includes(method);

const METHOD = /^\/([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\/([A-Za-z_][A-Za-z0-9_]*)$/;

/** Lines for the gRPC methods that are on a path: those it names, if it looks like one, and those of known services. */
function grpcLines(path: string, { grpcServices }: World): readonly string[] {
  const [, service = "", method = ""] = METHOD.exec(path) ?? [];
  if (service !== "")
    return service.includes(".") || grpcServices.includes(service) ? [`grpc ${service}/${method}`] : [];
  const of = grpcServices.filter((one) => path === "/**" || path === `/${one}/**` || path === `/${one}/{x}`);
  return of.map((one) => `grpc ${one}/*`);
}

function matchersOf(matchers: ReadonlyMap<string, Matcher>): Readonly<Record<string, DraftMatcher>> | undefined {
  if (matchers.size === 0) return undefined;
  return Object.fromEntries([...matchers].map(([name, matcher]) => [name, draftMatcher(matcher)]));
}

const REASONS: Readonly<Record<Loss, string>> = {
  "long-number": "a number in a path has at most 19 digits",
  "long-value": "a value that repeats without end is listed up to a length",
  host: "of hosts that end alike, those that are known are written",
  inexpressible: "some of the requests that it allows cannot be named in the policy language, and are denied",
};

const LIST_QUERY = "of a query parameter that is repeated every value must match";

const LIST_HEADER =
  "of a header that is repeated every value must match, where the source takes any; one with characters outside visible ASCII never does";

/** Where and about what a note is made. */
export interface Noting {
  readonly place: SourcePlace;
  readonly construct: string;
  readonly notes: Notes;
  readonly world: World;
}

/** Reports what pieces cannot say: losses, and the requests that allow lines do not reach by themselves. */
export function notePieces({ pieces, losses }: Pieces, { place, construct, notes, world }: Noting): void {
  const narrower = (reason: string, scope?: RequestScope): void =>
    notes.add(place, construct, "narrower", reason, scope === undefined ? {} : { scope });
  for (const loss of losses) narrower(REASONS[loss], loss === "inexpressible" ? undefined : loss);
  if (pieces.some(({ headers }) => headers.size > 0)) narrower(LIST_HEADER, "list-header");
  if (pieces.some(({ query }) => query.size > 0)) narrower(LIST_QUERY, "list-query");
  if (pieces.some((piece) => allows(piece, "POST") && piece.paths.some((path) => !reachesGrpc(path, world))))
    narrower(GRPC_BY_SERVICE, "grpc");
  if (!world.websocket && pieces.some((piece) => allows(piece, "GET"))) narrower(UPGRADES_BY_LISTENER, "upgrade");
  if (losses.length === 0) notes.add(place, construct, "exact", "the same requests are allowed");
}

/** Whether the lines written for a path let all gRPC calls on it in. */
function reachesGrpc(path: string, world: World): boolean {
  if (grpcLines(path, world).length > 0) return path !== "/**";
  return isLiteral(path) && !METHOD.test(path);
}
