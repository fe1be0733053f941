#include "services/catalogd/core/lookup.h"

#include <string.h>

#include "services/catalogd/core/key.h"

struct cu_bytes catalog_lookup_key(struct cu_arena *arena, enum catalog_lookup kind, const char *by,
                                   struct cu_bytes to)
{
    static const struct cu_bytes full = {NULL, 0};
    struct cu_bytes user = {NULL, 0};
    bool is_kind_first = kind == CATALOG_LOOKUP_NODE_ID;
    size_t by_len = strlen(by), len = by_len + 2 + is_kind_first;
    if (to.data && !catalog_key_user(to, &user))
        return full;
    uint8_t *text = cu_arena_alloc(arena, len + user.len), *at = text;
    if (!text)
        return full;
    if (is_kind_first)
        at += 2; /* the NUL, then the kind, below */
    catalog_name_fold(at, by, by_len);
    text[is_kind_first ? 1 : by_len + 1] = (uint8_t)kind;
    if (user.len)
        memcpy(text + len, user.data, user.len);
    return catalog_key_of(arena, (struct cu_bytes){text, len + user.len});
}

struct cu_bytes catalog_lookup_target(struct cu_arena *arena, struct cu_bytes key)
{
    struct cu_bytes user;
    if (!catalog_key_user(key, &user) || user.len == 0)
        return (struct cu_bytes){NULL, 0};
    bool is_kind_first =
        user.data[0] == '\0' && user.len > 1 && user.data[1] == CATALOG_LOOKUP_NODE_ID;
    size_t from = is_kind_first ? 2 : 0;
    const uint8_t *end = memchr(user.data + from, '\0', user.len - from);
    size_t at = end ? (size_t)(end - user.data) + 1 + !is_kind_first : user.len + 1;
    if (at > user.len)
        return (struct cu_bytes){NULL, 0};
    return catalog_key_of(arena, (struct cu_bytes){user.data + at, user.len - at});
}

/* 8-4-4-4-12 (RFC 9562 section 4). */
bool catalog_lookup_node_id(const char *id, char ret_digits[CATALOG_NODE_ID_DIGITS + 1])
{
    static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t at = 0;
    if (strlen(id) != sizeof pattern - 1)
        return false;
    for (size_t i = 0; i < sizeof pattern - 1; i++) {
        uint8_t digit;
        catalog_name_fold(&digit, &id[i], 1);
        bool is_digit = strchr("0123456789abcdef", digit) != NULL;
        if (pattern[i] == '-' ? digit != '-' : !is_digit)
            return false;
        if (is_digit)
            ret_digits[at++] = (char)digit;
    }
    ret_digits[at] = '\0';
    return true;
}

static bool see(void *arg, const struct catalog_row *row)
{
    (void)row; /* that there is one is all */
    *(bool *)arg = true;
    return false;
}

enum cu_err catalog_lookup_any(const struct catalog_backend *backend, struct cu_bytes prefix,
                               bool *ret_any)
{
    bool any = false;
    enum cu_err err = backend->scan(backend->context, CATALOG_INDEXES, prefix,
                                    (struct cu_bytes){NULL, 0}, see, &any);
    if (!err)
        *ret_any = any;
    return err;
}

struct targets {
    struct cu_arena *arena;
    struct catalog_list *keys;
    enum cu_err err;
};

static bool see_target(void *arg, const struct catalog_row *row)
{
    struct targets *targets = arg;
    struct cu_bytes *key = cu_arena_alloc(targets->arena, sizeof *key);
    if (key)
        *key = catalog_lookup_target(targets->arena, row->key);
    if (!key || !key->data || !catalog_list_add(targets->keys, targets->arena, key))
        targets->err = CU_E_TOO_LARGE;
    return !targets->err;
}

enum cu_err catalog_lookup_targets(const struct catalog_backend *backend, struct cu_bytes prefix,
                                   struct cu_arena *arena, struct catalog_list *keys)
{
    struct targets targets = {.arena = arena, .keys = keys};
    if (!prefix.data)
        return CU_E_TOO_LARGE;
    enum cu_err err = backend->scan(backend->context, CATALOG_INDEXES, prefix,
                                    (struct cu_bytes){NULL, 0}, see_target, &targets);
    return err ? err : targets.err;
}
