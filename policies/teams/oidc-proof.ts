import type { OidcProof } from "../model/index.ts";
import type { OidcSyntax } from "../syntax/kinds/node.ts";

/** The proof that a text asks for. */
export function proofOf({ issuer, audience, claims, jwks }: OidcSyntax): OidcProof {
  const inline = jwks?.inline?.value;
  const url = jwks?.url?.value;
  return {
    issuer: issuer.value,
    audience: audience.value,
    claims: new Map(claims.value.map(({ key, value }) => [key.text, value.value])),
    ...(inline === undefined ? {} : { jwks: { inline } }),
    ...(url === undefined ? {} : { jwks: { url } }),
  };
}
