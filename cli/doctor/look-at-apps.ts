import type { AppEndpoint } from "../../envoy/lint/index.ts";
import { isLoopback, type Listening } from "./listening.ts";
import { lookAtSocket } from "./look-at-sockets.ts";
import type { Verdict } from "./verdict.ts";

/** Whether the app can be reached around its sidecar. `listening` is undefined where the kernel does not say. */
export function lookAtApp(
  subject: string,
  app: AppEndpoint,
  listening: readonly Listening[] | undefined,
): readonly Verdict[] {
  if (app.kind === "unix") return lookAtSocket(subject, "app", app.path);
  const shown = `${app.address.includes(":") ? `[${app.address}]` : app.address}:${app.port}`;
  if (!isLoopback(app.address)) {
    return [
      {
        id: "app-elsewhere",
        state: "warning",
        subject,
        message: `the app at ${shown} is reached over the network, in plaintext, by whoever is on it`,
        remedy: "put the sidecar beside the app, which then listens on loopback or a unix socket",
      },
    ];
  }
  if (listening === undefined)
    return [
      { id: "app-exposed", state: "skipped", subject, message: "this system does not list its listening sockets" },
    ];
  const own = listening.filter(({ port }) => port === app.port);
  if (own.length === 0)
    return [{ id: "app-absent", state: "note", subject, message: `nothing listens on ${shown} at the moment` }];
  const open = own.filter(({ address }) => !isLoopback(address));
  if (open.length === 0)
    return [{ id: "app-exposed", state: "ok", subject, message: `the app listens on loopback alone (${shown})` }];
  return [
    {
      id: "app-exposed",
      state: "error",
      subject,
      message: `the app listens on ${open.map(({ address }) => `${address.includes(":") ? `[${address}]` : address}:${app.port}`).join(" and ")}: whoever reaches the host goes around the sidecar`,
      remedy: `bind the app to ${shown} alone`,
    },
  ];
}
