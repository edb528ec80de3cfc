import type { CallResult } from "../../../compose/index.ts";
import { appOf, type Chapter, type Finding, finding, type Stage, type Step } from "../step.ts";

/** What the operating system answers where there is no way: no such name, no such file, nobody listens, no route. */
const NO_WAY = /ENOTFOUND|EAI_AGAIN|ENOENT|ECONNREFUSED|EACCES|EHOSTUNREACH|ENETUNREACH|No connection established/;

/** Ports of apps, of databases, and of Envoy's admin interface. */
const USUAL_PORTS = [22, 80, 443, 2375, 3000, 3306, 5000, 6380, 7443, 8000, 8081, 9000, 9464, 9901, 15000, 15432];

/** Ways past the sidecars from within a container that was taken over: whose it is, and what must be all that it finds. */
export function aroundTheContainer(
  actor: string,
  targets: readonly { readonly workload: string; readonly ports: readonly number[] }[],
): Chapter {
  const other = targets[0]?.workload ?? actor;
  return {
    title: `Ways around the sidecar, from the container of ${actor}`,
    steps: [
      ...targets.map(({ workload, ports }) => openPortsOf(actor, workload, ports)),
      noWay(actor, `${other}'s Check socket, to ask what it may`, (stage) =>
        throughSocket(stage, actor, stage.mesh.sockets(other).workload.replace("workload.sock", "authz.sock")),
      ),
      {
        actor,
        title: `${other}'s Workload API socket, to become ${other}`,
        play: async (stage) => {
          const taking = appOf(stage, actor).identity(stage.mesh.sockets(other).workload);
          return judge(await taking.then(() => undefined, String));
        },
      },
      noWay(actor, "the authority's API, on the network", (stage) =>
        appOf(stage, actor).rawTls({
          host: "authority",
          port: 7443,
          bytes: "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n",
        }),
      ),
      noWay(actor, "the Docker engine's socket", (stage) => throughSocket(stage, actor, "/var/run/docker.sock")),
    ],
  };
}

function openPortsOf(actor: string, workload: string, expected: readonly number[]): Step {
  return {
    actor,
    title: `${workload} on the network: ports beside its sidecar's`,
    play: async (stage) => {
      const open = await appOf(stage, actor).openPorts(stage.mesh.address(workload), [...expected, ...USUAL_PORTS]);
      // What the target's own kernel says, so that no port is left untried.
      const listening = await appOf(stage, workload).listeningPorts();
      return finding(
        `open: ${open.join(", ")}`,
        `nothing but the sidecar listens: ${listening.join(", ")}`,
        [open.join() === expected.join(), `open: ${expected.join(", ")}`],
        [listening.join() === expected.join(), `listening: ${expected.join(", ")}`],
      );
    },
  };
}

function noWay(actor: string, title: string, call: (stage: Stage) => Promise<CallResult>): Step {
  return {
    actor,
    title,
    play: async (stage) => {
      const { status, bytesReceived, error } = await call(stage);
      return judge(status === undefined && bytesReceived === 0 ? (error ?? "connected, and heard nothing") : undefined);
    },
  };
}

function judge(refusal: string | undefined): Finding {
  const [word] = NO_WAY.exec(refusal ?? "") ?? [];
  return finding(refusal === undefined ? "reached" : "no way", word ?? refusal ?? "it answered", [
    word !== undefined,
    "no way to it",
  ]);
}

function throughSocket(stage: Stage, actor: string, socketPath: string): Promise<CallResult> {
  return appOf(stage, actor).http({ socket: socketPath, method: "GET", path: "/" });
}
