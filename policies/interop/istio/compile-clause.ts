import { printable } from "../../printable.ts";
import { blocksOutside, blockWithin } from "../draft/address-blocks.ts";
import type { DraftCaller, DraftRule } from "../draft/draft.ts";
import { everyRequest, GRPC_BY_SERVICE } from "../draft/everything.ts";
import type { Say } from "../draft/say.ts";
import { witnessOfRule } from "../draft/witness.ts";
import type { World } from "../draft/world.ts";
import { isMethod, KNOWN_METHODS } from "../paths/known-methods.ts";
import { exactPath, type Patterns, rawPrefix, rawSuffix, templatePath } from "../paths/patterns.ts";
import { allowLines, denyLines, type Lines, type Selection } from "../paths/selection.ts";
import { addressesOf } from "./addresses.ts";
import { callersOf } from "./callers.ts";
import { canTest, type HeaderChoice, headerChoices } from "./headers.ts";
import { readHosts } from "./hosts.ts";
import { textForm, textMatches } from "./identity-text.ts";
import type { Clause, Field, HeaderTest } from "./policy.ts";

/** A rule without its name. */
export type Nameless = Omit<DraftRule, "name">;

/** What a clause comes out as. `denies` are carved out of an allow by rules of their own, which hold for other allows too. */
export interface Compiled {
  readonly rules: readonly Nameless[];
  readonly denies: readonly Nameless[];
}

/** What a clause is compiled in. */
export interface ClauseContext {
  readonly world: World;
  readonly effect: "allow" | "deny";
  /** Ports that the protected workloads listen on; absent where some are not known. */
  readonly ports: readonly number[] | undefined;
  /** Whether no other allow reaches the same workloads, so that a deny in its place is as good as an exception. */
  readonly alone: boolean;
  /** A workload that is protected, for requests that show something. */
  readonly destination: string;
  readonly say: (field: Field) => Say;
  readonly sayRule: Say;
}

const NOTHING: Compiled = { rules: [], denies: [] };

/** One conjunction as rules. What cannot be said is left out of an allow, and left out of a deny's conditions. */
export function compileClause(given: Clause, context: ClauseContext): Compiled {
  const { effect, say } = context;
  const http = isHttp(given);
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
function isHttp({ hosts, methods, paths, headers, foreign }: Clause): boolean {
  const http = foreign.some(({ key }) => key.startsWith("request"));
  return http || hosts.length + methods.length + paths.length + headers.length > 0;
}

function compileAllow(clause: Clause, context: ClauseContext, http: boolean): Compiled {
  const { world, say, sayRule } = context;
  const hosts = hostsOf(clause, context);
  const ports = portsOf(clause, context);
  if (hosts === "never" || ports === "never") return NOTHING;
  const headers = headerChoices(clause.headers, "allow", fieldSay(clause.headers, context));
  const lines: readonly Lines[] = http
    ? allowLines(selectionOf(clause, context), world, fieldSay([...clause.paths, ...clause.methods], context))
    : [{ requests: everyRequest(world), except: [] }];
  if (!http) sayRule("narrower", GRPC_BY_SERVICE, "grpc");
  const rules = lines.flatMap(({ requests, except }) => {
    const who = whoOf(clause, except.length === 0, context);
    if (who.from?.length === 0) return [];
    const exception = exceptOf(who.except, except);
    return headers.map((choice) => ({
      ...fromOf(who.from),
      requests,
      ...hostsAndPorts(hosts.names, ports.only),
      ...headersOf(choice),
      ...exception,
    }));
  });
  sayWider(clause, rules, context);
  const denied = [...hosts.not.map((names) => ({ hosts: names })), ...ports.not.map((numbers) => ({ ports: numbers }))];
  if (denied.length > 0 && !context.alone && rules.length > 0) sayCarved(clause, say);
  const denies = rules.length === 0 ? [] : denied.map((what) => ({ ...carve(rules), ...what }));
  return { rules, denies };
}

function sayCarved(clause: Clause, say: ClauseContext["say"]): void {
  for (const field of [...clause.hosts, ...clause.ports].filter(({ negated }) => negated))
    say(field)("narrower", "what is excluded here is denied, also where another policy allows it");
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
  if (hosts === "never" || ports === "never") return NOTHING;
  const headers = headerChoices(clause.headers, "deny", fieldSay(clause.headers, context));
  const who = whoOf(clause, true, context);
  if (who.from?.length === 0) return NOTHING;
  const limits = hostsAndPorts(hosts.names, ports.only);
  if (!http) return { rules: [{ ...fromOf(who.from), ...limits, ...exceptOf(who.except, []) }], denies: [] };
  const lines = denyLines(
    selectionOf(clause, context),
    true,
    world,
    fieldSay([...clause.paths, ...clause.methods], context),
  );
  const both = lines.except.length > 0 && who.except.length > 0;
  const listed = both ? whoOf(clause, false, context) : who;
  const rules = headers.map((choice) => ({
    ...fromOf(listed.from),
    requests: lines.requests,
    ...limits,
    ...headersOf(choice),
    ...exceptOf(listed.except, lines.except),
  }));
  const connections = {
    ...fromOf(who.from),
    requests: ["tcp *"],
    ...hostsAndPorts([], ports.only),
    ...exceptOf(who.except, []),
  };
  return { rules: [...(lines.requests.length === 0 ? [] : rules), connections], denies: [] };
}

const fromOf = (from: readonly DraftCaller[] | undefined): Nameless => (from === undefined ? {} : { from });

function hostsAndPorts(hosts: readonly string[], ports: readonly number[] | undefined): Nameless {
  return { ...(hosts.length === 0 ? {} : { hosts }), ...(ports === undefined ? {} : { ports }) };
}

const headersOf = (headers: HeaderChoice): Nameless => (Object.keys(headers).length === 0 ? {} : { headers });

function exceptOf(from: readonly DraftCaller[], requests: readonly string[]): Nameless {
  if (from.length + requests.length === 0) return {};
  return { except: { ...(from.length === 0 ? {} : { from }), ...(requests.length === 0 ? {} : { requests }) } };
}

/** Says something of every field of a kind, or of the rule where it has none. */
function fieldSay(fields: readonly Field[], { say, sayRule }: ClauseContext): Say {
  const [first] = fields;
  return first === undefined ? sayRule : say(first);
}

function whoOf(
  clause: Clause,
  carveOut: boolean,
  context: ClauseContext,
): { readonly from: readonly DraftCaller[] | undefined; readonly except: readonly DraftCaller[] } {
  const { world, effect } = context;
  const callers = callersOf(clause.identities, effect, carveOut, world, fieldSay(clause.identities, context));
  const { only, not } = addressesOf(clause.addresses);
  const positive = only ?? (carveOut || not.length === 0 ? undefined : blocksOutside(not));
  const inside = only !== undefined && not.length > 0 && !carveOut ? intersect(only, blocksOutside(not)) : positive;
  const everyone = clause.identities.length === 0;
  const from =
    inside === undefined
      ? callers.from
      : everyone
        ? [{ addresses: inside }]
        : (callers.from ?? [{}]).map((caller) => ({ ...caller, addresses: inside }));
  const except = carveOut && not.length > 0 ? [...callers.except, { addresses: not }] : callers.except;
  return { from: inside?.length === 0 ? [] : from, except };
}

function intersect(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.flatMap((one) =>
    b.flatMap((other) => (blockWithin(one, other) ? [one] : blockWithin(other, one) ? [other] : [])),
  );
}

function hostsOf(
  { hosts }: Clause,
  { effect, say, world }: ClauseContext,
): "never" | { readonly names: readonly string[]; readonly not: readonly (readonly string[])[] } {
  let names: readonly string[] = [];
  const not: (readonly string[])[] = [];
  for (const field of hosts) {
    const read = readHosts(field.values, effect === "allow" && !field.negated ? world.hosts : []);
    if (field.negated && read.any) {
      if (effect === "allow") return "never";
      continue;
    }
    if (read.any) continue;
    if (read.beyond.length > 0) sayBeyond(read.beyond, field, effect, say(field));
    if (read.withoutPort.length > 0) sayPort(field, effect, say(field));
    if (field.negated && effect === "deny")
      say(field)("narrower", "a deny cannot spare a host; it holds for every host");
    else if (field.negated) {
      if (read.beyond.length > 0) return "never";
      not.push(read.names);
    } else if (effect === "allow" || read.beyond.length === 0) names = read.names;
    if (!field.negated && effect === "allow" && read.names.length === 0) return "never";
  }
  return { names, not };
}

function sayBeyond(beyond: readonly string[], { negated }: Field, effect: "allow" | "deny", say: Say): void {
  const what = beyond.map((value) => `\`${printable(value, 80)}\``).join(", ");
  if (effect === "deny") say("narrower", `hosts are exact names here, not ${what}; the deny holds for every host`);
  else if (negated) say("unsupported", `hosts are exact names here, not ${what}; the rule is left out`);
  else
    for (const value of beyond)
      say(
        "narrower",
        `hosts are exact names here, not ${what}; of these, known hosts are written`,
        "host",
        undefined,
        value,
      );
}

const WITHOUT_PORT = "hosts are compared without their port, the source compares it too";

/** What an allow lets through that the source does not, each with a request that shows it. */
function sayWider(clause: Clause, rules: readonly Nameless[], { world, destination, say }: ClauseContext): void {
  const [rule] = rules;
  if (rule === undefined) return;
  for (const field of clause.hosts.filter(({ negated }) => !negated)) {
    const [name] = readHosts(field.values, world.hosts).withoutPort;
    if (name === undefined || readHosts(field.values, []).any) continue;
    const shown = witnessOfRule(rule, destination, world, { host: `${name}:8080` });
    if (shown !== undefined) say(field)("wider", WITHOUT_PORT, "host-with-port", shown);
  }
  for (const test of clause.headers.filter(({ negated }) => !negated)) {
    const value = exactValue(test);
    const tested = rules.find((one) => value !== undefined && one.headers?.[test.name] !== undefined);
    if (value === undefined || tested === undefined) continue;
    const shown = witnessOfRule(tested, destination, world, { headers: { [test.name]: [value, value] } });
    const reason = "each value of a repeated header is compared, the source compares the whole list";
    if (shown !== undefined) say(test)("wider", reason, "list-header", shown);
  }
}

function exactValue({ values }: Field): string | undefined {
  const forms = values.map(textForm);
  if (forms.some(({ kind }) => kind === "any")) return undefined;
  return forms.flatMap((form) => (form.kind === "exact" ? [form.text] : []))[0];
}

function sayPort({ negated }: Field, effect: "allow" | "deny", say: Say): void {
  if (effect === "deny" || negated) say("narrower", WITHOUT_PORT, "host-with-port");
}

function portsOf(
  { ports: fields }: Clause,
  { effect, ports: known, say }: ClauseContext,
): "never" | { readonly only: readonly number[] | undefined; readonly not: readonly (readonly number[])[] } {
  const positive = fields.filter(({ negated }) => !negated).map(({ values }) => values.map(Number));
  const negative = fields.filter(({ negated }) => negated).flatMap(({ values }) => values.map(Number));
  const [first, ...more] = positive;
  const base =
    first?.filter((port) => more.every((other) => other.includes(port))) ?? (negative.length > 0 ? known : undefined);
  const only = base === undefined ? undefined : [...new Set(base)].filter((port) => !negative.includes(port));
  if (only !== undefined)
    return only.filter((port) => port > 0).length === 0 ? "never" : { only: only.filter((port) => port > 0), not: [] };
  if (negative.length === 0) return { only: undefined, not: [] };
  if (effect === "allow") return { only: undefined, not: [negative] };
  for (const field of fields)
    say(field)("narrower", "which other ports there are is not known; the deny holds for every port");
  return { only: undefined, not: [] };
}

function selectionOf({ methods, paths }: Clause, context: ClauseContext): Selection {
  const pick = (fields: readonly Field[], negated: boolean): readonly Field[] =>
    fields.filter((one) => one.negated === negated);
  const [listed] = pick(methods, false);
  const [path] = pick(paths, false);
  return {
    methods: listed === undefined ? undefined : methodsOf(listed, context),
    notMethods: pick(methods, true).flatMap((field) => methodsOf(field, context) ?? KNOWN_METHODS),
    patterns: path === undefined ? ["/**"] : unioned(path),
    notPatterns: pick(paths, true).flatMap(unioned),
  };
}

const unioned = ({ values }: Field): readonly string[] => [...new Set(values.flatMap(pathPatterns))];

/** Istio's path values: text forms, or a template where braces say so. */
function pathPatterns(value: string): Patterns {
  if (value.includes("{*}") || value.includes("{**}")) return templatePath(value);
  const form = textForm(value);
  switch (form.kind) {
    case "any":
      return ["/**"];
    case "exact":
      return exactPath(form.text);
    case "prefix":
      return rawPrefix(form.text);
    case "suffix":
      return rawSuffix(form.text);
  }
}

/** The methods of a field; absent is any. */
function methodsOf(field: Field, { effect, say }: ClauseContext): readonly string[] | undefined {
  const forms = field.values.map(textForm);
  if (forms.some(({ kind }) => kind === "any")) return undefined;
  const exact = forms.flatMap((form) => (form.kind === "exact" ? [form.text] : []));
  for (const method of exact.filter((one) => !isMethod(one)))
    say(field)(
      effect === "allow" && !field.negated ? "narrower" : "exact",
      `\`${printable(method, 80)}\` is no method that a request can have`,
      "method",
      undefined,
      method,
    );
  const patterns = forms.filter(({ kind }) => kind !== "exact");
  if (patterns.length > 0 && effect === "deny" && !field.negated) {
    say(field)("narrower", "a deny cannot begin or end a method's name; it holds for every method");
    return undefined;
  }
  if (patterns.length > 0) say(field)("narrower", "a pattern of methods stands for the registered ones only");
  const known = KNOWN_METHODS.filter((method) => patterns.some((form) => textMatches(form, method)));
  return [...new Set([...exact.filter(isMethod), ...known])];
}
