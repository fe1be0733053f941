#include <string.h>

#include "tests/unit/services/catalogd/folding_driver.h"

START_TEST(what_is_applied_is_stored_once_it_is_folded)
{
    struct folding f;
    folding_begin(&f);
    submit_no_ops(&f, 10);
    settle(&f);
    ck_assert_uint_eq(applied(&f), 10);
    ck_assert_uint_eq(stored(&f), 0);
    ck_assert_uint_eq(in_database(&f), 0);
    ask_for_a_fold(&f);
    settle(&f);
    ck_assert_uint_eq(f.folds, 1);
    ck_assert_uint_eq(f.told, 1);
    ck_assert_int_eq(f.told_err, CU_OK);
    ck_assert_uint_eq(stored(&f), 10);
    ck_assert_uint_eq(in_database(&f), 10);
    ck_assert_uint_gt(catalog_applier_stored(f.applier)->wal_pages, 0);
    const struct cu_buf *header = &catalog_applier_stored(f.applier)->header;
    ck_assert_uint_eq(header->len, catalog_applier_facts(f.applier)->header.len);
    ck_assert_mem_eq(header->data, catalog_applier_facts(f.applier)->header.data, header->len);
    submit_no_ops(&f, 10);
    settle(&f);
    ck_assert_uint_eq(applied(&f), 20);
    ck_assert_uint_eq(stored(&f), 10);
    folding_end(&f);
}
END_TEST

START_TEST(nothing_is_folded_when_all_of_it_is_stored)
{
    struct folding f;
    folding_begin(&f);
    ask_for_a_fold(&f);
    ck_assert(catalog_applier_is_idle(f.applier));
    submit_no_ops(&f, 10);
    settle(&f);
    ask_for_a_fold(&f);
    settle(&f);
    ask_for_a_fold(&f);
    ck_assert(catalog_applier_is_idle(f.applier));
    ck_assert_uint_eq(f.folds, 1);
    folding_end(&f);
}
END_TEST

START_TEST(a_full_memtable_is_folded_by_itself)
{
    struct folding f;
    folding_begin(&f);
    submit_open(&f);
    for (uint64_t seq = 1; f.folds == 0; seq++) {
        ck_assert_uint_lt(seq, 2 * CATALOG_MEMTABLE_FOLD_BYTES / FOLDING_VALUE_BYTES);
        submit_set(&f, seq);
        settle(&f);
    }
    ck_assert_uint_ge(applied(&f), CATALOG_MEMTABLE_FOLD_BYTES / FOLDING_VALUE_BYTES);
    ck_assert_uint_eq(in_database(&f), stored(&f));
    ck_assert_uint_gt(stored(&f), 0);
    folding_end(&f);
}
END_TEST

START_TEST(what_could_not_be_folded_at_the_end_is_opened_at_the_stored_position)
{
    struct folding f;
    folding_begin(&f);
    submit_open(&f);
    submit_no_ops(&f, 9);
    settle(&f);
    ask_for_a_fold(&f);
    settle(&f);
    struct cu_u128 hash = catalog_applier_facts(f.applier)->hash;
    submit_set(&f, 1); /* another state */
    settle(&f);
    ck_assert(memcmp(&hash, &catalog_applier_facts(f.applier)->hash, sizeof hash) != 0);
    lock_database(&f);
    catalog_applier_free(f.applier);
    ck_assert_int_eq(f.fold_err, CU_E_IO);
    catalog_sqlite_rollback(f.locker);
    folding_open(&f);
    ck_assert_uint_eq(applied(&f), 10);
    ck_assert_uint_eq(stored(&f), 10);
    ck_assert_mem_eq(&hash, &catalog_applier_facts(f.applier)->hash, sizeof hash);
    f.last = 10;
    submit_no_ops(&f, 5); /* the log brings them again */
    settle(&f);
    ck_assert_uint_eq(applied(&f), 15);
    folding_end(&f);
}
END_TEST

START_TEST(freeing_it_folds_the_rest_or_leaves_what_is_stored)
{
    for (int is_locked = 0; is_locked < 2; is_locked++) {
        struct folding f;
        folding_begin(&f);
        uint64_t first = applied(&f);
        f.last = first;
        if (is_locked)
            lock_database(&f);
        submit_no_ops(&f, 10);
        settle(&f);
        catalog_applier_free(f.applier);
        if (is_locked)
            catalog_sqlite_rollback(f.locker);
        ck_assert_uint_eq(in_database(&f), is_locked ? first : first + 10);
        folding_open(&f);
        ck_assert_uint_eq(applied(&f), is_locked ? first : first + 10);
        folding_end(&f);
    }
}
END_TEST

SUITE_MAIN("services/catalogd/io/applier_fold", what_is_applied_is_stored_once_it_is_folded,
           nothing_is_folded_when_all_of_it_is_stored, a_full_memtable_is_folded_by_itself,
           what_could_not_be_folded_at_the_end_is_opened_at_the_stored_position,
           freeing_it_folds_the_rest_or_leaves_what_is_stored)
