import { pino } from "pino";

/** The part of pino that the agent uses, so that tests can capture it and embedders bring their own. */
export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** JSON lines on standard error: standard output belongs to whoever runs the agent. */
export function stderrLogger(): Logger {
  return pino({ name: "cellwall-agent" }, pino.destination({ dest: 2, sync: true }));
}
