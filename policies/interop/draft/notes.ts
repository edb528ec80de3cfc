import type { WitnessRequest } from "../../findings/finding.ts";
import type { Fidelity, ReportEntry, RequestScope, SourcePlace } from "../report.ts";

/** What a note may say beside its construct and reason. */
export interface NoteDetail {
  readonly scope?: RequestScope;
  readonly subject?: string;
  readonly counterExample?: WitnessRequest;
}

/** Collects report entries about one document's constructs; the same is said once a place. */
export class Notes {
  readonly entries: ReportEntry[] = [];
  readonly #seen = new Set<string>();

  add(place: SourcePlace, construct: string, fidelity: Fidelity, reason: string, detail: NoteDetail = {}): void {
    const key = JSON.stringify([place, construct, fidelity, reason, detail.scope, detail.subject]);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.entries.push({ construct, place, fidelity, reason, ...detail });
  }
}
