#include "tests/unit/services/catalogd/folding_driver.h"

#include <stdio.h>
#include <string.h>

static void on_commit(void *arg, const struct catalog_commit *commit)
{
    struct folding *f = arg;
    ck_assert(!commit->err || (f->may_stop && commit->err == CU_E_NOT_READY));
    f->commit_err = commit->err;
    f->entries += commit->entry_count;
    f->commits++;
}

static void on_fold(void *arg, enum cu_err err, const char *text)
{
    struct folding *f = arg;
    f->folds += !err;
    f->folds_failed += err != CU_OK;
    f->fold_err = err;
    (void)snprintf(f->fold_text, sizeof f->fold_text, "%s", text);
}

void folding_open(struct folding *f)
{
    struct cu_diag diag = {0};
    enum cu_err err = catalog_applier_open(&(struct catalog_applier_options){.loop = f->loop,
                                                                             .path = f->path,
                                                                             .crash = f->crash,
                                                                             .on_commit = on_commit,
                                                                             .on_fold = on_fold,
                                                                             .arg = f},
                                           &f->applier, &diag);
    ck_assert_msg(err == CU_OK, "%s", diag.text);
}

void folding_begin(struct folding *f)
{
    *f = (struct folding){.loop = cu_loop_new()};
    (void)snprintf(f->path, sizeof f->path, "%s/state.db", suite_tmpdir());
    ck_assert_int_eq(catalog_crash_open(suite_tmpdir(), &f->crash, NULL), CU_OK);
    folding_open(f);
}

void folding_end(struct folding *f)
{
    catalog_applier_free(f->applier);
    catalog_sqlite_close(f->locker);
    catalog_crash_close(f->crash);
    cu_loop_free(f->loop);
}

/* ---- what is applied ---- */

static Curia__Internal__V1__FollowReply *reply_of(struct cu_arena *arena, size_t count)
{
    Curia__Internal__V1__FollowReply *reply = cu_arena_alloc(arena, sizeof *reply);
    curia__internal__v1__follow_reply__init(reply);
    reply->n_entries = count;
    reply->entries = cu_arena_alloc(arena, count * sizeof *reply->entries);
    return reply;
}

static Curia__Internal__V1__Entry *entry_of(struct folding *f, struct cu_arena *arena)
{
    Curia__Internal__V1__Entry *entry = cu_arena_alloc(arena, sizeof *entry);
    curia__internal__v1__entry__init(entry);
    entry->index = ++f->last;
    entry->term = 1;
    entry->kind = 2;
    entry->level = 1;
    return entry;
}

void submit_of_level(struct folding *f, size_t count, uint32_t level)
{
    struct cu_arena *arena = cu_arena_new(1024 * 1024);
    Curia__Internal__V1__FollowReply *reply = reply_of(arena, count);
    for (size_t i = 0; i < count; i++) {
        reply->entries[i] = entry_of(f, arena);
        reply->entries[i]->level = level;
    }
    catalog_applier_submit(f->applier, arena, reply);
}

void submit_no_ops(struct folding *f, size_t count)
{
    submit_of_level(f, count, 1);
}

static void submit_command(struct folding *f, const Curia__Internal__V1__Command *command,
                           uint64_t seq)
{
    struct cu_arena *arena = cu_arena_new(4 * 1024 * 1024);
    Curia__Internal__V1__FollowReply *reply = reply_of(arena, 1);
    Curia__Internal__V1__Entry *entry = reply->entries[0] = entry_of(f, arena);
    uint8_t *body =
        cu_arena_alloc(arena, curia__internal__v1__command__get_packed_size(command) + 1);
    uint8_t *proposer = cu_arena_alloc(arena, CATALOG_ID_BYTES);
    memset(proposer, 7, CATALOG_ID_BYTES);
    entry->kind = 1;
    entry->body = (ProtobufCBinaryData){curia__internal__v1__command__pack(command, body), body};
    entry->proposer = (ProtobufCBinaryData){CATALOG_ID_BYTES, proposer};
    entry->seq = seq;
    entry->wall_ms = entry->lease_ms = 1000;
    catalog_applier_submit(f->applier, arena, reply);
}

void submit_open(struct folding *f)
{
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__OpenProposer open = CURIA__INTERNAL__V1__OPEN_PROPOSER__INIT;
    uint8_t proposer[CATALOG_ID_BYTES];
    memset(proposer, 7, sizeof proposer);
    open.proposer = (ProtobufCBinaryData){sizeof proposer, proposer};
    command.open = &open;
    submit_command(f, &command, 0);
}

void submit_set(struct folding *f, uint64_t seq)
{
    static uint8_t value[FOLDING_VALUE_BYTES];
    Curia__Internal__V1__Command command = CURIA__INTERNAL__V1__COMMAND__INIT;
    Curia__Internal__V1__KvCommand kv = CURIA__INTERNAL__V1__KV_COMMAND__INIT;
    char key[16];
    int len = snprintf(key, sizeof key, "%llu", (unsigned long long)seq);
    kv.verb = 0;
    kv.key = (ProtobufCBinaryData){(size_t)len, (uint8_t *)key};
    kv.value = (ProtobufCBinaryData){sizeof value, value};
    command.kv = &kv;
    submit_command(f, &command, seq);
}

/* ---- what is asked ---- */

void settle(struct folding *f)
{
    while (!catalog_applier_is_idle(f->applier))
        cu_loop_turn(f->loop, true);
}

uint64_t applied(const struct folding *f)
{
    return catalog_applier_facts(f->applier)->position.index;
}

uint64_t stored(const struct folding *f)
{
    return catalog_applier_stored(f->applier)->position.index;
}

uint64_t in_database(const struct folding *f)
{
    struct catalog_sqlite *db = NULL;
    struct catalog_store *store = NULL;
    ck_assert_int_eq(catalog_sqlite_open_reader(f->path, &db, NULL), CU_OK);
    ck_assert_int_eq(catalog_store_open(catalog_sqlite_backend(db), &store, NULL), CU_OK);
    uint64_t index = catalog_store_position(store).index;
    catalog_store_free(store);
    catalog_sqlite_close(db);
    return index;
}

void lock_database(struct folding *f)
{
    if (!f->locker)
        ck_assert_int_eq(catalog_sqlite_open_writer(f->path, &f->locker, NULL), CU_OK);
    ck_assert_int_eq(catalog_sqlite_begin(f->locker, NULL), CU_OK);
}

static void told(void *arg, enum cu_err err)
{
    struct folding *f = arg;
    f->told++;
    f->told_err = err;
}

void ask_for_a_fold(struct folding *f)
{
    if (f->wait.is_waiting)
        catalog_applier_fold_cancel(f->applier, &f->wait);
    f->wait = (struct catalog_fold_wait){.done = told, .arg = f};
    catalog_applier_fold(f->applier, &f->wait);
}

void fail_a_fold(struct folding *f)
{
    unsigned before = f->folds_failed;
    ask_for_a_fold(f);
    while (f->folds_failed == before)
        cu_loop_turn(f->loop, true);
    ck_assert_int_eq(f->fold_err, CU_E_IO);
    ck_assert_int_eq(f->told_err, CU_E_IO); /* who waited is told */
    ck_assert_ptr_nonnull(strstr(f->fold_text, "locked"));
}

void wait_for_a_fold(struct folding *f)
{
    unsigned before = f->folds;
    while (f->folds == before)
        cu_loop_turn(f->loop, true);
}
