import { cidr } from "../cidr.ts";
import { matcher } from "../matchers.ts";
import { choice, fail, list, mapOf, mapped, type ObjectOf, object, optional, parsed, type Reader } from "../readers.ts";
import {
  isDnsLabel,
  labelKey,
  labelValue,
  namespace,
  spiffePattern,
  trustDomain,
  workloadReference,
} from "../values.ts";

/** Label keys and values. */
export const labels = mapOf(labelKey, labelValue);

/** Label keys and the tests their values must pass. */
export const labelSelector = mapOf(labelKey, matcher("label"));

/** A namespace, or `"*"` for all of them. */
export const namespaceOrAll = parsed(
  { expects: 'a namespace or "*"', schema: { pattern: "^(\\*|[a-z0-9-]{1,63})$" } },
  (given) =>
    given === "*" || isDnsLabel(given)
      ? { ok: true, value: given }
      : { ok: false, message: `\`${given}\` is not a namespace`, hint: 'write a name, or `"*"` for every namespace' },
);

const callerShape = {
  workload: optional(workloadReference, "a registered workload: `web`, or `shop/web` of another namespace"),
  labels: optional(labelSelector, "registered workloads by their labels"),
  namespace: optional(
    namespaceOrAll,
    'where `labels` looks: a namespace, or `"*"` for all; the policy\'s own if left out',
  ),
  spiffe: optional(spiffePattern, "an identity, or with `/**` at its end all its descendants"),
  trustDomain: optional(trustDomain, "any identity of that federated trust domain"),
  anyone: optional(
    choice("authenticated", "anonymous"),
    "any registered identity of the own trust domain, or a caller of an edge listener",
  ),
  addresses: optional(list(cidr), "the direct peer's address"),
};

/** One entry of `from`, as written. */
export type CallerSelectorSyntax = ObjectOf<typeof callerShape>;

const SELECTING = ["workload", "labels", "spiffe", "trustDomain", "anyone", "addresses"] as const;

/** One entry of `from`: keys AND. */
export const callerSelector: Reader<CallerSelectorSyntax> = mapped(
  object(callerShape, {
    expects: "who may call, such as `workload: web`",
    atLeastOne: SELECTING,
    hint: "write `- workload: web` or `- labels: { app: web }`",
  }),
  (entry, reading) => {
    if (entry.namespace !== undefined && entry.labels === undefined)
      return fail(
        reading,
        "ERR_POLICY_CONFLICT",
        entry.namespace.span,
        "`namespace` goes with `labels`",
        "a workload of another namespace is written `shop/web`",
      );
    const other = SELECTING.find((key) => key !== "anyone" && key !== "addresses" && entry[key] !== undefined);
    if (entry.anyone?.value === "anonymous" && other !== undefined)
      return fail(
        reading,
        "ERR_POLICY_CONFLICT",
        entry.anyone.span,
        `an anonymous caller never has a \`${other}\``,
        "make it an entry of its own",
      );
    return entry;
  },
);

/** A list of callers. */
export const callers = list(
  callerSelector,
  "start each caller on a line of its own with `- `, such as `- workload: web`",
);

export { namespace };
