#include "services/catalogd/io/readers.h"

#include <stdio.h>

#include "services/catalogd/io/memtables.h"
#include "tests/lib/catalog_state.h"
#include "tests/lib/suite.h"

struct fixture {
    struct cu_loop *loop;
    struct catalog_sqlite *writer, *below;
    struct catalog_memtables *memtables;
    struct catalog_readers *readers;
    char path[300];
    unsigned closed;
};

static void begin(struct fixture *f)
{
    *f = (struct fixture){.loop = cu_loop_new()};
    (void)snprintf(f->path, sizeof(f->path), "%s/state.db", suite_tmpdir());
    ck_assert_int_eq(catalog_sqlite_open_writer(f->path, &f->writer, NULL), CU_OK);
    ck_assert_int_eq(catalog_sqlite_open_reader(f->path, &f->below, NULL), CU_OK);
    f->memtables = catalog_memtables_new(catalog_sqlite_backend(f->below));
    ck_assert_int_eq(catalog_readers_open(f->loop, f->path, f->memtables, &f->readers, NULL),
                     CU_OK);
}

static void end(struct fixture *f)
{
    catalog_readers_free(f->readers);
    catalog_memtables_free(f->memtables);
    catalog_sqlite_close(f->below);
    catalog_sqlite_close(f->writer);
    cu_loop_free(f->loop);
}

static void write_row(struct fixture *f, const char *key)
{
    const struct catalog_backend *b = catalog_memtables_backend(f->memtables);
    struct catalog_row row = {cu_bytes_of(key), cu_bytes_of("v"), 1, 2, {3, 4}};
    catalog_memtables_begin(f->memtables);
    ck_assert_int_eq(b->put(b->context, CATALOG_KV, &row), CU_OK);
}

static void put(struct fixture *f, const char *key)
{
    write_row(f, key);
    catalog_memtables_publish(f->memtables);
}

/* Into the database; not retired yet. */
static void fold(struct fixture *f)
{
    ck_assert(catalog_memtables_rotate(f->memtables));
    ck_assert_int_eq(catalog_sqlite_begin(f->writer, NULL), CU_OK);
    ck_assert_int_eq(catalog_memtables_fold(f->memtables, catalog_sqlite_backend(f->writer)),
                     CU_OK);
    ck_assert_int_eq(catalog_sqlite_commit(f->writer, NULL), CU_OK);
}

/* Whether nothing stands on the log of before: a checkpoint can copy all of it. */
static bool can_copy_all(struct fixture *f)
{
    int frames, copied;
    ck_assert_int_eq(cu_db_checkpoint(catalog_sqlite_db(f->writer), CU_CHECKPOINT_PASSIVE, &frames,
                                      &copied, NULL),
                     CU_OK);
    return copied == frames;
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
    while (!sees(catalog_readers_snapshot(f.readers), "a"))
        cu_loop_turn(f.loop, true); /* blocks until its timer, or a moment before */
    ck_assert_uint_gt(catalog_readers_generation(f.readers), generation);
    end(&f);
}
END_TEST

START_TEST(what_is_published_is_seen_before_and_after_it_is_folded_and_the_rest_is_not)
{
    struct fixture f;
    begin(&f);
    put(&f, "a");
    write_row(&f, "b");
    const struct catalog_backend *snapshot = catalog_readers_snapshot(f.readers);
    ck_assert(sees(snapshot, "a") && !sees(snapshot, "b"));
    catalog_memtables_publish(f.memtables);
    ck_assert(!sees(snapshot, "b")); /* it stands still */
    catalog_readers_moved(f.readers);
    snapshot = catalog_readers_snapshot(f.readers);
    ck_assert(sees(snapshot, "a") && sees(snapshot, "b"));
    fold(&f);
    put(&f, "c");
    catalog_memtables_retire(f.memtables);
    ck_assert(sees(snapshot, "a") && sees(snapshot, "b") && !sees(snapshot, "c"));
    catalog_readers_moved(f.readers);
    snapshot = catalog_readers_snapshot(f.readers);
    ck_assert(sees(snapshot, "a") && sees(snapshot, "b") && sees(snapshot, "c"));
    end(&f);
}
END_TEST

START_TEST(the_loops_snapshot_is_of_a_newer_database_once_a_memtable_was_retired)
{
    struct fixture f;
    begin(&f);
    put(&f, "a");
    ck_assert(sees(catalog_readers_snapshot(f.readers), "a"));
    fold(&f); /* in the log, after what the loop reads */
    catalog_readers_moved(f.readers);
    ck_assert(sees(catalog_readers_snapshot(f.readers), "a"));
    ck_assert(!can_copy_all(&f));
    catalog_memtables_retire(f.memtables);
    put(&f, "b");
    catalog_readers_moved(f.readers);
    const struct catalog_backend *snapshot = catalog_readers_snapshot(f.readers);
    ck_assert(sees(snapshot, "a") && sees(snapshot, "b"));
    ck_assert(can_copy_all(&f));
    end(&f);
}
END_TEST

START_TEST(a_rebase_lets_go_of_the_old_database_at_once)
{
    struct fixture f;
    begin(&f);
    put(&f, "a");
    ck_assert(sees(catalog_readers_snapshot(f.readers), "a"));
    uint64_t generation = catalog_readers_generation(f.readers);
    fold(&f);
    catalog_memtables_retire(f.memtables);
    ck_assert(!can_copy_all(&f));
    catalog_readers_rebase(f.readers);
    ck_assert(can_copy_all(&f));
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
    ck_assert_int_eq(catalog_readers_reopen(f.readers, f.memtables, NULL), CU_OK);
    catalog_readers_ungate(f.readers);
    while (!jobs[2].is_done || !jobs[3].is_done)
        cu_loop_turn(f.loop, true);
    ck_assert(jobs[0].is_seen && jobs[3].is_seen);
    ck_assert_uint_eq(f.closed, 1);
    end(&f);
}
END_TEST

START_TEST(a_job_sees_what_is_published_wherever_it_lies)
{
    struct fixture f;
    begin(&f);
    static const char *const where[] = {"published", "folded", "beside newer ones", "retired"};
    write_row(&f, "a");
    for (size_t i = 0; i < CU_COUNT(where); i++) {
        struct job job = {.is_seen = false};
        job.job = (struct catalog_read_job){.run = run, .done = done, .arg = &job};
        if (i == 0)
            catalog_memtables_publish(f.memtables);
        else if (i == 1)
            fold(&f); /* both have it */
        else if (i == 2)
            put(&f, "other");
        else
            catalog_memtables_retire(f.memtables);
        catalog_readers_submit(f.readers, &job.job);
        while (!job.is_done)
            cu_loop_turn(f.loop, true);
        ck_assert_msg(job.is_seen, "%s", where[i]);
    }
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
           what_is_published_is_seen_before_and_after_it_is_folded_and_the_rest_is_not,
           the_loops_snapshot_is_of_a_newer_database_once_a_memtable_was_retired,
           a_rebase_lets_go_of_the_old_database_at_once,
           a_job_sees_what_is_published_wherever_it_lies,
           a_gate_waits_for_those_who_read_and_holds_the_others_back_contracts_6_7,
           a_gate_over_nobody_closes_at_the_end_of_the_turn)
