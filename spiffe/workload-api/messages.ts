import { formatTrustBundle, type TrustBundle } from "../trust-bundle.ts";
import type { X509Svid } from "../x509-svid.ts";
import type { JWTBundlesResponse, X509BundlesResponse, X509SVIDResponse } from "./gen/workloadapi.ts";
import type { WorkloadTrust } from "./state.ts";

/** The answer of FetchX509SVID: the whole state, which replaces all before it. */
export function x509SvidResponse(svid: X509Svid, trust: WorkloadTrust): X509SVIDResponse {
  const own = trust.bundles.get(trust.trustDomain);
  const foreign = [...trust.bundles.values()].filter((bundle) => bundle !== own);
  return {
    svids: [
      {
        spiffeId: svid.id.toString(),
        x509Svid: Buffer.concat(svid.chain.map((certificate) => certificate.raw)),
        x509SvidKey: svid.privateKey.export({ type: "pkcs8", format: "der" }),
        bundle: own === undefined ? Buffer.alloc(0) : derOf(own),
        hint: "",
      },
    ],
    crl: own === undefined ? [] : listsOf(own),
    federatedBundles: x509Bundles(foreign),
  };
}

/** The answer of FetchX509Bundles. */
export function x509BundlesResponse(trust: WorkloadTrust): X509BundlesResponse {
  const bundles = [...trust.bundles.values()];
  return { crl: bundles.flatMap(listsOf), bundles: x509Bundles(bundles) };
}

/** The answer of FetchJWTBundles: of each trust domain its JWT authorities and nothing else. */
export function jwtBundlesResponse(trust: WorkloadTrust): JWTBundlesResponse {
  const bundles = [...trust.bundles.values()].map((bundle): [string, Uint8Array] => {
    const { trustDomain, jwtAuthorities } = bundle;
    return [nameOf(bundle), Buffer.from(formatTrustBundle({ trustDomain, jwtAuthorities, x509Authorities: [] }))];
  });
  return { bundles: new Map(bundles) };
}

/** Trust domains without an X.509 authority are left out: to clients, an empty text of certificates is an error. */
function x509Bundles(bundles: readonly TrustBundle[]): Map<string, Uint8Array> {
  const usable = bundles.filter((bundle) => bundle.x509Authorities.length > 0);
  return new Map(usable.map((bundle) => [nameOf(bundle), derOf(bundle)]));
}

/** Bundles are named by the trust domain's SPIFFE ID. */
const nameOf = (bundle: TrustBundle): string => `spiffe://${bundle.trustDomain}`;

function listsOf({ revocationLists = [] }: TrustBundle): Uint8Array[] {
  return revocationLists.map(({ der }) => der);
}

function derOf(bundle: TrustBundle): Buffer {
  return Buffer.concat(bundle.x509Authorities.map((authority) => authority.raw));
}
