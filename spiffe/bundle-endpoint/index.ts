/** The client of a SPIFFE bundle endpoint (SPIFFE Federation, sections 4 and 5). Opens connections, as nothing else in spiffe but the Workload API. */
export {
  type BundleEndpointTarget,
  type FetchOptions,
  type FetchTrustBundleOptions,
  fetchBundleText,
  fetchTrustBundle,
} from "./fetch-trust-bundle.ts";
export { MOZILLA_INTERMEDIATE } from "./tls-settings.ts";
