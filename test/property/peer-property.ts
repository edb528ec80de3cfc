import { describe, expect, it } from "vitest";
import type { ImportOptions } from "../../policies/interop/index.ts";
import { holdMany, type PeerRequest } from "../support/peers/hold-import.ts";
import { Random, runCount, runSeed } from "./random.ts";

const REQUESTS = 10;

/** How sets of one peer's policies are made and asked about. */
export interface PeerProperty<PolicySet> {
  /** The peer, as the test's name says it. */
  readonly peer: string;
  readonly format: string;
  readonly options: ImportOptions;
  /** Sets at quick depth; 20,000 at full depth. */
  readonly sets: number;
  readonly make: (random: Random) => PolicySet;
  readonly documentsOf: (set: PolicySet) => readonly unknown[];
  /** A request with the verdict of the peer's model. */
  readonly requestOf: (random: Random, set: PolicySet) => PeerRequest;
}

/** Holds the import of a peer's policies against a model of the peer's semantics. */
export function testPeer<PolicySet>(property: PeerProperty<PolicySet>): void {
  const { peer, format, options, sets, make, documentsOf, requestOf } = property;
  const seed = runSeed();

  describe(`imported policies of ${peer}`, () => {
    it(`decide as ${peer} does where the report says exact, and never allow more (CELLWALL_SEED=${seed})`, () => {
      const random = new Random(seed);
      const { claims, broken } = holdMany(runCount(sets, 20_000), () => {
        const set = make(random);
        return {
          set: { format, documents: documentsOf(set), options },
          requests: random.list(REQUESTS, REQUESTS, () => requestOf(random, set)),
        };
      });
      expect(broken).toBeUndefined();
      expect(claims.exact).toBeGreaterThan((sets * REQUESTS) / 4);
      process.stdout.write(`${format}, random: ${JSON.stringify(claims)}\n`);
    });
  });
}

/** `namespace/name`, as requests name workloads. */
export function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
