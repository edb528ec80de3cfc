/**
 * PEM of a self-signed root (P-256, 100 years) whose private key was destroyed as it was made: nothing can chain to it.
 * It stands wherever a validation context must hold an anchor and trust nobody: as the static default of every sidecar,
 * and as the bundle of a trust domain that is trusted no longer.
 *
 * SECURITY: a sidecar acknowledges an empty validation context and then admits everybody, without certificate too.
 */
export const THROW_AWAY_ANCHOR = `-----BEGIN CERTIFICATE-----
MIIBkzCCATmgAwIBAgIUcDiIPAerZxuMGFQrgeMBXKhgGdgwCgYIKoZIzj0EAwIw
JTEjMCEGA1UEAwwaY2VsbHdhbGwgdGhyb3ctYXdheSBhbmNob3IwIBcNMjYxMTI0
MTkyODQxWhgPMjEyNjExMjUxOTI4NDFaMCUxIzAhBgNVBAMMGmNlbGx3YWxsIHRo
cm93LWF3YXkgYW5jaG9yMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEF/I+1XA5
yBmxk/UM7FoM/A3tFid+8MesVFvnCNLssauiN/CQdh/3seYUT8PUGG0AxdLdIJj6
M1xwSH+mqae88KNFMEMwEgYDVR0TAQH/BAgwBgEB/wIBADAOBgNVHQ8BAf8EBAMC
AgQwHQYDVR0OBBYEFMdgZ2j6lb/UYomHZbvbegS8TcirMAoGCCqGSM49BAMCA0gA
MEUCIG9CQ8IBhu/iIOEkpJhkwYIBUxwVbudZgtVjvojjsBJGAiEA1GNKYwefCQSQ
y6qhh3Am5bkvjf2wStkb5RwJF6oES4c=
-----END CERTIFICATE-----
`;

/** A URI SAN that no certificate of Cellwall carries: the matcher that turns an empty list of callers into nobody. */
export const NOBODY = "urn:cellwall:nobody";
