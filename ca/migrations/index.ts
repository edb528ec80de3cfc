import type { Migration } from "kysely";
import { initial } from "./001-initial.ts";
import { rotation } from "./002-rotation.ts";

/** All changes to the authority's tables, in the order of their names. A released one is never edited. */
export const migrations: Readonly<Record<string, Migration>> = { "001-initial": initial, "002-rotation": rotation };
