import { type SpiffeId, type TrustDomain, tryParseSpiffeId, tryParseTrustDomain } from "../../spiffe/index.ts";
import { suggestion } from "../diagnostics/nearest.ts";
import { printable } from "../printable.ts";
import { type Judged, type Located, mapped, parsed, type Reader, text } from "./readers.ts";
import type { ScalarNode } from "./tree.ts";

const shown = (given: string): string => `\`${printable(given, 80)}\``;

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether a text is a DNS label (RFC 1123): what names and namespaces are made of. */
export function isDnsLabel(given: string): boolean {
  return DNS_LABEL.test(given);
}

function judgeName(given: string): Judged<string> {
  if (isDnsLabel(given)) return { ok: true, value: given };
  const lower = given.toLowerCase().replaceAll("_", "-");
  const hint = isDnsLabel(lower) ? `write \`${lower}\`` : "1 to 63 of `a-z`, `0-9` and `-`, with no `-` at either end";
  return { ok: false, message: `${shown(given)} is not a name`, hint };
}

const nameSchema = { pattern: DNS_LABEL.source };

/** A name: a DNS label. */
export const name: Reader<Located<string>> = parsed({ expects: "a name", schema: nameSchema }, judgeName);

/** A namespace: a DNS label. */
export const namespace: Reader<Located<string>> = parsed({ expects: "a namespace", schema: nameSchema }, judgeName);

/** A reference to a workload: `web`, or `shop/web` with its namespace. */
export interface WorkloadReference {
  readonly namespace?: string;
  readonly name: string;
}

/** Reads `web` or `shop/web`. */
export const workloadReference: Reader<Located<WorkloadReference>> = parsed(
  { expects: "a workload's name", schema: { pattern: "^([a-z0-9-]{1,63}/)?[a-z0-9-]{1,63}$" } },
  (given) => {
    const parts = given.split("/");
    const bad = parts.find((part) => !isDnsLabel(part));
    if (bad !== undefined || parts.length > 2)
      return {
        ok: false,
        message: `${shown(given)} is not a workload's name`,
        hint: "write `name` or `namespace/name`",
      };
    const [first = "", second] = parts;
    return { ok: true, value: second === undefined ? { name: first } : { namespace: first, name: second } };
  },
);

const LABEL_KEY = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** Whether a text can be a label's value. */
export function isLabelValue(given: string): boolean {
  return LABEL_VALUE.test(given);
}

/** A text that a pattern describes; keeps the node. */
export function shaped(expects: string, pattern: RegExp, hint: string): Reader<ScalarNode> {
  const inner = text({ expects, schema: { pattern: pattern.source } });
  const judge = parsed(
    { expects, schema: { pattern: pattern.source } },
    (given): Judged<string> =>
      pattern.test(given)
        ? { ok: true, value: given }
        : { ok: false, message: `${shown(given)} is not ${expects}`, hint },
  );
  return {
    schema: inner.schema,
    expects,
    read(node, reading) {
      const read = judge.read(node, reading);
      return typeof read === "symbol" ? read : inner.read(node, reading);
    },
  };
}

/** A label's key: as in Kubernetes, with an optional DNS prefix before a `/`. */
export const labelKey: Reader<ScalarNode> = shaped(
  "a label's key",
  LABEL_KEY,
  "1 to 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends; a DNS prefix and `/` may stand before it",
);

/** A label's key in a list. */
export const labelKeyItem: Reader<Located<string>> = mapped(labelKey, (node) => ({
  value: node.text,
  span: node.span,
}));

/** A label's value: as in Kubernetes, and not empty. */
export const labelValue: Reader<ScalarNode> = shaped(
  "a label's value",
  LABEL_VALUE,
  "1 to 63 letters, digits, `-`, `_` and `.`, a letter or digit at both ends",
);

/** Any text that is not empty. */
export const nonEmptyText: Reader<Located<string>> = parsed(
  { expects: "a text", schema: { minLength: 1 } },
  (given): Judged<string> =>
    given.trim() === ""
      ? { ok: false, message: "an empty text", hint: "say something, or remove the key" }
      : { ok: true, value: given },
);

/** A trust domain's name. */
export const trustDomain: Reader<Located<TrustDomain>> = parsed(
  { expects: "a trust domain", schema: { pattern: "^[a-z0-9._-]{1,255}$" } },
  (given): Judged<TrustDomain> => {
    if (given.includes("/"))
      return {
        ok: false,
        code: "ERR_POLICY_IDENTITY",
        message: `${shown(given)} is not a trust domain`,
        hint: "write the name alone, such as `shop.example`",
      };
    const result = tryParseTrustDomain(given);
    if (result.ok) return { ok: true, value: result.trustDomain };
    return { ok: false, code: "ERR_POLICY_IDENTITY", message: result.message };
  },
);

function judgeId(given: string): Judged<SpiffeId> {
  const result = tryParseSpiffeId(given);
  if (!result.ok) {
    const hint = given.includes("*")
      ? "only `/**` at the very end stands for descendants"
      : "write `spiffe://<trust domain>/<path>`";
    return { ok: false, code: "ERR_POLICY_IDENTITY", message: result.message, hint };
  }
  return { ok: true, value: result.id };
}

/** A whole SPIFFE ID with a path. */
export const spiffeId: Reader<Located<SpiffeId>> = parsed(
  { expects: "a SPIFFE ID", schema: { pattern: "^spiffe://" } },
  (given) => {
    const judged = judgeId(given);
    if (!judged.ok || judged.value.path !== "") return judged;
    return {
      ok: false,
      code: "ERR_POLICY_IDENTITY",
      message: `${shown(given)} names a trust domain and no workload`,
      hint: "add a path",
    };
  },
);

/** A SPIFFE ID, or with `/**` at its end all its descendants. */
export interface SpiffePattern {
  readonly id: SpiffeId;
  readonly descendants: boolean;
}

/** Reads `spiffe://td/a/b` and `spiffe://td/a/**`. */
export const spiffePattern: Reader<Located<SpiffePattern>> = parsed(
  { expects: "a SPIFFE ID", schema: { pattern: "^spiffe://" } },
  (given) => {
    const descendants = given.endsWith("/**");
    const judged = judgeId(descendants ? given.slice(0, -3) : given);
    if (!judged.ok) return judged;
    if (!descendants && judged.value.path === "")
      return {
        ok: false,
        code: "ERR_POLICY_IDENTITY",
        message: `${shown(given)} names a trust domain and no workload`,
        hint: "write `trustDomain:` for all of a federated trust domain",
      };
    return { ok: true, value: { id: judged.value, descendants } };
  },
);

/** One of a few words, with the nearest as a hint. */
export function word<T extends string>(expects: string, words: readonly T[]): Reader<Located<T>> {
  return parsed({ expects, schema: { enum: words } }, (given): Judged<T> => {
    const value = words.find((one) => one === given);
    if (value !== undefined) return { ok: true, value };
    return { ok: false, message: `${shown(given)} is not ${expects}`, hint: suggestion(given, words) };
  });
}
