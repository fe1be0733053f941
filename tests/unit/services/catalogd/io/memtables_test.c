#include "services/catalogd/io/memtables.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/random.h"
#include "services/catalogd/io/sqlite.h"
#include "tests/lib/suite.h"

struct fixture {
    char path[300];
    struct catalog_sqlite *db, *below; /* the fold worker's, the apply worker's */
    struct catalog_memtables *memtables;
};

static struct catalog_sqlite *open_reader(const struct fixture *f)
{
    struct catalog_sqlite *db = NULL;
    ck_assert_int_eq(catalog_sqlite_open_reader(f->path, &db, NULL), CU_OK);
    return db;
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.db = NULL};
    (void)snprintf(f->path, sizeof f->path, "%s/state.db", suite_tmpdir());
    ck_assert_int_eq(catalog_sqlite_open_writer(f->path, &f->db, NULL), CU_OK);
    f->below = open_reader(f);
    f->memtables = catalog_memtables_new(catalog_sqlite_backend(f->below));
}

static void end(struct fixture *f)
{
    catalog_memtables_free(f->memtables);
    catalog_sqlite_close(f->below);
    catalog_sqlite_close(f->db);
}

static void put(struct fixture *f, const char *key, const char *value)
{
    const struct catalog_backend *b = catalog_memtables_backend(f->memtables);
    struct catalog_row row = {cu_bytes_of(key), cu_bytes_of(value), 1, 2, {3, 4}};
    ck_assert_int_eq(b->put(b->context, CATALOG_KV, &row), CU_OK);
}

static const char *get(const struct catalog_backend *b, const char *key)
{
    static char text[64];
    struct cu_arena *arena = cu_arena_new(4096);
    struct catalog_row row;
    enum cu_err err = b->get(b->context, CATALOG_KV, cu_bytes_of(key), arena, &row);
    ck_assert(err == CU_OK || err == CU_E_NOT_FOUND);
    (void)snprintf(text, sizeof text, "%.*s", err ? 4 : (int)row.value.len,
                   err ? "none" : (const char *)row.value.data);
    cu_arena_free(arena);
    return text;
}

static void fold(struct fixture *f)
{
    ck_assert_int_eq(catalog_sqlite_begin(f->db, NULL), CU_OK);
    ck_assert_int_eq(catalog_memtables_fold(f->memtables, catalog_sqlite_backend(f->db)), CU_OK);
    ck_assert_int_eq(catalog_sqlite_commit(f->db, NULL), CU_OK);
}

/* What a reader that arrives now sees of `key`. */
static const char *taken(struct fixture *f, const char *key)
{
    struct catalog_sqlite *db = open_reader(f);
    struct catalog_overlay overlay;
    catalog_overlay_init(&overlay, catalog_sqlite_backend(db));
    ck_assert(
        catalog_memtables_take(f->memtables, catalog_memtables_retired(f->memtables), &overlay));
    const char *value = get(&overlay.backend, key);
    catalog_overlay_clear(&overlay);
    catalog_sqlite_close(db);
    return value;
}

/* ---- the rules ---- */

START_TEST(what_is_written_is_taken_once_it_is_published)
{
    struct fixture f;
    begin(&f);
    catalog_memtables_begin(f.memtables);
    put(&f, "k", "1");
    ck_assert_str_eq(get(catalog_memtables_backend(f.memtables), "k"), "1");
    ck_assert_str_eq(taken(&f, "k"), "none");
    catalog_memtables_publish(f.memtables);
    ck_assert_str_eq(taken(&f, "k"), "1");
    end(&f);
    catalog_memtables_free(NULL);
}
END_TEST

START_TEST(a_rollback_takes_back_all_since_the_last_publish_whatever_was_marked)
{
    struct fixture f;
    begin(&f);
    const struct catalog_backend *b = catalog_memtables_backend(f.memtables);
    put(&f, "k", "1");
    catalog_memtables_publish(f.memtables);
    put(&f, "k", "2");
    ck_assert_int_eq(b->mark(b->context), CU_OK);
    put(&f, "k", "3");
    put(&f, "new", "3");
    catalog_memtables_rollback(f.memtables);
    ck_assert_str_eq(get(b, "k"), "1");
    ck_assert_str_eq(get(b, "new"), "none");
    catalog_memtables_publish(f.memtables);
    ck_assert_str_eq(taken(&f, "k"), "1");
    put(&f, "k", "4");
    catalog_memtables_publish(f.memtables);
    ck_assert_str_eq(taken(&f, "k"), "4");
    end(&f);
}
END_TEST

START_TEST(rotates_what_is_not_empty_when_nothing_waits_to_be_folded)
{
    struct fixture f;
    begin(&f);
    ck_assert(!catalog_memtables_rotate(f.memtables));
    put(&f, "k", "1");
    catalog_memtables_publish(f.memtables);
    ck_assert_uint_gt(catalog_memtables_bytes(f.memtables), 0);
    ck_assert(catalog_memtables_rotate(f.memtables));
    ck_assert_uint_eq(catalog_memtables_bytes(f.memtables), 0);
    ck_assert_str_eq(get(catalog_memtables_backend(f.memtables), "k"), "1");
    ck_assert_str_eq(taken(&f, "k"), "1");
    put(&f, "k", "2");
    catalog_memtables_publish(f.memtables);
    ck_assert(!catalog_memtables_rotate(f.memtables)); /* the first one still is */
    fold(&f);
    ck_assert_str_eq(get(catalog_sqlite_backend(f.below), "k"), "1");
    ck_assert(!catalog_memtables_rotate(f.memtables));
    catalog_memtables_retire(f.memtables);
    ck_assert_str_eq(taken(&f, "k"), "2");
    ck_assert(catalog_memtables_rotate(f.memtables));
    end(&f);
}
END_TEST

START_TEST(the_writer_lets_go_of_what_was_retired_when_it_begins)
{
    struct fixture f;
    begin(&f);
    put(&f, "k", "1");
    catalog_memtables_publish(f.memtables);
    ck_assert(catalog_memtables_rotate(f.memtables));
    fold(&f);
    catalog_memtables_retire(f.memtables);
    ck_assert_str_eq(get(catalog_memtables_backend(f.memtables), "k"), "1");
    catalog_memtables_begin(f.memtables);
    ck_assert_str_eq(get(catalog_memtables_backend(f.memtables), "k"), "1"); /* from below */
    ck_assert_int_eq(catalog_sqlite_begin(f.db, NULL), CU_OK);
    const struct catalog_backend *b = catalog_sqlite_backend(f.db);
    ck_assert_int_eq(b->del(b->context, CATALOG_KV, cu_bytes_of("k")), CU_OK);
    ck_assert_int_eq(catalog_sqlite_commit(f.db, NULL), CU_OK);
    ck_assert_str_eq(get(catalog_memtables_backend(f.memtables), "k"), "none");
    end(&f);
}
END_TEST

START_TEST(nothing_is_taken_over_a_database_older_than_what_was_retired)
{
    struct fixture f;
    struct catalog_overlay overlay;
    begin(&f);
    catalog_overlay_init(&overlay, catalog_sqlite_backend(f.below));
    put(&f, "k", "1");
    catalog_memtables_publish(f.memtables);
    uint64_t retired = catalog_memtables_retired(f.memtables);
    ck_assert(catalog_memtables_rotate(f.memtables));
    fold(&f);
    ck_assert(catalog_memtables_take(f.memtables, retired, &overlay));
    ck_assert_uint_eq(overlay.count, 1); /* an empty one is not looked into */
    catalog_overlay_clear(&overlay);
    put(&f, "l", "2");
    catalog_memtables_publish(f.memtables);
    ck_assert(catalog_memtables_take(f.memtables, retired, &overlay));
    ck_assert_uint_eq(overlay.count, 2);
    catalog_overlay_clear(&overlay);
    catalog_memtables_retire(f.memtables);
    ck_assert(!catalog_memtables_take(f.memtables, retired, &overlay));
    ck_assert_uint_eq(overlay.count, 0);
    ck_assert(catalog_memtables_take(f.memtables, retired + 1, &overlay));
    ck_assert_uint_eq(overlay.count, 1);
    catalog_memtables_free(f.memtables); /* what is held outlives it */
    f.memtables = NULL;
    ck_assert_str_eq(get(&overlay.backend, "k"), "1");
    ck_assert_str_eq(get(&overlay.backend, "l"), "2");
    catalog_overlay_clear(&overlay);
    end(&f);
}
END_TEST

/* ---- threads: amounts are moved between accounts, and their sum always is the same ---- */

enum {
    ACCOUNTS = 60,
    AMOUNT = 1000, /* in each, at first */
    TRANSACTIONS = 3000,
    EACH_ROTATES = 40, /* as soon as the last one is retired */
    READERS = 2,
    SCANS_MIN = 50, /* of each reader, whoever is quicker */
    MOVES_MAX = 8,  /* in one transaction */
};

struct bank {
    struct fixture f;
    struct cu_random random;
    pthread_mutex_t lock;
    pthread_cond_t turned; /* something below has changed */
    bool has_rotated, has_ended;
    unsigned folds;
};

struct teller {
    struct bank *bank;
    struct catalog_sqlite *db;
    unsigned scans, retries;
    uint64_t last_seq;
};

static void write_account(const struct catalog_backend *b, int number, int amount)
{
    char key[16], value[16];
    (void)snprintf(key, sizeof key, "account%03d", number);
    (void)snprintf(value, sizeof value, "%d", amount);
    struct catalog_row row = {cu_bytes_of(key), cu_bytes_of(value), 1, 2, {3, 4}};
    enum cu_err err = amount ? b->put(b->context, CATALOG_KV, &row)
                             : b->del(b->context, CATALOG_KV, row.key); /* an empty one is closed */
    ck_assert_int_eq(err, CU_OK);
}

static int read_account(const struct catalog_backend *b, int number)
{
    char key[16];
    (void)snprintf(key, sizeof key, "account%03d", number);
    struct cu_arena *arena = cu_arena_new(1024);
    struct catalog_row row;
    enum cu_err err = b->get(b->context, CATALOG_KV, cu_bytes_of(key), arena, &row);
    ck_assert(err == CU_OK || err == CU_E_NOT_FOUND);
    int amount = 0;
    for (size_t i = 0; !err && i < row.value.len; i++)
        amount = amount * 10 + (row.value.data[i] - '0');
    cu_arena_free(arena);
    return amount;
}

static void transact(struct bank *bank)
{
    struct catalog_memtables *m = bank->f.memtables;
    const struct catalog_backend *b = catalog_memtables_backend(m);
    catalog_memtables_begin(m);
    uint64_t moves = 1 + cu_random_below(&bank->random, MOVES_MAX);
    for (uint64_t i = 0; i < moves; i++) {
        int from = (int)cu_random_below(&bank->random, ACCOUNTS);
        int to = (int)cu_random_below(&bank->random, ACCOUNTS);
        int has = read_account(b, from);
        int amount = cu_random_below(&bank->random, 4) == 0
                         ? has
                         : (int)cu_random_below(&bank->random, (uint64_t)has + 1);
        write_account(b, from, has - amount);
        write_account(b, to, read_account(b, to) + amount);
    }
    if (cu_random_below(&bank->random, 10) == 0) {
        write_account(b, 0, AMOUNT * ACCOUNTS); /* would not add up */
        catalog_memtables_rollback(m);
    }
    catalog_memtables_publish(m);
}

static void *fold_all(void *arg)
{
    struct bank *bank = arg;
    (void)pthread_mutex_lock(&bank->lock);
    while (!bank->has_ended || bank->has_rotated) {
        if (!bank->has_rotated) {
            (void)pthread_cond_wait(&bank->turned, &bank->lock);
            continue;
        }
        (void)pthread_mutex_unlock(&bank->lock);
        fold(&bank->f);
        catalog_memtables_retire(bank->f.memtables);
        (void)pthread_mutex_lock(&bank->lock);
        bank->has_rotated = false;
        bank->folds++;
    }
    (void)pthread_mutex_unlock(&bank->lock);
    return NULL;
}

struct count {
    int sum, rows;
    char last[16];
};

static bool add_account(void *arg, const struct catalog_row *row)
{
    struct count *count = arg;
    char key[16];
    int amount = 0;
    (void)snprintf(key, sizeof key, "%.*s", (int)row->key.len, (const char *)row->key.data);
    ck_assert_str_gt(key, count->last);
    (void)memcpy(count->last, key, sizeof key);
    for (size_t i = 0; i < row->value.len; i++)
        amount = amount * 10 + (row->value.data[i] - '0');
    count->sum += amount;
    count->rows++;
    return true;
}

/* As io/readers.c opens a snapshot. */
static void take(struct teller *teller, struct catalog_overlay *overlay)
{
    struct catalog_memtables *m = teller->bank->f.memtables;
    for (;; teller->retries++) {
        uint64_t retired = catalog_memtables_retired(m);
        ck_assert_int_eq(catalog_sqlite_begin_read(teller->db, NULL), CU_OK);
        if (catalog_memtables_take(m, retired, overlay))
            return;
        catalog_sqlite_end_read(teller->db);
    }
}

static void *count_all(void *arg)
{
    struct teller *teller = arg;
    struct bank *bank = teller->bank;
    struct catalog_overlay overlay;
    struct cu_bytes none = {NULL, 0};
    catalog_overlay_init(&overlay, catalog_sqlite_backend(teller->db));
    for (bool has_ended = false; !has_ended || teller->scans < SCANS_MIN; teller->scans++) {
        take(teller, &overlay);
        ck_assert_uint_ge(overlay.seq, teller->last_seq);
        teller->last_seq = overlay.seq;
        for (int i = 0; i < 2; i++) { /* the second sum is of the same state */
            struct count count = {.last = ""};
            const struct catalog_backend *b = &overlay.backend;
            ck_assert_int_eq(b->scan(b->context, CATALOG_KV, none, none, add_account, &count),
                             CU_OK);
            ck_assert_int_eq(count.sum, ACCOUNTS * AMOUNT);
            int sum = 0;
            for (int k = 0; k < ACCOUNTS; k++)
                sum += read_account(b, k);
            ck_assert_int_eq(sum, ACCOUNTS * AMOUNT);
        }
        catalog_overlay_clear(&overlay);
        catalog_sqlite_end_read(teller->db);
        (void)pthread_mutex_lock(&bank->lock);
        has_ended = bank->has_ended;
        (void)pthread_mutex_unlock(&bank->lock);
    }
    return NULL;
}

static void rotate(struct bank *bank)
{
    (void)pthread_mutex_lock(&bank->lock);
    if (!bank->has_rotated && catalog_memtables_rotate(bank->f.memtables)) {
        bank->has_rotated = true;
        (void)pthread_cond_signal(&bank->turned);
    }
    (void)pthread_mutex_unlock(&bank->lock);
}

static void open_accounts(struct bank *bank)
{
    for (int i = 0; i < ACCOUNTS; i++)
        write_account(catalog_memtables_backend(bank->f.memtables), i, AMOUNT);
    catalog_memtables_publish(bank->f.memtables);
}

START_TEST(readers_see_whole_transactions_while_others_write_fold_and_retire)
{
    struct bank bank = {.random = {suite_seed()}};
    struct teller tellers[READERS];
    pthread_t folder, threads[READERS];
    begin(&bank.f);
    ck_assert(!pthread_mutex_init(&bank.lock, NULL) && !pthread_cond_init(&bank.turned, NULL));
    open_accounts(&bank);
    ck_assert_int_eq(pthread_create(&folder, NULL, fold_all, &bank), 0);
    for (int i = 0; i < READERS; i++) {
        tellers[i] = (struct teller){.bank = &bank, .db = open_reader(&bank.f)};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_all, &tellers[i]), 0);
    }
    for (int i = 0; i < TRANSACTIONS; i++) {
        transact(&bank);
        if (i % EACH_ROTATES == 0)
            rotate(&bank);
    }
    (void)pthread_mutex_lock(&bank.lock);
    bank.has_ended = true;
    (void)pthread_cond_signal(&bank.turned);
    (void)pthread_mutex_unlock(&bank.lock);
    ck_assert_int_eq(pthread_join(folder, NULL), 0);
    for (int i = 0; i < READERS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        ck_assert_uint_ge(tellers[i].scans, SCANS_MIN);
        catalog_sqlite_close(tellers[i].db);
    }
    ck_assert_uint_gt(bank.folds, 1);
    (void)pthread_cond_destroy(&bank.turned);
    (void)pthread_mutex_destroy(&bank.lock);
    end(&bank.f);
}
END_TEST

SUITE_MAIN("services/catalogd/io/memtables", what_is_written_is_taken_once_it_is_published,
           a_rollback_takes_back_all_since_the_last_publish_whatever_was_marked,
           rotates_what_is_not_empty_when_nothing_waits_to_be_folded,
           the_writer_lets_go_of_what_was_retired_when_it_begins,
           nothing_is_taken_over_a_database_older_than_what_was_retired,
           readers_see_whole_transactions_while_others_write_fold_and_retire)
