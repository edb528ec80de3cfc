import { printable } from "../../printable.ts";
import type { DraftCaller, DraftJwt } from "../draft/draft.ts";
import { everyRequest, GRPC_BY_SERVICE } from "../draft/everything.ts";
import { allowLines, denyLines, type Lines } from "../paths/selection.ts";
import { whoOf } from "./clause-callers.ts";
import { type ClauseContext, type Compiled, fieldSay, type Nameless } from "./clause-context.ts";
import { hostsOf, suspectWider } from "./clause-hosts.ts";
import { portsOf } from "./clause-ports.ts";
import { selectionOf } from "./clause-requests.ts";
import { canTest, type HeaderChoice, headerChoices } from "./headers.ts";
import type { Clause, HeaderTest } from "./policy.ts";
import { tokenWays } from "./token-rules.ts";

const NOTHING: Compiled = { rules: [], denies: [], carved: [] };

/** One conjunction as rules. What cannot be said is left out of an allow, and left out of a deny's conditions. */
export function compileClause(given: Clause, context: ClauseContext): Compiled {
  const { effect, say } = context;
  // Over TCP an allow is no rule where anything in it asks for something of HTTP.
  const http = effect === "allow" ? context.http : isHttp(given);
  const plain = effect === "allow" && given.headers.some(isNoUpgrade);
  const clause = plain ? { ...given, headers: given.headers.filter((test) => !isNoUpgrade(test)) } : given;
  for (const test of [...clause.foreign, ...clause.headers.filter((one) => !canTest(one))]) {
    const what = "key" in test ? test.key : `request.headers[${test.name}]`;
    const reason = `\`${printable(what, 80)}\` is nothing that a rule here can look at`;
    if (effect === "allow") say(test)("unsupported", `${reason}; the rule is left out`);
    else say(test)("narrower", `${reason}; the deny holds whatever it is`);
  }
  const cannot = clause.foreign.length > 0 || clause.headers.some((test) => !canTest(test));
  if (effect === "allow") {
    // Only lines for upgrades match one, so that leaving them out says that there is none.
    const { world } = context;
    return cannot
      ? NOTHING
      : compileAllow(clause, plain ? { ...context, world: { ...world, websocket: false } } : context, http);
  }
  return compileDeny({ ...clause, foreign: [], headers: clause.headers.filter(canTest) }, context, http);
}

/** Whether a test says that a request is no upgrade. */
function isNoUpgrade({ name, negated, values }: HeaderTest): boolean {
  return name === "upgrade" && negated && values.includes("*");
}

/** Whether a clause holds a field that a connection does not have. */
export function isHttp({ hosts, methods, paths, headers, tokens }: Clause): boolean {
  return hosts.length + methods.length + paths.length + headers.length + tokens.length > 0;
}

function compileAllow(clause: Clause, context: ClauseContext, http: boolean): Compiled {
  const { world, sayRule } = context;
  const hosts = hostsOf(clause, context);
  const ports = portsOf(clause, context);
  if (hosts === "never" || ports === "never") return NOTHING;
  const headers = headerChoices(clause.headers, "allow", fieldSay(clause.headers, context));
  const tokens = tokenWays(clause.tokens, context);
  const lines: readonly Lines[] = http
    ? allowLines(selectionOf(clause, context), world, fieldSay([...clause.paths, ...clause.methods], context))
    : [{ requests: everyRequest(world), except: [] }];
  if (!http) sayRule("narrower", GRPC_BY_SERVICE, "grpc");
  const rules = lines.flatMap(({ requests, except }) => {
    const who = whoOf(clause, except.length === 0, context);
    if (who.from?.length === 0) return [];
    const exception = exceptOf(who.except, except);
    return headers.flatMap((choice) =>
      tokens.ways.map((jwt) => ({
        ...fromOf(who.from),
        requests,
        ...hostsAndPorts(hosts.names, ports.only),
        ...headersOf(choice),
        ...jwtOf(jwt),
        ...exception,
      })),
    );
  });
  if (rules.length > 0) suspectWider(clause, rules, context);
  const denied = [
    ...hosts.not.map((names) => ({ hosts: names })),
    ...ports.not.map((numbers) => ({ ports: numbers })),
    ...tokens.denied.map((jwt) => ({ jwt })),
  ];
  const denies = rules.length === 0 ? [] : denied.map((what) => ({ ...carve(rules), ...what }));
  const carved = denies.length === 0 ? [] : [...clause.hosts, ...clause.ports, ...clause.tokens];
  return { rules, denies, carved: carved.filter(({ negated }) => negated) };
}

/** The requests of rules as a deny's lines. */
function carve(rules: readonly Nameless[]): Nameless {
  const from = rules.some((rule) => rule.except?.from !== undefined)
    ? undefined
    : rules.flatMap((rule) => rule.from ?? []);
  const requests = rules.flatMap((rule) => rule.requests ?? []).filter((line) => !line.startsWith("grpc "));
  return { ...(from === undefined ? {} : { from: unique(from) }), requests: [...new Set(requests)] };
}

function unique(callers: readonly DraftCaller[]): readonly DraftCaller[] {
  return [...new Map(callers.map((caller) => [JSON.stringify(caller), caller])).values()];
}

function compileDeny(clause: Clause, context: ClauseContext, http: boolean): Compiled {
  const { world } = context;
  const hosts = hostsOf(clause, context);
  const ports = portsOf(clause, context);
  if (ports === "never") return NOTHING;
  const headers = headerChoices(clause.headers, "deny", fieldSay(clause.headers, context));
  const who = whoOf(clause, true, context);
  if (who.from?.length === 0) return NOTHING;
  const limits = hostsAndPorts(hosts === "never" ? [] : hosts.names, ports.only);
  if (!http) return { ...NOTHING, rules: [{ ...fromOf(who.from), ...limits, ...exceptOf(who.except, []) }] };
  const lines = denyLines(selectionOf(clause, context), world, fieldSay([...clause.paths, ...clause.methods], context));
  const both = who.except.length > 0 && lines.some(({ except }) => except.length > 0);
  const listed = both ? whoOf(clause, false, context) : who;
  const tokens = tokenWays(clause.tokens, context);
  const rules = lines.flatMap(({ requests, except }) =>
    headers.flatMap((choice) =>
      tokens.ways.map((jwt) => ({
        ...fromOf(listed.from),
        requests,
        ...limits,
        ...headersOf(choice),
        ...jwtOf(jwt),
        ...exceptOf(listed.except, except),
      })),
    ),
  );
  const connections = {
    ...fromOf(who.from),
    requests: ["tcp *"],
    ...hostsAndPorts([], ports.only),
    ...exceptOf(who.except, []),
  };
  const never = hosts === "never" || listed.from?.length === 0;
  return { ...NOTHING, rules: [...(never ? [] : rules), connections] };
}

const fromOf = (from: readonly DraftCaller[] | undefined): Nameless => (from === undefined ? {} : { from });

function hostsAndPorts(hosts: readonly string[], ports: readonly number[] | undefined): Nameless {
  return { ...(hosts.length === 0 ? {} : { hosts }), ...(ports === undefined ? {} : { ports }) };
}

const jwtOf = (jwt: DraftJwt | undefined): Nameless => (jwt === undefined ? {} : { jwt });

const headersOf = (headers: HeaderChoice): Nameless => (Object.keys(headers).length === 0 ? {} : { headers });

function exceptOf(from: readonly DraftCaller[], requests: readonly string[]): Nameless {
  if (from.length + requests.length === 0) return {};
  return { except: { ...(from.length === 0 ? {} : { from }), ...(requests.length === 0 ? {} : { requests }) } };
}
