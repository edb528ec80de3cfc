import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";

/** Secrets that an Envoy reads from files and reads again when they are moved into place, as agents of other meshes keep them. */
export interface FileSecrets {
  /** An `sds_config` for a secret of that name. */
  source(name: string): object;
  certificate(name: string, shown: { readonly chainPem: string; readonly keyPem: string }): void;
  roots(name: string, pem: string): void;
}

/** Keeps secrets in a folder; names may hold anything. */
export function fileSecrets(folder: string): FileSecrets {
  mkdirSync(folder, { recursive: true });
  const pathOf = (name: string): string => join(folder, `${Buffer.from(name).toString("hex")}.json`);
  const put = (name: string, secret: object): void => {
    const resource = { "@type": `${TLS}.Secret`, name, ...secret };
    writeFileSync(`${pathOf(name)}.new`, JSON.stringify({ resources: [resource] }), { mode: 0o600 });
    renameSync(`${pathOf(name)}.new`, pathOf(name));
  };
  return {
    source: (name) => ({
      name,
      sds_config: { resource_api_version: "V3", path_config_source: { path: pathOf(name) } },
    }),
    certificate: (name, { chainPem, keyPem }) =>
      put(name, {
        tls_certificate: { certificate_chain: { inline_string: chainPem }, private_key: { inline_string: keyPem } },
      }),
    roots: (name, pem) => put(name, { validation_context: { trusted_ca: { inline_string: pem } } }),
  };
}
