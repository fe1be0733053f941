/* sight.h - what a mirror's own token may see: looked at again and again, and the mirror filled
 * anew when that has changed, as nothing in the feed tells of it. */
#ifndef CU_VIEW_SIGHT_H
#define CU_VIEW_SIGHT_H

#include "common/view/mirror.h"
#include "common/view/rights.h"

enum { CU_SIGHT_MIN_MS = 1000 /* between two looks */ };

struct cu_sight;

/* All must live longer. `token` is what the mirror asks with now; NULL or empty: none. */
struct cu_sight *cu_sight_new(struct cu_rights *rights, struct cu_loop *loop,
                              struct cu_mirror *mirror, const char *token);
void cu_sight_free(struct cu_sight *sight); /* takes NULL */

/* The mirror asks with this token from here on. */
void cu_sight_set_token(struct cu_sight *sight, const char *token);

#endif
