/* sieve.h - keeps of a list what a filter expression means (http-api.md 1.9). */
#ifndef CATALOG_SIEVE_H
#define CATALOG_SIEVE_H

#include "common/filter/filter.h"
#include "services/catalogd/core/list.h"

/* `text` "": everything. The messages of the list are of that shape. Errors: those of
 * cu_filter_new() and cu_filter_match(); who has checked the text gets no INVALID. */
CU_MUST_USE enum cu_err catalog_sieve(const char *text, const struct cu_filter_shape *shape,
                                      struct cu_arena *arena, struct catalog_list *list);

#endif
