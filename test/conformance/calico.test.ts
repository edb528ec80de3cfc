import { afterAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Attributes } from "../../policies/index.ts";
import { InteropError, importPolicies, type RequestScope } from "../../policies/interop/index.ts";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { judge, setOf, TABLE_HEAD, Tally, verdictOf } from "./interop/judge.ts";
import { rows } from "./rows.ts";

interface RuleInput {
  readonly action?: string;
  readonly methods?: readonly string[];
  readonly paths?: readonly unknown[];
  readonly protocol?: string;
  readonly srcServiceAccounts?: readonly string[];
  readonly dstServiceAccounts?: readonly string[];
  readonly srcSelector?: string;
  readonly srcNets?: readonly string[];
  readonly dstNets?: readonly string[];
  readonly srcPorts?: readonly (readonly [number, number])[];
  readonly dstPorts?: readonly (readonly [number, number])[];
}

interface End {
  readonly principal?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ip?: string;
  readonly port?: number;
}

interface RequestInput {
  readonly source?: End;
  readonly destination?: End;
  readonly method?: string | null;
  readonly path?: string;
  readonly port?: number;
}

interface Row {
  readonly id: string;
  readonly kind: "method" | "service-account-name" | "cidr" | "rule" | "policy-namespace" | "policy" | "tiers";
  readonly input: {
    readonly methods?: readonly string[];
    readonly method?: string | null;
    readonly names?: readonly string[];
    readonly name?: string;
    readonly nets?: readonly string[];
    readonly ip?: string;
    readonly rule?: RuleInput;
    readonly rules?: readonly RuleInput[];
    readonly policyNamespace?: string;
    readonly tiers?: readonly {
      readonly name: string;
      readonly defaultAction: string;
      readonly policies: readonly {
        readonly name: string;
        readonly staged?: boolean;
        readonly rules: readonly RuleInput[];
      }[];
    }[];
    readonly profileDefault?: "allow" | null;
    readonly request?: RequestInput;
  };
  readonly expected: "match" | "no-match" | "allow" | "deny";
}

interface SelectorRow {
  readonly id: string;
  readonly input: { readonly selector: string; readonly labels?: Readonly<Record<string, string>> };
  readonly expected: "match" | "no-match" | "invalid";
}

const capital = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
const span = ([from, to]: readonly [number, number]): string => `${from}:${to}`;
const given = (entries: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));

/** A rule of the table in Calico's own words. */
function ruleOf(rule: RuleInput): unknown {
  const accounts = (names: readonly string[] | undefined) => (names === undefined ? undefined : { names });
  const http =
    rule.methods === undefined && rule.paths === undefined
      ? undefined
      : given({ methods: rule.methods, paths: rule.paths });
  return given({
    action: capital(rule.action ?? "allow"),
    protocol: rule.protocol,
    http,
    source: given({
      serviceAccounts: accounts(rule.srcServiceAccounts),
      selector: rule.srcSelector,
      nets: rule.srcNets,
      ports: rule.srcPorts?.map(span),
    }),
    destination: given({
      serviceAccounts: accounts(rule.dstServiceAccounts),
      nets: rule.dstNets,
      ports: rule.dstPorts?.map(span),
    }),
  });
}

function policyOf(
  rules: readonly RuleInput[],
  at: {
    readonly namespace?: string;
    readonly tier?: string;
    readonly name?: string;
    readonly order?: number;
    readonly staged?: boolean;
  },
): unknown {
  const kind = `${at.staged === true ? "Staged" : ""}${at.namespace === undefined ? "Global" : ""}NetworkPolicy`;
  return {
    apiVersion: "projectcalico.org/v3",
    kind,
    metadata: given({ name: at.name ?? "p", namespace: at.namespace }),
    spec: given({ tier: at.tier, order: at.order, selector: "all()", types: ["Ingress"], ingress: rules.map(ruleOf) }),
  };
}

function documentsOf({ kind, input }: Row): readonly unknown[] {
  switch (kind) {
    case "method":
      return [policyOf([given({ methods: input.methods }) as RuleInput], {})];
    case "service-account-name":
      return [policyOf([given({ srcServiceAccounts: input.names }) as RuleInput], {})];
    case "cidr":
      return [policyOf([given({ srcNets: input.nets }) as RuleInput], {})];
    case "rule":
      return [policyOf([input.rule ?? {}], {})];
    case "policy-namespace":
      return [policyOf([input.rule ?? {}], { namespace: input.policyNamespace ?? "" })];
    case "policy":
      return [policyOf(input.rules ?? [], {})];
    case "tiers":
      return (input.tiers ?? []).flatMap(({ name, defaultAction, policies }, order) => [
        { kind: "Tier", metadata: { name }, spec: { order, defaultAction } },
        ...policies.map((policy, index) =>
          policyOf(policy.rules, {
            tier: name,
            name: policy.name,
            order: index,
            ...(policy.staged === undefined ? {} : { staged: policy.staged }),
          }),
        ),
      ]);
  }
}

const requestOf = ({ input }: Row): RequestInput =>
  input.request ?? {
    ...(input.method === undefined ? {} : { method: input.method }),
    source: {
      principal: `spiffe://cluster.local/ns/testns/sa/${input.name ?? "sam"}`,
      ...(input.ip === undefined ? {} : { ip: input.ip }),
    },
  };

const SOURCE = "spiffe://cluster.local/ns/testns/sa/sam";
const DESTINATION = "spiffe://cluster.local/ns/testns/sa/ian";

function workloadOf(
  identity: string,
  name: string,
  labels: Readonly<Record<string, string>>,
  ports: readonly number[],
) {
  const [, , , , namespace = "", , serviceAccount = ""] = identity.split("/");
  return { namespace, name, serviceAccount, labels, identity, ports };
}

function attributesOf({ source, destination, method, path, port }: RequestInput): Attributes {
  return {
    caller: parseSpiffeId(source?.principal ?? SOURCE),
    destination: parseSpiffeId(destination?.principal ?? DESTINATION),
    peerAddress: source?.ip ?? "192.0.2.1",
    listener: { port: destination?.port ?? port ?? 80, kind: "mesh" },
    ...(method === undefined || method === null
      ? { tcp: {} }
      : { http: { method, path: path ?? "/x", host: "ian", headers: new Map(), protocol: "HTTP/1.1" } }),
    now: new Date(),
  };
}

/** Imports documents for the two workloads of a request, and judges it. */
function outcomeOf(
  documents: readonly unknown[],
  request: RequestInput,
  expected: "allow" | "deny",
  defaultAction: "allow" | "deny",
) {
  const port = request.destination?.port ?? request.port ?? 80;
  const result = importPolicies(
    "calico",
    [
      {
        path: "calico.yaml",
        text: documents.map((one) => stringify(one, { aliasDuplicateObjects: false })).join("---\n"),
      },
    ],
    {
      defaultAction,
      workloads: [
        workloadOf(request.destination?.principal ?? DESTINATION, "destination", request.destination?.labels ?? {}, [
          port,
        ]),
        workloadOf(request.source?.principal ?? SOURCE, "source", request.source?.labels ?? {}, [port]),
      ],
    },
  );
  const decision = verdictOf(setOf(result.documents), attributesOf(request));
  const isConnection = request.method === undefined || request.method === null;
  const inScope = (scope: RequestScope, subject?: string): boolean => {
    if (scope === "connection") return isConnection;
    if (scope === "method") return request.method === subject;
    if (scope === "head") return request.method === "HEAD";
    return scope === "trailing-slash" && request.path?.endsWith("/") === true;
  };
  return { outcome: judge(decision, expected, result.report, inScope), documents: result.documents };
}

const [policies, selectors, others] = [new Tally(), new Tally(), new Tally()];

describe("Calico policies", () => {
  it.each(rows<Row>("calico/policy-match.jsonl").map((row) => [row.id, row] as const))("%s", (_id, row) => {
    const expected = row.expected === "match" || row.expected === "allow" ? "allow" : "deny";
    const profile = row.kind === "tiers" && row.input.profileDefault === "allow" ? "allow" : "deny";
    const { outcome, documents } = outcomeOf(documentsOf(row), requestOf(row), expected, profile);
    (row.input.rule?.dstNets === undefined ? policies : others).add(outcome);
    expect(outcome, documents).not.toBe("wrong");
  });

  it.each(rows<SelectorRow>("calico/selectors.jsonl").map((row) => [row.id, row] as const))(
    "%s",
    (_id, { input, expected }) => {
      const documents = [policyOf([{ srcSelector: input.selector }], {})];
      const request = { source: { labels: input.labels ?? {} } };
      if (expected === "invalid") {
        expect(() => outcomeOf(documents, request, "deny", "deny")).toThrow(InteropError);
        selectors.add("exact");
        return;
      }
      const { outcome, documents: written } = outcomeOf(
        documents,
        request,
        expected === "match" ? "allow" : "deny",
        "deny",
      );
      selectors.add(outcome);
      expect(outcome, written).not.toBe("wrong");
    },
  );

  it("imports at least 80 % of the cases exactly", () => {
    const exact = policies.count("exact") + selectors.count("exact");
    expect(policies.cases).toBeGreaterThan(20);
    expect(exact / (policies.cases + selectors.cases)).toBeGreaterThanOrEqual(0.8);
  });
});

afterAll(() => {
  console.log(
    [
      TABLE_HEAD,
      policies.row("calico, policies"),
      selectors.row("calico, selectors"),
      others.row("calico, destination IP"),
    ].join("\n"),
  );
});
