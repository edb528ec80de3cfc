import { EnvoyError } from "../envoy-error.ts";
import { type ConfigView, configView } from "../lint/config-view.ts";
import type { PatchTarget } from "../lint/lint-context.ts";
import { chains } from "../lint/lint-context.ts";
import type { ConfigSource } from "../lint/source.ts";
import { at, type ConfigNode, text, walk } from "../lint/tree.ts";

/** Throws `ERR_ENVOY_CONFIG` where a text has nothing in it that a patch could make a sidecar of, or its target lacks what that takes. */
export function requirePatchable(source: ConfigSource, target: PatchTarget): void {
  const view = configView(source);
  const root = source.root;
  switch (view.kind) {
    case "dump":
      throw refused(source, root, "this is what a running Envoy says of itself, and no text that it reads", {
        hint: "patch the bootstrap that it is started with",
      });
    case "resources":
      throw refused(
        source,
        root,
        "these are xDS resources, and the clusters of the agent's sockets belong into a bootstrap",
        {
          hint: "patch a bootstrap with `static_resources.listeners`; `cellwall envoy lint` looks at resources as well",
        },
      );
    case "bootstrap":
      requireListeners(source, view);
      requireCertificate(view, target);
      return;
    default:
      view.kind satisfies never;
  }
}

function requireListeners(source: ConfigSource, { bootstrap, listeners }: ConfigView): void {
  if (listeners.length > 0) return;
  const lds = at(bootstrap, "dynamic_resources", "lds_config");
  if (lds === undefined)
    throw refused(source, source.root, "there is no listener in it, so there is nothing to patch", {
      hint: "the bootstrap must have `static_resources.listeners`",
    });
  throw refused(source, lds, `its listeners come from ${senderOf(lds)}, so there is nothing here to patch`, {
    hint: "move them to `static_resources.listeners`, or have that server send what the patch of such a bootstrap adds; `cellwall envoy lint http://…` looks at the running Envoy",
  });
}

function senderOf(lds: ConfigNode): string {
  const file = text(at(lds, "path_config_source", "path")) ?? text(at(lds, "path"));
  const cluster = [...walk(lds)].flatMap((node) => text(at(node, "cluster_name")) ?? [])[0];
  if (file !== undefined) return `the file \`${file}\``;
  return cluster === undefined ? "a server" : `the server of cluster \`${cluster}\``;
}

/** Mutual TLS takes a certificate, and another authority's is where only the mesh says. */
function requireCertificate(view: ConfigView, { mesh, mtls }: PatchTarget): void {
  const plaintext = chains(view, "ingress").some(({ tls }) => tls === undefined);
  if (!mtls || !plaintext || mesh.identity === undefined || mesh.identity.certificates !== undefined) return;
  throw new EnvoyError(
    "ERR_ENVOY_CONFIG",
    "another authority issues the certificates, and nothing says where this Envoy finds its own",
    {
      hint: "add `certificates: { sds: unix:/… }` to the Mesh's `identity`, or give the listeners mutual TLS of your own and patch without it",
    },
  );
}

function refused(
  source: ConfigSource,
  node: ConfigNode,
  message: string,
  options: { readonly hint: string },
): EnvoyError {
  const { file, line, column } = source.span(node.start, node.end);
  return new EnvoyError("ERR_ENVOY_CONFIG", `${file}:${line}:${column}: ${message}`, options);
}
