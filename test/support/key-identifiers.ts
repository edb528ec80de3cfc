import type { IssueOptions } from "../../spiffe/testing/index.ts";

type Extension = NonNullable<IssueOptions["extensions"]>[number];

/** Subject key identifier (RFC 5280, 4.2.1.2). CAs that share one name cannot be told apart without; Istio's and SPIRE's have it. */
export function ofKey(key: number): Extension {
  return { oid: "2.5.29.14", value: Buffer.concat([Buffer.of(4, 20), Buffer.alloc(20, key)]) };
}

/** Authority key identifier (RFC 5280, 4.2.1.1): by whose key a certificate is signed. */
export function byKey(key: number): Extension {
  return { oid: "2.5.29.35", value: Buffer.concat([Buffer.of(0x30, 22, 0x80, 20), Buffer.alloc(20, key)]) };
}
