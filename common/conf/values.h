/* values.h - what was set: a value a row of the key table, merged over sources. */
#ifndef CU_CONF_VALUES_H
#define CU_CONF_VALUES_H

#include <stdbool.h>

#include <jansson.h>

#include "common/base/err.h"
#include "common/conf/key.h"

/* slot[i] belongs to cu_keys[i]; NULL: not set. */
struct cu_conf_values {
    json_t **slot;
};

void cu_conf_values_init(struct cu_conf_values *values);
void cu_conf_values_deinit(struct cu_conf_values *values);

/* Merges an object of nested keys over what is there: scalars replace, lists append, maps merge
 * (agent.md 2). Names match exactly first, then in any case. Errors: CU_E_INVALID, with the texts
 * of agent.md 2 for unknown keys and types; `name` is the source. Nothing is merged on failure.
 * `content` is changed where it has an object in a list of one (weak.h). */
CU_MUST_USE enum cu_err cu_conf_values_take(struct cu_conf_values *values, const char *name,
                                            json_t *content, bool is_hcl, struct cu_diag *diag);

/* Sets one row, replacing; takes `value` over. */
void cu_conf_values_set(struct cu_conf_values *values, const char *path, json_t *value);
json_t *cu_conf_values_get(const struct cu_conf_values *values, const char *path); /* borrowed */

/* Whether the value is what the table falls back to, or empty. */
bool cu_conf_is_fallback(const struct cu_key *key, const json_t *value);

#endif
