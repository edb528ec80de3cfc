import { importAwsSecurityGroups } from "./aws-security-groups/import-aws-security-groups.ts";
import { importCalico } from "./calico/import-calico.ts";
import { importCilium } from "./cilium/import-cilium.ts";
import { importConsul } from "./consul/import-consul.ts";
import { exportEnvoyRbac } from "./envoy-rbac/export-envoy-rbac.ts";
import type { Exporter } from "./exporter.ts";
import type { Importer } from "./importer.ts";
import { importIstio } from "./istio/import-istio.ts";
import { exportIstio } from "./istio-export/export-istio.ts";
import { importKubernetes } from "./kubernetes/import-kubernetes.ts";
import { exportKubernetes } from "./kubernetes-export/export-kubernetes.ts";
import { importKuma } from "./kuma/import-kuma.ts";
import { importLinkerd } from "./linkerd/import-linkerd.ts";
import { importOpenapi } from "./openapi/import-openapi.ts";
import { importProto } from "./proto/import-proto.ts";

/** Importers by format: one line a format. */
export const IMPORTERS: ReadonlyMap<string, Importer> = new Map<string, Importer>([
  ["cilium", importCilium],
  ["consul", importConsul],
  ["kuma", importKuma],
  ["linkerd", importLinkerd],
  ["proto", importProto],
  ["openapi", importOpenapi],
  ["calico", importCalico],
  ["istio", importIstio],
  ["aws-security-groups", importAwsSecurityGroups],
  ["kubernetes", importKubernetes],
]);

/** Exporters by format: one line a format. */
export const EXPORTERS: ReadonlyMap<string, Exporter> = new Map<string, Exporter>([
  ["envoy-rbac", exportEnvoyRbac],
  ["istio", exportIstio],
  ["kubernetes", exportKubernetes],
]);
