import { parseTrustDomain } from "../../spiffe/index.ts";
import type { JwtProvider, Mesh, Span } from "../model/index.ts";
import type { MergedDocument } from "../syntax/document.ts";
import { type JwtProviderSyntax, type MeshSyntax, meshSpec } from "../syntax/kinds/mesh.ts";
import { FAILED, type Reading } from "../syntax/readers.ts";
import { entryOf } from "../syntax/tree.ts";
import { proofOf } from "../teams/oidc-proof.ts";
import { outwardOf } from "./federation.ts";
import type { Findings } from "./findings.ts";
import { type Gathered, mayLack } from "./gather.ts";
import { identityOf } from "./identity.ts";

/** The mesh's settings; `known` is false for the stand-in of a set whose Mesh is missing or has errors. */
export interface ResolvedMesh {
  readonly mesh: Mesh;
  readonly known: boolean;
}

/** Denies everything and can never be compiled: a set without a valid Mesh has an error. */
function standIn(): ResolvedMesh {
  const mesh: Mesh = {
    trustDomain: parseTrustDomain("unknown.invalid"),
    defaultMode: "enforce",
    isolate: [],
    unregistered: "deny",
    federated: [],
    jwtProviders: new Map(),
  };
  return { mesh, known: false };
}

/** Finds the one Mesh of a set. */
export function resolveMesh(gathered: Gathered, anywhere: Span, findings: Findings): ResolvedMesh {
  const [first, ...others] = gathered.meshes;
  for (const { span, name } of others) {
    const hint = `the set has one Mesh, \`${first?.name}\`; a Mesh of that name would be merged over it`;
    findings.report("ERR_POLICY_SECOND_MESH", span, `\`${name}\` is a second Mesh`, hint);
  }
  if (first === undefined) {
    if (!mayLack(gathered, "Mesh")) {
      const hint = "add a document `kind: Mesh` with `trustDomain` and `defaultMode`";
      findings.report("ERR_POLICY_NO_MESH", anywhere, "there is no Mesh in this set", hint);
    }
    return standIn();
  }
  const spec = readSpec(first, findings);
  return spec === undefined ? standIn() : { mesh: meshOf(spec, findings), known: true };
}

function readSpec({ tree, span }: MergedDocument, findings: Findings): MeshSyntax | undefined {
  const node = entryOf(tree, "spec")?.value;
  const reading: Reading = { found: [], partial: false };
  const spec = node === undefined ? FAILED : meshSpec.read(node, reading);
  for (const one of reading.found) findings.add(one);
  if (node === undefined) findings.report("ERR_POLICY_MISSING_KEY", span, "the key `spec` is missing");
  return spec === FAILED ? undefined : spec;
}

function meshOf(spec: MeshSyntax, findings: Findings): Mesh {
  return {
    trustDomain: spec.trustDomain.value,
    defaultMode: spec.defaultMode.value,
    isolate: [...new Set(spec.isolate?.value.map(({ value }) => value))],
    unregistered: "deny",
    ...(spec.identity === undefined ? {} : { identity: identityOf(spec.identity) }),
    ...outwardOf(spec, findings),
    jwtProviders: new Map(spec.jwtProviders?.value.map(({ key, value }) => [key.text, providerOf(value)])),
    ...(spec.approvals === undefined ? {} : { approvals: approvalsOf(spec.approvals, findings) }),
  };
}

function approvalsOf(
  { changes, approvers }: NonNullable<MeshSyntax["approvals"]>,
  findings: Findings,
): NonNullable<Mesh["approvals"]> {
  if ((approvers?.value.length ?? 0) === 0)
    findings.report(
      "WARN_POLICY_NO_APPROVER",
      changes.span,
      "nobody can approve what the local administrator publishes, this setting's own change included",
      "name somebody under `approvers`",
    );
  return { changes: changes.value, approvers: (approvers?.value ?? []).map(({ oidc }) => proofOf(oidc)) };
}

function providerOf({ issuer, audiences, jwks }: JwtProviderSyntax): JwtProvider {
  return { issuer: issuer.value, audiences: audiences.value.map(({ value }) => value), jwks: keysOf(jwks) };
}

function keysOf({ inline, file, url }: JwtProviderSyntax["jwks"]): JwtProvider["jwks"] {
  if (inline !== undefined) return { inline: inline.value };
  return file !== undefined ? { file: file.value } : { url: url?.value ?? "" };
}
