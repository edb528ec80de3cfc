import { importConsul } from "./consul/import-consul.ts";
import type { Exporter } from "./exporter.ts";
import type { Importer } from "./importer.ts";
import { importIstio } from "./istio/import-istio.ts";
import { importLinkerd } from "./linkerd/import-linkerd.ts";

/** Importers by format: one line a format. */
export const IMPORTERS: ReadonlyMap<string, Importer> = new Map<string, Importer>([
  ["consul", importConsul],
  ["linkerd", importLinkerd],
  ["istio", importIstio],
]);

/** Exporters by format: one line a format. */
export const EXPORTERS: ReadonlyMap<string, Exporter> = new Map<string, Exporter>([]);
