import { printable } from "../../printable.ts";
import { isRecord } from "../foreign-yaml.ts";
import type { SourcePlace } from "../report.ts";
import { checkKeys, type Path, type Refuse } from "./check-keys.ts";
import type { Clause, Field, ForeignTest, HeaderTest, IdentityTest, IstioRule } from "./policy.ts";
import { isConditionKey, valuesProblem } from "./validity.ts";

interface Context {
  readonly namespace: string;
  readonly refuse: Refuse;
  readonly at: (path: Path) => SourcePlace;
}

const NOTHING: Clause = {
  identities: [],
  addresses: [],
  hosts: [],
  ports: [],
  methods: [],
  paths: [],
  headers: [],
  tokens: [],
  foreign: [],
};

const SOURCE_FIELDS = [
  "principals",
  "requestPrincipals",
  "namespaces",
  "serviceAccounts",
  "trustDomains",
  "ipBlocks",
  "remoteIpBlocks",
];
const OPERATION_FIELDS = ["hosts", "ports", "methods", "paths"];

/** One rule: (any `from`) and (any `to`) and (all `when`), multiplied out into clauses. */
export function readRule(rule: unknown, path: Path, context: Context): IstioRule {
  const { refuse, at } = context;
  if (!isRecord(rule)) throw refuse(path, "a rule is a map");
  checkKeys(rule, ["from", "to", "when"], path, refuse);
  const sources = entries(rule.from, "source", [...path, "from"], SOURCE_FIELDS, context);
  const operations = entries(rule.to, "operation", [...path, "to"], OPERATION_FIELDS, context);
  const conditions = conditionsOf(rule.when, [...path, "when"], context);
  return {
    place: at(path),
    clauses: sources.flatMap((source) => operations.map((operation) => join(join(source, operation), conditions))),
  };
}

function entries(
  list: unknown,
  key: "source" | "operation",
  path: Path,
  fields: readonly string[],
  context: Context,
): readonly Clause[] {
  const { refuse } = context;
  if (list === undefined || list === null) return [NOTHING];
  if (!Array.isArray(list) || list.length === 0)
    throw refuse(path, `\`${String(path.at(-1))}\` is a list that is not empty`);
  return list.map((entry: unknown, index) => {
    const at = [...path, index];
    const inner = isRecord(entry) ? entry[key] : undefined;
    if (!isRecord(entry) || !isRecord(inner) || Object.keys(inner).length === 0)
      throw refuse(at, `\`${key}\` needs at least one field`);
    checkKeys(entry, [key], at, refuse);
    return fieldsOf(inner, fields, [...at, key], context);
  });
}

function fieldsOf(
  inner: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  path: Path,
  context: Context,
): Clause {
  const { refuse, at } = context;
  checkKeys(
    inner,
    fields.flatMap((field) => [field, notForm(field)]),
    path,
    refuse,
  );
  const has = (field: string): boolean => inner[field] !== undefined || inner[notForm(field)] !== undefined;
  if (has("serviceAccounts") && (has("principals") || has("namespaces")))
    throw refuse(path, "`serviceAccounts` stands without `principals` and `namespaces`");
  return Object.entries(inner).reduce((clause, [key, list]) => {
    const here = [...path, key];
    const field: Field = { values: valuesOf(key, list, here, refuse), negated: key.startsWith("not"), place: at(here) };
    return join(clause, fieldClause(positiveForm(key), field, context.namespace));
  }, NOTHING);
}

const notForm = (field: string): string => `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;
const positiveForm = (field: string): string =>
  field.startsWith("not") ? `${field.charAt(3).toLowerCase()}${field.slice(4)}` : field;

function valuesOf(key: string, list: unknown, path: Path, refuse: Refuse): readonly string[] {
  if (!Array.isArray(list) || list.length === 0) throw refuse(path, `\`${key}\` is a list that is not empty`);
  const values = list.map((value: unknown) => (typeof value === "string" ? value : String(value)));
  const problem = valuesProblem(key, values);
  if (problem !== undefined) throw refuse(path, `${key}: ${printable(problem)}`);
  return [...new Set(values)];
}

function fieldClause(field: string, test: Field, namespace: string): Clause {
  const identity = (kind: IdentityTest["kind"], values = test.values): Clause => ({
    ...NOTHING,
    identities: [{ ...test, values, kind }],
  });
  switch (field) {
    case "principals":
      return identity("principal");
    case "namespaces":
      return identity("namespace");
    case "trustDomains":
      return identity("trustDomain");
    case "serviceAccounts":
      return identity(
        "serviceAccount",
        test.values.map((value) => (value.includes("/") ? value : `${namespace}/${value}`)),
      );
    case "requestPrincipals":
      return { ...NOTHING, tokens: [test] };
    case "ipBlocks":
      return { ...NOTHING, addresses: [test] };
    case "hosts":
      return { ...NOTHING, hosts: [test] };
    case "ports":
      return { ...NOTHING, ports: [test] };
    case "methods":
      return { ...NOTHING, methods: [test] };
    case "paths":
      return { ...NOTHING, paths: [test] };
    default:
      return { ...NOTHING, foreign: [{ ...test, key: field }] };
  }
}

function conditionsOf(list: unknown, path: Path, context: Context): Clause {
  const { refuse, at } = context;
  if (list === undefined || list === null) return NOTHING;
  if (!Array.isArray(list)) throw refuse(path, "`when` is a list");
  return list.reduce((clause: Clause, entry: unknown, index) => {
    const here = [...path, index];
    if (!isRecord(entry) || typeof entry.key !== "string") throw refuse(here, "a condition has a key");
    checkKeys(entry, ["key", "values", "notValues"], here, refuse);
    if (!isConditionKey(entry.key)) throw refuse([...here, "key"], `unknown key \`${printable(entry.key, 80)}\``);
    if (entry.values === undefined && entry.notValues === undefined) throw refuse(here, "a condition has values");
    const tests = (["values", "notValues"] as const).flatMap((key) => {
      if (entry[key] === undefined) return [];
      const field: Field = {
        values: valuesOf(key, entry[key], [...here, key], refuse),
        negated: key === "notValues",
        place: at(here),
      };
      return [conditionClause(String(entry.key), field, context, here)];
    });
    return tests.reduce(join, clause);
  }, NOTHING);
}

const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["source.ip", "ipBlocks"],
  ["source.namespace", "namespaces"],
  ["source.serviceAccount", "serviceAccounts"],
  ["source.principal", "principals"],
  ["source.trustDomain", "trustDomains"],
  ["destination.port", "ports"],
  ["request.auth.principal", "requestPrincipals"],
]);

function conditionClause(key: string, test: Field, { namespace, refuse }: Context, path: Path): Clause {
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (header !== undefined) {
    const headers: readonly HeaderTest[] = [{ ...test, name: header.toLowerCase() }];
    return { ...NOTHING, headers };
  }
  const claim = claimOf(key);
  if (claim !== undefined) return { ...NOTHING, tokens: [{ ...test, claim }] };
  const field = ATTRIBUTES.get(key);
  if (field === undefined) {
    const foreign: readonly ForeignTest[] = [{ ...test, key }];
    return { ...NOTHING, foreign };
  }
  const problem = valuesProblem(field, test.values);
  if (problem !== undefined) throw refuse(path, `${key}: ${printable(problem)}`);
  return fieldClause(field, test, namespace);
}

/** The claim that a key of `when` is about, from the outermost in. */
function claimOf(key: string): readonly string[] | undefined {
  if (key === "request.auth.audiences") return ["aud"];
  if (key === "request.auth.presenter") return ["azp"];
  const names = /^request\.auth\.claims((?:\[[^\]]+\])+)$/.exec(key)?.[1];
  return names?.slice(1, -1).split("][");
}

function join(a: Clause, b: Clause): Clause {
  return {
    identities: [...a.identities, ...b.identities],
    addresses: [...a.addresses, ...b.addresses],
    hosts: [...a.hosts, ...b.hosts],
    ports: [...a.ports, ...b.ports],
    methods: [...a.methods, ...b.methods],
    paths: [...a.paths, ...b.paths],
    headers: [...a.headers, ...b.headers],
    tokens: [...a.tokens, ...b.tokens],
    foreign: [...a.foreign, ...b.foreign],
  };
}
