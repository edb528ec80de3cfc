/** What Istio's own validation refuses, as one sentence; absent where it takes a template. */
export function templateProblem(path: string): string | undefined {
  const operators = path.split("/").filter((segment) => /[{}]/.test(segment));
  if (operators.length === 0) return undefined;
  if (operators.some((segment) => segment !== "{*}" && segment !== "{**}"))
    return "an operator must be a whole segment, `{*}` or `{**}`";
  const last = operators.indexOf("{**}");
  if (last !== -1 && last !== operators.length - 1) return "`{**}` must be the last operator";
  const literals = path.split("/").filter((segment) => !/[{}]/.test(segment));
  const odd = literals.find((segment) => !/^[A-Za-z0-9\-._~%!$&'()+,;:@=]*$/.test(segment));
  return odd === undefined ? undefined : `\`${odd}\` holds a character that no path has`;
}

/** The keys of `when` that Istio knows. */
const KEYS: readonly RegExp[] = [
  /^request\.headers\[[^\]]+\]$/,
  /^(?:source|remote|destination)\.ip$/,
  /^source\.(?:namespace|serviceAccount|trustDomain|principal)$/,
  /^request\.auth\.(?:principal|audiences|presenter)$/,
  /^request\.auth\.claims(?:\[[^\]]+\])+$/,
  /^destination\.port$/,
  /^connection\.sni$/,
  /^experimental\.envoy\.filters\.[a-z0-9_.]+\[[^\]]+\]$/,
];

/** Whether a key of `when` is one that Istio takes. */
export function isConditionKey(key: string): boolean {
  return KEYS.some((form) => form.test(key));
}

/** What Istio refuses about a field's values. */
export function valuesProblem(field: string, values: readonly string[]): string | undefined {
  const name = field.replace(/^not/, "").toLowerCase();
  if (values.some((value) => value === "")) return "a value must not be empty";
  if (name === "ports" && values.some((value) => !/^\d{1,5}$/.test(value) || Number(value) > 65_535))
    return "a port is a number from 0 to 65535";
  if (name === "serviceaccounts") return serviceAccountsProblem(values);
  if (name === "trustdomains") return trustDomainsProblem(values);
  if (name === "paths") return values.map(templateProblem).find((problem) => problem !== undefined);
  if (name === "ipblocks" || name === "remoteipblocks")
    return values.some((value) => !/^[0-9a-fA-F.:]+(?:\/\d{1,3})?$/.test(value)) ? "an address or a block" : undefined;
  return undefined;
}

function serviceAccountsProblem(values: readonly string[]): string | undefined {
  if (values.length > 16) return "at most 16 service accounts";
  const wrong = values.find((value) => value.length > 320 || value.includes("*") || value.split("/").length > 2);
  return wrong === undefined ? undefined : "a service account is `namespace/name` or `name`, without wildcards";
}

function trustDomainsProblem(values: readonly string[]): string | undefined {
  const wrong = values.find(
    (value) => value.includes("/") || (value.match(/\*/g)?.length ?? 0) > 1 || (value !== "*" && /.\*./.test(value)),
  );
  return wrong === undefined ? undefined : "a trust domain has no slash and at most one `*`, at an end";
}
