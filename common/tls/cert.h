/* cert.h - keys, certificate requests, roots and leaves of the mesh (mesh.md 1.4, 1.5), by OpenSSL.
 * Everything goes in and out as PEM text that ends in one newline; a text that is yours is free()d,
 * one that holds a key with cu_secret_free(). Key generation and signing take milliseconds. */
#ifndef CU_TLS_CERT_H
#define CU_TLS_CERT_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/tls/spiffe.h"

enum {
    CU_PEM_BYTES_MAX = 64 * 1024, /* of what somebody else gives us */
    CU_KEY_ID_BYTES = 32,         /* SHA-256 of the DER SubjectPublicKeyInfo */
    CU_COLON_HEX_BYTES = 3 * CU_KEY_ID_BYTES,
};

/* Wiped, then freed. Takes NULL. */
void cu_secret_free(char *text);

/* A new key on P-256 (SEC1, "EC PRIVATE KEY"). Yours: cu_secret_free(). */
char *cu_key_new(void);

/* A request for a leaf of `uri` (mesh.md 1.5): CN and SAN. CU_E_INVALID: the key does not parse. */
CU_MUST_USE enum cu_err cu_csr_new(const char *key_pem, const char *uri, const char *common_name,
                                   char **ret_csr_pem, struct cu_diag *diag);

/* A new key, and a request by it for the leaf of a service. Both yours, the key for
 * cu_secret_free(). CU_E_INVALID: a name is too long for a certificate. */
CU_MUST_USE enum cu_err cu_service_csr_new(const char *trust_domain, const char *datacenter,
                                           const char *service, char **ret_key_pem,
                                           char **ret_csr_pem, struct cu_diag *diag);

/* What a request asks for: its first URI. CU_E_INVALID: it does not parse, its signature does not
 * fit, or it has no URI; CU_E_TOO_LARGE: more than CU_PEM_BYTES_MAX. */
CU_MUST_USE enum cu_err cu_csr_uri(const char *csr_pem, char uri[CU_SPIFFE_URI_BYTES],
                                   struct cu_diag *diag);

struct cu_validity {
    int64_t not_before_s, not_after_s; /* since 1970 */
};

/* A root: self-signed, CA, ten years from `now_s` (mesh.md 1.4). */
CU_MUST_USE enum cu_err cu_root_new(const char *key_pem, const char *common_name, const char *uri,
                                    uint64_t serial, int64_t now_s, char **ret_cert_pem,
                                    struct cu_diag *diag);

struct cu_leaf_terms {
    const char *root_pem, *root_key_pem;
    const char *common_name; /* whatever the request says */
    uint64_t serial;
    struct cu_validity validity;
};

/* A leaf with the names of the request (mesh.md 1.5). */
CU_MUST_USE enum cu_err cu_leaf_sign(const struct cu_leaf_terms *terms, const char *csr_pem,
                                     char **ret_cert_pem, struct cu_diag *diag);

/* What is printed of a certificate. */
struct cu_cert_facts {
    char id[CU_COLON_HEX_BYTES];     /* colon hex of SHA-1 over the DER */
    char key_id[CU_COLON_HEX_BYTES]; /* colon hex of the subject key id */
    char issuer_key_id[CU_COLON_HEX_BYTES];
    char common_name[CU_COMMON_NAME_BYTES];
    char uri[CU_SPIFFE_URI_BYTES]; /* the first one; "" when there is none */
    char serial[CU_COLON_HEX_BYTES];
    uint64_t serial_number; /* 0 where it is over 64 bits */
    struct cu_validity validity;
    bool is_ca;
};
CU_MUST_USE enum cu_err cu_cert_read(const char *cert_pem, struct cu_cert_facts *ret_facts,
                                     struct cu_diag *diag);

#endif
