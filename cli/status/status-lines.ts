import { printable } from "../../policies/index.ts";
import type { AuthorityStatus } from "../../protocol/index.ts";
import type { Io } from "../io.ts";
import { age, columns, count, paint } from "../screen.ts";
import { isBehind } from "./attention.ts";
import { federationLines } from "./federation-lines.ts";
import { isolationNote, isolationOf } from "./isolation.ts";

const MOST_WORKLOADS = 20;

/** The status on one screen. */
export function statusLines(status: AuthorityStatus, attention: readonly string[], io: Io): readonly string[] {
  const bold = (text: string): string => paint(io.stdout, "bold", text);
  return [
    `${bold(`mesh ${status.trustDomain}`)}  authority ${status.version}, up for ${age(new Date(status.startedAt), io.clock())}`,
    ...bundleLines(status, io),
    ...refusedLines(status, io),
    ...pendingLines(status, io),
    "",
    bold("nodes"),
    ...nodeLines(status, io),
    "",
    bold("workloads"),
    ...workloadLines(status),
    ...federationLines(status, io),
    "",
    ...columns([...isolationRows(status), ...authorityRows(status, io), ...rootRows(status)]),
    ...attention.map((text) => `${paint(io.stdout, "yellow", "attention:")} ${text}`),
  ];
}

function bundleLines({ bundle, revocations }: AuthorityStatus, io: Io): readonly string[] {
  const revoked = `${count(revocations.identities, "identity", "identities")}, ${count(revocations.serials, "certificate")}`;
  const rows =
    bundle === undefined
      ? [["bundle", "none: `cellwall publish DIR` puts one in force"]]
      : [
          [
            "bundle",
            `${bundle.epoch}.${bundle.revision}, ${count(bundle.policies, "policy", "policies")} for ${count(bundle.destinations, "destination")}, by ${printable(bundle.publisher)}`,
          ],
          ["", `issued ${age(new Date(bundle.issuedAt), io.clock())} ago, good until ${bundle.expiresAt}`],
        ];
  return columns([...rows, ["revoked", `${revoked} (sequence ${revocations.sequence})`]]);
}

function refusedLines({ refused }: AuthorityStatus, io: Io): readonly string[] {
  if (refused === undefined) return [];
  const { span, message, hint } = refused.first;
  const more = refused.errors > 1 ? `, and ${count(refused.errors - 1, "more error")}` : "";
  const since = age(new Date(refused.at), io.clock());
  return [
    `  ${paint(io.stdout, "red", "refused")}  the edit of ${since} ago; the revision above stays in force${more}`,
    `           ${printable(span.file)}:${span.line}:${span.column}: ${printable(message)}`,
    ...(hint === undefined ? [] : [`           hint: ${printable(hint)}`]),
  ];
}

function pendingLines({ pending = [] }: AuthorityStatus, io: Io): readonly string[] {
  return pending.flatMap(({ id, at, publisher, source, why }) => {
    const what = source === "" ? "the platform's documents" : `the source \`${printable(source)}\``;
    return [
      `  ${paint(io.stdout, "yellow", "waits")}    ${what}, published by ${printable(publisher)} ${age(new Date(at), io.clock())} ago: ${printable(why)}`,
      `           somebody else approves it: cellwall publish --approve ${printable(id)}`,
    ];
  });
}

function nodeLines(status: AuthorityStatus, io: Io): readonly string[] {
  if (status.nodes.length === 0) return ["  none: `cellwall ca token NODE` makes a token that joins one"];
  return columns(
    status.nodes.map((node) => [
      printable(node.node),
      node.enrolled ? "enrolled" : "not enrolled",
      node.revision === undefined
        ? "no revision reported"
        : `at ${node.epoch}.${node.revision}, revocations ${node.revocations ?? 0}`,
      node.lastSeen === undefined ? "not seen" : `seen ${age(new Date(node.lastSeen), io.clock())} ago`,
      isBehind(node, status) ? paint(io.stdout, "yellow", "behind") : "",
    ]),
  );
}

function workloadLines({ workloads = [] }: AuthorityStatus): readonly string[] {
  if (workloads.length === 0) return ["  none"];
  const rows = workloads
    .slice(0, MOST_WORKLOADS)
    .map(({ namespace, name, mode, policies, identity }) => [
      printable(`${namespace}/${name}`),
      mode,
      policies === 0 ? noPolicy(mode) : count(policies, "policy", "policies"),
      printable(identity),
    ]);
  const more = workloads.length - rows.length;
  return [...columns(rows), ...(more > 0 ? [`  and ${more} more: --output json lists all`] : [])];
}

/** In monitor mode everything passes, and is written down. */
function noPolicy(mode: string): string {
  return mode === "monitor" ? "no policy: all would be denied" : "no policy: all denied";
}

function isolationRows({ workloads = [] }: AuthorityStatus): readonly (readonly string[])[] {
  const isolation = isolationOf(workloads);
  return [["isolation", `${isolation}: ${isolationNote(isolation)}`]];
}

function authorityRows({ authorities }: AuthorityStatus, io: Io): readonly (readonly string[])[] {
  const soonest = [...authorities].sort((a, b) => (a.notAfter < b.notAfter ? -1 : 1))[0];
  if (soonest === undefined) return [];
  const left = age(io.clock(), new Date(soonest.notAfter));
  return [
    ["keys", `${count(authorities.length, "signing certificate")}; the ${soonest.role}'s ends first, in ${left}`],
  ];
}

function rootRows({ rootFingerprint }: AuthorityStatus): readonly (readonly string[])[] {
  return rootFingerprint === undefined ? [] : [["root", `sha256 ${rootFingerprint}`]];
}
