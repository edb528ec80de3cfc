import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasComposePlugin, onPath } from "../support/docker-engine.ts";
import { repositoryPath, runCommand } from "../support/processes.ts";

const [command, first] = hasComposePlugin() ? ["docker", ["compose"]] : ["docker-compose", []];
const able = hasComposePlugin() || onPath("docker-compose");

describe.skipIf(!able)(`compose files of users${able ? "" : " (not here: there is no docker compose)"}`, () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each(["plain", "anchors", "profiles"])(
    "%s.yaml with its sidecars is a compose file that Docker Compose reads",
    async (name) => {
      copyFileSync(repositoryPath("cli", "init", "compose", "testing", `${name}.yaml`), join(folder, "compose.yaml"));
      // A folder that `build` names must be there.
      mkdirSync(join(folder, "web"));
      const init = await runCommand(["init", "--from", "compose.yaml", "--write"], { cwd: folder });
      expect(init.code, init.output).toBe(0);
      const config = execFileSync(command, [...first, "--file", "compose.yaml", "config"], {
        cwd: folder,
        encoding: "utf8",
      });
      expect(config).toContain("network_mode: service:");
    },
  );
});
