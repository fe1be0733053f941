/* spiffe.h - identities of the mesh as URIs (mesh.md 1.2, 1.3). Pure. */
#ifndef CU_TLS_SPIFFE_H
#define CU_TLS_SPIFFE_H

#include "common/base/err.h"

enum cu_spiffe_kind {
    CU_SPIFFE_SERVICE, /* spiffe://TD/ns/default/dc/dc1/svc/web */
    CU_SPIFFE_AGENT,   /* spiffe://TD/agent/client/dc/dc1/id/node1 */
    CU_SPIFFE_SIGNING, /* spiffe://CLUSTER-ID.consul */
};

enum { CU_SPIFFE_PART_BYTES = 256, CU_SPIFFE_URI_BYTES = 1024, CU_COMMON_NAME_BYTES = 65 };

struct cu_spiffe {
    enum cu_spiffe_kind kind;
    char host[CU_SPIFFE_PART_BYTES]; /* the trust domain, as written */
    char datacenter[CU_SPIFFE_PART_BYTES];
    char name[CU_SPIFFE_PART_BYTES]; /* of the service, or the agent's node; of signing ones: "" */
    char ns[CU_SPIFFE_PART_BYTES];   /* of services */
};

/* CU_E_INVALID with the reference's sentence; CU_E_TOO_LARGE: a part is longer than its room. */
CU_MUST_USE enum cu_err cu_spiffe_parse(const char *uri, struct cu_spiffe *ret_id,
                                        struct cu_diag *diag);

/* Names are escaped where a URI needs it. CU_E_TOO_LARGE. */
CU_MUST_USE enum cu_err cu_spiffe_format(const struct cu_spiffe *id, char uri[CU_SPIFFE_URI_BYTES]);

/* "web.svc.default.11111111.consul", "node1.agnt.11111111.consul" (mesh.md 1.3). */
void cu_spiffe_common_name(const struct cu_spiffe *id, char name[CU_COMMON_NAME_BYTES]);

/* The common name of a root: "pri-UID.consul.ca.11111111.consul"; `uid` is 8 characters or fewer of
 * [a-z0-9]. */
void cu_ca_common_name(const char *uid, const char *provider, const char *trust_domain,
                       char name[CU_COMMON_NAME_BYTES]);

#endif
