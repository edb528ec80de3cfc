import type { PolicySet, ReasonCode, Span, Verdict, Workload } from "../model/index.ts";
import type { Document } from "../syntax/document.ts";
import type { TestCaller, TestCaseSyntax } from "../syntax/kinds/policy-test.ts";

/** One case of a PolicyTest, its references looked up. */
export interface TestCase {
  /** `<namespace>/<name>` of the PolicyTest. */
  readonly test: string;
  /** Counts from 1 within the PolicyTest. */
  readonly number: number;
  /** `web: GET /orders/42`, what people know the case by. */
  readonly title: string;
  readonly span: Span;
  readonly stage: "live" | "candidate";
  readonly destination: Workload;
  readonly caller: TestCaller;
  /** The caller's identity; absent for an anonymous one. */
  readonly identity: string | undefined;
  /** The caller, where it is a workload of the set. */
  readonly workload: Workload | undefined;
  readonly written: TestCaseSyntax;
  readonly expected: Expected;
}

/** What a case asks of the decision. */
export interface Expected {
  readonly verdict: Verdict;
  /** `<namespace>/<policy>/<rule>` */
  readonly rule?: string;
  readonly reason?: ReasonCode;
}

type PolicyTest = Extract<Document, { readonly kind: "PolicyTest" }>;

/** The cases of all PolicyTests among documents, in the order written. Cases about workloads that the set lacks are left out. */
export function testCasesOf(documents: readonly Document[], set: PolicySet): readonly TestCase[] {
  const workloads = new Map(set.workloads.map((each) => [`${each.namespace}/${each.name}`, each]));
  return documents.flatMap((document) => (document.kind === "PolicyTest" ? casesOf(document, workloads) : []));
}

function casesOf(test: PolicyTest, workloads: ReadonlyMap<string, Workload>): readonly TestCase[] {
  const find = (of: { readonly namespace?: string; readonly name: string }): Workload | undefined =>
    workloads.get(`${of.namespace ?? test.namespace}/${of.name}`);
  const registered = (caller: TestCaller): Workload | undefined =>
    caller.kind === "identity"
      ? [...workloads.values()].find(({ identity }) => identity.toString() === caller.identity)
      : undefined;
  const destination = find(test.spec.to.value);
  if (destination === undefined) return [];
  return test.spec.cases.value.flatMap((written, at): readonly TestCase[] => {
    const caller = written.from.value;
    const workload = caller.kind === "workload" ? find(caller.workload) : registered(caller);
    if (caller.kind === "workload" && workload === undefined) return [];
    return [
      {
        test: `${test.namespace}/${test.name}`,
        number: at + 1,
        title: `${callerName(caller)}: ${written.request.value}`,
        span: written.span,
        stage: test.spec.stage?.value ?? "live",
        destination,
        caller,
        identity: caller.kind === "identity" ? caller.identity : workload?.identity.toString(),
        workload,
        written,
        expected: expectedOf(written, test.namespace),
      },
    ];
  });
}

function expectedOf({ expect, rule, because }: TestCaseSyntax, namespace: string): Expected {
  const parts = rule === undefined || rule.value.length === 3 ? rule?.value : [namespace, ...rule.value];
  return {
    verdict: expect.value,
    ...(parts === undefined ? {} : { rule: parts.join("/") }),
    ...(because === undefined ? {} : { reason: because.value }),
  };
}

function callerName(caller: TestCaller): string {
  switch (caller.kind) {
    case "anonymous":
      return "anonymous";
    case "identity":
      return caller.identity;
    case "workload":
      return [caller.workload.namespace, caller.workload.name].filter((part) => part !== undefined).join("/");
  }
}
