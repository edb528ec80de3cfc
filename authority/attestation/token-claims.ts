import type { JWTPayload } from "jose";
import { type KubernetesAccount, type NodeAttestation, type OidcProof, printable } from "../../policies/index.ts";

/** A way to attest by token. */
export type TokenWay = Exclude<NodeAttestation, { readonly kind: "joinToken" }>;

/** What a token lacks for a way, one text each: what was seen and what is wanted. Issuer, keys and times are checked before. */
export function lacksOf(way: TokenWay, payload: JWTPayload): readonly string[] {
  switch (way.kind) {
    case "oidc":
      return oidcLacks(way.proof, payload);
    case "kubernetes":
      return kubernetesLacks(way.account, payload);
    default:
      return way satisfies never;
  }
}

function oidcLacks({ audience, claims }: OidcProof, payload: JWTPayload): readonly string[] {
  const wrong = [...claims].flatMap(([name, wanted]) =>
    mismatch(`claim \`${printable(name, 60)}\``, Object.hasOwn(payload, name) ? payload[name] : undefined, wanted),
  );
  return [...audienceLacks(payload, audience), ...wrong];
}

/**
 * The subject alone would do for the account; the bound claims beside it must agree, and only a bound token, which dies
 * with its pod, has them.
 */
function kubernetesLacks(account: KubernetesAccount, payload: JWTPayload): readonly string[] {
  const bound = mapOf(payload["kubernetes.io"]);
  const { namespace, serviceAccount, node } = account;
  return [
    ...audienceLacks(payload, account.audience),
    ...mismatch("the subject", payload.sub, `system:serviceaccount:${namespace}:${serviceAccount}`),
    ...mismatch("the service account", mapOf(bound.get("serviceaccount")).get("name"), serviceAccount),
    ...mismatch("the namespace", bound.get("namespace"), namespace),
    ...(node === undefined ? [] : mismatch("the node", mapOf(bound.get("node")).get("name"), node)),
  ];
}

function audienceLacks({ aud }: JWTPayload, wanted: string): readonly string[] {
  const audiences = typeof aud === "string" ? [aud] : (aud ?? []);
  return audiences.includes(wanted) ? [] : mismatch("the audience", audiences.join(", "), wanted);
}

function mismatch(what: string, seen: unknown, wanted: string): readonly string[] {
  if (seen === wanted) return [];
  if (seen === undefined || seen === "") return [`${what} is missing, wanted \`${printable(wanted, 120)}\``];
  const shown = typeof seen === "string" ? seen : JSON.stringify(seen);
  return [`${what} is \`${printable(shown, 120)}\`, wanted \`${printable(wanted, 120)}\``];
}

function mapOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
}
