import { canonicalHost } from "../match/host.ts";
import type { Cidr, JwtCondition, RequestLine, Rule } from "../model/index.ts";
import { type Condition, TRUE, UNKNOWN } from "./dimension.ts";
import type { ScopesSpec } from "./scopes-dimension.ts";
import { Conditions, connectionTerm, type Reading, refusedTerm, requestTerms, type Term } from "./terms.ts";
import type { Universe } from "./universe.ts";

/** What is left of a `from` once the caller is known: nothing, or address blocks. */
export type FromLeft = "met" | readonly Cidr[];

/** One line as one caller meets it; patterns folded where its reading folds. */
export interface LineLeft {
  readonly rule: Rule;
  readonly request: RequestLine | undefined;
  readonly from: FromLeft;
  readonly except: { readonly from: FromLeft; readonly requests: readonly RequestLine[] | undefined } | undefined;
}

/** A part of a line: a box of conditions without some boxes. Of the parts of one line no two hold together. */
export interface Piece extends Term {
  /** Conditions in the order in which the search asks. */
  readonly except: readonly Term[];
}

/** The parts of a line among requests and among connections. */
export interface LinePieces {
  readonly http: readonly Piece[];
  readonly tcp: readonly Piece[];
}

/** Takes a line apart. */
export function piecesOf(line: LineLeft, universe: Universe, reading: Reading): LinePieces {
  const conditions = new Conditions(universe, reading);
  return { http: requestPieces(line, conditions), tcp: connectionPieces(line, conditions) };
}

function requestPieces(line: LineLeft, conditions: Conditions): readonly Piece[] {
  const { rule, request } = line;
  const { universe, reading } = conditions;
  const common = commonConditions(line, conditions);
  const hosts = rule.hosts === undefined ? [] : [hostCondition(rule.hosts, universe)];
  const headers = [...rule.headers].map(([name, matcher]) =>
    conditions.header(name, { kind: "matcher", effect: rule.effect, matcher }),
  );
  const except = exceptTerms(line, conditions, "http");
  const watches = reading.refusals && rule.effect === "deny" && rule.always;
  const needsReadable = watches && rule.query.size > 0;
  const pieces: Piece[] = [];
  for (const term of requestTerms(rule.effect, request, conditions)) {
    const fixed = [...common, ...hosts, ...headers];
    for (const token of tokenTerms(rule, universe)) {
      for (const query of queryTerms(rule, universe)) {
        const readable = needsReadable ? [conditions.readable()] : [];
        pieces.push(piece([...term, ...readable, ...fixed, ...query, ...token], TRUE, except));
      }
      if (!watches || (rule.query.size === 0 && request === undefined)) continue;
      const refused = refusedTerm(rule.effect, request, term, conditions);
      pieces.push(piece([...refused, ...fixed, ...token], rule.query.size > 0 ? UNKNOWN : TRUE, except));
    }
  }
  return pieces;
}

function connectionPieces(line: LineLeft, conditions: Conditions): readonly Piece[] {
  const { rule, request } = line;
  const term = connectionTerm(rule.effect, request, conditions);
  if (term === undefined || !holdsOfConnections(rule)) return [];
  return [piece([...term, ...commonConditions(line, conditions)], TRUE, exceptTerms(line, conditions, "tcp"))];
}

/** A connection has no host, headers, query and token. */
function holdsOfConnections({ effect, hosts, headers, query, jwt }: Rule): boolean {
  if (hosts !== undefined) return false;
  if (effect === "allow") return headers.size === 0 && query.size === 0 && jwt === undefined;
  const absent = [...headers.values(), ...query.values()].every(({ kind }) => kind === "absent");
  return absent && (jwt === undefined || asksForAbsence(jwt));
}

function commonConditions({ rule, from }: LineLeft, conditions: Conditions): readonly Condition[] {
  const { universe } = conditions;
  const { notBefore, notAfter } = rule;
  const [start, end] = [
    notBefore?.getTime() ?? Number.NEGATIVE_INFINITY,
    notAfter?.getTime() ?? Number.POSITIVE_INFINITY,
  ];
  return [
    ...(rule.ports === undefined ? [] : [conditions.ports(rule.ports)]),
    ...(notBefore === undefined && notAfter === undefined
      ? []
      : [universe.time.condition(`${start} ${end}`, { from: start, to: end })]),
    ...(from === "met" ? [] : [conditions.addresses(from)]),
  ];
}

function hostCondition(texts: readonly string[], universe: Universe): Condition {
  const hosts = new Set(
    texts.map((text) => {
      const read = canonicalHost(text);
      return read.ok ? read.host : text;
    }),
  );
  return universe.host.condition(JSON.stringify([...hosts].sort()), { kind: "hosts", hosts });
}

/** What a query must be, in parts of which no two hold together: one that cannot be read hits every deny. */
function queryTerms({ effect, query }: Rule, universe: Universe): readonly (readonly Condition[])[] {
  if (query.size === 0) return [[]];
  const each = [...query].map(([name, matcher]) => {
    const spec = { kind: "matcher", effect, matcher } as const;
    return universe.query(name).condition(JSON.stringify(spec), spec);
  });
  const readable = [universe.queryForm.condition("readable", "readable"), ...each];
  return effect === "allow" ? [readable] : [readable, [universe.queryForm.condition("malformed", "malformed")]];
}

function tokenTerms({ effect, jwt }: Rule, universe: Universe): readonly (readonly Condition[])[] {
  if (jwt === undefined) return [[]];
  const token = universe.token(jwt.provider);
  const absence = asksForAbsence(jwt);
  const { provider } = jwt;
  const scopes =
    jwt.scopes.length === 0
      ? []
      : [scopesCondition(provider, { kind: "scopes", effect, scopes: [...jwt.scopes].sort() }, universe)];
  const claims = [...jwt.claims].map(([claim, matcher]) =>
    claim === "scope" || claim === "scp"
      ? scopesCondition(provider, { kind: "claim", effect, claim, matcher }, universe)
      : universe.claim(provider, claim).condition(JSON.stringify([effect, matcher]), { effect, matcher }),
  );
  return [
    [token.condition("verified", { kind: "verified" }), ...scopes, ...claims],
    [token.condition(`otherwise ${effect} ${absence}`, { kind: "otherwise", effect, absence })],
  ];
}

function scopesCondition(provider: string, spec: ScopesSpec, universe: Universe): Condition {
  return universe.scopes(provider).condition(JSON.stringify(spec), spec);
}

function asksForAbsence({ scopes, claims }: JwtCondition): boolean {
  return scopes.length === 0 && claims.size > 0 && [...claims.values()].every(({ kind }) => kind === "absent");
}

/** The boxes that `except` carves out: read as the other effect reads them. */
function exceptTerms({ rule, except }: LineLeft, conditions: Conditions, kind: "http" | "tcp"): readonly Term[] {
  if (except === undefined) return [];
  const from = except.from === "met" ? [] : [conditions.addresses(except.from)];
  if (except.requests === undefined) return [term(from, TRUE)];
  const effect = rule.effect === "allow" ? "deny" : "allow";
  return except.requests.flatMap((line) => {
    if (kind === "tcp") {
      const found = connectionTerm(effect, line, conditions);
      return found === undefined ? [] : [term([...from, ...found], TRUE)];
    }
    const watches = conditions.reading.refusals && rule.always;
    return requestTerms(effect, line, conditions).flatMap((found) => [
      term([...from, ...found], TRUE),
      ...(watches ? [term([...from, ...refusedTerm(effect, line, found, conditions)], TRUE)] : []),
    ]);
  });
}

function term(conditions: readonly Condition[], status: Term["status"]): Term {
  return { conditions: inOrder(conditions), status };
}

function piece(conditions: readonly Condition[], status: Term["status"], except: readonly Term[]): Piece {
  return { conditions: inOrder(conditions), status, except };
}

function inOrder(conditions: readonly Condition[]): readonly Condition[] {
  return [...conditions].sort((left, right) => compareDimensions(left.dimension, right.dimension));
}

/** The order in which the search asks for dimensions. */
export function compareDimensions(left: Condition["dimension"], right: Condition["dimension"]): number {
  if (left === right) return 0;
  return left.rank - right.rank || (left.name < right.name ? -1 : 1);
}
