/* marks.h - remembers the state's hash at round indexes, so that replicas which never stand at the
 * same index at the same moment have indexes in common to compare (contracts 3.6, 6.1).
 *
 * The last 64 multiples of 64 and of 4,096: the first meet while replicas are a moment apart, the
 * second while one is far behind. */
#ifndef CATALOG_MARKS_H
#define CATALOG_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/hash.h"

enum {
    CATALOG_MARK_FINE = 64,
    CATALOG_MARK_COARSE = 4096,
    CATALOG_MARKS_EACH = 64,
    CATALOG_MARKS_MAX = 2 * CATALOG_MARKS_EACH + 1 /* and where the state stands now */
};

struct catalog_mark {
    uint64_t index; /* raw; 0: none */
    struct cu_u128 hash;
};

struct catalog_marks { /* all zero: none yet */
    struct catalog_mark fine[CATALOG_MARKS_EACH], coarse[CATALOG_MARKS_EACH];
};

/* Whether the hash at this index is to be kept. */
bool catalog_marks_wants(uint64_t index);
void catalog_marks_put(struct catalog_marks *marks, const struct catalog_mark *mark);

/* All of them and `now`, the highest index first, each once. Returns how many. */
size_t catalog_marks_list(const struct catalog_marks *marks, const struct catalog_mark *now,
                          struct catalog_mark ret_list[CATALOG_MARKS_MAX]);

#endif
