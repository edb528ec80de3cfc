import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { useTempFolder } from "../testing/temp-folder.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/pull-request-comment.mjs");

/** Stands in for the command: answers `check` with a report, and the others with Markdown that names them. */
const COMMAND = `
const [name, ...rest] = process.argv.slice(2);
if (name === "check") {
  process.stdout.write(JSON.stringify({
    errors: 1, warnings: 0, diagnostics: [],
    findings: [{ severity: "error", id: "guardrail-never", span: { file: "a.yaml", line: 3 }, message: "@team \`x\` \\u202e<img>", remedy: "deny it" }],
    passes: { test: { summary: "3 tests passed" } },
  }));
  process.exitCode = 1;
} else if (process.env.LACKS !== undefined && name === process.env.LACKS) {
  process.stderr.write("a warning\\nerror: " + process.env.SAYS + "\\n hint: look elsewhere\\n");
  process.exitCode = 3;
} else process.stdout.write("MARKDOWN OF " + name + " " + rest.join(" "));
`;

describe("pull-request-comment.mjs", () => {
  const folder = useTempFolder();
  const comment = (env: Readonly<Record<string, string>>) => {
    writeFileSync(join(folder(), "command.mjs"), COMMAND);
    return spawnSync(process.execPath, [SCRIPT, "--dry-run"], {
      encoding: "utf8",
      env: {
        PATH: process.env.PATH ?? "",
        CELLWALL_COMMAND: `${process.execPath} ${join(folder(), "command.mjs")}`,
        ...env,
      },
    });
  };

  it("puts findings, tests, diff and simulation into one comment, and ends as the check does", () => {
    const { status, stdout } = comment({ CELLWALL_BASE: "main", CELLWALL_LOG: "d.jsonl" });
    expect(status).toBe(1);
    for (const part of [
      "<!-- cellwall -->\n\n## Cellwall: 1 error",
      "- test: ` 3 tests passed `",
      "**error** ` guardrail-never ` at ` a.yaml:3 `",
      "MARKDOWN OF diff main:policies policies --output markdown",
      "MARKDOWN OF simulate policies --log d.jsonl --output markdown",
    ])
      expect(stdout).toContain(part);
  });

  it("lets no text of a policy become markup", () => {
    const { stdout } = comment({});
    expect(stdout).toContain("`` @team `x` \\u202e<img> ``");
    expect(stdout).not.toContain("\u202e");
  });

  it("ends with 3 where the command cannot be run", () => {
    const { status, stderr } = comment({ CELLWALL_COMMAND: join(folder(), "nowhere") });
    expect([status, stderr]).toEqual([3, expect.stringContaining("cellwall check failed")]);
  });

  it("says in the comment what could not be compared, and ends with 3", () => {
    for (const name of ["diff", "simulate"]) {
      const env = { CELLWALL_BASE: "main", CELLWALL_LOG: "d.jsonl", LACKS: name, SAYS: "`main` is no revision" };
      const { status, stdout } = comment(env);
      expect(status).toBe(3);
      expect(stdout).toContain("## Cellwall: 1 error");
      expect(stdout).toContain(`${name}: \`\` error: \`main\` is no revision \`\`\n`);
      expect(stdout).toContain(`MARKDOWN OF ${name === "diff" ? "simulate" : "diff"}`);
    }
  });

  it("takes a base without policies for the beginning, and ends as the check does", () => {
    const says = "there are no policies (*.yaml) in `main:policies`";
    const { status, stdout } = comment({ CELLWALL_BASE: "main", LACKS: "diff", SAYS: says });
    expect([status, stdout]).toEqual([1, expect.stringContaining(`diff: \`\` all of it is new: ${says}`)]);
  });

  describe("posts", () => {
    const servers: Server[] = [];
    afterEach(async () => {
      for (const server of servers.splice(0)) {
        server.closeAllConnections();
        server.close();
        await once(server, "close");
      }
    });

    interface Comment {
      readonly id: number;
      body: string;
      readonly user: { readonly login: string; readonly type: "Bot" | "User" };
    }

    /** Answers as GitHub's API does about one pull request's comments, for a workflow's token. */
    async function github(comments: Comment[], token = "secret"): Promise<{ url: string; asked: string[] }> {
      const asked: string[] = [];
      const server = createServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(Buffer.from(chunk));
        const url = new URL(request.url ?? "/", "http://localhost");
        asked.push(`${request.method} ${url.pathname}`);
        const answer = (status: number, value: unknown): void => {
          response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
        };
        if (request.headers.authorization !== `Bearer ${token}`) return answer(401, { message: "Bad credentials" });
        const sent = (): string => JSON.parse(Buffer.concat(chunks).toString("utf8")).body;
        const page = Number(url.searchParams.get("page") ?? 1);
        const one = /^\/repos\/acme\/shop\/issues\/comments\/(\d+)$/.exec(url.pathname)?.[1];
        if (request.method === "PATCH" && one !== undefined) {
          const found = comments.find(({ id }) => id === Number(one));
          if (found === undefined) return answer(404, {});
          found.body = sent();
          return answer(200, found);
        }
        if (url.pathname !== "/repos/acme/shop/issues/7/comments") return answer(403, { message: "not accessible" });
        if (request.method === "GET") return answer(200, comments.slice((page - 1) * 100, page * 100));
        comments.push({ id: comments.length + 1, body: sent(), user: { login: "github-actions[bot]", type: "Bot" } });
        return answer(201, comments.at(-1));
      });
      servers.push(server);
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      return { url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`, asked };
    }

    async function posted(url: string, env: Readonly<Record<string, string>> = {}) {
      writeFileSync(join(folder(), "command.mjs"), COMMAND);
      const child = spawn(process.execPath, [SCRIPT], {
        env: {
          PATH: process.env.PATH ?? "",
          CELLWALL_COMMAND: `${process.execPath} ${join(folder(), "command.mjs")}`,
          GITHUB_API_URL: url,
          GITHUB_TOKEN: "secret",
          GITHUB_REPOSITORY: "acme/shop",
          PULL_REQUEST: "7",
          ...env,
        },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let err = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        err += text;
      });
      const [code] = await once(child, "close");
      return { code, err };
    }

    it("one comment, and the next time the same one again", async () => {
      const comments: Comment[] = Array.from({ length: 100 }, (_, index) => ({
        id: index + 1,
        body: "me too",
        user: { login: `user-${index}`, type: "User" },
      }));
      const { url, asked } = await github(comments);
      expect(await posted(url)).toEqual({ code: 1, err: "" });
      expect(comments).toHaveLength(101);
      expect(comments[100]?.body).toMatch(/^<!-- cellwall -->\n\n## Cellwall: 1 error/);
      expect(comments[100]?.body).not.toContain("MARKDOWN OF diff");
      expect(await posted(url, { CELLWALL_BASE: "main" })).toEqual({ code: 1, err: "" });
      expect(comments).toHaveLength(101);
      expect(comments[100]?.body).toContain("MARKDOWN OF diff main:policies policies");
      expect(asked.filter((one) => !one.startsWith("GET"))).toEqual([
        "POST /repos/acme/shop/issues/7/comments",
        "PATCH /repos/acme/shop/issues/comments/101",
      ]);
    });

    it("nothing into a comment that somebody else began alike", async () => {
      const mine: Comment = { id: 1, body: "<!-- cellwall -->\n\nall is well", user: { login: "eve", type: "User" } };
      const comments = [mine];
      expect((await posted((await github(comments)).url)).code).toBe(1);
      expect(comments.map(({ user }) => user.login)).toEqual(["eve", "github-actions[bot]"]);
      expect(mine.body).toContain("all is well");
    });

    it("not with a token that may not, which is said and changes nothing else", async () => {
      const { url } = await github([], "another");
      expect(await posted(url)).toEqual({
        code: 1,
        err: expect.stringMatching(/^warning: the comment was not posted: 401 .*Bad credentials/),
      });
    });
  });
});

describe("action.yml", () => {
  const action: {
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly runs: {
      readonly steps: readonly { readonly env: Readonly<Record<string, string>>; readonly run: string }[];
    };
  } = parse(readFileSync(new URL("../../action.yml", import.meta.url), "utf8"));
  const [step] = action.runs.steps;

  it("runs the script, with every input and nothing else", () => {
    expect(step?.run).toBe('node "$GITHUB_ACTION_PATH/scripts/pull-request-comment.mjs"');
    const used = Object.values(step?.env ?? {}).flatMap((value) => /inputs\.([a-z-]+)/.exec(value)?.[1] ?? []);
    expect(used.sort()).toEqual(Object.keys(action.inputs).sort());
  });

  it("sets what the script reads", () => {
    const read = [...readFileSync(SCRIPT, "utf8").matchAll(/\benv\.([A-Z_]+)|\b(GITHUB_TOKEN|PULL_REQUEST): /g)];
    const names = new Set(read.map(([, one, other]) => one ?? other ?? ""));
    // What every workflow has.
    names.delete("GITHUB_API_URL");
    expect([...names].sort()).toEqual(Object.keys(step?.env ?? {}).sort());
  });
});
