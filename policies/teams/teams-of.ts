import type { OidcProof } from "../model/index.ts";
import type { Document } from "../syntax/document.ts";
import { proofOf } from "./oidc-proof.ts";

type TeamDocument = Extract<Document, { readonly kind: "Team" }>;
type Spec = TeamDocument["spec"];

/** What a team may publish. */
export interface Team {
  readonly name: string;
  readonly namespaces: ReadonlySet<string>;
  /** Who publishes for it. */
  readonly publishers: readonly OidcProof[];
  /** Identities its workloads may have; none where the team says nothing. */
  readonly mayRegister: readonly NonNullable<Spec["mayRegister"]>["value"][number]["value"][];
  /** Label keys it may set; none where the team says nothing. */
  readonly mayLabel: ReadonlySet<string>;
}

/** The teams among documents, by name. A source of a team's name is that team's. */
export function teamsOf(documents: readonly Document[]): ReadonlyMap<string, Team> {
  const teams = documents.filter((one) => one.kind === "Team");
  return new Map(teams.map(({ name, spec }) => [name, teamOf(name, spec)]));
}

function teamOf(name: string, { namespaces, publishers, mayRegister, mayLabel }: Spec): Team {
  return {
    name,
    namespaces: new Set(namespaces.value.map(({ value }) => value)),
    publishers: publishers.value.flatMap(({ oidc }) => (oidc === undefined ? [] : [proofOf(oidc)])),
    mayRegister: (mayRegister?.value ?? []).map(({ value }) => value),
    mayLabel: new Set(mayLabel?.value.map(({ value }) => value)),
  };
}
