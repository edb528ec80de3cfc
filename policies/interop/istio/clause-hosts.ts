import { printable } from "../../printable.ts";
import type { Say } from "../draft/say.ts";
import type { ClauseContext, Nameless } from "./clause-context.ts";
import { readHosts } from "./hosts.ts";
import { textForm } from "./identity-text.ts";
import type { Clause, Field } from "./policy.ts";

/** The hosts of a clause: exact names, absent for any, and those to be denied; `never` where no request can have one. */
export function hostsOf(
  { hosts }: Clause,
  { effect, say, world }: ClauseContext,
): "never" | { readonly names: readonly string[]; readonly not: readonly (readonly string[])[] } {
  let names: readonly string[] = [];
  const not: (readonly string[])[] = [];
  for (const field of hosts) {
    const read = readHosts(field.values, effect === "allow" && !field.negated ? world.hosts : []);
    if (field.negated && read.any) return "never";
    if (read.any) continue;
    if (read.beyond.length > 0) sayBeyond(read.beyond, field, effect, say(field));
    if (effect === "deny" || field.negated)
      for (const name of read.withoutPort) say(field)("narrower", WITHOUT_PORT, "host-with-port", undefined, name);
    if (field.negated && effect === "deny")
      say(field)("narrower", "a deny cannot spare a host; it holds for every host");
    else if (field.negated) {
      if (read.beyond.length > 0) return "never";
      not.push(read.names);
    } else if (effect === "allow" || read.beyond.length === 0) names = read.names;
    if (!field.negated && effect === "allow" && read.names.length === 0) return "never";
  }
  return { names, not };
}

function sayBeyond(beyond: readonly string[], { negated }: Field, effect: "allow" | "deny", say: Say): void {
  const what = beyond.map((value) => `\`${printable(value, 80)}\``).join(", ");
  if (effect === "deny") say("narrower", `hosts are exact names here, not ${what}; the deny holds for every host`);
  else if (negated) say("unsupported", `hosts are exact names here, not ${what}; the rule is left out`);
  else for (const value of beyond) sayNotWritten(value, what, say);
}

function sayNotWritten(value: string, what: string, say: Say): void {
  const name = /^([^*]+):(?:\d+|\*)$/.exec(value)?.[1];
  if (name !== undefined)
    say("narrower", "a host that is meant with a port only is not written", "host-with-port", undefined, name);
  else
    say(
      "narrower",
      `hosts are exact names here, not ${what}; of these, known hosts are written`,
      "host",
      undefined,
      value,
    );
}

const WITHOUT_PORT = "hosts are compared without their port, the source compares it too";

/** What an allow may let through that the source does not. */
export function suspectWider(clause: Clause, rules: readonly Nameless[], { world, suspect }: ClauseContext): void {
  for (const field of clause.hosts.filter(({ negated }) => !negated)) {
    const { withoutPort, any } = readHosts(field.values, world.hosts);
    for (const name of any ? [] : withoutPort)
      suspect({
        field,
        scope: "host-with-port",
        reason: WITHOUT_PORT,
        change: { host: `${name}:8080` },
        subject: name,
        rules,
      });
  }
  const reason = "each value of a repeated header is compared, the source compares the whole list";
  for (const field of clause.headers.filter(({ negated }) => !negated)) {
    const value = exactValue(field);
    if (value === undefined) continue;
    const change = { headers: { [field.name]: [value, value] } };
    suspect({ field, scope: "list-header", reason, change, subject: field.name, rules });
  }
}

function exactValue({ values }: Field): string | undefined {
  const forms = values.map(textForm);
  if (forms.some(({ kind }) => kind === "any")) return undefined;
  return forms.flatMap((form) => (form.kind === "exact" ? [form.text] : []))[0];
}
