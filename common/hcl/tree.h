/* tree.h - where a value stands in the tree; of this folder only. */
#ifndef CU_HCL_TREE_H
#define CU_HCL_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

/* Puts `value` (taken over) into an object, under the names keys[first], keys[first + 1], ..., as
 * hcl.h says. False: what is there is of another type; nothing has changed. */
bool hcl_tree_put(json_t *into, const json_t *keys, size_t first, json_t *value);

#endif
