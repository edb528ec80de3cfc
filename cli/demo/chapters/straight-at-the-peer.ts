import { allowed, denied, refusedBySidecar } from "../expectations.ts";
import type { Identity } from "../forged-identities.ts";
import type { Chapter, Stage, Step } from "../step.ts";
import { NO_IDENTITY, requestBytes, straightAt } from "../straight-at.ts";

const ORDERS = { actor: "intruder", destination: "orders", port: 8443 };

/** The intruder speaks TLS straight to orders' listener, past its own sidecar, which would have tidied the path. */
function straightAtOrders<In extends Stage = Stage>(bytes: string, identity?: (stage: In) => Promise<Identity>) {
  const shown = identity === undefined ? {} : { identity };
  return straightAt<In>({ ...ORDERS, bytes, ...shown });
}

const trick = (path: string): ReturnType<typeof straightAtOrders> => straightAtOrders(requestBytes("GET", path));

/** Spellings that some server resolves to `/admin/…`, from a caller that may only read `/status/**`. */
export const pathTricks: Chapter = {
  title: "Path tricks, straight at orders with the intruder's own certificate",
  steps: [
    denied({
      actor: "intruder",
      title: "GET /status/../admin/users",
      destination: "orders",
      reason: "denied-by-rule",
      call: trick("/status/../admin/users"),
    }),
    denied({
      actor: "intruder",
      title: "GET /status/%2e%2e/admin/users",
      destination: "orders",
      reason: "denied-by-rule",
      call: trick("/status/%2e%2e/admin/users"),
    }),
    denied({
      actor: "intruder",
      title: "GET /status/%2e%2e;x/admin/users",
      destination: "orders",
      reason: "ambiguous-path",
      call: trick("/status/%2e%2e;x/admin/users"),
    }),
    denied({
      actor: "intruder",
      title: "GET /status/%252e%252e/admin/users",
      destination: "orders",
      reason: "ambiguous-path",
      call: trick("/status/%252e%252e/admin/users"),
    }),
    refusedBySidecar({
      actor: "intruder",
      title: "GET /status/..%2Fadmin%2Fusers",
      destination: "orders",
      kind: "request-refused",
      reason: /path/,
      call: trick("/status/..%2Fadmin%2Fusers"),
    }),
    denied({
      actor: "intruder",
      title: "GET //admin//users",
      destination: "orders",
      reason: "denied-by-rule",
      call: trick("//admin//users"),
    }),
    allowed({
      actor: "intruder",
      title: "x-http-method-override: DELETE, which orders never sees",
      destination: "orders",
      rule: "shop-reads-status",
      call: straightAtOrders(requestBytes("GET", "/status/live", { "x-http-method-override": "DELETE" })),
      arrives: ({ arrived }) =>
        arrived.every((one) => one.method === "GET" && !("x-http-method-override" in (one.headers ?? {}))),
    }),
  ],
};

/** Connections without the right certificate; one with two identities only where the authority's keys are at hand. */
export function forgedIdentities<In extends Stage>(forged: {
  readonly foreign: (stage: Stage) => Promise<Identity>;
  readonly impostor: (stage: Stage) => Promise<Identity>;
  readonly twoIdentities?: (stage: In) => Promise<Identity>;
}): Chapter<In> {
  const bytes = requestBytes("GET", "/orders/42");
  const { twoIdentities } = forged;
  const signedHere: readonly Step<In>[] =
    twoIdentities === undefined
      ? []
      : [
          denied({
            actor: "intruder",
            title: "two identities in one certificate of this mesh's authority",
            destination: "orders",
            reason: "malformed-identity",
            call: straightAtOrders(bytes, twoIdentities),
          }),
        ];
  return {
    title: "Forged identities, straight at orders",
    steps: [
      refusedBySidecar({
        actor: "intruder",
        title: "GET /orders/42 in plaintext",
        destination: "orders",
        kind: "connection-refused",
        reason: /plaintext/,
        call: straightAt({ ...ORDERS, bytes, identity: NO_IDENTITY }),
      }),
      refusedBySidecar({
        actor: "intruder",
        title: "a certificate of another trust domain",
        destination: "orders",
        kind: "connection-refused",
        reason: /untrusted-certificate|san-mismatch/,
        call: straightAtOrders(bytes, forged.foreign),
      }),
      refusedBySidecar({
        actor: "intruder",
        title: "a certificate that says web, of the intruder's own authority",
        destination: "orders",
        kind: "connection-refused",
        reason: /untrusted-certificate/,
        call: straightAtOrders(bytes, forged.impostor),
      }),
      ...signedHere,
    ],
  };
}
