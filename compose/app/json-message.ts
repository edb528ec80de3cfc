import { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

/** A value as the demo's one protobuf message: `message Json { string json = 1; }`. */
export function encodeJson(value: unknown): Buffer {
  return Buffer.from(new BinaryWriter().uint32(10).string(JSON.stringify(value)).finish());
}

/** Reads such a message; no field is `{}`. Throws for what is none. */
export function decodeJson(bytes: Uint8Array): unknown {
  const reader = new BinaryReader(bytes);
  let json = "{}";
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === 2) json = reader.string();
    else reader.skip(wireType);
  }
  return JSON.parse(json);
}
