import type { CallResult } from "../../../compose/index.ts";
import { appOf, type Chapter, type Finding, finding, type Stage, type Step } from "../step.ts";

/** What the operating system answers where there is no way: no such name, no such file, nobody listens, no route. */
const NO_WAY = ["ENOTFOUND", "EAI_AGAIN", "ENOENT", "ECONNREFUSED", "EACCES", "EHOSTUNREACH", "ENETUNREACH"];

/** Ports of apps, of databases, and of Envoy's admin interface. */
const USUAL_PORTS = [22, 80, 443, 2375, 3000, 3306, 5000, 6380, 7443, 8000, 8081, 9000, 9464, 9901, 15000, 15432];

/** Ways past the sidecars from within a container that was taken over: whose it is, and what must be all that it finds. */
export function aroundTheContainer(
  actor: string,
  targets: readonly { readonly workload: string; readonly ports: readonly number[] }[],
  authorities: readonly string[] = ["authority"],
): Chapter {
  const other = targets[0]?.workload ?? actor;
  const whose = other.endsWith("s") ? `${other}'` : `${other}'s`;
  return {
    title: `Ways around the sidecar, from the container of ${actor}`,
    steps: [
      ...targets.map(({ workload, ports }) => openPortsOf(actor, workload, ports)),
      throughSocket(actor, `${whose} Check socket, to ask what it may`, (stage) =>
        stage.mesh.sockets(other).workload.replace("workload.sock", "authz.sock"),
      ),
      attempt(actor, `${whose} Workload API socket, to become ${other}`, async (stage) => {
        await appOf(stage, actor).identity(stage.mesh.sockets(other).workload);
      }),
      ...authorities.map((authority) =>
        attempt(
          actor,
          `${authority === "authority" ? "the authority" : authority}'s API, on the network`,
          async (stage) => {
            const open = await appOf(stage, actor).openPorts(authority, [7443]);
            if (open.length === 0) throw new Error("ECONNREFUSED");
          },
        ),
      ),
      throughSocket(actor, "the Docker engine's socket", () => "/var/run/docker.sock"),
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

function throughSocket(actor: string, title: string, path: (stage: Stage) => string): Step {
  return attempt(actor, title, async (stage) => {
    const result: CallResult = await appOf(stage, actor).http({ socket: path(stage), method: "GET", path: "/" });
    if (result.status === undefined) throw new Error(result.error ?? "connected, and heard nothing");
  });
}

/** A way that must not be there: the attempt rejects, and for that reason. */
function attempt(actor: string, title: string, reach: (stage: Stage) => Promise<void>): Step {
  return { actor, title, play: async (stage) => judge(await reach(stage).then(() => undefined, String)) };
}

function judge(refusal: string | undefined): Finding {
  if (refusal === undefined) return finding("reached", "it answered", [false, "no way to it"]);
  const word = NO_WAY.find((each) => refusal.includes(each));
  return finding("no way", word ?? refusal, [word !== undefined, "no such name, no such file, or nobody there"]);
}
