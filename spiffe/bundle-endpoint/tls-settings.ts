/** Mozilla's "intermediate" TLS settings, for both ends of a bundle endpoint (SPIFFE Federation, section 5.2). */
export const MOZILLA_INTERMEDIATE = {
  minVersion: "TLSv1.2",
  ecdhCurve: "X25519:prime256v1:secp384r1",
  ciphers: [
    "TLS_AES_128_GCM_SHA256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
  ].join(":"),
} as const;
