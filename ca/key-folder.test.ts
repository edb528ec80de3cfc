import { generateKeyPairSync } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeFileAtomically } from "./atomic-write.ts";
import { openKeyFolder } from "./key-folder.ts";
import { makeFolder, removeFolder } from "./testing/authority.ts";

describe("key folder", () => {
  let parent: string;
  let path: string;
  beforeEach(async () => {
    parent = await makeFolder();
    path = join(parent, "keys");
  });
  afterEach(() => removeFolder(parent));

  it("keeps folder and keys to their owner", async () => {
    await mkdir(path, { mode: 0o755 });
    const keys = await openKeyFolder(path);
    await keys.create("root-1");
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, "root-1.key.pem"))).mode & 0o777).toBe(0o600);
  });

  it("writes P-256 keys as PKCS#8 PEM and reads the same key back", async () => {
    const keys = await openKeyFolder(path);
    const made = await keys.create("root-1");
    expect(await readFile(join(path, "root-1.key.pem"), "utf8")).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    expect((await keys.read("root-1")).equals(made)).toBe(true);
    expect(await keys.list()).toEqual(["root-1"]);
  });

  it("refuses a key that others may read, and says how to mend it", async () => {
    const keys = await openKeyFolder(path);
    await keys.create("root-1");
    await chmod(join(path, "root-1.key.pem"), 0o640);
    await expect(keys.read("root-1")).rejects.toMatchObject({
      code: "ERR_CA_KEY_FILE",
      hint: expect.stringContaining("chmod 600"),
    });
  });

  it("refuses a missing key and keys of another kind, without repeating their text", async () => {
    const keys = await openKeyFolder(path);
    await expect(keys.read("none")).rejects.toMatchObject({ code: "ERR_CA_KEY_FILE" });
    const other = generateKeyPairSync("ec", { namedCurve: "P-384" })
      .privateKey.export({ type: "pkcs8", format: "pem" })
      .toString();
    for (const text of [other, "secret text", ""]) {
      await writeFile(join(path, "x.key.pem"), text, { mode: 0o600 });
      const error: unknown = await keys.read("x").catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: "ERR_CA_KEY_FILE" });
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/secret text|BEGIN/);
    }
  });

  it("leaves the old file whole and no rubbish when a write fails", async () => {
    const keys = await openKeyFolder(path);
    await mkdir(join(path, "taken"));
    await writeFile(join(path, "taken", "x"), "");
    await expect(writeFileAtomically(join(path, "taken"), "new")).rejects.toThrow();
    expect(await readdir(path)).toEqual(["taken"]);
    expect(await keys.list()).toEqual([]);
  });
});
