import type { Matcher, PolicySet, RequestLine, Rule, Workload } from "../../model/index.ts";
import type { Asked } from "../case-attributes.ts";
import { callersNear } from "./callers-near.ts";
import { requestsNear, STRANGE, valuesNear } from "./samples.ts";

/** What a probe varies beside caller and request. */
type Rest = Omit<Asked, "destination" | "identity" | "request">;

/** Callers and requests that are combined with every deviation. */
const MOST_WITH_DEVIATIONS = 6;

/**
 * Requests at a destination around what rules say: every caller with every request where all else is as the rules ask for, then one
 * thing changed at a time.
 */
export function* probesNear(rules: readonly Rule[], destination: Workload, set: PolicySet, now: Date): Iterable<Asked> {
  const callers = callersNear(rules, destination, set);
  const requests = [...new Set([...rules.flatMap(linesOf).flatMap(requestsNear), ...anyRequests(destination)])];
  const [plain, ...deviations] = restsNear(rules, destination, now);
  for (const request of requests)
    for (const identity of callers) yield asked(destination, identity, request, plain ?? NOTHING);
  for (const deviation of deviations)
    for (const request of requests.slice(0, MOST_WITH_DEVIATIONS))
      for (const identity of callers.slice(0, MOST_WITH_DEVIATIONS))
        yield asked(destination, identity, request, deviation);
}

const NOTHING: Rest = { headers: new Map(), claims: new Map() };

/** Requests that no line need be about, one a kind of listener. */
function anyRequests({ sidecar }: Workload): readonly string[] {
  return [
    `GET /${STRANGE}`,
    ...(sidecar?.listens ?? []).flatMap(({ protocol, port }) => (protocol === "tcp" ? [`tcp ${port}`] : [])),
  ];
}

function linesOf({ requests, except }: Rule): readonly RequestLine[] {
  return [...(requests ?? []), ...(except?.requests ?? [])];
}

function asked(
  destination: Workload,
  identity: string | undefined,
  request: string,
  rest: Rest & { readonly query?: string },
): Asked {
  const { query, ...others } = rest;
  const target =
    query === undefined || query === "" || /^(?:tcp|grpc) /.test(request) ? request : `${request}?${query}`;
  return { destination, identity, request: target, ...others };
}

type Assignment = ReadonlyMap<string, string | undefined>;

interface Draft {
  readonly headers: Assignment;
  readonly query: Assignment;
  readonly tokens: ReadonlyMap<string, Readonly<Record<string, unknown>>>;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly address?: string | undefined;
  readonly at?: Date | undefined;
}

/** The plain draft first: what the first rule asks for, and of the others what does not contradict it. */
function restsNear(
  rules: readonly Rule[],
  destination: Workload,
  now: Date,
): readonly (Rest & { readonly query?: string })[] {
  const plain = plainDraft(rules, now);
  const drafts: Draft[] = [plain];
  for (const [name, value] of variants(rules, "headers"))
    drafts.push({ ...plain, headers: new Map([...plain.headers, [name, value]]) });
  for (const [name, value] of variants(rules, "query"))
    drafts.push({ ...plain, query: new Map([...plain.query, [name, value]]) });
  for (const tokens of tokenVariants(rules, plain.tokens)) drafts.push({ ...plain, tokens });
  for (const host of [...rules.flatMap(({ hosts }) => hosts ?? []), "zz.invalid"]) drafts.push({ ...plain, host });
  for (const port of portsNear(rules, destination)) drafts.push({ ...plain, port });
  for (const at of instantsNear(rules)) drafts.push({ ...plain, at });
  for (const address of addressesNear(rules)) drafts.push({ ...plain, address });
  return drafts.map(restOf);
}

function plainDraft(rules: readonly Rule[], now: Date): Draft {
  const [first] = rules;
  const inTime = (at: Date): boolean => at >= (first?.notBefore ?? at) && at <= (first?.notAfter ?? at);
  return {
    headers: assignment(rules, "headers"),
    query: assignment(rules, "query"),
    tokens: new Map(
      rules.flatMap(({ jwt }) => (jwt === undefined ? [] : [[jwt.provider, payloadOf(jwt)] as const])).reverse(),
    ),
    host: first?.hosts?.[0],
    port: first?.ports?.[0],
    address: firstAddress(rules),
    at: inTime(now) ? undefined : (first?.notBefore ?? first?.notAfter),
  };
}

function assignment(rules: readonly Rule[], key: "headers" | "query"): Assignment {
  const values = new Map<string, string | undefined>();
  for (const rule of rules)
    for (const [name, matcher] of rule[key]) if (!values.has(name)) values.set(name, valuesNear(matcher)[0]);
  return values;
}

function variants(
  rules: readonly Rule[],
  key: "headers" | "query",
): readonly (readonly [string, string | undefined])[] {
  return rules.flatMap((rule) =>
    [...rule[key]].flatMap(([name, matcher]) => valuesNear(matcher).map((value) => [name, value] as const)),
  );
}

type Jwt = NonNullable<Rule["jwt"]>;

function payloadOf({ scopes, claims }: Jwt): Readonly<Record<string, unknown>> {
  const values = [...claims].map(([name, matcher]) => [name, claimValue(matcher, valuesNear(matcher)[0])] as const);
  return {
    ...(scopes.length === 0 ? {} : { scope: scopes.join(" ") }),
    ...Object.fromEntries(values.filter(([, value]) => value !== undefined)),
  };
}

function claimValue(matcher: Matcher, value: string | undefined): unknown {
  return value !== undefined && (matcher.kind === "has" || matcher.kind === "hasAny") ? [value] : value;
}

function* tokenVariants(rules: readonly Rule[], plain: Draft["tokens"]): Iterable<Draft["tokens"]> {
  for (const { jwt } of rules) {
    if (jwt === undefined) continue;
    const payload = plain.get(jwt.provider) ?? {};
    const others = [...plain].filter(([provider]) => provider !== jwt.provider);
    yield new Map(others);
    for (const scope of jwt.scopes)
      yield new Map([
        ...others,
        [jwt.provider, { ...payload, scope: jwt.scopes.filter((one) => one !== scope).join(" ") }],
      ]);
    for (const [name, matcher] of jwt.claims)
      for (const value of valuesNear(matcher)) {
        const { [name]: _, ...left } = payload;
        const claim = claimValue(matcher, value);
        yield new Map([...others, [jwt.provider, claim === undefined ? left : { ...left, [name]: claim }]]);
      }
  }
}

function portsNear(rules: readonly Rule[], { sidecar }: Workload): ReadonlySet<number> {
  return new Set([
    ...rules.flatMap(({ ports }) => ports ?? []),
    ...(sidecar?.listens.map(({ port }) => port) ?? []),
    65_535,
  ]);
}

function instantsNear(rules: readonly Rule[]): readonly Date[] {
  const shifted = (date: Date | undefined, ms: number): readonly Date[] =>
    date === undefined ? [] : [new Date(date.getTime() + ms)];
  return rules.flatMap(({ notBefore, notAfter }) => [
    ...shifted(notBefore, -1),
    ...shifted(notBefore, 0),
    ...shifted(notAfter, 0),
    ...shifted(notAfter, 1),
  ]);
}

function blocksOf(rules: readonly Rule[]): readonly (readonly number[])[] {
  return rules
    .flatMap(({ from, except }) => [...(from ?? []), ...(except?.from ?? [])])
    .flatMap(({ addresses }) => addresses ?? [])
    .map(({ bytes }) => bytes);
}

function firstAddress(rules: readonly Rule[]): string | undefined {
  return addressesNear(rules)[0];
}

/** Addresses in no block that anybody writes down (RFC 5737, RFC 3849) come after those in the blocks. */
function addressesNear(rules: readonly Rule[]): readonly string[] {
  const blocks = blocksOf(rules);
  return blocks.length === 0 ? [] : [...blocks.map(addressText), "203.0.113.254", "2001:db8::ffff"];
}

function addressText(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  return groups.join(":");
}

function restOf({ headers, query, tokens, ...draft }: Draft): Rest & { readonly query?: string } {
  const pairs = [...query].flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return {
    ...draft,
    headers: new Map([...headers].flatMap(([name, value]) => (value === undefined ? [] : [[name, [value]] as const]))),
    claims: tokens,
    query: pairs.join("&"),
  };
}
