import { createReadStream } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { CliError, systemReason } from "../cli-error.ts";
import type { LogFile } from "./log-files.ts";

const CHUNK_BYTES = 1_048_576;
/** A record is far shorter; what is longer is no record, and is cut so that a file without line ends does not fill memory. */
const MAX_LINE_CHARS = 1_048_576;

/** What reading tells of. */
export interface LineReader {
  /** Takes a line; `false` ends the reading. */
  line(text: string): boolean;
  /** Told of bytes as they are read. */
  read?(bytes: number): void;
}

/** Reads a file line by line, in memory that does not grow with it; `ERR_CLI_FILE`. A last line without an end counts. */
export async function readLines(file: LogFile, reader: LineReader): Promise<void> {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const stream = createReadStream(file.path, { highWaterMark: CHUNK_BYTES });
  try {
    for await (const chunk of stream) {
      if (!Buffer.isBuffer(chunk)) continue;
      reader.read?.(chunk.length);
      const texts = `${rest}${decoder.write(chunk)}`.split("\n");
      rest = (texts.pop() ?? "").slice(0, MAX_LINE_CHARS);
      for (const text of texts) if (!reader.line(text)) return;
    }
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot read \`${file.shown}\`: ${systemReason(error) ?? "unreadable"}`, {
      cause: error,
    });
  } finally {
    stream.destroy();
  }
  if (rest !== "") reader.line(rest);
}
