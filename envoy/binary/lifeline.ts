import { type ChildProcess, spawn } from "node:child_process";
import { processEnvironment } from "./process-environment.ts";

/**
 * Reads `add <pid>` and `drop <pid>` until its input ends, which it does however our process ends, SIGKILL included;
 * then ends the processes that are left.
 */
const SCRIPT = `
pids=""
while read -r verb pid; do
  case "$verb" in
    add) pids="$pids $pid" ;;
    drop) kept=""; for one in $pids; do [ "$one" = "$pid" ] || kept="$kept $one"; done; pids="$kept" ;;
  esac
done
for one in $pids; do kill -TERM "$one" 2>/dev/null; done
`;

const tied = new Set<number>();
let guard: ChildProcess | undefined;

/** Ties a child's life to this process's: however this process ends, the child gets SIGTERM. Returns what unties it. */
export function tieToThisProcess(pid: number): () => void {
  tied.add(pid);
  if (guard === undefined) guard = startGuard();
  else tell(guard, "add", pid);
  return () => {
    if (!tied.delete(pid) || guard === undefined) return;
    tell(guard, "drop", pid);
    if (tied.size === 0) endGuard(guard);
  };
}

function startGuard(): ChildProcess {
  // Detached: a Ctrl-C for our process group must not end it before us.
  const child = spawn("/bin/sh", ["-c", SCRIPT], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    env: processEnvironment(),
  });
  child.stdin?.on("error", () => {});
  child.once("error", () => replaceGuard(child));
  child.once("exit", () => replaceGuard(child));
  child.unref();
  for (const pid of tied) tell(child, "add", pid);
  process.once("exit", endTied);
  return child;
}

function replaceGuard(gone: ChildProcess): void {
  if (guard !== gone) return;
  guard = undefined;
  process.removeListener("exit", endTied);
}

function endGuard(child: ChildProcess): void {
  replaceGuard(child);
  child.stdin?.end();
}

/** Even without the guard, an ordinary end of this process takes the tied ones along. */
function endTied(): void {
  for (const pid of tied) {
    try {
      process.kill(pid, "SIGTERM");
    } catch {
      // It has ended already.
    }
  }
}

function tell(child: ChildProcess, verb: "add" | "drop", pid: number): void {
  child.stdin?.write(`${verb} ${pid}\n`);
}
