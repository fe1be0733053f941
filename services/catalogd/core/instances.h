/* instances.h - the instances of a service, with their nodes and checks (http-api.md 2.6, 2.7): the
 * reads by a service's name of Catalog and Health. Contracts as in browse.h. */
#ifndef CATALOG_INSTANCES_H
#define CATALOG_INSTANCES_H

#include "proto/curia/v1/health.pb-c.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/view.h"

CU_MUST_USE enum cu_err catalog_service_nodes(const struct catalog_view *view,
                                              const Curia__V1__ServiceNodesRequest *request,
                                              struct cu_arena *arena,
                                              Curia__V1__ServiceNodesReply *reply,
                                              uint64_t *ret_index);

CU_MUST_USE enum cu_err catalog_service_health(const struct catalog_view *view,
                                               const Curia__V1__ServiceNodesRequest *request,
                                               struct cu_arena *arena,
                                               Curia__V1__HealthServiceReply *reply,
                                               uint64_t *ret_index);

/* Appends the checks of an instance, or of the node itself (`service_id` ""), by check id. */
CU_MUST_USE enum cu_err catalog_instance_checks(const struct catalog_view *view,
                                                struct cu_arena *arena, const char *node,
                                                const char *service_id,
                                                struct catalog_list *checks);

/* The index of all that is read of a service by its name, or of what stands for it in the mesh
 * (http-api.md 3.4). */
CU_MUST_USE enum cu_err catalog_service_index(const struct catalog_view *view,
                                              struct cu_arena *arena, const char *service,
                                              bool connect, uint64_t *ret_index);

#endif
