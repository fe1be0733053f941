/* query.h - the parameters of a request, in the order sent (http-api.md 1.1). */
#ifndef AGENT_QUERY_H
#define AGENT_QUERY_H

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

struct agent_param {
    struct cu_bytes name, value;
};

struct agent_query {
    struct agent_param *params;
    size_t count;
};

/* `&` and `;` separate, `+` is a blank. Everything is in the arena. CU_E_INVALID: a bad percent
 * escape; CU_E_TOO_LARGE: the arena is full. */
CU_MUST_USE enum cu_err agent_query_parse(struct cu_bytes raw, struct cu_arena *arena,
                                          struct agent_query *ret_query);

/* The first parameter of that name, or NULL. */
const struct cu_bytes *agent_query_get(const struct agent_query *query, const char *name);
/* Its value; empty when it is not there. */
struct cu_bytes agent_query_value(const struct agent_query *query, const char *name);
bool agent_query_has(const struct agent_query *query, const char *name);
/* How often it is there. */
size_t agent_query_count(const struct agent_query *query, const char *name);

/* Appends all parameters escaped again, sorted by name, as error sentences show them. */
void agent_query_encode(struct cu_buf *out, const struct agent_query *query);

#endif
