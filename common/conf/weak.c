#include "common/conf/weak.h"

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

#include "common/base/err.h"

json_t *cu_conf_unwrapped(json_t *value)
{
    return json_is_array(value) && json_array_size(value) == 1 ? json_array_get(value, 0) : value;
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcasecmp(name, names[i]))
            return true;
    return false;
}

/* Lists of objects in definitions (agent.md 6, 7). */
static bool is_list(const char *name)
{
    static const char *const names[] = {"checks", "services", "upstreams", "paths"};
    return is_one_of(name, names, CU_COUNT(names));
}

/* Objects whose members users named: none of those is such a list. */
static bool is_free(const char *name)
{
    static const char *const names[] = {"config", "meta", "tagged_addresses", "header"};
    return is_one_of(name, names, CU_COUNT(names));
}

static void weaken(json_t *value, bool in_free)
{
    json_t *item;
    size_t i;
    json_array_foreach(value, i, item) weaken(item, in_free);
    if (!json_is_object(value))
        return;
    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at)) {
        const char *name = json_object_iter_key(at);
        json_t *member = json_object_iter_value(at), *inner = cu_conf_unwrapped(member);
        if (member != inner && json_is_object(inner) && (in_free || !is_list(name))) {
            (void)json_object_iter_set_new(value, at, json_incref(inner));
            member = inner;
        }
        weaken(member, in_free || is_free(name));
    }
}

void cu_conf_weaken(json_t *value)
{
    weaken(value, false);
}
