/* planted.h - a bug put in on purpose, picked at run time, so that a test can show that the
 * simulator sees it (consensus.md 20).
 *
 * Only a build with -Dplanted=true has any: elsewhere cu_planted() is the constant false and the
 * compiler drops what hangs on it. Names are string literals, one for each bug:
 *
 *     if (cu_planted("vote-not-persisted")) ...
 *
 * Process-wide by intent: a simulator runs one bug at a time, in every server of its clusters. */
#ifndef CU_BASE_PLANTED_H
#define CU_BASE_PLANTED_H

#include <stdbool.h>

#ifdef CU_PLANTED
bool cu_planted(const char *name);
#else
#define cu_planted(name) ((void)sizeof(name), false)
#endif

/* Turns on the bug `name` (borrowed, for the process's life), and no other; NULL: none. Returns
 * false, and changes nothing, in a build without planted bugs, unless `name` is NULL. */
bool cu_planted_set(const char *name);

#endif
