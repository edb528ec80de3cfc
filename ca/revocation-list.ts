import { sign } from "node:crypto";
import { bitString, explicit, oid, sequence, time, toDer, unsignedInteger } from "./der.ts";
import { listExtensions } from "./extensions.ts";
import { OID } from "./oids.ts";
import type { Issuer, Validity } from "./profile.ts";

/** A certificate that is revoked. */
export interface RevokedCertificate {
  readonly serial: string;
  readonly at: Date;
}

/** Signs a list of revoked certificates, version 2 (RFC 5280, section 5), as DER. Its number is the instant that it begins at. */
export function signRevocationList(issuer: Issuer, validity: Validity, revoked: readonly RevokedCertificate[]): Buffer {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const entries = revoked.map(({ at, serial }) => sequence(unsignedInteger(bytesOf(serial)), time(at)));
  const number = bytesOf(Math.floor(validity.notBefore.getTime() / 1000).toString(16));
  const tbs = sequence(
    unsignedInteger(Buffer.from([1])),
    algorithm,
    issuer.subject,
    time(validity.notBefore),
    time(validity.notAfter),
    // An empty sequence would be malformed.
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    explicit(0, sequence(...listExtensions({ issuerKeyId: issuer.keyId, number }))),
  );
  const signature = sign("sha256", toDer(tbs), issuer.privateKey);
  return toDer(sequence(tbs, algorithm, bitString(signature)));
}

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}
