import { type Finding, finding } from "../findings/index.ts";
import { spiffeMatches } from "../match/caller.ts";
import type { PolicySet, Span, Workload } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { Document, MergedDocument } from "../syntax/document.ts";
import { entryOf } from "../syntax/tree.ts";
import { type Team, teamsOf } from "./teams-of.ts";

/** What `checkTeams` looks at. */
export interface TeamCheck {
  /** All documents: the teams are found in those of other sources. */
  readonly documents: readonly Document[];
  /** The resolved set of all documents. */
  readonly set: PolicySet;
  /** Name of the source that is judged, and whether a document is of it. */
  readonly source: string;
  readonly isOfSource: (document: Document) => boolean;
}

type Known = Exclude<Document, { readonly kind: "Invalid" }>;

/**
 * What of a source's documents is outside the grant of the team of its name: `team-kind`, `team-namespace`,
 * `team-identity`, `team-label`, each naming the owner. Nothing for a source that is no team's: the platform's own.
 *
 * SECURITY: a team's grant comes from the documents of other sources, so that no team can widen its own.
 */
export function checkTeams({ documents, set, source, isOfSource }: TeamCheck): readonly Finding[] {
  const teams = teamsOf(documents.filter((one) => !isOfSource(one)));
  const team = teams.get(source);
  if (team === undefined) return [];
  const workloads = new Map(set.workloads.map((one) => [`${one.namespace}/${one.name}`, one]));
  return documents.flatMap((one) => {
    if (one.kind === "Invalid" || !isOfSource(one)) return [];
    return judge(one, { team, teams, workloads });
  });
}

interface Context {
  readonly team: Team;
  readonly teams: ReadonlyMap<string, Team>;
  readonly workloads: ReadonlyMap<string, Workload>;
}

function judge(document: Known, context: Context): readonly Finding[] {
  const { team, teams } = context;
  const { kind, namespace, name, span } = document;
  if (kind === "Mesh" || kind === "Node" || kind === "Team" || kind === "Guardrail") {
    const message = `the ${kind} \`${shownName(document)}\` is the platform's, not the team \`${team.name}\`'s`;
    return [outside("team-kind", span, message, [team.name, kind, namespace, name])];
  }
  if (!team.namespaces.has(namespace)) {
    const message = `the ${kind} \`${shownName(document)}\` is in the namespace \`${namespace}\`, which is ${ownerOf(namespace, teams)}, not the team \`${team.name}\`'s`;
    return [outside("team-namespace", span, message, [team.name, kind, namespace, name])];
  }
  return "tree" in document ? judgeWorkload(document, context) : [];
}

function judgeWorkload(document: MergedDocument, { team, teams, workloads }: Context): readonly Finding[] {
  const shown = shownName(document);
  const identity = workloads.get(shown)?.identity;
  const granted = identity === undefined || team.mayRegister.some((pattern) => spiffeMatches(pattern, identity));
  const owner = [...teams.values()].find(
    (other) => identity !== undefined && other.mayRegister.some((pattern) => spiffeMatches(pattern, identity)),
  );
  const belongs = owner === undefined ? "the platform's" : `the team \`${owner.name}\`'s`;
  const identities = granted
    ? []
    : [
        outside(
          "team-identity",
          document.span,
          `the Workload \`${shown}\` has the identity \`${identity}\`, which is ${belongs} to register, not the team \`${team.name}\`'s`,
          [team.name, shown, String(identity)],
        ),
      ];
  const labels = labelKeys(document).filter(({ key }) => !team.mayLabel.has(key));
  return [
    ...identities,
    ...labels.map(({ key, span }) =>
      outside(
        "team-label",
        span,
        `the label \`${printable(key, 80)}\` of the Workload \`${shown}\` is the platform's to set, not the team \`${team.name}\`'s`,
        [team.name, shown, key],
      ),
    ),
  ];
}

/** Every label key that a document sets, changes or, with `null`, takes away. */
function labelKeys({ tree }: MergedDocument): readonly { readonly key: string; readonly span: Span }[] {
  const metadata = entryOf(tree, "metadata")?.value;
  const labels = metadata?.kind === "map" ? entryOf(metadata, "labels")?.value : undefined;
  if (labels?.kind !== "map") return labels === undefined ? [] : [{ key: "*", span: labels.span }];
  return labels.entries.map(({ key }) => ({ key: key.text, span: key.span }));
}

function ownerOf(namespace: string, teams: ReadonlyMap<string, Team>): string {
  const owners = [...teams.values()].filter(({ namespaces }) => namespaces.has(namespace));
  if (owners.length === 0) return "the platform's";
  return owners.map(({ name }) => `the team \`${name}\`'s`).join(" and ");
}

function shownName({ namespace, name }: Known): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}

function outside(id: string, span: Span, message: string, about: readonly string[]): Finding {
  return finding({
    id,
    severity: "error",
    span,
    message,
    reason: "a team publishes only what its Team document grants, so that nobody changes what is not theirs",
    remedy: "have the owner publish it, or the platform widen the grant",
    about,
  });
}
