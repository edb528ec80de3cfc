import type { PolicySet } from "../../policies/index.ts";
import type { EnvoyVersion } from "../binary/index.ts";
import type { LintId, LintRule } from "./catalogue/index.ts";
import type { ConfigView } from "./config-view.ts";
import type { Edit } from "./edit.ts";
import type { ChainView, HttpView } from "./listener-view.ts";
import type { ConfigNode } from "./tree.ts";

/** What a configuration is patched for. */
export interface PatchTarget {
  /** `<namespace>/<name>` */
  readonly workload: string;
  /** Trust domains whose workloads may call. */
  readonly mesh: PolicySet["mesh"];
  /** Paths of the agent's sockets for the workload. */
  readonly sockets: { readonly authz: string; readonly envoy: string };
  readonly envoyVersion: EnvoyVersion;
  /** Whether plaintext listeners get mutual TLS with the mesh's identities. */
  readonly mtls: boolean;
  /** Override headers that stay. */
  readonly keepOverrideHeaders: readonly string[];
  /** Headers that are kept from `Check`. */
  readonly withheld: readonly string[];
}

/** Where something was found. */
export interface Place {
  readonly node: ConfigNode;
  /** `listener \`inbound\``, `cluster \`app\``; nothing for the bootstrap. */
  readonly scope: string;
  /** What else there is to say: the value found, the filter's name. */
  readonly detail?: string;
  readonly severity?: LintRule["severity"];
  /** Instead of the rule's own words, where they do not fit the case. */
  readonly title?: string;
  readonly why?: string;
  readonly remedy?: string;
  /** Changes that mend it; absent where nobody but the user can. */
  readonly edits?: readonly Edit[];
}

/** What every rule gets. */
export interface LintContext {
  readonly view: ConfigView;
  /** Version of the Envoy that the configuration is for; undefined where nobody said. */
  readonly version: EnvoyVersion | undefined;
  readonly target: PatchTarget;
  /** Whether the listeners must ask Cellwall's agent, and not just any authorization server. */
  readonly own: boolean;
  report(id: LintId, place: Place): void;
}

/** A look at one aspect of a configuration. */
export type Look = (context: LintContext) => void;

/** A filter chain whose callers must be authorized, and that speaks HTTP. */
export interface HttpIngress {
  readonly chain: ChainView;
  readonly http: HttpView;
  readonly scope: string;
}

/** How findings name a listener. */
export function scopeOf({ listener }: Pick<ChainView, "listener">): string {
  return `listener \`${listener.name || "without a name"}\``;
}

/** The HTTP connection managers behind which callers must be authorized. */
export function httpIngress({ view }: LintContext): readonly HttpIngress[] {
  return chains(view, "ingress").flatMap((chain) =>
    chain.http === undefined ? [] : [{ chain, http: chain.http, scope: scopeOf(chain) }],
  );
}

/** The filter chains of one direction. */
export function chains(view: ConfigView, direction: ChainView["direction"]): readonly ChainView[] {
  return view.listeners.flatMap((listener) => listener.chains).filter((chain) => chain.direction === direction);
}
