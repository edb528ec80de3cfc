/**
 * Certificates of every kind for tests, sound and broken. Left out of the build.
 *
 *     const ca = createTestCa({ trustDomain: "shop.example" });
 *     const web = ca.issue({ uris: ["spiffe://shop.example/web"] });
 *     const two = ca.intermediate().issue({ uris: ["spiffe://shop.example/a", "spiffe://shop.example/b"] });
 *     verifyX509Svid(web.chain, ca.bundle(), { at: new Date() });
 */
export {
  buildCertificate,
  type CertificateFields,
  nameOf,
  type RawExtension,
  randomSerial,
  type Signer,
} from "./certificate-builder.ts";
export {
  createJwtAuthority,
  encode,
  JWT_ALGORITHMS,
  type JwtAlgorithm,
  type JwtMembers,
  type TestJwtAuthority,
} from "./jwt-authority.ts";
export {
  createKey,
  createTestCa,
  type IssueOptions,
  type KeyKind,
  type TestCa,
  type TestCaOptions,
  type TestCertificate,
} from "./test-ca.ts";
