import { connect } from "node:net";
import type { CheckRequest } from "../../../envoy/gen/envoy/service/auth/v3/external_auth.ts";
import type { TestCa } from "../../../spiffe/testing/index.ts";
import type { Received } from "../app.ts";
import { ask, converse, tlsTo } from "../clients.ts";

/** What an attack on a listener came to: its answer, and what the app received last. */
export interface Outcome {
  readonly status: string;
  readonly app: Received | undefined;
  /** How often authorization was asked, and what it was asked last. */
  readonly checks: number;
  readonly check: CheckRequest | undefined;
}

/** What there is around a listener. */
export interface Around {
  /** The mesh's authority. */
  readonly ca: TestCa;
  /** Where the sockets are: `app.sock`, `yes.sock` of an agent that allows everything, `dead.sock` of nobody, `peer.sock` and `stranger.sock` of TLS servers. */
  readonly folder: string;
}

/** What an attack works with. */
export interface Target extends Around {
  readonly port: number;
  /** What Envoy's admin interface answers. */
  admin(path: string): Promise<string>;
}

type Parts = (around: Around) => object;

/** A hole of a listener, and a request that goes through it. */
export interface Hole {
  readonly id: string;
  /** First minor version 1.x that knows the field; default: every supported one. */
  readonly since?: number;
  /** Last minor version that has the hole; later ones are sound. */
  readonly upTo?: number;
  /** Whether it takes so long that only full depth tries it. */
  readonly full?: true;
  /** Parts of the listener: settings of the connection manager, of the authorization filter, routes, TLS. */
  readonly hcm?: object;
  readonly authz?: object | "none";
  /** The HTTP filters, given authorization and router; default: the two. */
  readonly filters?: (check: object, router: object) => readonly object[];
  readonly routes?: object;
  readonly host?: object;
  readonly tls?: Parts;
  readonly tcp?: true;
  readonly listener?: object;
  /** Another cluster. */
  readonly cluster?: Parts;
  /** Whether it is one only where the network reaches the listener: lint is shown the address 0.0.0.0. */
  readonly exposed?: true;
  /** Whom the finding names; default: the listener. */
  readonly scope?: string;
  /** Of a hole that only the user can close. */
  readonly left?: true;
  attack(target: Target): Promise<string>;
  /** Whether the outcome shows the hole. */
  shows(outcome: Outcome): boolean;
}

type Headers = Readonly<Record<string, string | string[]>>;

/** One GET; its status. */
export const get =
  (path: string, headers: Headers = {}) =>
  async ({ port }: Target) =>
    String((await ask({ port, path, headers })).status);

/** Bytes as they are; all that is answered until the connection ends, or the first answer's first line. */
export const bytes = (text: string, until?: string) => async (target: Pick<Target, "port">) =>
  (await converse(connect(target.port, "127.0.0.1"), text, until)).text;
export const raw = (text: string) => async (target: Target) => firstLine(await bytes(text, "\r\n\r\n")(target));

const firstLine = (text: string): string => text.split("\r\n")[0] ?? "";

/** A request of HTTP/1.1 as bytes, on a connection that ends with it. */
export const request = (line: string, ...headers: readonly string[]): string =>
  [`${line} HTTP/1.1`, "host: a", ...headers, "connection: close", "", ""].join("\r\n");

/** A request over TLS with a certificate of these names, of the mesh's authority or of nobody's. */
export const overTls = (issue: (ca: TestCa) => Parameters<typeof tlsTo>[1]) => async (target: Target) => {
  const { text, failure } = await converse(tlsTo(target.port, issue(target.ca)), request("GET /public/"));
  return firstLine(text) || (failure ?? "closed");
};

export const got =
  (fits: (request: Received) => boolean) =>
  ({ app }: Outcome) =>
    app !== undefined && fits(app);
export const reached = got(() => true);

/** An extension with its type. */
export const extension = (name: string, type: string, config: object = {}) => ({
  name,
  typed_config: { "@type": `type.googleapis.com/envoy.extensions.${type}`, ...config },
});

/** Client certificates verified by the mesh's root and by what the context says more. */
export const validation =
  (context: object): Parts =>
  ({ ca }) => ({
    require_client_certificate: true,
    common_tls_context: { validation_context: { trusted_ca: { inline_string: ca.rootPem }, ...context } },
  });

/** One matcher of a certificate's name. */
export const san = (matcher: object, type = "URI") => ({
  match_typed_subject_alt_names: [{ san_type: type, matcher }],
});

/** A route that takes everything. */
export const everything = (action: object, more: object = {}) => ({ match: { prefix: "/" }, ...action, ...more });
export const toApp = (more: object = {}) => everything({ route: { cluster: "app", ...more } });

/** A cluster of one unix socket. */
export const socketCluster = (name: string, path: string, more: object = {}) => ({
  name,
  load_assignment: {
    cluster_name: name,
    endpoints: [{ lb_endpoints: [{ endpoint: { address: { pipe: { path } } } }] }],
  },
  ...more,
});
