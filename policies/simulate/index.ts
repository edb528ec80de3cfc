/** What a new policy set would have done to the requests of a decision log. */
export { formatSimulation, formatSimulationMarkdown } from "./format-report.ts";
export { identityReader, type RecordedAttributes, recordedAttributes } from "./recorded-attributes.ts";
export { parseRecordLine, type ReadRecord, type RecordedDecision, readRecord } from "./recorded-decision.ts";
export { CHANGE_KINDS, type ChangeGroup, type ChangeKind, type SimulationReport } from "./report.ts";
export { Simulation, type SimulationOptions, simulate } from "./simulation.ts";
