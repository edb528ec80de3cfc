import { textForm } from "./identity-text.ts";

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

/** Reads a list of hosts: exact names, with and without a port; everything else is beyond. */
export function readHosts(values: readonly string[]): Hosts {
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
  return {
    names: exact,
    withoutPort: exact.filter((name) => !anyPort.includes(name)),
    beyond: [...beyond, ...anyPort.filter((name) => !exact.includes(name)).map((name) => `${name}:*`)],
    any,
  };
}

function isHost(text: string): boolean {
  return /^[a-z0-9_]([a-z0-9._-]*[a-z0-9_-])?$/.test(text);
}
