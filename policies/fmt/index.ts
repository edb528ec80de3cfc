/** The one form of policy files: stable, comments kept. */
export { type Formatted, formatPolicyText } from "./format-text.ts";
