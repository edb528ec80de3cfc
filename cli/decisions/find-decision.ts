import { parseRecordLine, type RecordedDecision } from "../../policies/index.ts";
import { CliError } from "../cli-error.ts";
import type { LogFile } from "./log-files.ts";
import { readLines } from "./read-lines.ts";

/** The decision of an id, the newest file first; `ERR_CLI_USAGE` where no log has it. */
export async function findDecision(id: string, files: readonly LogFile[]): Promise<RecordedDecision> {
  for (const file of files.toReversed()) {
    const found = await findInFile(id, file);
    if (found !== undefined) return found;
  }
  throw new CliError("ERR_CLI_USAGE", `no decision \`${id}\` is in the log`, {
    hint: `looked in ${files.map(({ shown }) => shown).join(", ")}; another host's agent has another log`,
  });
}

async function findInFile(id: string, file: LogFile): Promise<RecordedDecision | undefined> {
  let found: RecordedDecision | undefined;
  await readLines(file, {
    line(text) {
      if (!text.includes(id)) return true;
      const read = parseRecordLine(text);
      if (read.kind === "decision" && read.record.id === id) found = read.record;
      return found === undefined;
    },
  });
  return found;
}
