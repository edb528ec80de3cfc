import type { OidcProof } from "../model/index.ts";
import type { OidcSyntax } from "../syntax/kinds/node.ts";

/** The proof that a text asks for. */
export function proofOf({ issuer, audience, claims, jwks }: OidcSyntax): OidcProof {
  return {
    issuer: issuer.value,
    audience: audience.value,
    claims: new Map(claims.value.map(({ key, value }) => [key.text, value.value])),
    ...jwksOf(jwks),
  };
}

/** Where the issuer's keys are, if the text says so. */
export function jwksOf(jwks: OidcSyntax["jwks"]): Pick<OidcProof, "jwks"> {
  const [inline, url, file] = [jwks?.inline?.value, jwks?.url?.value, jwks?.file?.value];
  if (inline !== undefined) return { jwks: { inline } };
  if (url !== undefined) return { jwks: { url } };
  return file === undefined ? {} : { jwks: { file } };
}
