import { printable } from "../printable.ts";
import type { PolicyLine } from "../reference/lines.ts";
import type { Lack } from "./explanation.ts";
import { selectorText } from "./matcher-text.ts";

/** What the caller could send for the line to match, where nothing but that is lacking. */
export function insteadOf(lacks: readonly Lack[]): string | undefined {
  const texts = lacks.map(insteadOfOne);
  const found = texts.filter((text) => text !== undefined);
  return found.length === 0 || found.length < texts.length ? undefined : printable(found.join(", and "), 1_024);
}

function insteadOfOne(lack: Lack): string | undefined {
  if (lack.unknown) return undefined;
  switch (lack.kind) {
    case "header":
      return `send the header \`${lack.name}\` with ${lack.expected}`;
    case "query":
      return `send the query parameter \`${lack.name}\` with ${lack.expected}`;
    case "host":
      return `name the host ${lack.expected.join(" or ")}`;
    case "trailing-slash":
      return lack.expected === "present" ? "end the path with a slash" : "leave the slash at the end of the path out";
    case "token":
      return `send a token of \`${lack.provider}\`${lack.expected.length === 0 ? "" : ` with ${lack.expected.join(", ")}`}`;
    default:
      return undefined;
  }
}

/** Whom and what the `except` of a line spares, in words. */
export function exceptText(line: PolicyLine | undefined): string | undefined {
  const except = line?.of.except;
  if (line === undefined) return undefined;
  if (except === undefined) return "it spares nobody";
  const parts = [
    ...(except.from === undefined ? [] : [except.from.map(selectorText).join(", or ")]),
    ...(except.requests === undefined ? [] : [except.requests.map(({ text }) => `\`${text}\``).join(", or ")]),
  ];
  return printable(`it spares ${parts.join(" for ")}`, 1_024);
}
