#include <stdio.h>
#include <string.h>

#include "services/catalogd/core/memtable.h"
#include "tests/lib/memory_backend.h"
#include "tests/lib/suite.h"

struct fixture {
    struct memory_backend *memory;
    const struct catalog_backend *below;
    struct catalog_memtable *m;
    struct cu_arena *arena;
    uint64_t seq;
};

static void begin(struct fixture *f, struct fault *fault)
{
    *f = (struct fixture){.memory = memory_backend_new(fault), .m = catalog_memtable_new()};
    f->below = memory_backend_get(f->memory);
    f->arena = cu_arena_new(1024 * 1024);
}

static void end(struct fixture *f)
{
    catalog_memtable_unref(f->m);
    memory_backend_free(f->memory);
    cu_arena_free(f->arena);
}

/* ---- rows ---- */

static void step(struct fixture *f, char what)
{
    char value[2] = {(char)('0' + f->seq), '\0'};
    struct catalog_row row = {cu_bytes_of("k"), cu_bytes_of(value), 1, 2, {3, 4}};
    f->seq++;
    if (what == 'u') /* takes back all */
        catalog_memtable_undo(f->m, 0);
    else if (what == 'd')
        catalog_memtable_del(f->m, CATALOG_KV, f->seq, row.key);
    else /* p: put; k: put of a row that is known to be there */
        catalog_memtable_put(f->m, CATALOG_KV, f->seq, &row, what == 'k');
}

static const char *below_has(struct fixture *f)
{
    struct catalog_row row;
    enum cu_err err =
        f->below->get(f->below->context, CATALOG_KV, cu_bytes_of("k"), f->arena, &row);
    if (err == CU_E_NOT_FOUND)
        return "none";
    ck_assert_int_eq(err, CU_OK);
    return cu_arena_printf(f->arena, "%.*s", (int)row.value.len, (const char *)row.value.data);
}

START_TEST(a_row_is_updated_where_it_was_known_before_its_oldest_version_else_put_or_deleted)
{
    static const struct {
        const char *steps; /* each writes its number */
        bool is_below;     /* with the value "old" */
        enum cu_err want_err;
        const char *want;
    } cases[] = {
        {"p", false, CU_OK, "0"},
        {"p", true, CU_OK, "0"}, /* a put replaces */
        {"k", true, CU_OK, "0"},
        {"k", false, CU_E_CORRUPT, "none"}, /* an update tells */
        {"kp", false, CU_E_CORRUPT, "none"},
        {"kp", true, CU_OK, "1"},
        {"pk", false, CU_OK, "1"}, /* known from its own put */
        {"pkk", false, CU_OK, "2"},
        {"d", false, CU_OK, "none"},
        {"d", true, CU_OK, "none"},
        {"kd", true, CU_OK, "none"},
        {"pd", false, CU_OK, "none"},
        {"dp", true, CU_OK, "1"},
        {"dp", false, CU_OK, "1"},
        {"dpk", false, CU_OK, "2"},
        {"kdp", true, CU_OK, "2"},
        {"ku", true, CU_OK, "old"}, /* all taken back */
        {"du", true, CU_OK, "old"},
        {"pu", false, CU_OK, "none"},
        {"kup", false, CU_OK, "2"}, /* what is taken back is forgotten */
        {"puk", false, CU_E_CORRUPT, "none"},
        {"duk", true, CU_OK, "2"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct fixture f;
        begin(&f, NULL);
        struct catalog_row old = {cu_bytes_of("k"), cu_bytes_of("old"), 1, 2, {3, 4}};
        if (cases[i].is_below)
            ck_assert_int_eq(f.below->put(f.below->context, CATALOG_KV, &old), CU_OK);
        for (const char *at = cases[i].steps; *at; at++)
            step(&f, *at);
        ck_assert_msg(catalog_memtable_fold(f.m, f.below) == cases[i].want_err, "%s",
                      cases[i].steps);
        ck_assert_msg(strcmp(below_has(&f), cases[i].want) == 0, "%s: %s", cases[i].steps,
                      below_has(&f));
        end(&f);
    }
}
END_TEST

static enum cu_err note_put(void *context, enum catalog_table table, const struct catalog_row *row)
{
    struct cu_buf *notes = context;
    cu_buf_printf(notes, "%d%.*s ", (int)table, (int)row->key.len, (const char *)row->key.data);
    return CU_OK;
}

START_TEST(tables_are_written_one_after_another_each_in_the_order_of_keys)
{
    struct cu_buf notes = {0};
    struct catalog_backend below = {.context = &notes, .put = note_put};
    struct catalog_memtable *m = catalog_memtable_new();
    static const struct {
        enum catalog_table table;
        const char *key;
    } rows[] = {{CATALOG_SETTINGS, "b"}, {CATALOG_KV, "c"}, {CATALOG_KV, "a"},
                {CATALOG_SETTINGS, "a"}, {CATALOG_KV, "b"}, {CATALOG_KV, "a"}};
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        struct catalog_row row = {.key = cu_bytes_of(rows[i].key)};
        catalog_memtable_put(m, (int)rows[i].table, i + 1, &row, false);
    }
    ck_assert_int_eq(catalog_memtable_fold(m, &below), CU_OK);
    cu_buf_append(&notes, "", 1);
    ck_assert_str_eq((const char *)notes.data, "0a 0b 0c 2a 2b ");
    cu_buf_deinit(&notes);
    catalog_memtable_unref(m);
}
END_TEST

/* ---- what is no row ---- */

static struct catalog_change change_of(uint64_t index, const char *key)
{
    return (struct catalog_change){.index = index,
                                   .number = 1,
                                   .table = CATALOG_NODES,
                                   .key = cu_bytes_of(key),
                                   .before = cu_bytes_of("before"),
                                   .before_hash = {5, 6},
                                   .actor = "actor",
                                   .node = "",
                                   .daemon = "d",
                                   .address = "a",
                                   .cause = "c",
                                   .reason = "reason",
                                   .wall_ms = 7,
                                   .lease_ms = 8,
                                   .size_bytes = 9};
}

static bool show_change(void *arg, const struct catalog_change *c)
{
    cu_buf_printf(arg, "%d.%d %d %.*s %.*s %d %s %s%s%s%s %s %d %d %d;", (int)c->index,
                  (int)c->number, (int)c->table, (int)c->key.len, (const char *)c->key.data,
                  (int)c->before.len, (const char *)c->before.data, (int)c->before_hash.hi,
                  c->actor, c->node, c->daemon, c->address, c->cause, c->reason, (int)c->wall_ms,
                  (int)c->lease_ms, (int)c->size_bytes);
    return true;
}

/* All it points to is written over afterwards: the memtable has copies. */
static void put_and_forget(struct fixture *f, const struct catalog_change *change)
{
    char key[16], before[16], texts[6][16];
    struct catalog_change given = *change;
    const char **at[] = {&given.actor,   &given.node,  &given.daemon,
                         &given.address, &given.cause, &given.reason};
    given.key = (struct cu_bytes){memcpy(key, change->key.data, change->key.len), change->key.len};
    given.before = (struct cu_bytes){memcpy(before, change->before.data, change->before.len),
                                     change->before.len};
    for (size_t i = 0; i < CU_COUNT(at); i++) {
        (void)snprintf(texts[i], sizeof texts[i], "%s", *at[i]);
        *at[i] = texts[i];
    }
    catalog_memtable_put_change(f->m, ++f->seq, &given);
    memset(key, 'x', sizeof key);
    memset(before, 'x', sizeof before);
    memset(texts, 'x', sizeof texts);
}

START_TEST(changes_are_added_whole_and_dropped)
{
    struct fixture f;
    begin(&f, NULL);
    struct catalog_change below = change_of(1, "below"), kept = change_of(2, "kept"),
                          gone = change_of(3, "gone");
    uint8_t key[CATALOG_CHANGE_KEY_BYTES];
    ck_assert_int_eq(f.below->change_add(f.below->context, &below), CU_OK);
    put_and_forget(&f, &gone);
    put_and_forget(&f, &kept);
    catalog_memtable_del(f.m, CATALOG_SPACE_CHANGES, 3, catalog_space_change_key(3, 1, key));
    catalog_memtable_del(f.m, CATALOG_SPACE_CHANGES, 4, catalog_space_change_key(1, 1, key));
    ck_assert_int_eq(catalog_memtable_fold(f.m, f.below), CU_OK);
    struct cu_buf got = {0}, want = {0};
    ck_assert_int_eq(f.below->changes(f.below->context, 0, 0, show_change, &got), CU_OK);
    (void)show_change(&want, &kept);
    ck_assert_uint_eq(got.len, want.len);
    ck_assert_mem_eq(got.data, want.data, want.len);
    cu_buf_deinit(&got);
    cu_buf_deinit(&want);
    end(&f);
}
END_TEST

static void put_value(struct fixture *f, uint64_t number, const char *value, uint64_t index)
{
    uint8_t bytes[CATALOG_HASH_BYTES];
    catalog_hash_to_bytes((struct cu_u128){number, 0}, bytes);
    struct catalog_row row = {
        .key = {bytes, sizeof bytes}, .value = cu_bytes_of(value), .modify_index = index};
    catalog_memtable_put(f->m, CATALOG_SPACE_VALUES, ++f->seq, &row, false);
}

static void drop_value(struct fixture *f, uint64_t number)
{
    uint8_t bytes[CATALOG_HASH_BYTES];
    catalog_hash_to_bytes((struct cu_u128){number, 0}, bytes);
    catalog_memtable_del(f->m, CATALOG_SPACE_VALUES, ++f->seq,
                         (struct cu_bytes){bytes, sizeof bytes});
}

static bool show_value(void *arg, struct cu_u128 hash, uint64_t index, struct cu_bytes value)
{
    cu_buf_printf(arg, "%d at %d: %.*s;", (int)hash.lo, (int)index, (int)value.len,
                  (const char *)value.data);
    return true;
}

START_TEST(values_are_put_at_their_last_index_and_dropped)
{
    struct fixture f;
    begin(&f, NULL);
    bool is_new;
    for (uint64_t i = 1; i <= 3; i++)
        ck_assert_int_eq(f.below->value_put(f.below->context, (struct cu_u128){i, 0},
                                            cu_bytes_of("below"), i, &is_new),
                         CU_OK);
    put_value(&f, 1, "below", 5);
    drop_value(&f, 2);
    put_value(&f, 4, "new", 4);
    put_value(&f, 4, "new", 6);
    put_value(&f, 5, "gone", 7);
    drop_value(&f, 5);
    ck_assert_int_eq(catalog_memtable_fold(f.m, f.below), CU_OK);
    struct cu_buf got = {0};
    ck_assert_int_eq(f.below->values(f.below->context, show_value, &got), CU_OK);
    cu_buf_append(&got, "", 1);
    ck_assert_str_eq((const char *)got.data, "3 at 3: below;1 at 5: below;4 at 6: new;");
    cu_buf_deinit(&got);
    end(&f);
}
END_TEST

/* ---- errors ---- */

static void write_some(struct fixture *f)
{
    struct catalog_change change = change_of(1, "k");
    struct catalog_row meta = {.key = {(const uint8_t *)"name", 5}, .value = cu_bytes_of("v")};
    step(f, 'p');
    put_value(f, 1, "value", 1);
    catalog_memtable_put(f->m, CATALOG_SPACE_META, ++f->seq, &meta, false);
    catalog_memtable_put_change(f->m, ++f->seq, &change);
    struct catalog_row row = {.key = cu_bytes_of("gone")};
    catalog_memtable_put(f->m, CATALOG_NODES, ++f->seq, &row, false);
    catalog_memtable_del(f->m, CATALOG_NODES, ++f->seq, row.key);
}

START_TEST(what_fails_below_is_told_and_folding_once_more_makes_it_whole)
{
    for (unsigned n = 1;; n++) {
        struct fault fault = {.at = n};
        struct fixture f;
        begin(&f, &fault);
        write_some(&f);
        enum cu_err err = catalog_memtable_fold(f.m, f.below);
        bool fired = fault_fired(&fault);
        fault.at = 0;
        ck_assert_int_eq(err, fired ? CU_E_IO : CU_OK);
        if (fired)
            ck_assert_int_eq(catalog_memtable_fold(f.m, f.below), CU_OK);
        struct cu_bytes value;
        ck_assert_str_eq(below_has(&f), "0");
        ck_assert_int_eq(f.below->meta_get(f.below->context, "name", f.arena, &value), CU_OK);
        ck_assert(cu_bytes_equal(value, cu_bytes_of("v")));
        ck_assert_int_eq(
            f.below->value_get(f.below->context, (struct cu_u128){1, 0}, f.arena, &value), CU_OK);
        struct cu_buf changes = {0};
        ck_assert_int_eq(f.below->changes(f.below->context, 0, 0, show_change, &changes), CU_OK);
        ck_assert_uint_gt(changes.len, 0);
        cu_buf_deinit(&changes);
        end(&f);
        if (!fired) {
            ck_assert_uint_gt(n, 5); /* each kind has been reached */
            break;
        }
    }
}
END_TEST

SUITE_MAIN("services/catalogd/core/memtable_fold",
           a_row_is_updated_where_it_was_known_before_its_oldest_version_else_put_or_deleted,
           tables_are_written_one_after_another_each_in_the_order_of_keys,
           changes_are_added_whole_and_dropped, values_are_put_at_their_last_index_and_dropped,
           what_fails_below_is_told_and_folding_once_more_makes_it_whole)
