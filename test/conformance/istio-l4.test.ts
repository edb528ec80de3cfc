import { afterAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Attributes } from "../../policies/index.ts";
import { importPolicies } from "../../policies/interop/index.ts";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { judge, setOf, TABLE_HEAD, Tally, verdictOf } from "./interop/judge.ts";
import { rows } from "./rows.ts";

type Match = Readonly<Record<string, readonly string[]>>;

interface Row {
  readonly id: string;
  readonly kind: "field" | "string" | "nesting";
  readonly input: {
    readonly match?: Match;
    readonly policy?: { readonly rules: readonly (readonly (readonly Match[])[])[] };
    readonly connection?: { readonly identity: string | null; readonly src: string; readonly port: number };
    readonly type?: "exact" | "prefix" | "suffix" | "presence";
    readonly value?: string;
    readonly subject?: string;
  };
  readonly expected: "match" | "no-match";
}

const DESTINATION = "spiffe://td/ns/called/sa/called";
const cases = rows<Row>("istio-l4/ztunnel.jsonl");

/** ztunnel's matches in the words of an AuthorizationPolicy: rules OR, clauses AND, matches OR. */
function ruleOf(clauses: readonly (readonly Match[])[]): unknown {
  const entries = clauses.map((matches) => matches.map((match) => Object.entries(match)));
  const of = (test: (key: string) => boolean) => entries.filter((clause) => clause.flat().some(([key]) => test(key)));
  const isPort = (key: string) => /ports$/i.test(key);
  const isDestination = (key: string) => /destinationIps$/i.test(key);
  const part = (clause: (typeof entries)[number] | undefined, word: string) =>
    clause?.map((fields) => ({ [word]: Object.fromEntries(fields) }));
  const [from] = of((key) => !isPort(key) && !isDestination(key));
  const [to] = of(isPort);
  const when = of(isDestination).flatMap((clause) =>
    clause
      .flat()
      .map(([key, values]) => ({ key: "destination.ip", [key.startsWith("not") ? "notValues" : "values"]: values })),
  );
  return {
    ...(from === undefined ? {} : { from: part(from, "source") }),
    ...(to === undefined ? {} : { to: part(to, "operation") }),
    ...(when.length === 0 ? {} : { when }),
  };
}

/** A text form of ztunnel's, tried on a header. */
function stringRule({ type, value = "" }: Row["input"]): unknown {
  const forms = { exact: value, prefix: `${value}*`, suffix: `*${value}`, presence: "*" };
  return { when: [{ key: "request.headers[x-subject]", values: [forms[type ?? "exact"]] }] };
}

function rulesOf({ input }: Row): readonly unknown[] {
  if (input.match !== undefined) return [ruleOf([[input.match]])];
  return input.policy?.rules.map(ruleOf) ?? [stringRule(input)];
}

function attributesOf({ input: { connection, subject } }: Row): Attributes {
  const identity = connection === undefined ? "spiffe://td/ns/callers/sa/c" : connection.identity;
  return {
    ...(identity === null ? {} : { caller: parseSpiffeId(identity) }),
    destination: parseSpiffeId(DESTINATION),
    peerAddress: connection?.src ?? "127.0.0.1",
    listener: { port: connection?.port ?? 80, kind: identity === null ? "edge" : "mesh" },
    ...(connection === undefined
      ? {
          http: {
            method: "GET",
            path: "/",
            host: "called",
            headers: new Map(subject === undefined || subject === "" ? [] : [["x-subject", [subject]]]),
            protocol: "HTTP/1.1",
          },
        }
      : { tcp: {} }),
    now: new Date(),
  };
}

/** An identity that is no SPIFFE ID is presented by nobody here. */
const isPresentable = ({ input }: Row): boolean => !/=/.test(input.connection?.identity ?? "");

const [free, others] = [new Tally(), new Tally()];

describe("ztunnel's matcher", () => {
  it.each(cases.filter(isPresentable).map((row) => [row.id, row] as const))("%s", (_id, row) => {
    const policy = {
      kind: "AuthorizationPolicy",
      metadata: { name: "p", namespace: "called" },
      spec: { rules: rulesOf(row) },
    };
    const identities = [
      ...new Set(cases.flatMap(({ input }) => input.connection?.identity ?? [])),
      "spiffe://td/ns/callers/sa/c",
    ];
    const { documents, report } = importPolicies("istio", [{ path: "p.yaml", text: stringify(policy) }], {
      trustDomain: "td",
      federation: ["td-alt"],
      workloads: [
        {
          namespace: "called",
          name: "called",
          labels: {},
          identity: DESTINATION,
          ports: [...new Set(cases.flatMap(({ input }) => input.connection?.port ?? 80))],
        },
        ...identities
          .filter((one) => one.startsWith("spiffe://td/"))
          .map((identity, index) => ({ namespace: "callers", name: `c-${index}`, labels: {}, identity })),
      ],
    });
    const decision = verdictOf(setOf(documents), attributesOf(row));
    const expected = row.expected === "match" ? "allow" : "deny";
    const outcome = judge(decision, expected, report, (scope) => scope === "connection");
    (/destinationIps/i.test(JSON.stringify(row.input)) ? others : free).add(outcome);
    expect(outcome, documents).not.toBe("wrong");
  });

  it("is imported exactly in at least 95 % of the cases free of destination addresses", () => {
    expect(free.exactShare).toBeGreaterThanOrEqual(0.95);
  });
});

afterAll(() => {
  console.log([TABLE_HEAD, free.row("istio-l4"), others.row("istio-l4, destination IP")].join("\n"));
});
