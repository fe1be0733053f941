/* health.h - what is asked of checks (http-api.md 2.7). Contracts as in browse.h. */
#ifndef CATALOG_HEALTH_H
#define CATALOG_HEALTH_H

#include "proto/curia/v1/health.pb-c.h"
#include "services/catalogd/core/view.h"

CU_MUST_USE enum cu_err catalog_node_checks(const struct catalog_view *view,
                                            const Curia__V1__NodeChecksRequest *request,
                                            struct cu_arena *arena, Curia__V1__ChecksReply *reply,
                                            uint64_t *ret_index);

CU_MUST_USE enum cu_err catalog_service_checks(const struct catalog_view *view,
                                               const Curia__V1__ServiceChecksRequest *request,
                                               struct cu_arena *arena,
                                               Curia__V1__ChecksReply *reply, uint64_t *ret_index);

CU_MUST_USE enum cu_err catalog_state_checks(const struct catalog_view *view,
                                             const Curia__V1__StateChecksRequest *request,
                                             struct cu_arena *arena, Curia__V1__ChecksReply *reply,
                                             uint64_t *ret_index);

#endif
