#include "services/catalogd/core/look.h"

#include <string.h>

#include "common/base/quote.h"
#include "services/catalogd/core/key.h"

struct look {
    const struct catalog_backend *backend;
    const struct catalog_kv_op *op;
    struct cu_arena *arena;
    catalog_look_found *found;
    void *arg;
    const char *failure;
    enum cu_err err; /* of `found`, inside a walk */
    /* of the verbs about one key */
    bool is_there;
    struct catalog_row row;
};

const char *catalog_look_precheck(const struct catalog_kv_op *op)
{
    return op->key.len == 0 && op->verb != CATALOG_KV_DELETE_TREE ? "Must provide key" : NULL;
}

/* The sentence, with the key where it says %s. */
static void fail(struct look *look, const char *before, const char *after)
{
    const char *key = cu_quote(look->arena, look->op->key);
    look->failure = key ? cu_arena_printf(look->arena, "%s%s%s", before, key, after) : NULL;
    if (!look->failure)
        look->err = CU_E_TOO_LARGE;
}

static void get(struct look *look)
{
    if (!look->is_there)
        fail(look, "key ", " doesn't exist");
    else
        look->err = look->found(look->arg, &look->row, true);
}

static bool visit(void *arg, const struct catalog_row *row)
{
    struct look *look = arg;
    look->err = look->found(look->arg, row, true);
    return !look->err;
}

static void get_tree(struct look *look)
{
    struct cu_bytes prefix = catalog_key_of(look->arena, look->op->key);
    enum cu_err err = !prefix.data ? CU_E_TOO_LARGE
                                   : look->backend->scan(look->backend->context, CATALOG_KV, prefix,
                                                         (struct cu_bytes){NULL, 0}, visit, look);
    if (!look->err)
        look->err = err;
}

static void fail_session(struct look *look, const char *holder)
{
    const char *has = cu_quote(look->arena, cu_bytes_of(holder));
    const char *wants = cu_quote(look->arena, cu_bytes_of(look->op->session));
    const char *after = has && wants
                            ? cu_arena_printf(look->arena, ", current session %s != %s", has, wants)
                            : NULL;
    if (after)
        fail(look, "failed session check for key ", after);
    else
        look->err = CU_E_TOO_LARGE;
}

static void check_session(struct look *look)
{
    if (!look->is_there) {
        fail(look, "failed to check session, key ", " doesn't exist");
        return;
    }
    Curia__Internal__V1__KvRow *kv = curia__internal__v1__kv_row__unpack(
        cu_arena_allocator(look->arena), look->row.value.len, look->row.value.data);
    if (!kv)
        look->err = CU_E_TOO_LARGE; /* rows are our own: only a full arena makes it fail */
    else if (strcmp(kv->session, look->op->session) != 0)
        fail_session(look, kv->session);
    else
        look->err = look->found(look->arg, &look->row, false);
}

static void check_index(struct look *look)
{
    if (!look->is_there) {
        fail(look, "failed to check index, key ", " doesn't exist");
        return;
    }
    if (look->row.modify_index == look->op->index) {
        look->err = look->found(look->arg, &look->row, false);
        return;
    }
    const char *after = cu_arena_printf(look->arena, ", current modify index %llu != %llu",
                                        (unsigned long long)look->row.modify_index,
                                        (unsigned long long)look->op->index);
    if (after)
        fail(look, "failed index check for key ", after);
    else
        look->err = CU_E_TOO_LARGE;
}

static void check_not_exists(struct look *look)
{
    if (look->is_there)
        fail(look, "key ", " exists");
}

typedef void look_verb(struct look *look);

/* clang-format off */
static const struct look_row {
    look_verb *run;
    bool is_of_one_key;
} verbs[CATALOG_KV_VERB_COUNT] = {
    [CATALOG_KV_GET]              = {get,              true},
    [CATALOG_KV_GET_TREE]         = {get_tree,         false},
    [CATALOG_KV_CHECK_SESSION]    = {check_session,    true},
    [CATALOG_KV_CHECK_INDEX]      = {check_index,      true},
    [CATALOG_KV_CHECK_NOT_EXISTS] = {check_not_exists, true},
};
/* clang-format on */

static enum cu_err read_key(struct look *look)
{
    struct cu_bytes key = catalog_key_of(look->arena, look->op->key);
    if (!key.data)
        return CU_E_TOO_LARGE;
    enum cu_err err =
        look->backend->get(look->backend->context, CATALOG_KV, key, look->arena, &look->row);
    look->is_there = !err;
    return err == CU_E_NOT_FOUND ? CU_OK : err;
}

static void fail_unknown(struct look *look)
{
    const char *verb = cu_quote(look->arena, cu_bytes_of(look->op->unknown_verb));
    look->failure = verb ? cu_arena_printf(look->arena, "unknown KV verb %s", verb) : NULL;
    if (!look->failure)
        look->err = CU_E_TOO_LARGE;
}

enum cu_err catalog_look(const struct catalog_backend *backend, const struct catalog_kv_op *op,
                         struct cu_arena *arena, catalog_look_found *found, void *arg,
                         const char **ret_failure)
{
    struct look look = {.backend = backend, .op = op, .arena = arena, .found = found, .arg = arg};
    bool is_known = op->verb < CATALOG_KV_VERB_COUNT && verbs[op->verb].run && !op->unknown_verb[0];
    if (!is_known)
        fail_unknown(&look);
    else if (verbs[op->verb].is_of_one_key)
        look.err = read_key(&look);
    if (is_known && !look.err)
        verbs[op->verb].run(&look);
    if (!look.err)
        *ret_failure = look.failure;
    return look.err;
}
