import { describe, expect, it } from "vitest";
import { requireNode } from "./node-version.ts";
import { run } from "./run.ts";
import { capturedIo } from "./testing/captured-io.ts";
import { useTempFolder } from "./testing/temp-folder.ts";

const COMMANDS = [
  ["init"],
  ["check"],
  ["explain"],
  ["up"],
  ["status"],
  ["publish"],
  ["authority"],
  ["agent"],
  ["ca"],
  ["ca", "status"],
  ["ca", "revoke"],
  ["ca", "token"],
  ["federation", "status"],
  ["federation", "bundle"],
  ["federation", "refresh"],
  ["envoy"],
  ["envoy", "locate"],
  ["envoy", "render"],
  ["envoy", "run"],
  ["envoy", "lint"],
  ["envoy", "patch"],
  ["doctor"],
  ["version"],
];

describe("run", () => {
  const folder = useTempFolder();

  it.each(["--version", "-V"])("%s says the version alone, and ends with 0", async (option) => {
    const io = capturedIo(folder());
    expect([await run([option], io), io.err()]).toEqual([0, ""]);
    expect(io.out()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("says in words why a file cannot be read", async () => {
    for (const [path, why] of [
      ["nope.yaml", "there is no such file or folder"],
      [".", "it is a folder"],
    ] as const) {
      const io = capturedIo(folder());
      expect(await run(["import", "istio", path], io)).toBe(3);
      expect(io.err()).toBe(`error: cannot read \`${path}\`: ${why}\n`);
    }
  });

  it.each(COMMANDS)("%s %s has help, and ends with 0", async (...command) => {
    const io = capturedIo(folder());
    expect(await run([...command, "--help"], io)).toBe(0);
    expect(io.out()).toContain(`Usage: cellwall ${command.join(" ")}`);
    expect(io.err()).toBe("");
  });

  it.each(COMMANDS.filter(([name, sub]) => sub !== undefined || (name !== "ca" && name !== "envoy")))(
    "%s %s shows examples of itself",
    async (...command) => {
      const io = capturedIo(folder());
      await run([...command, "--help"], io);
      const [, examples = ""] = io.out().split("Examples:\n");
      expect(examples.split("\n").filter(Boolean).length).toBeGreaterThan(0);
      expect(io.out()).not.toContain("[]");
      for (const line of examples.split("\n").filter(Boolean))
        expect(line).toContain(`$ cellwall ${command.join(" ")}`);
    },
  );

  it.each([
    [["chek"], "Did you mean check?"],
    [["ca", "tokne", "x"], "Did you mean token?"],
    [["check", "--outptu", "json"], "Did you mean --output?"],
    [["check", "--output", "xml"], "Allowed choices are text, json"],
    [["explain", "GET /x"], "a caller, a destination and a request are needed"],
    [["explain", "--from", "a", "--to", "b"], "a caller, a destination and a request are needed"],
    [["agent"], "required option '--authority <url>' not specified"],
    [["ca", "revoke", "--serial", "1"], "required option '--reason <text>' not specified"],
    [["version", "extra"], "too many arguments"],
    [[], "Usage: cellwall"],
  ])("calls %j wrong usage", async (argv, text) => {
    const io = capturedIo(folder());
    expect(await run(argv, io)).toBe(2);
    expect(io.err()).toContain(text);
    expect(io.out()).toBe("");
  });

  it("says which version it is", async () => {
    const io = capturedIo(folder());
    expect(await run(["version", "--output", "json"], io)).toBe(0);
    expect(JSON.parse(io.out())).toMatchObject({
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      node: process.versions.node,
    });
  });

  it.each([["status"], ["publish"], ["ca", "status"], ["ca", "token", "host-1"]])(
    "%s %s without a running authority says how to start one",
    async (...command) => {
      const io = capturedIo(folder());
      await run(["init"], io);
      expect(await run(command, io)).toBe(3);
      expect(io.err()).toContain("no authority runs on the state folder `.cellwall`");
      expect(io.err()).toContain("`cellwall up`");
    },
  );

  it.each([["check"], ["up"], ["publish"], ["envoy", "render", "--workload", "a"]])(
    "%s %s without policies says how to make some",
    async (...command) => {
      const io = capturedIo(folder());
      expect(await run(command, io)).toBe(3);
      expect(io.err()).toContain("there is no policy folder `policies`");
      expect(io.err()).toContain("`cellwall init`");
    },
  );

  it("`ca revoke` names exactly one thing", async () => {
    const io = capturedIo(folder());
    expect(await run(["ca", "revoke", "--reason", "x"], io)).toBe(2);
    expect(await run(["ca", "revoke", "--reason", "x", "--node", "a", "--serial", "1"], io)).toBe(2);
    expect(io.err()).toContain("name exactly one of");
  });
});

describe("requireNode", () => {
  it.each(["20.19.0", "20.20.2", "22.0.0", "24.1.0"])("accepts %s", (version) => {
    expect(() => requireNode(version)).not.toThrow();
  });

  it.each(["20.18.9", "18.20.0", "19.9.9"])("refuses %s, saying what it needs", (version) => {
    expect(() => requireNode(version)).toThrow(`cellwall needs Node.js 20.19 or newer; this is ${version}`);
  });
});
