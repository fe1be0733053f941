/* ca_terms.h - what the configuration of the CA says (mesh.md 1.7, 1.9). */
#ifndef CATALOG_IO_CA_TERMS_H
#define CATALOG_IO_CA_TERMS_H

#include "common/base/buf.h"
#include "common/base/err.h"

enum {
    CATALOG_CSR_PER_SECOND = 50,    /* CSRMaxPerSecond */
    CATALOG_LEAF_TTL_S = 72 * 3600, /* LeafCertTTL */
    CATALOG_LEAF_TTL_MIN_S = 3600,  /* unless SkipValidate */
    CATALOG_LEAF_TTL_MAX_S = 8760 * 3600,
    CATALOG_INTERMEDIATE_TTL_S = 8760 * 3600, /* IntermediateCertTTL */
    CATALOG_INTERMEDIATE_TTL_MIN_S = 3 * 3600,
};

struct catalog_ca_terms {
    int64_t leaf_ttl_s;
    double csr_per_second; /* 0: as many as come */
    size_t csr_concurrent; /* at most so many at a time, where csr_per_second is 0; 0: any */
};

/* Of a configuration, a JSON object: what it does not say, or cannot be understood, is the
 * default. */
struct catalog_ca_terms catalog_ca_terms_of(struct cu_bytes config);

/* Whether it can be taken. CU_E_INVALID: the sentence of the reference, or what is not built yet.
 */
CU_MUST_USE enum cu_err catalog_ca_terms_check(struct cu_bytes config, struct cu_diag *diag);

#endif
