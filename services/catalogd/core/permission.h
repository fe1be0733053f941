/* permission.h - what a source of an intention may ask for, request by request (mesh.md 3.2). */
#ifndef CATALOG_PERMISSION_H
#define CATALOG_PERMISSION_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "proto/curia/v1/config.pb-c.h"

enum { CATALOG_PERMISSIONS_MAX = 1024 }; /* of one source */

/* Why the permissions of source number `at` cannot be: the reference's sentence, in the arena;
 * NULL: they can. Methods are put into upper case. */
const char *catalog_permissions_refusal(struct cu_arena *arena, const char *destination, size_t at,
                                        const Curia__V1__SourceIntention *source);

/* Whether it says what is to happen: "allow" or "deny". */
bool catalog_is_action(const char *action);

#endif
