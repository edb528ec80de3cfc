import { textForm, textMatches } from "./identity-text.ts";

/** Hosts of a list, as the language compares them. */
export interface Hosts {
  /** Lower case, without port. */
  readonly names: readonly string[];
  /** Names that the source means without a port only. */
  readonly withoutPort: readonly string[];
  /** Values that no list of exact names can say. */
  readonly beyond: readonly string[];
  /** Whether the list holds `*`. */
  readonly any: boolean;
}

/** Reads a list of hosts: exact names, with and without a port. Everything else is beyond; what it matches of the known hosts is named. */
export function readHosts(values: readonly string[], known: readonly string[]): Hosts {
  const lower = values.map((value) => value.toLowerCase());
  const any = lower.includes("*");
  const exact = lower.flatMap((value) => {
    const form = textForm(value);
    return form.kind === "exact" && isHost(form.text) ? [form.text] : [];
  });
  const anyPort = lower.flatMap((value) => (/^[^*]+:\*$/.test(value) ? [value.slice(0, -2)] : []));
  const beyond = lower.filter(
    (value) => value !== "*" && !exact.includes(value) && !anyPort.some((one) => `${one}:*` === value),
  );
  const told = known.flatMap((host) => {
    const forms = beyond.map(textForm).filter((form) => form.kind !== "exact" && textMatches(form, host));
    return forms.length === 0 ? [] : [{ host, anyPort: forms.some(({ kind }) => kind === "prefix") }];
  });
  return {
    names: [...new Set([...exact, ...told.map(({ host }) => host)])],
    withoutPort: [
      ...exact.filter((name) => !anyPort.includes(name)),
      ...told.filter((one) => !one.anyPort && !exact.includes(one.host)).map(({ host }) => host),
    ],
    beyond: [...beyond, ...anyPort.filter((name) => !exact.includes(name)).map((name) => `${name}:*`)],
    any,
  };
}

function isHost(text: string): boolean {
  return /^[a-z0-9_]([a-z0-9._-]*[a-z0-9_-])?$/.test(text);
}
