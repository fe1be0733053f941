/* meta.h - what metadata of a service or of an agent's node must look like (http-api.md 2.3). Pure.
 */
#ifndef CU_SERVICE_META_H
#define CU_SERVICE_META_H

#include "common/base/arena.h"
#include "common/base/err.h"
#include "proto/curia/v1/text.pb-c.h"

enum { CU_META_PAIRS_MAX = 64, CU_META_KEY_BYTES_MAX = 128, CU_META_VALUE_BYTES_MAX = 512 };

/* What is wrong, of the first pair that is; NULL: nothing, or there is no metadata. `kind` is that
 * of the service ("" of a node): mesh gateways may bear "consul-wan-federation". Errors: TOO_LARGE
 * the arena is full. */
CU_MUST_USE enum cu_err cu_meta_check(const Curia__V1__StringMap *meta, const char *kind,
                                      struct cu_arena *arena, const char **ret_text);

#endif
