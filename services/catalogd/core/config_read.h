/* config_read.h - reads of configuration entries (http-api.md 2.15, 3.3). */
#ifndef CATALOG_CONFIG_READ_H
#define CATALOG_CONFIG_READ_H

#include "services/catalogd/core/view.h"

CU_MUST_USE enum cu_err catalog_config_read(const struct catalog_view *view,
                                            const Curia__V1__ConfigGetRequest *request,
                                            struct cu_arena *arena,
                                            Curia__V1__ConfigGetReply *reply, uint64_t *ret_index);
/* Of one kind, or all: by kind, then name. */
CU_MUST_USE enum cu_err catalog_config_list(const struct catalog_view *view,
                                            const Curia__V1__ConfigListRequest *request,
                                            struct cu_arena *arena,
                                            Curia__V1__ConfigListReply *reply, uint64_t *ret_index);

#endif
