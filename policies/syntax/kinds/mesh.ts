import { absolutePath, httpsUrl } from "../addresses.ts";
import { choice, list, mapOf, type ObjectOf, object, optional, required, text } from "../readers.ts";
import { labelKeyItem, name, nonEmptyText, trustDomain } from "../values.ts";
import { oidc } from "./node.ts";

const jwksShape = {
  inline: optional(nonEmptyText, "the JWK Set itself, as JSON text"),
  file: optional(absolutePath, "a file beside the sidecar that holds it"),
  url: optional(httpsUrl, "where the sidecar fetches it"),
};

const providerShape = {
  issuer: required(nonEmptyText, "the exact `iss` of its tokens"),
  audiences: required(list(nonEmptyText), "one of these must be in a token's `aud`"),
  jwks: required(
    object(jwksShape, { expects: "the issuer's keys", exactlyOne: ["inline", "file", "url"] }),
    "the issuer's keys",
  ),
};

/** A JWT provider as written. */
export type JwtProviderSyntax = ObjectOf<typeof providerShape>;

const approvalsShape = {
  changes: required(
    choice("broader", "all"),
    "which publishes a second person must approve: those that allow more than before, or all",
  ),
  approvers: optional(
    list(object({ oidc: required(oidc, "an OIDC token") }, { expects: "who may approve" })),
    "who may approve, beside whoever holds the local admin token",
  ),
};

const meshShape = {
  trustDomain: required(trustDomain, "the own trust domain, such as `shop.example`"),
  defaultMode: required(choice("enforce", "monitor"), "the mode of workloads that say none: `enforce` or `monitor`"),
  isolate: optional(list(labelKeyItem), "label keys whose values caller and callee must share"),
  unregistered: optional(choice("deny"), "what identities of the own trust domain get that no Workload names: `deny`"),
  federation: optional(
    list(
      object(
        { trustDomain: required(trustDomain, "the federated trust domain") },
        { expects: "a federated trust domain", hint: "write `- trustDomain: partner.example`" },
      ),
    ),
    "other trust domains whose identities may be named",
  ),
  jwtProviders: optional(
    mapOf(
      text({ expects: "a provider's name", schema: name.schema }),
      object(providerShape, { expects: "a token issuer" }),
    ),
    "token issuers by name",
  ),
  approvals: optional(
    object(approvalsShape, { expects: "what must be approved" }),
    "publishes that take effect only when somebody else than the publisher has approved them",
  ),
};

/** A Mesh's `spec` as written. */
export type MeshSyntax = ObjectOf<typeof meshShape>;

/** Reads a Mesh's `spec`. */
export const meshSpec = object(meshShape, { expects: "the mesh's settings" });
