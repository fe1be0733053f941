/* browse.h - what is asked of nodes and of what is on them (http-api.md 2.6): the reads of Catalog
 * but those by a service's name, which are in instances.h.
 *
 * Each fills the reply (initialised, in the arena) but for its meta, and says the index of
 * http-api.md 3.3. Errors: TOO_LARGE the arena is full; what the backend returned. */
#ifndef CATALOG_BROWSE_H
#define CATALOG_BROWSE_H

#include "services/catalogd/core/view.h"

CU_MUST_USE enum cu_err catalog_list_nodes(const struct catalog_view *view,
                                           const Curia__V1__ListNodesRequest *request,
                                           struct cu_arena *arena, Curia__V1__ListNodesReply *reply,
                                           uint64_t *ret_index);

CU_MUST_USE enum cu_err catalog_list_services(const struct catalog_view *view,
                                              const Curia__V1__ListServicesRequest *request,
                                              struct cu_arena *arena,
                                              Curia__V1__ListServicesReply *reply,
                                              uint64_t *ret_index);

CU_MUST_USE enum cu_err catalog_node_services(const struct catalog_view *view,
                                              const Curia__V1__NodeServicesRequest *request,
                                              struct cu_arena *arena,
                                              Curia__V1__NodeServicesReply *reply,
                                              uint64_t *ret_index);

/* The digits of what may be the beginning of a node's id: at least two characters, an odd last one
 * left out, hyphens anywhere. False: it is none. */
bool catalog_id_prefix(const char *text, char *ret_digits, size_t size);
enum { CATALOG_ID_PREFIX_BYTES = 37 };

#endif
