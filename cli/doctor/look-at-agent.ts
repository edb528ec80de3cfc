import { connect } from "node:net";
import { systemCode } from "../cli-error.ts";
import { lookAtSocket } from "./look-at-sockets.ts";
import type { Verdict } from "./verdict.ts";

const TIMEOUT_MS = 2_000;

/** One of the agent's sockets: who else can use it, and whether an agent is behind it at all. */
export async function lookAtAgent(subject: string, path: string): Promise<readonly Verdict[]> {
  const found = lookAtSocket(subject, "agent", path);
  const absent = found.some(({ id }) => id === "agent-absent");
  if (!absent && (await answers(path))) return found;
  const message = absent ? `there is no socket \`${path}\` at the moment` : `no agent is behind \`${path}\``;
  const remedy = "start `cellwall up`, or `cellwall agent`: while it is away, Envoy answers 503 to everything";
  const away: Verdict = { id: "agent-absent", state: absent ? "note" : "error", subject, message, remedy };
  return [...found.filter(({ state }) => state === "error" || state === "warning"), away];
}

/** Whether something listens; a socket of another uid, which this one may not open, is taken to. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answered: boolean) => (): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(TIMEOUT_MS, end(false));
    socket.once("connect", end(true));
    socket.once("error", (error) => resolve(systemCode(error) !== "ECONNREFUSED"));
  });
}
