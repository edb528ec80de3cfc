import { absolutePath, appAddress, peerAddress } from "../addresses.ts";
import { headerNameItem } from "../headers.ts";
import { parseLiteral } from "../path-segment.ts";
import {
  choice,
  FAILED,
  fail,
  flag,
  integer,
  type Judged,
  list,
  mapped,
  type ObjectOf,
  object,
  optional,
  parsed,
  type Reader,
  required,
} from "../readers.ts";
import { name, spiffeId, workloadReference } from "../values.ts";
import { kubernetes } from "./node.ts";
import { labelSelector } from "./selectors.ts";

const port = integer(1, 65535, "a port");

const listenShape = {
  port: required(port, "the port that peers reach"),
  app: required(appAddress, "the application: `unix:/path` or `host:port`"),
  protocol: required(choice("http", "tcp"), "`http` (also gRPC and WebSocket) or `tcp`"),
  appProtocol: optional(
    choice("http1", "http2"),
    "of http: what the application speaks; `http2` for gRPC, `http1` if left out",
  ),
  upgrades: optional(list(choice("websocket")), "upgrades that the listener lets through"),
  speaksFirst: optional(choice("client", "server"), "of tcp: who sends the first bytes"),
  clients: optional(choice("mesh", "public"), "`mesh` (default), or `public` for an edge listener"),
  serverCertificate: optional(absolutePath, "of a public listener: a folder with `tls.crt` and `tls.key`"),
};

/** A listener as written. */
export type ListenSyntax = ObjectOf<typeof listenShape>;

const listen: Reader<ListenSyntax> = mapped(object(listenShape, { expects: "a listener" }), (value, reading) => {
  const before = reading.found.length;
  const refuse = (key: keyof typeof listenShape, message: string, hint: string): void => {
    const at = value[key]?.span;
    if (at !== undefined) fail(reading, "ERR_POLICY_CONFLICT", at, message, hint);
  };
  if (value.protocol.value === "tcp") {
    refuse("upgrades", "`upgrades` is for http listeners", "remove it");
    refuse("appProtocol", "`appProtocol` is for http listeners", "remove it");
    if (value.clients?.value === "public")
      refuse("clients", "a public listener is an http listener", "anonymous callers have no tcp listeners");
  } else refuse("speaksFirst", "`speaksFirst` is for tcp listeners", "remove it");
  if (value.clients?.value !== "public")
    refuse(
      "serverCertificate",
      "`serverCertificate` is for public listeners",
      "mesh listeners use the workload's own identity",
    );
  return reading.found.length > before ? FAILED : value;
});

const call = object(
  {
    workload: required(workloadReference, "the workload called"),
    port: required(port, "its listener's port"),
    local: required(appAddress, "where the application finds it: `unix:/path` or `host:port`"),
  },
  { expects: "a call" },
);

const foreignCall = object(
  {
    spiffe: required(spiffeId, "exactly the identity that the callee must show, of a federated trust domain"),
    address: required(peerAddress, "where its sidecar is reached: a host name or IP address"),
    port: required(port, "its listener's port"),
    local: required(appAddress, "where the application finds it: `unix:/path` or `host:port`"),
    protocol: required(choice("http", "tcp"), "what the callee's listener speaks"),
  },
  { expects: "a call to a federated trust domain" },
);

/** An exact path: canonical text, no parameters. */
const literalPath = parsed({ expects: "an exact path", schema: { pattern: "^/" } }, (given): Judged<string> => {
  if (!given.startsWith("/") || given.length > 1024)
    return { ok: false, message: `\`${given.slice(0, 60)}\` is not an exact path`, hint: "write `/healthz`" };
  const segments = given.slice(1).split("/");
  for (const [index, segment] of segments.entries()) {
    const literal = parseLiteral(segment);
    if (!literal.ok)
      return { ok: false, message: literal.message, hint: "probes have exact paths, such as `/healthz`" };
    const empty = segment === "" && index < segments.length - 1;
    if (empty || segment === "." || segment === "..")
      return { ok: false, message: `\`${given}\` is not canonical`, hint: "no `//`, `.` and `..`" };
  }
  return { ok: true, value: given };
});

const sidecarShape = {
  address: required(peerAddress, "where peers reach the sidecar: a host name or IP address"),
  listens: optional(list(listen), "listeners"),
  calls: optional(list(call), "calls to other workloads"),
  foreignCalls: optional(list(foreignCall), "calls to workloads of federated trust domains"),
  probes: optional(
    object(
      { port: required(port, "the plaintext port"), paths: required(list(literalPath), "exact paths, GET and HEAD") },
      { expects: "a probe listener" },
    ),
    "a plaintext listener for health checks, without authorization",
  ),
  keepOverrideHeaders: optional(list(headerNameItem), "override headers that are let through to the application"),
  checkHeaders: optional(list(headerNameItem), "headers that are withheld by default and sent to be checked"),
};

const workloadShape = {
  identity: optional(spiffeId, "its SPIFFE ID; `spiffe://<trust domain>/<namespace>/<name>` if left out"),
  mode: optional(choice("enforce", "monitor"), "`enforce` or `monitor`; the mesh's default if left out"),
  runsOn: optional(
    object(
      { labels: optional(labelSelector, "nodes by their labels"), node: optional(name, "one node") },
      { expects: "the nodes it may run on", exactlyOne: ["labels", "node"] },
    ),
    "nodes whose agent may obtain this identity",
  ),
  attest: optional(
    list(
      object(
        {
          socket: optional(
            object(
              {
                uid: required(integer(0, 4294967294, "a uid"), "the uid that may open its sockets"),
                sharedUid: optional(flag(), "others may have this uid too"),
              },
              { expects: "a uid" },
            ),
            "a process of a uid",
          ),
          kubernetes: optional(kubernetes, "a Kubernetes service account"),
        },
        { expects: "how a process proves to be this workload", exactlyOne: ["socket", "kubernetes"] },
      ),
    ),
    "how a process proves to be this workload",
  ),
  sidecar: optional(
    object(sidecarShape, { expects: "the generated sidecar" }),
    "the generated sidecar; left out where you bring the Envoy configuration",
  ),
  paths: optional(
    object(
      {
        caseInsensitive: optional(flag(), "fold ASCII letters of paths; refuses others"),
        matrixParameters: optional(choice("reject", "ignore"), "`;` parameters: refuse the request, or drop them"),
      },
      { expects: "how paths are read" },
    ),
    "how the application reads paths",
  ),
};

/** A Workload's `spec` as written. */
export type WorkloadSyntax = ObjectOf<typeof workloadShape>;

/** A sidecar as written. */
export type SidecarSyntax = ObjectOf<typeof sidecarShape>;

/** Reads a Workload's `spec`. */
export const workloadSpec = object(workloadShape, { expects: "the workload's settings" });
