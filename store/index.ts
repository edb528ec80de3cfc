/** The database connection and its migration runner; nothing of the domains. */
export type { DriverName } from "./driver.ts";
export { openStore, type Store, type StoreOptions } from "./store.ts";
export { StoreError, type StoreErrorCode } from "./store-error.ts";
