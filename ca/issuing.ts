import { createPublicKey } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type {
  EnrolRequest,
  EnrolResponse,
  IssuedCertificate,
  JwtSvidsRequest,
  JwtSvidsResponse,
  RenewRequest,
  SvidsRequest,
  SvidsResponse,
} from "../protocol/index.ts";
import { formatTrustBundle, parseX509Svid, type SpiffeId, systemId, type X509Svid } from "../spiffe/index.ts";
import { admitWorkload } from "./admission.ts";
import { CaError } from "./ca-error.ts";
import type { HostNames } from "./extensions.ts";
import { type Grant, noteOf, signGrant, type Unrecorded } from "./issuance.ts";
import { checkToken, consumeToken, readToken, tokenEvidence } from "./join-tokens.ts";
import { generateKey } from "./key-folder.ts";
import { appendToLedger } from "./ledger.ts";
import { issueProbe } from "./probe.ts";
import type { Refusal } from "./refusal.ts";
import { type IssuingParts, type Outcome, refused, settle } from "./settling.ts";
import { agentStanding, nodeStanding, type Standing } from "./standing.ts";
import { issueJwtSvids } from "./token-issuing.ts";

/** What the authority's own TLS certificate may say beside its identity. */
export interface SystemSvidOptions extends HostNames {
  readonly ttlSeconds?: number;
}

/** A node that proved itself to the caller, who vouches for it. */
export interface AttestedNode {
  readonly node: string;
  /** What it proved itself by, for the ledger. */
  readonly evidence: string;
  /** base64url DER of the PKCS#10 request. */
  readonly csr: string;
}

/** Every way to a certificate. INVARIANT: `enrol` and `issueSystemSvid` are called while nothing else runs; the others see to that themselves. */
export interface Issuing {
  enrol(request: EnrolRequest): Promise<EnrolResponse>;
  enrolAttested(attested: AttestedNode): Promise<EnrolResponse>;
  renewAgent(node: string, request: RenewRequest, serial?: string): Promise<EnrolResponse>;
  issueSvids(node: string, request: SvidsRequest, serial?: string): Promise<SvidsResponse>;
  issueJwtSvids(node: string, request: JwtSvidsRequest, serial?: string): Promise<JwtSvidsResponse>;
  issueProbe(node: string, request: RenewRequest, serial?: string): Promise<IssuedCertificate>;
  issueSystemSvid(id: SpiffeId, options?: SystemSvidOptions): Promise<X509Svid>;
}

const SIGNED_AT_ONCE = 16;

export function startIssuing(parts: IssuingParts): Issuing {
  return {
    enrol: (request) => enrol(parts, request),
    enrolAttested: (attested) => enrolAttested(parts, attested),
    renewAgent: (node, request, serial) => renewAgent(parts, node, request, serial),
    issueSvids: (node, request, serial) => issueSvids(parts, node, request, serial),
    issueJwtSvids: (node, request, serial) => issueJwtSvids(parts, node, request, serial),
    issueProbe: (node, request, serial) => issueProbe(parts, node, request, serial),
    issueSystemSvid: (id, options) => issueSystemSvid(parts, id, options ?? {}),
  };
}

async function enrol(parts: IssuingParts, request: EnrolRequest): Promise<EnrolResponse> {
  const token = readToken(request.token, parts.hierarchy.knowsRoot);
  const { context } = parts.grounds();
  const issued = await settle(parts, async (trx) => {
    const checked = await checkToken(trx, context, token);
    if (!checked.ok) return { kind: "refused", refusals: [checked.refusal], record: checked.record };
    const outcome = await decide(parts, nodeStanding(parts.grounds(), checked.node, tokenEvidence(token)), request.csr);
    if (outcome.kind === "issued") await consumeToken(trx, context, token);
    return outcome;
  });
  return enrolled(parts, issued);
}

/** SECURITY: the caller has verified the proof and that the node's document takes it; registration and revocation are looked at here. */
async function enrolAttested(parts: IssuingParts, { node, evidence, csr }: AttestedNode): Promise<EnrolResponse> {
  const issued = await parts.group.settle(() => decide(parts, nodeStanding(parts.grounds(), node, evidence), csr));
  return enrolled(parts, issued);
}

async function renewAgent(
  parts: IssuingParts,
  node: string,
  request: RenewRequest,
  serial?: string,
): Promise<EnrolResponse> {
  const issued = await parts.group.settle(async (trx) =>
    decide(parts, await agentStanding(trx, parts.grounds(), node, serial), request.csr),
  );
  return enrolled(parts, issued);
}

/** An agent's certificate on the grounds of its node's standing. */
async function decide(parts: IssuingParts, standing: Standing, csr: string): Promise<Outcome<IssuedCertificate>> {
  if (!standing.ok) return refused(standing.refusal);
  const { id, node, evidence } = standing;
  const seconds = parts.grounds().context.lifetimes.agentSeconds;
  return signAll(parts, [{ kind: "agent", id, node: node.name, evidence, seconds, csr }]);
}

function enrolled(parts: IssuingParts, [first]: readonly Unrecorded<IssuedCertificate>[]): EnrolResponse {
  if (first?.note.node === undefined) throw new Error("an agent's certificate without a node");
  const trustBundle = formatTrustBundle(parts.hierarchy.trustBundle());
  return { node: first.note.node, certificate: first.credential, trustBundle };
}

async function issueSvids(
  parts: IssuingParts,
  node: string,
  request: SvidsRequest,
  serial?: string,
): Promise<SvidsResponse> {
  const issued = await parts.group.settle(async (trx) => {
    const standing = await agentStanding(trx, parts.grounds(), node, serial);
    if (!standing.ok) return refused(standing.refusal);
    const checks = request.requests.map((one) => checkWorkload(parts, standing, one.identity, one.csr));
    const refusals = checks.flatMap((check) => (check.ok ? [] : [check.refusal]));
    if (refusals.length > 0) return refused(...refusals);
    return signAll(
      parts,
      checks.flatMap((check) => (check.ok ? [check.grant] : [])),
    );
  });
  return { certificates: issued.map((one) => one.credential) };
}

type GrantCheck = { readonly ok: true; readonly grant: Grant } | { readonly ok: false; readonly refusal: Refusal };

function checkWorkload(
  parts: IssuingParts,
  standing: Standing & { ok: true },
  identity: string,
  csr: string,
): GrantCheck {
  const { context } = parts.grounds();
  const admitted = admitWorkload(parts.grounds(), standing, identity);
  if (!admitted.ok) return admitted;
  const { id, evidence } = admitted;
  const seconds = context.lifetimes.svidSeconds;
  return { ok: true, grant: { kind: "x509-svid", id, node: standing.node.name, evidence, seconds, csr } };
}

async function issueSystemSvid(parts: IssuingParts, id: SpiffeId, options: SystemSvidOptions): Promise<X509Svid> {
  const { context } = parts.grounds();
  if (!id.equals(systemId(context.trustDomain, "authority"))) {
    throw new CaError("ERR_CA_PROFILE", `\`${id}\` is not issued this way`, {
      hint: "only the authority's own TLS certificate is; agents enrol, workloads go through their agent",
    });
  }
  const { ttlSeconds, ...hosts } = options;
  const privateKey = generateKey();
  const seconds = ttlSeconds ?? context.lifetimes.svidSeconds;
  const leaf = parts.hierarchy.issue({ id, publicKey: createPublicKey(privateKey), seconds, hosts });
  const note = noteOf("authority", id, leaf, { evidence: "own TLS certificate" });
  await context.db.transaction().execute((trx) => appendToLedger(trx, context.clock(), [note]));
  return parseX509Svid({ chain: parts.hierarchy.chainOf(leaf), privateKey });
}

/** All or nothing; lets other work in between, as a thousand signatures take most of a second. */
async function signAll(parts: IssuingParts, grants: readonly Grant[]): Promise<Outcome<IssuedCertificate>> {
  const results = [];
  for (const [index, grant] of grants.entries()) {
    if (index % SIGNED_AT_ONCE === SIGNED_AT_ONCE - 1) await setImmediate();
    results.push(signGrant(parts.hierarchy, grant));
  }
  const refusals = results.flatMap((result) => (result.ok ? [] : [result.refusal]));
  if (refusals.length > 0) return refused(...refusals);
  return { kind: "issued", issued: results.flatMap((result) => (result.ok ? [result.issued] : [])) };
}
