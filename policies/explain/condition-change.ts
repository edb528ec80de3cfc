import { isCleanHeader, isCleanQuery } from "../match/values.ts";
import type { Matcher, Rule } from "../model/index.ts";
import type { Asked, Change, Edit } from "./edit.ts";
import type { Lack } from "./explanation.ts";

/** Lets the rule cross every isolation label that keeps the two apart. */
export function addAcross({ line }: Asked, labels: readonly string[]): Change {
  const across = [...line.of.across, ...labels];
  return setKey(line.of, "across", `[${across.join(", ")}]`, "let the rule cross the isolation label", { across });
}

/** Adds the listener's port. */
export function addPort({ line, attributes }: Asked): Change | undefined {
  if (line.of.ports === undefined) return undefined;
  const ports = [...line.of.ports, attributes.listener.port];
  return setKey(line.of, "ports", `[${ports.join(", ")}]`, "add the port", { ports });
}

/** Adds the request's host. */
export function addHost({ line, situation }: Asked): Change | undefined {
  const { host } = situation;
  if (line.of.hosts === undefined || host?.ok !== true) return undefined;
  const hosts = [...line.of.hosts, host.host];
  return setKey(line.of, "hosts", `[${hosts.map(quoted).join(", ")}]`, "add the host", { hosts });
}

/** Moves the time limit that is over, or not yet reached, to the day of the request. */
export function moveTime({ line, attributes }: Asked): Change {
  const { notAfter } = line.of;
  const day = attributes.now.toISOString().slice(0, 10);
  const isOver = notAfter !== undefined && attributes.now > notAfter;
  const instant = new Date(`${day}T${isOver ? "23:59:59.999" : "00:00:00.000"}Z`);
  return isOver
    ? setKey(line.of, "notAfter", day, "move the end of the rule's time", { notAfter: instant })
    : setKey(line.of, "notBefore", day, "move the start of the rule's time", { notBefore: instant });
}

/** Lets a header or query parameter have the request's values too, or takes the condition away where nothing else helps. */
export function widenValues({ line }: Asked, lack: Extract<Lack, { readonly kind: "header" | "query" }>): Change {
  const { kind, name, got } = lack;
  const key = kind === "header" ? "headers" : "query";
  const matcher = line.of[key].get(name);
  const values = typeof got === "string" ? [] : got;
  const isClean = kind === "header" ? isCleanHeader : isCleanQuery;
  const wider = values.length > 0 && values.every(isClean) ? widerMatcher(matcher, values) : undefined;
  return wider === undefined ? dropCondition(line.of, key, name) : setMatcher(line.of, key, name, wider);
}

type ConditionKey = "headers" | "query";

function widerMatcher(
  matcher: Matcher | undefined,
  values: readonly string[],
): Extract<Matcher, { kind: "in" }> | undefined {
  if (matcher?.kind !== "equals" && matcher?.kind !== "in") return undefined;
  const before = matcher.kind === "equals" ? [matcher.value] : matcher.values;
  return { kind: "in", values: [...new Set([...before, ...values])] };
}

function setMatcher(of: Rule, key: ConditionKey, name: string, matcher: Extract<Matcher, { kind: "in" }>): Change {
  const yaml = `${key}:\n  ${quoted(name)}: { in: [${matcher.values.map(quoted).join(", ")}] }`;
  const edit: Edit = { message: `accept the request's \`${name}\` as well`, span: of.span, action: "set", yaml };
  return { edit, size: 1, apply: (rule) => ({ ...rule, [key]: new Map(rule[key]).set(name, matcher) }) };
}

function dropCondition(of: Rule, key: ConditionKey, name: string): Change {
  return {
    edit: {
      message: `take away the condition on \`${name}\``,
      span: of.span,
      action: "remove",
      yaml: `${key}.${name}`,
    },
    size: 4,
    apply: (rule) => ({ ...rule, [key]: new Map([...rule[key]].filter(([each]) => each !== name)) }),
  };
}

function setKey(of: Rule, key: string, value: string, message: string, change: Partial<Rule>): Change {
  return {
    edit: { message, span: of.span, action: "set", yaml: `${key}: ${value}` },
    size: 1,
    apply: (rule) => ({ ...rule, ...change }),
  };
}

/** A text as a YAML scalar that is read as that text. */
export function quoted(text: string): string {
  return /^[A-Za-z][A-Za-z0-9._/+-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
