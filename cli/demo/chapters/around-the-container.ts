import type { CallResult } from "../../../compose/index.ts";
import { appOf, type Chapter, type Finding, finding, type Stage, type Step } from "../step.ts";

/** What the operating system answers where there is no way: no such name, no such file, nobody listens, no route. */
const NO_WAY = /ENOTFOUND|EAI_AGAIN|ENOENT|ECONNREFUSED|EACCES|EHOSTUNREACH|ENETUNREACH|No connection established/;

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
    title: `every TCP port of ${workload}: its sidecar's alone ${expected.length === 1 ? "answers" : "answer"}`,
    play: async (stage) => {
      const open = await appOf(stage, actor).openPorts(stage.mesh.address(workload));
      return finding(`open: ${open.join(", ")}`, "nothing else listens", [
        open.join() === expected.join(),
        `open: ${expected.join(", ")}`,
      ]);
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
