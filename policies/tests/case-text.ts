import type { PolicySet, Verdict } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { Asked } from "./case-attributes.ts";

/** A case as it stands in a PolicyTest of the destination's namespace: `{ from: web, request: GET /zz, expect: deny }`. */
export function caseText(asked: Asked, expect: Verdict, set: PolicySet): string {
  const { headers, host, port, address, claims, at } = asked;
  const parts = [
    `from: ${scalar(callerName(asked, set))}`,
    `request: ${scalar(asked.request)}`,
    ...(headers.size === 0
      ? []
      : [`headers: ${map([...headers].map(([name, values]) => [name, valuesText(values)]))}`]),
    ...(host === undefined ? [] : [`host: ${scalar(host)}`]),
    ...(port === undefined ? [] : [`port: ${port}`]),
    ...(address === undefined ? [] : [`address: ${scalar(address)}`]),
    ...(claims.size === 0 ? [] : [`claims: ${JSON.stringify(Object.fromEntries(claims))}`]),
    ...(at === undefined ? [] : [`at: ${at.toISOString()}`]),
    `expect: ${expect}`,
  ];
  return `{ ${parts.join(", ")} }`;
}

function callerName({ identity, destination }: Asked, { workloads }: PolicySet): string {
  if (identity === undefined) return "anonymous";
  const workload = workloads.find((one) => one.identity.toString() === identity);
  if (workload === undefined) return identity;
  return workload.namespace === destination.namespace ? workload.name : `${workload.namespace}/${workload.name}`;
}

function map(entries: readonly (readonly [string, string])[]): string {
  return `{ ${entries.map(([key, value]) => `${scalar(key)}: ${value}`).join(", ")} }`;
}

function valuesText(values: readonly string[]): string {
  const [only] = values;
  return values.length === 1 && only !== undefined ? scalar(only) : `[${values.map(scalar).join(", ")}]`;
}

/** Plain where nothing in it can mean something else to YAML, else in double quotes. */
function scalar(text: string): string {
  const shown = printable(text, 4_096);
  return /^[A-Za-z/][\w/.~-]*(?: [\w/.~-]+)?$/.test(shown) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(shown)
    ? shown
    : JSON.stringify(shown);
}
