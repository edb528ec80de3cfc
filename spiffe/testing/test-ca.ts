import { generateKeyPairSync, type KeyObject, type X509Certificate } from "node:crypto";
import { certificatesToPem } from "../pem.ts";
import type { TrustBundle } from "../trust-bundle.ts";
import { parseTrustDomain, type TrustDomain } from "../trust-domain.ts";
import { parseX509Svid, type X509Svid } from "../x509-svid.ts";
import {
  buildCertificate,
  type CertificateFields,
  nameOf,
  publicKeyOf,
  randomSerial,
  type Signer,
} from "./certificate-builder.ts";

/** Kinds of key a test can ask for. */
export type KeyKind = "p256" | "p384" | "rsa2048" | "rsa1024" | "ed25519" | "secp256k1";

/** Fields of a certificate that are to differ from a sound one, and its key where that matters. */
export interface IssueOptions extends Partial<CertificateFields> {
  readonly keyKind?: KeyKind;
  /** The subject's key; a fresh one of `keyKind` (P-256) without it. */
  readonly privateKey?: KeyObject;
  /** Signs with this key instead of the issuer's own: a forgery. */
  readonly signWith?: KeyObject;
}

/** A certificate and its key, in every form a test needs. */
export interface TestCertificate {
  readonly certificate: X509Certificate;
  readonly certPem: string;
  /** Leaf first, then the intermediates that issued it, without the root. */
  readonly chain: readonly X509Certificate[];
  readonly chainPem: string;
  readonly privateKey: KeyObject;
  readonly keyPem: string;
  /** As an SVID; throws where the certificate lacks the profile. */
  svid(): X509Svid;
}

/** A root or intermediate that issues whatever it is told to. */
export interface TestCa extends TestCertificate {
  readonly trustDomain: TrustDomain;
  /** The root of this CA. */
  readonly root: X509Certificate;
  readonly rootPem: string;
  /** Issues a leaf: a sound X.509-SVID for `uris` but for what the options change. */
  issue(options: IssueOptions): TestCertificate;
  /** Issues an intermediate, `spiffe://<trust domain>` by default. */
  intermediate(options?: IssueOptions): TestCa;
  /** The trust bundle with this CA's root, or with the given authorities. */
  bundle(authorities?: readonly X509Certificate[]): TrustBundle;
}

/** Where a test CA lies in time; certificates are valid from an hour before to the given time after. */
export interface TestCaOptions extends IssueOptions {
  readonly trustDomain: string;
  /** The middle of all default validities; the current time without it. */
  readonly now?: Date;
}

const HOUR_MS = 3_600_000;

/** Makes a root CA of a trust domain for tests: P-256, valid for a year unless told otherwise. */
export function createTestCa({ trustDomain: name, now = new Date(), ...options }: TestCaOptions): TestCa {
  const trustDomain = parseTrustDomain(name);
  const fields = { ...caFields(trustDomain, now), subject: `Test Root ${name}`, ...options };
  const privateKey = options.privateKey ?? createKey(options.keyKind);
  const signer = { key: options.signWith ?? privateKey, name: nameOf(fields.subject) };
  const certificate = buildCertificate(fields, publicKeyOf(privateKey), signer);
  return caOf({ trustDomain, now, root: certificate, parents: [] }, certificate, {
    privateKey,
    subject: fields.subject,
  });
}

interface Place {
  readonly trustDomain: TrustDomain;
  readonly now: Date;
  readonly root: X509Certificate;
  /** Intermediates from this CA upwards, the root left out. */
  readonly parents: readonly X509Certificate[];
}

interface CaKey {
  readonly privateKey: KeyObject;
  readonly subject: string;
}

function caOf(place: Place, certificate: X509Certificate, key: CaKey): TestCa {
  const { trustDomain, now, root } = place;
  const signer: Signer = { key: key.privateKey, name: nameOf(key.subject) };
  const parents = certificate === root ? [] : [certificate, ...place.parents];
  return {
    ...certificateOf([certificate, ...place.parents], key.privateKey),
    trustDomain,
    root,
    rootPem: certificatesToPem([root]),
    issue: (options) => {
      const leaf = issue({ ...leafFields(now), ...options }, signer, options);
      return certificateOf([leaf.certificate, ...parents], leaf.privateKey);
    },
    intermediate: (options = {}) => {
      const fields = {
        ...caFields(trustDomain, now),
        subject: `Test Intermediate ${randomSerial().slice(0, 8)}`,
        ...options,
      };
      const issued = issue(fields, signer, options);
      const below = { ...place, parents };
      return caOf(below, issued.certificate, { privateKey: issued.privateKey, subject: fields.subject });
    },
    bundle: (authorities = [root]) => ({ trustDomain, x509Authorities: authorities, jwtAuthorities: new Map() }),
  };
}

function issue(fields: CertificateFields, signer: Signer, options: IssueOptions) {
  const privateKey = options.privateKey ?? createKey(options.keyKind);
  const by = { ...signer, key: options.signWith ?? signer.key };
  return { privateKey, certificate: buildCertificate(fields, publicKeyOf(privateKey), by) };
}

function certificateOf(
  chain: readonly [X509Certificate, ...X509Certificate[]],
  privateKey: KeyObject,
): TestCertificate {
  const keyPem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return {
    certificate: chain[0],
    certPem: certificatesToPem([chain[0]]),
    chain,
    chainPem: certificatesToPem(chain),
    privateKey,
    keyPem,
    svid: () => parseX509Svid({ chain: chain.map((certificate) => certificate.raw), privateKey }),
  };
}

const common = (): Pick<
  CertificateFields,
  "dns" | "ips" | "extensions" | "keyUsageCritical" | "serial" | "digest" | "version"
> => ({
  dns: [],
  ips: [],
  extensions: [],
  keyUsageCritical: true,
  serial: randomSerial(),
  digest: "sha256",
  version: 3,
});

function caFields(trustDomain: TrustDomain, now: Date): Omit<CertificateFields, "subject"> {
  return {
    ...common(),
    uris: [`spiffe://${trustDomain}`],
    sanCritical: false,
    ca: true,
    pathLength: undefined,
    keyUsage: ["keyCertSign", "cRLSign"],
    extendedKeyUsage: undefined,
    notBefore: new Date(now.getTime() - HOUR_MS),
    notAfter: new Date(now.getTime() + 24 * 365 * HOUR_MS),
  };
}

function leafFields(now: Date): CertificateFields {
  return {
    ...common(),
    uris: [],
    sanCritical: true,
    ca: false,
    pathLength: undefined,
    keyUsage: ["digitalSignature"],
    extendedKeyUsage: ["serverAuth", "clientAuth"],
    subject: "",
    notBefore: new Date(now.getTime() - HOUR_MS),
    notAfter: new Date(now.getTime() + HOUR_MS),
  };
}

/** A fresh private key. */
export function createKey(kind: KeyKind = "p256"): KeyObject {
  switch (kind) {
    case "p256":
      return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    case "p384":
      return generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
    case "secp256k1":
      return generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey;
    case "rsa2048":
      return generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
    case "rsa1024":
      return generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
    case "ed25519":
      return generateKeyPairSync("ed25519").privateKey;
  }
}
