#include "common/hcl/tree.h"

/* A block is a list of one, since there may be more of its name. */
static json_t *block_of(json_t *value)
{
    if (!json_is_object(value))
        return value;
    json_t *list = json_array();
    (void)json_array_append_new(list, value);
    return list;
}

/* Under its labels, the innermost first. */
static json_t *labelled(const json_t *keys, size_t first, json_t *value)
{
    value = block_of(value);
    for (size_t i = json_array_size(keys) - 1; i > first; i--) {
        json_t *object = json_object();
        (void)json_object_set_new(object, json_string_value(json_array_get(keys, i)), value);
        value = block_of(object);
    }
    return value;
}

/* Whether `value` may stand where `old` stands; an integer becomes real if that is one. */
static bool replaces(const json_t *old, json_t **value)
{
    if (json_is_real(old) && json_is_integer(*value)) {
        json_t *real = json_real((double)json_integer_value(*value));
        json_decref(*value);
        *value = real;
    }
    return json_typeof(old) == json_typeof(*value) ||
           (json_is_boolean(old) && json_is_boolean(*value)) ||
           (json_is_number(old) && json_is_number(*value));
}

bool hcl_tree_put(json_t *into, const json_t *keys, size_t first, json_t *value)
{
    const char *name = json_string_value(json_array_get(keys, first));
    value = labelled(keys, first, value);
    json_t *old = json_object_get(into, name);
    bool fits = !old || replaces(old, &value);
    if (old && fits && json_is_array(old)) {
        (void)json_array_extend(old, value);
        json_decref(value);
    } else if (fits) {
        (void)json_object_set_new(into, name, value);
    } else {
        json_decref(value);
    }
    return fits;
}
