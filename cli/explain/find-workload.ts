import type { PolicySet, Workload } from "../../policies/index.ts";
import { CliError } from "../cli-error.ts";

/** Any of the ways to name a workload: `orders`, `shop/orders`, `spiffe://…`; `ERR_CLI_USAGE` where none or several are meant. */
export function findWorkload(name: string, set: PolicySet): Workload {
  const found = set.workloads.filter((workload) => isNamed(workload, name));
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  if (only !== undefined) {
    throw new CliError(
      "ERR_CLI_USAGE",
      `\`${name}\` could be ${found.map((each) => `\`${fullName(each)}\``).join(" or ")}`,
      {
        hint: "name the namespace as well",
      },
    );
  }
  throw new CliError("ERR_CLI_USAGE", `there is no workload \`${name}\` in the set`, { hint: known(set) });
}

/** `<namespace>/<name>`. */
export function fullName({ namespace, name }: Pick<Workload, "namespace" | "name">): string {
  return `${namespace}/${name}`;
}

function isNamed(workload: Workload, name: string): boolean {
  if (name.includes("://")) return workload.identity.toString() === name;
  return name.includes("/") ? fullName(workload) === name : workload.name === name;
}

const MOST_NAMES = 20;

function known(set: PolicySet): string {
  const names = set.workloads.map(fullName).sort();
  if (names.length === 0) return "the set has no workloads yet";
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : "";
  return `there are ${names.slice(0, MOST_NAMES).join(", ")}${more}`;
}
