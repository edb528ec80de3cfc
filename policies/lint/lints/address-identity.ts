import { selectorText } from "../../explain/matcher-text.ts";
import { type Finding, finding } from "../../findings/index.ts";
import type { CallerSelector } from "../../model/index.ts";
import type { Subject } from "../subject.ts";

/** Entries that trust an address: in `from` of an allow, and in `except` of a deny. */
export function addressIdentity({ rules }: Subject): readonly Finding[] {
  return rules.flatMap(({ rule, id }) => {
    const trusted = rule.effect === "allow" ? rule.from : rule.except?.from;
    return (trusted ?? []).filter(trustsAddress).map((entry) =>
      finding({
        id: "address-identity",
        severity: "warning",
        about: [id, selectorText(entry)],
        span: entry.span,
        message: `\`${rule.name}\` takes an address (\`${texts(entry)}\`) for who somebody is`,
        reason:
          "addresses are handed on and shared: whatever runs there tomorrow, or shares the host, is let in as well",
        remedy: "name a workload or an identity; an address beside it narrows further",
      }),
    );
  });
}

function trustsAddress({ addresses, workload, labels, spiffe }: CallerSelector): boolean {
  return addresses !== undefined && workload === undefined && labels === undefined && spiffe === undefined;
}

function texts({ addresses }: CallerSelector): string {
  return (addresses ?? []).map(({ text }) => text).join(", ");
}
