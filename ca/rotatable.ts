/** What can be replaced. A root brings an intermediate of its own. */
export type Rotatable = "root" | "intermediate" | "jwt";
