import { list, type ObjectOf, object, optional, required } from "../readers.ts";
import { labelKeyItem, namespace, spiffePattern } from "../values.ts";
import { oidc } from "./node.ts";

const teamShape = {
  namespaces: required(list(namespace), "namespaces the team publishes"),
  publishers: required(
    list(
      object(
        { oidc: optional(oidc, "an OIDC token, as a CI job has one") },
        { expects: "who publishes", exactlyOne: ["oidc"] },
      ),
    ),
    "who publishes for the team",
  ),
  mayRegister: optional(list(spiffePattern), "identities its workloads may have"),
  mayLabel: optional(list(labelKeyItem), "label keys it may set; every other key is the platform's"),
};

/** A Team's `spec` as written. */
export type TeamSyntax = ObjectOf<typeof teamShape>;

/** Reads a Team's `spec`. */
export const teamSpec = object(teamShape, { expects: "the team's settings" });
