import type { CertificateAuthority } from "../../ca/index.ts";
import type { Node } from "../../policies/index.ts";
import type { AttestRequest, EnrolResponse } from "../../protocol/index.ts";
import { AuthorityError } from "../authority-error.ts";
import type { IssuerKeys } from "../issuer-keys.ts";
import { type Attestation, attestNode } from "./attest-node.ts";
import { RefusalQuota } from "./refusal-quota.ts";
import type { SpentTokens } from "./spent-tokens.ts";

/** What enrolment by token stands on. */
export interface TokenEnrolmentOptions {
  readonly ca: Pick<CertificateAuthority, "enrolAttested" | "recordRefusal" | "trustDomain">;
  readonly clock: () => Date;
  readonly keys: IssuerKeys;
  readonly spent: SpentTokens;
  /** Nodes of the set in force. */
  readonly nodes: () => readonly Node[];
}

const RECORDED_AN_HOUR = 120;

/** Enrolment of nodes that a token issuer or a Kubernetes cluster vouches for. */
export class TokenEnrolment {
  readonly #options: TokenEnrolmentOptions;
  readonly #strangers = new RefusalQuota(RECORDED_AN_HOUR);
  readonly #bearers = new RefusalQuota(10 * RECORDED_AN_HOUR);

  constructor(options: TokenEnrolmentOptions) {
    this.#options = options;
  }

  /**
   * An agent's certificate on the grounds of a token. Throws `ERR_AUTHORITY_ATTESTATION` with what was seen and the
   * nearest entry, `ERR_AUTHORITY_ISSUER_KEYS`, and the codes of `enrolAttested`. Every refusal is in the ledger.
   */
  async enrol({ token, node, csr }: AttestRequest): Promise<EnrolResponse> {
    const { ca, clock, keys, nodes, spent } = this.#options;
    const at = clock();
    const attestation = await attestNode({ token, node }, { nodes: nodes(), keys, at });
    switch (attestation.kind) {
      case "unavailable":
        throw new AuthorityError(
          "ERR_AUTHORITY_ISSUER_KEYS",
          `the keys of \`${attestation.issuer}\` cannot be had now`,
          {
            hint: "see whether the authority reaches the issuer; the agent tries again by itself",
          },
        );
      case "refused":
        throw await this.#refused(attestation, node);
      case "attested":
        break;
      default:
        attestation satisfies never;
    }
    // INVARIANT: spent before anything is issued; a token whose answer gets lost is spent too.
    if (attestation.once && !(await spent.spend(attestation.digest, attestation.expiresAt, at))) {
      const { evidence } = attestation;
      throw await this.#refused({ evidence, verified: true, reason: USED }, attestation.node);
    }
    return ca.enrolAttested({ node: attestation.node, evidence: attestation.evidence, csr });
  }

  async #refused(
    { evidence, reason, verified }: Pick<Extract<Attestation, { kind: "refused" }>, "evidence" | "reason" | "verified">,
    node: string | undefined,
  ): Promise<AuthorityError> {
    const { ca, clock } = this.#options;
    if ((verified ? this.#bearers : this.#strangers).take(clock())) {
      const named = node !== undefined && /^[a-z0-9-]{1,63}$/.test(node) ? { node } : {};
      const identity = named.node === undefined ? "" : `spiffe://${ca.trustDomain}/cellwall/agent/${named.node}`;
      await ca.recordRefusal({ identity, evidence, reason, ...named });
    }
    return new AuthorityError("ERR_AUTHORITY_ATTESTATION", `the ${evidence} is refused: ${reason}`, {
      hint: "compare the token with the `attest` of the Node documents",
    });
  }
}

const USED = "it was used already, and a token of this kind is for one use";
