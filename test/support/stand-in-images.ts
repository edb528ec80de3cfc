import { execFile } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { locateEnvoy } from "../../envoy/index.ts";
import type { DockerEngine } from "./docker-engine.ts";
import { nodeBinary } from "./node-binaries.ts";

const run = promisify(execFile);

/** What a stand-in's root file system is made of, beside its one program: packages of the host's own Debian. */
const PACKAGES = ["libc6", "libstdc++6", "libgcc-s1", "libatomic1", "busybox-static"];
const APPLETS = ["sh", "cat", "grep", "id", "ls", "mkdir", "mv", "sleep", "test"];

/**
 * Sees to it that the images of these tags are there: those of the registry where it can be reached, else stand-ins under the same tags,
 * with the same program at the same place, user and home. Says which.
 */
export async function provideImages(
  engine: DockerEngine,
  images: { readonly node: string; readonly envoy: string },
): Promise<"official" | "stand-ins"> {
  const there = await Promise.all(Object.values(images).map((image) => hasOrPulls(engine, image)));
  if (there.every((each) => each)) return "official";
  const folder = mkdtempSync(join(tmpdir(), "cw-image-"));
  try {
    const base = await debianBase(folder);
    await standIn(engine, base, { image: images.node, binary: await nodeBinary(24), name: "node" });
    await standIn(engine, base, {
      image: images.envoy,
      binary: (await locateEnvoy({ env: process.env })).path,
      name: "envoy",
    });
    return "stand-ins";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function hasOrPulls({ docker }: DockerEngine, image: string): Promise<boolean> {
  const ask = (...args: readonly string[]): Promise<boolean> =>
    docker(...args).then(
      () => true,
      () => false,
    );
  return (await ask("image", "inspect", image)) || (await ask("pull", "--quiet", image));
}

/** A root file system with C libraries and a few commands. */
async function debianBase(folder: string): Promise<string> {
  const [packages, root] = [join(folder, "packages"), join(folder, "root")];
  for (const made of [packages, root]) mkdirSync(made);
  const download = () =>
    run("apt-get", ["download", "--quiet", "-o", "APT::Sandbox::User=root", ...PACKAGES], { cwd: packages });
  // A machine that never listed its packages knows none.
  await download().catch(() => run("apt-get", ["update", "-qq"]).then(download));
  for (const file of readdirSync(packages)) await run("dpkg-deb", ["--extract", join(packages, file), root]);
  const at = (...parts: readonly string[]): string => join(root, ...parts);
  for (const made of ["usr/local/bin", "etc", "tmp", "home/node", "bin"]) mkdirSync(at(made), { recursive: true });
  for (const applet of APPLETS) symlinkSync("busybox", at("bin", applet));
  writeFileSync(at("etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n");
  writeFileSync(at("docker-entrypoint.sh"), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
  chmodSync(at("tmp"), 0o1777);
  chownSync(at("home", "node"), 1000, 1000);
  return root;
}

async function standIn(
  { docker }: DockerEngine,
  root: string,
  { image, binary, name }: { readonly image: string; readonly binary: string; readonly name: string },
): Promise<void> {
  const program = join(root, "usr", "local", "bin", name);
  const archive = join(root, "..", `${name}.tar`);
  copyFileSync(binary, program);
  chmodSync(program, 0o755);
  await run("tar", ["--create", "--file", archive, "--directory", root, "."]);
  rmSync(program);
  await docker("import", "--change", 'ENTRYPOINT ["/docker-entrypoint.sh"]', archive, image);
  rmSync(archive);
}
