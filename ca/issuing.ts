import { createPublicKey } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { printable } from "../policies/index.ts";
import type { EnrolRequest, EnrolResponse, RenewRequest, SvidsRequest, SvidsResponse } from "../protocol/index.ts";
import {
  formatTrustBundle,
  parseX509Svid,
  type SpiffeId,
  systemId,
  tryParseSpiffeId,
  type X509Svid,
} from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import type { Counting } from "./counters.ts";
import type { HostNames } from "./extensions.ts";
import type { Hierarchy } from "./hierarchy.ts";
import { type Grant, noteOf, signGrant, type Unrecorded } from "./issuance.ts";
import { checkToken, consumeToken, readToken, tokenEvidence } from "./join-tokens.ts";
import { generateKey } from "./key-folder.ts";
import { appendToLedger } from "./ledger.ts";
import { errorOf, type Refusal, recordRefusals } from "./refusal.ts";
import { agentStanding, type Grounds, nodeStanding, type Standing } from "./standing.ts";
import type { CaTransaction } from "./tables.ts";

/** What issuing stands on; `grounds` are those of the moment. */
export interface IssuingParts {
  readonly hierarchy: Hierarchy;
  readonly grounds: () => Grounds;
  readonly counters: Counting;
}

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

/** Every way to a certificate. INVARIANT: calls never overlap; the authority queues them. */
export interface Issuing {
  enrol(request: EnrolRequest): Promise<EnrolResponse>;
  enrolAttested(attested: AttestedNode): Promise<EnrolResponse>;
  renewAgent(node: string, request: RenewRequest, serial?: string): Promise<EnrolResponse>;
  issueSvids(node: string, request: SvidsRequest, serial?: string): Promise<SvidsResponse>;
  issueSystemSvid(id: SpiffeId, options?: SystemSvidOptions): Promise<X509Svid>;
}

const SIGNED_AT_ONCE = 16;

/** What a transaction came to: certificates whose ledger entries are committed with it, or refusals that are. */
type Outcome =
  | { readonly kind: "issued"; readonly issued: readonly Unrecorded[] }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[]; readonly record: boolean };

export function startIssuing(parts: IssuingParts): Issuing {
  return {
    enrol: (request) => enrol(parts, request),
    enrolAttested: (attested) => enrolAttested(parts, attested),
    renewAgent: (node, request, serial) => renewAgent(parts, node, request, serial),
    issueSvids: (node, request, serial) => issueSvids(parts, node, request, serial),
    issueSystemSvid: (id, options) => issueSystemSvid(parts, id, options ?? {}),
  };
}

async function enrol(parts: IssuingParts, request: EnrolRequest): Promise<EnrolResponse> {
  const token = readToken(request.token, parts.hierarchy.rootFingerprint());
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
  const issued = await settle(parts, () => decide(parts, nodeStanding(parts.grounds(), node, evidence), csr));
  return enrolled(parts, issued);
}

async function renewAgent(
  parts: IssuingParts,
  node: string,
  request: RenewRequest,
  serial?: string,
): Promise<EnrolResponse> {
  const issued = await settle(parts, async (trx) =>
    decide(parts, await agentStanding(trx, parts.grounds(), node, serial), request.csr),
  );
  return enrolled(parts, issued);
}

/** An agent's certificate on the grounds of its node's standing. */
async function decide(parts: IssuingParts, standing: Standing, csr: string): Promise<Outcome> {
  if (!standing.ok) return refused(standing.refusal);
  const { id, node, evidence } = standing;
  const seconds = parts.grounds().context.lifetimes.agentSeconds;
  return signAll(parts, [{ kind: "agent", id, node: node.name, evidence, seconds, csr }]);
}

function enrolled(parts: IssuingParts, [first]: readonly Unrecorded[]): EnrolResponse {
  if (first?.note.node === undefined) throw new Error("an agent's certificate without a node");
  const trustBundle = formatTrustBundle(parts.hierarchy.trustBundle());
  return { node: first.note.node, certificate: first.certificate, trustBundle };
}

async function issueSvids(
  parts: IssuingParts,
  node: string,
  request: SvidsRequest,
  serial?: string,
): Promise<SvidsResponse> {
  const issued = await settle(parts, async (trx) => {
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
  return { certificates: issued.map((one) => one.certificate) };
}

type GrantCheck = { readonly ok: true; readonly grant: Grant } | { readonly ok: false; readonly refusal: Refusal };

/** SECURITY: the identity in the request is only looked up; what is signed is the registry's own. */
function checkWorkload(
  parts: IssuingParts,
  standing: Standing & { ok: true },
  identity: string,
  csr: string,
): GrantCheck {
  const { context, registry, revocations } = parts.grounds();
  const about = { identity: printable(identity), node: standing.node.name, evidence: standing.evidence };
  const read = tryParseSpiffeId(identity);
  if (!read.ok) return { ok: false, refusal: { ...about, code: "ERR_CA_UNREGISTERED", reason: read.message } };
  const workload = registry.workload(identity);
  if (workload === undefined) return { ok: false, refusal: { ...about, ...unregistered(identity) } };
  const admission = registry.admit(standing.node, workload);
  if (!admission.ok) return { ok: false, refusal: { ...about, ...notOnNode(identity, admission.reason) } };
  if (revocations.isIdentityRevoked(identity)) return { ok: false, refusal: { ...about, ...revoked(identity) } };
  const seconds = context.lifetimes.svidSeconds;
  const grant = {
    kind: "x509-svid",
    id: workload.identity,
    node: standing.node.name,
    evidence: admission.evidence,
    seconds,
    csr,
  } as const;
  return { ok: true, grant };
}

function unregistered(identity: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const reason = `no \`Workload\` document has the identity \`${printable(identity)}\``;
  return { code: "ERR_CA_UNREGISTERED", reason, hint: "publish the workload before its agent asks for it" };
}

function notOnNode(identity: string, why: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const reason = `\`${identity}\` is not issued to this node: ${why}`;
  return { code: "ERR_CA_NOT_ON_NODE", reason, hint: "check the workload's `runsOn` and the node's labels" };
}

function revoked(identity: string): Pick<Refusal, "code" | "reason" | "hint"> {
  const hint = "a revoked identity stays refused: give the workload a new one";
  return { code: "ERR_CA_REVOKED", reason: `\`${identity}\` has been revoked`, hint };
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

function refused(...refusals: readonly Refusal[]): Outcome {
  return { kind: "refused", refusals, record: true };
}

/** All or nothing; lets other work in between, as a thousand signatures take most of a second. */
async function signAll(parts: IssuingParts, grants: readonly Grant[]): Promise<Outcome> {
  const results = [];
  for (const [index, grant] of grants.entries()) {
    if (index % SIGNED_AT_ONCE === SIGNED_AT_ONCE - 1) await setImmediate();
    results.push(signGrant(parts.hierarchy, grant));
  }
  const refusals = results.flatMap((result) => (result.ok ? [] : [result.refusal]));
  if (refusals.length > 0) return refused(...refusals);
  return { kind: "issued", issued: results.flatMap((result) => (result.ok ? [result.issued] : [])) };
}

/**
 * Runs one request in a transaction that also writes the ledger.
 *
 * INVARIANT: certificates and refusals leave this function only once their ledger entries are on the disk; whatever
 * throws on the way takes everything back, the use of a join token included.
 */
async function settle(
  parts: IssuingParts,
  work: (trx: CaTransaction) => Promise<Outcome>,
): Promise<readonly Unrecorded[]> {
  const { context } = parts.grounds();
  const outcome = await context.db.transaction().execute(async (trx) => {
    const result = await work(trx);
    if (result.kind === "issued")
      await appendToLedger(
        trx,
        context.clock(),
        result.issued.map((one) => one.note),
      );
    else if (result.record) await recordRefusals(trx, context.clock(), result.refusals);
    return result;
  });
  return conclude(parts, outcome);
}

function conclude(parts: IssuingParts, outcome: Outcome): readonly Unrecorded[] {
  if (outcome.kind === "issued") {
    parts.counters.add("issued", outcome.issued.length);
    return outcome.issued;
  }
  parts.counters.add("refused", outcome.refusals.length);
  const [first, ...rest] = outcome.refusals;
  if (first === undefined) throw new Error("a refusal without a reason");
  if (first.code === "ERR_CA_JOIN_TOKEN_USED") parts.counters.add("joinTokenReplays");
  const more = rest.length === 0 ? "" : ` (and ${rest.length} more)`;
  throw errorOf({ ...first, reason: `${first.reason}${more}` });
}
