import { absolutePath, httpsUrl } from "../addresses.ts";

import {
  choice,
  type Judged,
  type Located,
  type ObjectOf,
  object,
  optional,
  parsed,
  type Reader,
  required,
} from "../readers.ts";

/** `unix:/path` of a socket. */
const unixSocket: Reader<Located<string>> = parsed(
  { expects: "a unix socket", schema: { pattern: "^unix:/.+" } },
  (given): Judged<string> =>
    /^unix:\/[\x21-\x7e]{1,100}$/.test(given) && !given.split("/").includes("..")
      ? { ok: true, value: given }
      : { ok: false, message: "this is not a unix socket's address", hint: "write `unix:/run/spire/agent.sock`" },
);

const bundleShape = {
  file: optional(absolutePath, "beside each agent: PEM certificates, or a SPIFFE bundle document"),
  url: optional(httpsUrl, "where each agent fetches it: PEM certificates, or a SPIFFE bundle document"),
  workloadApi: optional(unixSocket, "beside each agent: the SPIFFE Workload API's socket"),
};

const certificatesShape = {
  sds: required(unixSocket, "beside each sidecar: a socket that serves the secret `default`, such as SPIRE's agent's"),
};

const identityShape = {
  issuer: required(
    choice("external"),
    "`external`: SPIRE, Istio or another authority issues the workloads' certificates",
  ),
  bundle: required(
    object(bundleShape, { expects: "where its trust bundle is", exactlyOne: ["file", "url", "workloadApi"] }),
    "where agents find the issuer's trust bundle",
  ),
  certificates: optional(
    object(certificatesShape, { expects: "where certificates are" }),
    "where generated sidecars find their own certificate",
  ),
};

/** Who issues identities, as written. */
export type IdentitySyntax = ObjectOf<typeof identityShape>;

/** Reads a Mesh's `identity`. */
export const identity = object(identityShape, { expects: "who issues identities" });
