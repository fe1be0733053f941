/* pattern.h - one regular expression, and whether it is found in a text. The syntax is PCRE's, of
 * which the reference's (RE2) is nearly a part; it is given up on a text that costs too much. */
#ifndef CU_FILTER_PATTERN_H
#define CU_FILTER_PATTERN_H

#include <stdbool.h>

#include "common/base/err.h"

enum { CU_PATTERN_STEPS_MAX = 100000, CU_PATTERN_HEAP_KIB_MAX = 1024 };

struct cu_filter_pattern;

/* Errors: INVALID, diag says what is wrong with it. */
CU_MUST_USE enum cu_err cu_pattern_new(const char *text, struct cu_filter_pattern **ret_pattern,
                                       struct cu_diag *diag);
void cu_pattern_free(struct cu_filter_pattern *pattern); /* takes NULL */

/* Anywhere in the text. Errors: OVERLOADED beyond the limits. */
CU_MUST_USE enum cu_err cu_pattern_find(const struct cu_filter_pattern *pattern, const char *text,
                                        bool *ret_found);

#endif
