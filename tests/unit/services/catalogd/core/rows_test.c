#include "services/catalogd/core/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/catalogd/core/key.h"
#include "tests/lib/registration.h"
#include "tests/lib/suite.h"

enum { ARENA_BYTES = 1024 * 1024, MANY = 40000, NAMES = 3000, STEPS = 60000 };

static struct cu_bytes text(const char *given)
{
    return cu_bytes_of(given);
}

static struct catalog_row row_of(const char *key, const char *value, uint64_t index)
{
    return (struct catalog_row){text(key), text(value), index, index + 1, {index, 7}};
}

static bool has(struct catalog_rows *rows, enum catalog_table table, const char *key,
                const char *value, uint64_t index)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct catalog_row row;
    enum cu_err err = catalog_rows_get(rows, table, text(key), arena, &row);
    ck_assert(!err || err == CU_E_NOT_FOUND);
    bool is_same = !err && cu_bytes_equal(row.key, text(key)) &&
                   cu_bytes_equal(row.value, text(value)) && row.create_index == index &&
                   row.modify_index == index + 1 && row.hash.lo == index && row.hash.hi == 7;
    ck_assert(err || is_same); /* this row, or none */
    cu_arena_free(arena);
    return !err;
}

START_TEST(a_row_is_as_it_was_put_last_until_it_is_dropped)
{
    struct catalog_rows *rows = catalog_rows_new();
    struct catalog_row row = row_of("n", "one", 3), longer = row_of("n", "one and more", 4);
    ck_assert(!has(rows, CATALOG_SERVICES, "n", "one", 3));
    catalog_rows_put(rows, CATALOG_SERVICES, &row);
    ck_assert(has(rows, CATALOG_SERVICES, "n", "one", 3));
    ck_assert(!has(rows, CATALOG_CHECKS, "n", "one", 3));
    catalog_rows_put(rows, CATALOG_SERVICES, &longer);
    ck_assert(has(rows, CATALOG_SERVICES, "n", "one and more", 4));
    catalog_rows_put(rows, CATALOG_SERVICES, &row);
    ck_assert(has(rows, CATALOG_SERVICES, "n", "one", 3));
    catalog_rows_drop(rows, CATALOG_CHECKS, text("n"));
    ck_assert(has(rows, CATALOG_SERVICES, "n", "one", 3));
    catalog_rows_drop(rows, CATALOG_SERVICES, text("n"));
    ck_assert(!has(rows, CATALOG_SERVICES, "n", "one", 3));
    ck_assert_uint_eq(catalog_rows_bytes(rows), 0);
    catalog_rows_free(rows);
}
END_TEST

START_TEST(a_row_with_no_value_is_a_row)
{
    struct catalog_rows *rows = catalog_rows_new();
    struct catalog_row row = row_of("k", "", 1);
    row.value.data = NULL;
    catalog_rows_put(rows, CATALOG_NODES, &row);
    ck_assert(has(rows, CATALOG_NODES, "k", "", 1));
    catalog_rows_clear(rows);
    ck_assert(!has(rows, CATALOG_NODES, "k", "", 1));
    catalog_rows_free(rows);
}
END_TEST

START_TEST(a_row_above_the_limit_is_not_kept_nor_what_it_replaces)
{
    struct catalog_rows *rows = catalog_rows_new();
    static char value[CATALOG_ROWS_ROW_BYTES_MAX + 1];
    memset(value, 'v', sizeof value - 1);
    struct catalog_row row = row_of("k", value, 1);
    row.value.len = CATALOG_ROWS_ROW_BYTES_MAX - 1; /* and one byte of the key */
    catalog_rows_put(rows, CATALOG_NODES, &row);
    ck_assert_uint_gt(catalog_rows_bytes(rows), CATALOG_ROWS_ROW_BYTES_MAX);
    row.value.len++;
    catalog_rows_put(rows, CATALOG_NODES, &row);
    ck_assert_uint_eq(catalog_rows_bytes(rows), 0);
    ck_assert(!has(rows, CATALOG_NODES, "k", value, 1));
    catalog_rows_free(rows);
}
END_TEST

START_TEST(holds_no_more_than_it_may_and_forgets_but_never_lies)
{
    struct catalog_rows *rows = catalog_rows_new();
    char key[32], value[1000];
    unsigned kept = 0;
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof key, "key-%u", i);
        struct catalog_row row = row_of(key, value, i);
        catalog_rows_put(rows, CATALOG_CHECKS, &row);
        ck_assert_uint_le(catalog_rows_bytes(rows), CATALOG_ROWS_BYTES_MAX);
    }
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(key, sizeof key, "key-%u", i);
        kept += has(rows, CATALOG_CHECKS, key, value, i);
    }
    ck_assert_uint_gt(kept, CATALOG_ROWS_BYTES_MAX / 1200);
    ck_assert_uint_lt(kept, MANY);
    catalog_rows_free(rows);
}
END_TEST

START_TEST(agrees_with_a_model_in_what_it_has)
{
    struct catalog_rows *rows = catalog_rows_new();
    static uint64_t index_of[NAMES]; /* 0: dropped */
    char key[32], value[64];
    unsigned found = 0;
    srand(11);
    for (unsigned i = 1; i <= STEPS; i++) {
        unsigned at = (unsigned)rand() % NAMES;
        (void)snprintf(key, sizeof key, "%u", at);
        if (rand() % 4 == 0) {
            catalog_rows_drop(rows, CATALOG_NODES, text(key));
            index_of[at] = 0;
            continue;
        }
        (void)snprintf(value, sizeof value, "%*u", (int)(i % 50), i);
        struct catalog_row row = row_of(key, value, i);
        if (rand() % 2 == 0) {
            catalog_rows_put(rows, CATALOG_NODES, &row);
            index_of[at] = i;
        } else if (index_of[at] > 0) {
            (void)snprintf(value, sizeof value, "%*u", (int)(index_of[at] % 50),
                           (unsigned)index_of[at]);
            found += has(rows, CATALOG_NODES, key, value, index_of[at]);
        } else {
            ck_assert(!has(rows, CATALOG_NODES, key, "", 0));
        }
    }
    ck_assert_uint_gt(found, STEPS / 10); /* hardly any had to go */
    catalog_rows_free(rows);
}
END_TEST

/* ---- beside a state ---- */

STATE_TEST(what_is_kept_goes_with_what_is_undone)
{
    struct catalog_store *store = state->store;
    struct cu_bytes key = catalog_key_of_node(state->arena, "n", NULL);
    struct catalog_row row;
    state_registers(state, &(struct reg){.node = "n", .address = "10.0.0.1"});
    ck_assert_int_eq(catalog_store_get(store, CATALOG_NODES, key, &row), CU_OK);
    struct cu_bytes before = {cu_arena_memdup(state->arena, row.value.data, row.value.len),
                              row.value.len};

    catalog_store_begin(store, state_index(state) + 1, &(struct catalog_cause){.cause = "api"});
    ck_assert_int_eq(catalog_store_mark(store), CU_OK);
    ck_assert_int_eq(store_del(store, CATALOG_NODES, key, NULL), CU_OK);
    ck_assert_int_eq(catalog_store_get(store, CATALOG_NODES, key, &row), CU_E_NOT_FOUND);
    ck_assert_int_eq(catalog_store_undo(store), CU_OK);
    ck_assert_int_eq(catalog_store_get(store, CATALOG_NODES, key, &row), CU_OK);
    ck_assert(cu_bytes_equal(row.value, before));

    ck_assert_int_eq(catalog_store_mark(store), CU_OK);
    struct cu_bytes other = catalog_key_of_node(state->arena, "m", NULL);
    ck_assert_int_eq(store_put(store, CATALOG_NODES, other, before, NULL), CU_OK);
    ck_assert_int_eq(catalog_store_undo(store), CU_OK);
    ck_assert_int_eq(catalog_store_get(store, CATALOG_NODES, other, &row), CU_E_NOT_FOUND);
}

/* As the state does: what memory and backend say of a row must be one thing after each entry. */
STATE_TEST(says_what_the_backend_says_whatever_is_registered)
{
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    char node[16], id[16];
    srand(5);
    for (int i = 0; i < 600; i++) {
        (void)snprintf(node, sizeof node, "n%d", rand() % 3);
        (void)snprintf(id, sizeof id, "s%d", rand() % 4);
        struct reg reg = {.node = node,
                          .service = rand() % 2 ? id : "other",
                          .service_id = id,
                          .port = rand() % 3,
                          .check = id,
                          .check_service = id,
                          .status = rand() % 2 ? "passing" : "critical"};
        switch (rand() % 8) {
        case 0:
            state_deregister(state, node, NULL, NULL);
            break;
        case 1:
            state_deregister(state, node, id, NULL);
            break;
        case 2:
            state_deregister(state, node, NULL, id);
            break;
        default:
            state_registers(state, &reg);
        }
        for (int k = 0; k < 4; k++) {
            static const enum catalog_table tables[] = {CATALOG_SERVICES, CATALOG_CHECKS};
            (void)snprintf(id, sizeof id, "s%d", k);
            struct cu_bytes key = catalog_key_of_node(arena, node, id);
            for (size_t t = 0; t < CU_COUNT(tables); t++) {
                struct catalog_row kept, real;
                enum cu_err err =
                    catalog_rows_get(state->store->rows, tables[t], key, arena, &kept);
                enum cu_err was =
                    state->backend->get(state->backend->context, tables[t], key, arena, &real);
                ck_assert(err == CU_E_NOT_FOUND || err == was);
                if (!err)
                    ck_assert(cu_bytes_equal(kept.value, real.value) &&
                              kept.create_index == real.create_index &&
                              kept.modify_index == real.modify_index &&
                              kept.hash.lo == real.hash.lo && kept.hash.hi == real.hash.hi);
            }
        }
        cu_arena_reset(arena);
    }
    cu_arena_free(arena);
}

SUITE_MAIN("catalogd/core/rows", a_row_is_as_it_was_put_last_until_it_is_dropped,
           a_row_with_no_value_is_a_row, a_row_above_the_limit_is_not_kept_nor_what_it_replaces,
           holds_no_more_than_it_may_and_forgets_but_never_lies, agrees_with_a_model_in_what_it_has,
           what_is_kept_goes_with_what_is_undone, says_what_the_backend_says_whatever_is_registered)
