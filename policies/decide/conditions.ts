import type { ViewExcept, ViewLine } from "../compile/compiled-rule.ts";
import { parseAddress } from "../match/address.ts";
import { addressesMatch } from "../match/caller.ts";
import { parseQuery, type Query } from "../match/query.ts";
import type { RequestView } from "../match/request.ts";
import { lineMatches } from "../match/request-line.ts";
import { type TokenTruth, tokenMatches } from "../match/token.ts";
import { both, either, negate, type Truth } from "../match/truth.ts";
import { isCleanHeader, isCleanQuery, valuesMatch } from "../match/values.ts";
import type { Attributes, Cidr, Matcher, Rule } from "../model/index.ts";

const NO_VALUES: readonly string[] = Object.freeze([]);

/** One request as conditions read it; query and address are parsed when the first condition asks for them. */
export class RequestFacts {
  readonly attributes: Attributes;
  readonly request: RequestView;
  /** Absent where the host was refused, or for a connection. */
  readonly host: string | undefined;
  readonly nowMs: number;
  #query: Query | undefined;
  #address: readonly number[] | undefined | null = null;

  constructor(attributes: Attributes, request: RequestView, host: string | undefined) {
    this.attributes = attributes;
    this.request = request;
    this.host = host;
    this.nowMs = attributes.now.getTime();
  }

  get query(): Query {
    this.#query ??= parseQuery(this.attributes.http?.path ?? "");
    return this.#query;
  }

  get address(): readonly number[] | undefined {
    if (this.#address === null) {
      const { peerAddress } = this.attributes;
      this.#address = peerAddress === undefined ? undefined : parseAddress(peerAddress);
    }
    return this.#address;
  }
}

/** Whether every condition of a rule holds but for the request line. Cheap ones first, the token last. */
export function conditionsHold(found: ViewLine, facts: RequestFacts): TokenTruth {
  const { rule } = found;
  if (facts.nowMs < rule.notBeforeMs || facts.nowMs > rule.notAfterMs) return false;
  if (rule.ports !== undefined && !rule.ports.has(facts.attributes.listener.port)) return false;
  let truth = hostsMatch(rule.hosts, facts);
  if (truth !== false) truth = both(truth, blocksMatch(found.fromBlocks, facts));
  if (truth !== false) truth = both(truth, headersMatch(rule.effect, rule.headers, facts));
  if (truth !== false) truth = both(truth, queryMatches(rule.effect, rule.query, facts));
  if (truth !== false && found.except !== undefined) {
    truth = both(truth, negate(exceptMatches(rule.effect, found.except, facts)));
  }
  if (truth === false || rule.jwt === undefined) return truth;
  const token = tokenMatches(rule.effect, rule.jwt, facts.attributes);
  if (token === "no-token") return truth === true ? token : false;
  return both(truth, token);
}

function hostsMatch(hosts: ReadonlySet<string> | undefined, facts: RequestFacts): Truth {
  if (hosts === undefined) return true;
  if (facts.request.kind === "tcp") return false;
  return facts.host === undefined ? "unknown" : hosts.has(facts.host);
}

function blocksMatch(blocks: readonly (readonly Cidr[])[] | undefined, facts: RequestFacts): Truth {
  if (blocks === undefined) return true;
  let truth: Truth = false;
  for (const list of blocks) truth = either(truth, addressesMatch(list, facts.address));
  return truth;
}

function headersMatch(
  effect: Rule["effect"],
  headers: readonly (readonly [string, Matcher])[],
  { attributes }: RequestFacts,
): Truth {
  const { http } = attributes;
  if (http === undefined && effect === "allow") return headers.length === 0;
  let truth: Truth = true;
  for (const [name, matcher] of headers) {
    if (isUnknownHeader(attributes, name)) truth = "unknown";
    else if (!valuesMatch(effect, matcher, http?.headers.get(name) ?? NO_VALUES, isCleanHeader)) return false;
  }
  return truth;
}

/** Whether a header's values are not known of a request: the sidecar withholds it, or a record does not hold it. */
export function isUnknownHeader({ http, withheldHeaders, unrecorded }: Attributes, name: string): boolean {
  if (http === undefined) return false;
  return unrecorded !== undefined || withheldHeaders?.has(name) === true;
}

function queryMatches(
  effect: Rule["effect"],
  conditions: readonly (readonly [string, Matcher])[],
  facts: RequestFacts,
): Truth {
  if (conditions.length === 0) return true;
  const { request } = facts;
  if (request.kind === "tcp" && effect === "allow") return false;
  if (request.kind === "http" && (request.segments === undefined || facts.attributes.unrecorded !== undefined)) {
    return "unknown";
  }
  const { query } = facts;
  if (query === "malformed") return effect === "deny";
  for (const [name, matcher] of conditions) {
    if (!valuesMatch(effect, matcher, query.get(name) ?? NO_VALUES, isCleanQuery)) return false;
  }
  return true;
}

function exceptMatches(effect: Rule["effect"], except: ViewExcept, facts: RequestFacts): Truth {
  const from = blocksMatch(except.fromBlocks, facts);
  if (from === false || except.requests === undefined) return from;
  const reading = effect === "allow" ? "deny" : "allow";
  let truth: Truth = false;
  for (const line of except.requests) truth = either(truth, lineMatches(reading, line, facts.request));
  return both(from, truth);
}
