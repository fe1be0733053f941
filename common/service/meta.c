#include "common/service/meta.h"

#include <stdbool.h>
#include <string.h>

#define RESERVED_PREFIX "consul-"

static const char too_many[] = "Node metadata cannot contain more than 64 key/value pairs";
_Static_assert(CU_META_PAIRS_MAX == 64, "named in the sentence above");
_Static_assert(CU_META_KEY_BYTES_MAX == 128, "named in a sentence below");
_Static_assert(CU_META_VALUE_BYTES_MAX == 512, "named in a sentence below");

static bool is_plain(const char *key)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    return key[strspn(key, plain)] == '\0';
}

static bool is_reserved(const char *key, const char *kind)
{
    bool is_granted =
        strcmp(kind, "mesh-gateway") == 0 && strcmp(key, "consul-wan-federation") == 0;
    return strncmp(key, RESERVED_PREFIX, strlen(RESERVED_PREFIX)) == 0 && !is_granted;
}

static const char *check_pair(const char *key, const char *value, const char *kind)
{
    if (key[0] == '\0')
        return "Key cannot be blank";
    if (!is_plain(key))
        return "Key contains invalid characters";
    if (strlen(key) > CU_META_KEY_BYTES_MAX)
        return "Key is too long (limit: 128 characters)";
    if (is_reserved(key, kind))
        return "Key prefix 'consul-' is reserved for internal use";
    if (strlen(value) > CU_META_VALUE_BYTES_MAX)
        return "Value is too long (limit: 512 characters)";
    return NULL;
}

enum cu_err cu_meta_check(const Curia__V1__StringMap *meta, const char *kind,
                          struct cu_arena *arena, const char **ret_text)
{
    *ret_text = NULL;
    if (meta && meta->n_entries > CU_META_PAIRS_MAX)
        *ret_text = too_many;
    for (size_t i = 0; meta && !*ret_text && i < meta->n_entries; i++) {
        const Curia__V1__StringMap__EntriesEntry *pair = meta->entries[i];
        const char *why = check_pair(pair->key, pair->value, kind);
        if (!why)
            continue;
        *ret_text = cu_arena_printf(arena, "Couldn't load metadata pair ('%s', '%s'): %s",
                                    pair->key, pair->value, why);
        if (!*ret_text)
            return CU_E_TOO_LARGE;
    }
    return CU_OK;
}
