import type { Command } from "commander";
import type { CommandContext } from "../command.ts";

/** `cellwall ca …` about keys and certificates that people bring or take. */
export function registerCaKeys(_ca: Command, _context: CommandContext): void {}
