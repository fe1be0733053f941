#include "services/catalogd/io/readers.h"

#include <stdio.h>

#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

struct fixture {
    struct cu_loop *loop;
    struct catalog_sqlite *writer;
    struct catalog_readers *readers;
    char path[300];
    unsigned closed;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){.loop = cu_loop_new()};
    (void)snprintf(f->path, sizeof(f->path), "%s/state.db", suite_tmpdir());
    ck_assert_int_eq(catalog_sqlite_open_writer(f->path, &f->writer, NULL), CU_OK);
    ck_assert_int_eq(catalog_readers_open(f->loop, f->path, &f->readers, NULL), CU_OK);
}

static void end(struct fixture *f)
{
    catalog_readers_free(f->readers);
    catalog_sqlite_close(f->writer);
    cu_loop_free(f->loop);
}

static void put(struct fixture *f, const char *key)
{
    const struct catalog_backend *b = catalog_sqlite_backend(f->writer);
    struct catalog_row row = {cu_bytes_of(key), cu_bytes_of("v"), 1, 2, {3, 4}};
    ck_assert_int_eq(catalog_sqlite_begin(f->writer, NULL), CU_OK);
    ck_assert_int_eq(b->put(b->context, CATALOG_KV, &row), CU_OK);
    ck_assert_int_eq(catalog_sqlite_commit(f->writer, NULL), CU_OK);
}

static bool sees(const struct catalog_backend *b, const char *key)
{
    struct cu_arena *arena = cu_arena_new(4096);
    struct catalog_row row;
    enum cu_err err = b->get(b->context, CATALOG_KV, cu_bytes_of(key), arena, &row);
    cu_arena_free(arena);
    return err == CU_OK;
}

START_TEST(the_loops_snapshot_stands_still_until_the_index_moves_contracts_6_7)
{
    struct fixture f;
    begin(&f);
    put(&f, "a");
    ck_assert(sees(catalog_readers_snapshot(f.readers), "a"));
    uint64_t generation = catalog_readers_generation(f.readers);
    put(&f, "b");
    ck_assert(!sees(catalog_readers_snapshot(f.readers), "b"));
    ck_assert_uint_eq(catalog_readers_generation(f.readers), generation);
    catalog_readers_moved(f.readers);
    ck_assert(sees(catalog_readers_snapshot(f.readers), "b"));
    ck_assert_uint_gt(catalog_readers_generation(f.readers), generation);
    end(&f);
}
END_TEST

START_TEST(the_loops_snapshot_ends_by_itself_contracts_6_7)
{
    struct fixture f;
    begin(&f);
    (void)sees(catalog_readers_snapshot(f.readers), "a");
    put(&f, "a");
    uint64_t generation = catalog_readers_generation(f.readers);
    cu_loop_turn(f.loop, true); /* blocks until its timer */
    ck_assert(sees(catalog_readers_snapshot(f.readers), "a"));
    ck_assert_uint_gt(catalog_readers_generation(f.readers), generation);
    end(&f);
}
END_TEST

struct job {
    struct catalog_read_job job;
    bool is_seen, is_done;
};

static void run(void *arg, const struct catalog_backend *backend, const struct cu_diag *diag)
{
    struct job *job = arg;
    job->is_seen = backend && sees(backend, "a");
}

static void done(void *arg)
{
    ((struct job *)arg)->is_done = true;
}

static void closed(void *arg)
{
    ((struct fixture *)arg)->closed++;
}

START_TEST(a_gate_waits_for_those_who_read_and_holds_the_others_back_contracts_6_7)
{
    struct fixture f;
    begin(&f);
    put(&f, "a");
    struct job jobs[4] = {0};
    for (int i = 0; i < 4; i++) {
        jobs[i].job = (struct catalog_read_job){.run = run, .done = done, .arg = &jobs[i]};
        catalog_readers_submit(f.readers, &jobs[i].job);
    }
    (void)catalog_readers_snapshot(f.readers);
    catalog_readers_gate(f.readers, closed, &f);
    ck_assert_uint_eq(f.closed, 0);
    ck_assert_ptr_null(catalog_readers_snapshot(f.readers));
    while (f.closed == 0)
        cu_loop_turn(f.loop, true);
    ck_assert(jobs[0].is_done && jobs[1].is_done && !jobs[2].is_done && !jobs[3].is_done);
    catalog_readers_release(f.readers); /* nothing holds the file now */
    ck_assert_int_eq(catalog_readers_reopen(f.readers, NULL), CU_OK);
    catalog_readers_ungate(f.readers);
    while (!jobs[2].is_done || !jobs[3].is_done)
        cu_loop_turn(f.loop, true);
    ck_assert(jobs[0].is_seen && jobs[3].is_seen);
    ck_assert_uint_eq(f.closed, 1);
    end(&f);
}
END_TEST

START_TEST(a_gate_over_nobody_closes_at_the_end_of_the_turn)
{
    struct fixture f;
    begin(&f);
    catalog_readers_gate(f.readers, closed, &f);
    ck_assert_uint_eq(f.closed, 0);
    cu_loop_turn(f.loop, false);
    ck_assert_uint_eq(f.closed, 1);
    catalog_readers_ungate(f.readers);
    end(&f);
}
END_TEST

SUITE_MAIN("services/catalogd/io/readers",
           the_loops_snapshot_stands_still_until_the_index_moves_contracts_6_7,
           the_loops_snapshot_ends_by_itself_contracts_6_7,
           a_gate_waits_for_those_who_read_and_holds_the_others_back_contracts_6_7,
           a_gate_over_nobody_closes_at_the_end_of_the_turn)
