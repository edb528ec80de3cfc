import type { KubernetesAccount, Node, NodeAttestation } from "../model/index.ts";
import type { NodeSyntax } from "../syntax/kinds/node.ts";
import { jwksOf, proofOf } from "../teams/oidc-proof.ts";
import type { Of } from "./gather.ts";

/** A host that may enrol. */
export function resolveNode({ name, labels, span, spec }: Of<"Node">): Node {
  return { name, labels, attest: spec.attest.value.map(attestationOf), span };
}

type AttestSyntax = NodeSyntax["attest"]["value"][number];

function attestationOf({ oidc, kubernetes }: AttestSyntax): NodeAttestation {
  if (oidc !== undefined) return { kind: "oidc", proof: proofOf(oidc) };
  if (kubernetes !== undefined) return { kind: "kubernetes", account: accountOf(kubernetes) };
  return { kind: "joinToken" };
}

function accountOf(account: NonNullable<AttestSyntax["kubernetes"]>): KubernetesAccount {
  const { issuer, audience, namespace, serviceAccount, node, jwks } = account;
  return {
    issuer: issuer.value,
    audience: audience.value,
    namespace: namespace.value,
    serviceAccount: serviceAccount.value,
    ...(node === undefined ? {} : { node: node.value }),
    ...jwksOf(jwks),
  };
}
