/** The part of node-forge that reads ASN.1, which loads in half the time of the whole. */
declare module "node-forge/lib/asn1.js" {
  import forge from "node-forge";

  const asn1: typeof forge.asn1;
  export default asn1;
}
