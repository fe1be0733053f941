/* candidates.h - the catalogds that may be asked, as several sources know them (contracts 7.1).
 * Pure. */
#ifndef CU_VIEW_CANDIDATES_H
#define CU_VIEW_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/random.h"
#include "common/view/view.h"

enum { VIEW_CANDIDATES_MAX = 64 }; /* of one source; more servers than any cluster has */

struct view_candidates;

/* `seed`: the order in which this daemon takes them is its own, so that many spread. */
struct view_candidates *view_candidates_new(uint64_t seed);
void view_candidates_free(struct view_candidates *candidates); /* takes NULL */

/* Replaces what a source knew; URLs are copied. Returns whether anything changed. */
bool view_candidates_offer(struct view_candidates *candidates, enum cu_view_source source,
                           const char *const *urls, size_t count);

size_t view_candidates_count(const struct view_candidates *candidates);
bool view_candidates_has(const struct view_candidates *candidates, const char *url);

/* The one that was taken least often, in an order of its own, and counts it as taken; what is in
 * `except` (NULLs in it are skipped) is passed over. Those that only the saved view knows come
 * last. NULL: there is none. Borrowed until the next offer. */
const char *view_candidates_take(struct view_candidates *candidates, const char *const *except,
                                 size_t except_count);

#endif
