import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { repositoryPath } from "./processes.ts";

/** Where Go is installed, on `PATH` or where its installer puts it; undefined where it is not. */
export const go: string | undefined = ["go", "/usr/local/go/bin/go"].find(
  (command) => (command === "go" || existsSync(command)) && spawnSync(command, ["version"]).status === 0,
);

/** Builds the Go module in test/go into a folder; gives the program's path. Throws with what the compiler says. */
export function buildJudge(folder: string): string {
  if (go === undefined) throw new Error("there is no go");
  const program = join(folder, "judge");
  const built = spawnSync(go, ["build", "-trimpath", "-o", program, "."], {
    cwd: repositoryPath("test", "go"),
    encoding: "utf8",
    env: { ...process.env, GOFLAGS: "-mod=readonly", GOWORK: "off" },
  });
  if (built.status !== 0) throw new Error(`go build: ${built.stderr}`);
  return program;
}
