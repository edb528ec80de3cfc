import { isIP } from "node:net";
import { REASON_CODES } from "../../model/index.ts";
import { printable } from "../../printable.ts";
import { claims } from "../claims.ts";
import { headerName } from "../headers.ts";
import { notBefore } from "../instants.ts";
import {
  choice,
  FAILED,
  fail,
  integer,
  type Judged,
  type Located,
  list,
  mapOf,
  mapped,
  type ObjectOf,
  object,
  optional,
  parsed,
  type Reader,
  required,
  text,
} from "../readers.ts";
import { parseRequestLine } from "../request-line.ts";
import { isDnsLabel, spiffeId, type WorkloadReference, word, workloadReference } from "../values.ts";

const DENIALS = REASON_CODES.filter((code) => code !== "allowed-by-rule");

/** Who a test's request comes from: a workload, an identity or nobody known. */
export type TestCaller =
  | { readonly kind: "workload"; readonly workload: WorkloadReference }
  | { readonly kind: "identity"; readonly identity: string }
  | { readonly kind: "anonymous" };

const testCaller: Reader<Located<TestCaller>> = {
  schema: { type: "string", minLength: 1 },
  expects: "a workload, a SPIFFE ID or `anonymous`",
  read(node, reading) {
    if (node.kind === "scalar" && node.text === "anonymous") return { value: { kind: "anonymous" }, span: node.span };
    if (node.kind === "scalar" && node.text.startsWith("spiffe:")) {
      const id = spiffeId.read(node, reading);
      return id === FAILED ? FAILED : { value: { kind: "identity", identity: id.value.toString() }, span: id.span };
    }
    const workload = workloadReference.read(node, reading);
    return workload === FAILED
      ? FAILED
      : { value: { kind: "workload", workload: workload.value }, span: workload.span };
  },
};

/** One concrete request of a test; the path is raw, as a client sends it. */
const testRequest = parsed(
  { expects: "a request such as `GET /orders/42`", schema: { pattern: "^[^ ]+ [^ ]+$" } },
  (given): Judged<string> => {
    const match = /^([A-Z]+(?:-[A-Z]+)*|websocket) (\/[^ ]*)$/.exec(given);
    if (match !== null && match[1] !== "ANY") return { ok: true, value: given };
    const line = /^(?:grpc|tcp) /.test(given) ? parseRequestLine(given).value : undefined;
    const concrete = line !== undefined && !line.text.endsWith("*");
    if (concrete) return { ok: true, value: given };
    return {
      ok: false,
      code: "ERR_POLICY_REQUEST",
      message: `\`${printable(given, 60)}\` is not one request`,
      hint: "one method and one path: `GET /orders/42`",
    };
  },
);

const ruleReference = parsed(
  { expects: "a rule", schema: { pattern: "^([a-z0-9-]+/){1,2}[a-z0-9-]+$" } },
  (given): Judged<readonly string[]> => {
    const parts = given.split("/");
    if (parts.every(isDnsLabel) && (parts.length === 2 || parts.length === 3)) return { ok: true, value: parts };
    return {
      ok: false,
      message: `\`${printable(given, 60)}\` is not a rule`,
      hint: "write `policy/rule` or `namespace/policy/rule`",
    };
  },
);

const headerValue = text({ expects: "a header's value" });
const headerValueItem = parsed(
  { expects: "a header's value" },
  (given): Judged<string> => ({ ok: true, value: given }),
);
const headerValueList = list(headerValueItem);

/** The values of one header in order of arrival: a text, or a list of them. */
const headerValues: Reader<readonly string[]> = {
  schema: { anyOf: [headerValue.schema, headerValueList.schema] },
  expects: "a text or a list of texts",
  read(node, reading) {
    if (node.kind === "list") {
      const read = headerValueList.read(node, reading);
      return read === FAILED ? FAILED : read.value.map(({ value }) => value);
    }
    const read = headerValue.read(node, reading);
    return read === FAILED ? FAILED : [read.text];
  },
};

const address = parsed(
  { expects: "an IP address" },
  (given): Judged<string> =>
    isIP(given) !== 0
      ? { ok: true, value: given }
      : { ok: false, message: `\`${printable(given, 60)}\` is not an IP address`, hint: "write `10.0.0.7`" },
);

const providerName = text({ expects: "the name of a JWT provider", schema: { minLength: 1 } });

const caseShape = {
  from: required(testCaller, "the caller: a workload, a SPIFFE ID or `anonymous`"),
  request: required(testRequest, "the request, such as `GET /orders/42`"),
  headers: optional(
    mapOf(headerName, headerValues),
    "headers of the request; a list is one that is there several times",
  ),
  host: optional(
    parsed({ expects: "a host" }, (given): Judged<string> => ({ ok: true, value: given })),
    "host of the request; the address of the sidecar if left out",
  ),
  port: optional(integer(1, 65535, "a port"), "the listener's port; the first that fits if left out"),
  address: optional(address, "the direct peer's address"),
  claims: optional(
    mapOf(providerName, claims),
    "payloads of verified tokens, by JWT provider; `exp` is in an hour if left out",
  ),
  at: optional(notBefore, "when; now if left out, a bare date is its start"),
  expect: required(choice("allow", "deny"), "the verdict"),
  rule: optional(ruleReference, "the rule that decides: `policy/rule`"),
  because: optional(word("a reason of a denial", DENIALS), "the reason of the denial"),
};

const testCase = mapped(object(caseShape, { expects: "a case" }), (value, reading) => {
  if (value.expect.value === "allow" && value.because !== undefined)
    return fail(
      reading,
      "ERR_POLICY_CONFLICT",
      value.because.span,
      "`because` is the reason of a denial",
      "name the rule that allows under `rule:`",
    );
  return value;
});

const testShape = {
  to: required(workloadReference, "the workload that is called"),
  stage: optional(
    choice("live", "candidate"),
    "which verdict is meant: that of the `live` policies (default) or of the `candidate` set",
  ),
  cases: required(list(testCase), "requests and the verdicts they must get"),
};

/** A PolicyTest's `spec` as written. */
export type PolicyTestSyntax = ObjectOf<typeof testShape>;

/** One case of a PolicyTest as written. */
export type TestCaseSyntax = PolicyTestSyntax["cases"]["value"][number];

/** Reads a PolicyTest's `spec`. */
export const policyTestSpec = object(testShape, { expects: "the test" });
