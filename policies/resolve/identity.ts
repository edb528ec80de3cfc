import type { BundleLocation, ExternalIdentity } from "../model/index.ts";
import type { IdentitySyntax } from "../syntax/kinds/identity.ts";

/** Where another authority's certificates and bundle are. */
export function identityOf({ bundle, certificates }: IdentitySyntax): ExternalIdentity {
  return {
    bundle: bundleOf(bundle),
    ...(certificates === undefined ? {} : { certificates: { sds: certificates.sds.value } }),
  };
}

function bundleOf({ file, url, workloadApi }: IdentitySyntax["bundle"]): BundleLocation {
  if (file !== undefined) return { file: file.value };
  return url !== undefined ? { url: url.value } : { workloadApi: workloadApi?.value ?? "" };
}
