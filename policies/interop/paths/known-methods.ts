/** The methods of the IANA registry that a line can match. */
export const KNOWN_METHODS: readonly string[] =
  `ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY DELETE GET HEAD LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF
  MKWORKSPACE MOVE OPTIONS ORDERPATCH PATCH POST PROPFIND PROPPATCH PUT QUERY REBIND REPORT SEARCH SUBSCRIBE TRACE UNBIND UNCHECKOUT
  UNLINK UNLOCK UNSUBSCRIBE UPDATE UPDATEREDIRECTREF VERSION-CONTROL`.split(/\s+/);

/** Whether a request line may name a method. */
export function isMethod(text: string): boolean {
  return /^[A-Z][A-Z0-9_-]*$/.test(text) && text !== "CONNECT" && text !== "ANY";
}
