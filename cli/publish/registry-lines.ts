import { printable } from "../../policies/index.ts";
import type { RegistryChange } from "../../protocol/index.ts";
import { columns } from "../screen.ts";

type Row = readonly [mark: "+" | "-" | "~", name: string, what: string];

/** What a publish would do to who may enrol and who obtains which identity; nothing where it does nothing. */
export function registryLines({ nodes, identities }: RegistryChange): readonly string[] {
  return [...section("identities", identityRows(identities)), ...section("nodes", nodeRows(nodes))];
}

function section(title: string, rows: readonly Row[]): readonly string[] {
  if (rows.length === 0) return [];
  return [title, ...columns(rows.map(([mark, name, what]) => [`${mark} ${printable(name)}`, what]))];
}

function identityRows({ added, removed, reissued }: RegistryChange["identities"]): readonly Row[] {
  return [
    ...added.map(({ identity, nodes }): Row => ["+", identity, `will be issued on ${listed(nodes)}`]),
    ...removed.map(({ identity, nodes }): Row => ["-", identity, `no longer issued; it was on ${listed(nodes)}`]),
    ...reissued.map((entry): Row => ["~", entry.identity, reissue(entry)]),
  ];
}

function reissue({ was, gains, loses }: RegistryChange["identities"]["reissued"][number]): string {
  if (was === undefined && loses.length === 0) return `issued on ${listed(gains)} too`;
  const parts = [
    ...(was === undefined ? [] : [`in place of ${printable(was)}`]),
    ...(gains.length === 0 ? [] : [`on ${listed(gains)}`]),
    ...(loses.length === 0 ? [] : [`no longer on ${listed(loses)}`]),
  ];
  return `${was === undefined && gains.length === 0 ? "" : "re-issued "}${parts.join(", ")}`;
}

function nodeRows({ added, removed, changed }: RegistryChange["nodes"]): readonly Row[] {
  return [
    ...added.map((node): Row => ["+", node, "may enrol"]),
    ...removed.map((node): Row => ["-", node, "its agent is renewed no more and obtains nothing"]),
    ...changed.map(({ node, what }): Row => ["~", node, what.map((each) => CHANGED[each]).join(", ")]),
  ];
}

const CHANGED = { labels: "other labels", attest: "proves itself in another way" } as const;
const MOST_NAMES = 4;

function listed(nodes: readonly string[]): string {
  if (nodes.length === 0) return "no node: nothing says where it runs";
  const more = nodes.length - MOST_NAMES;
  return `${nodes
    .slice(0, MOST_NAMES)
    .map((node) => printable(node))
    .join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
