#include "services/raftd/io/shell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"
#include "tests/lib/fault_vfs.h"

/* Server 1 of three, whose log begins at index 10; what its shell hands out is noted here. */
struct bed {
    struct cu_loop *loop;
    struct raft_log *log;
    struct raft_shell *shell;
    struct raft_header start;
    uint64_t term; /* asked for so far */
    bool was_attached;
    unsigned answers, grants;
    uint64_t syncs_at_grant;
    char failed[CU_DIAG_BYTES];
};

static void on_send(void *context, struct raft_message *message)
{
    struct bed *bed = context;
    if (message->kind == RAFT_MSG_VOTE_ANSWER || message->kind == RAFT_MSG_IGNORED)
        bed->answers++;
    if (message->kind == RAFT_MSG_VOTE_ANSWER && message->ok) {
        bed->grants++;
        bed->syncs_at_grant = raft_log_syncs(bed->log);
    }
    raft_message_deinit(message);
    free(message);
}

static void on_attached(void *context, const struct raft_action *action)
{
    struct bed *bed = context;
    ck_assert_uint_eq(action->attached.err, CU_OK);
    bed->was_attached = true;
}

static void on_action(void *context, const struct raft_action *action)
{
    (void)context;
    (void)action;
}

static void on_moved(void *context)
{
    (void)context;
}

static void on_failed(void *context, const char *sentence)
{
    struct bed *bed = context;
    snprintf(bed->failed, sizeof bed->failed, "%s", sentence);
}

static void make_log(struct bed *bed, struct raft_boot *boot)
{
    static unsigned made;
    char dir[300];
    struct cu_diag diag = {{0}};
    snprintf(dir, sizeof dir, "%s/shell%d-%u", suite_tmpdir(), (int)getpid(), ++made);
    struct raft_log_options options = {.dir = dir, .node_id = "n1", .vfs = fault_vfs()};
    ck_assert_uint_eq(raft_log_open(&options, &bed->log, boot, &diag), CU_OK);
    bed->start = (struct raft_header){
        .position = {{{9}}, 10, 3},
        .configuration = {
            1, 3, {{{{1}}, boot->incarnation, true}, {{{2}}, 22, true}, {{{3}}, 33, true}}}};
    struct raft_persist *p = cu_alloc(sizeof *p);
    *p = (struct raft_persist){.has_vote = true, .term = 3, .has_start = true, .start = bed->start};
    ck_assert_uint_eq(raft_log_write(bed->log, &p, 1, &diag), CU_OK);
    raft_persist_free(p);
    raft_log_close(bed->log);
    ck_assert_uint_eq(raft_log_open(&options, &bed->log, boot, &diag), CU_OK);
}

/* The threads of a log and of no log are the same to what is promised. */
static struct bed *bed_new(bool has_peers)
{
    struct bed *bed = cu_alloc(sizeof *bed);
    struct raft_boot boot;
    make_log(bed, &boot);
    bed->loop = cu_loop_new();
    bed->term = 1000;
    struct raft_options core = {.self = {{1}}, .timing = raft_timing_default, .seed = suite_seed()};
    bed->shell = raft_shell_new(&(struct raft_shell_options){
        .loop = bed->loop,
        .metrics = NULL,
        .log = bed->log,
        .core = &core,
        .boot = &boot,
        .has_peers = has_peers,
        .out = {.context = bed,
                .send = on_send,
                .proposed = on_action,
                .read = on_action,
                .attached = on_attached,
                .note = on_action,
                .moved = on_moved,
                .failed = on_failed},
    });
    raft_shell_step(bed->shell,
                    &(struct raft_event){.kind = RAFT_EV_ATTACH, .tag = 1, .attach = &bed->start});
    return bed;
}

static void bed_free(struct bed *bed)
{
    raft_shell_free(bed->shell);
    raft_log_close(bed->log);
    cu_loop_free(bed->loop);
    free(bed);
}

static void ask_for_vote(struct bed *bed)
{
    struct raft_message *message = cu_alloc(sizeof *message);
    *message = (struct raft_message){.kind = RAFT_MSG_VOTE,
                                     .from = {{2}},
                                     .to = {{1}},
                                     .incarnation = 22,
                                     .cluster = {{9}},
                                     .term = bed->term++,
                                     .index = 10,
                                     .log_term = 3,
                                     .call = 1};
    raft_shell_step(bed->shell, &(struct raft_event){.kind = RAFT_EV_MESSAGE, .message = message});
}

static void nothing(void *arg)
{
    (void)arg;
}

static void turn_until_answered(struct bed *bed, unsigned answers)
{
    struct cu_timer tick = {0};
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), 40000);
    cu_timer_init(&tick, bed->loop, nothing, NULL);
    while (bed->answers < answers && !*bed->failed) {
        ck_assert(cu_mono_before(cu_mono_now(), until));
        cu_timer_set_ms(&tick, 5);
        cu_loop_turn(bed->loop, true);
    }
    cu_timer_close(&tick);
}

/* A server that has just started grants nothing for a while: ask until it does. */
static void ask_until_granted_or_failed(struct bed *bed)
{
    while (!bed->grants && !*bed->failed) {
        ask_for_vote(bed);
        turn_until_answered(bed, bed->answers + 1);
    }
}

START_TEST(a_vote_leaves_only_after_its_write_is_synced) /* consensus 3 */
{
    for (int has_peers = 0; has_peers < 2; has_peers++) {
        struct bed *bed = bed_new(has_peers);
        ask_until_granted_or_failed(bed);
        ck_assert_uint_eq(bed->grants, 1);
        ck_assert(bed->was_attached);
        ck_assert_uint_ge(bed->syncs_at_grant, 1);
        struct raft_status status;
        raft_status(raft_shell_core(bed->shell), cu_mono_now(), &status);
        ck_assert_uint_eq(status.term, bed->term - 1);
        bed_free(bed);
    }
}
END_TEST

START_TEST(a_write_that_fails_ends_it_and_nothing_that_rests_on_it_leaves) /* consensus 56 */
{
    for (unsigned n = 1; n <= 3; n++) {
        struct bed *bed = bed_new(true);
        struct fault fault = {.at = n};
        fault_vfs_arm(&fault, SQLITE_IOERR_FSYNC);
        ask_until_granted_or_failed(bed);
        fault_vfs_arm(NULL, 0);
        ck_assert_str_ne(bed->failed, "");
        ck_assert_uint_eq(bed->grants, 0);
        bed_free(bed);
    }
}
END_TEST

START_TEST(stopping_waits_for_the_write_under_way)
{
    struct bed *bed = bed_new(true);
    ask_for_vote(bed);
    cu_loop_turn(bed->loop, false);
    bed_free(bed); /* the sanitizers watch */
}
END_TEST

SUITE_MAIN("services/raftd/io/shell", a_vote_leaves_only_after_its_write_is_synced,
           a_write_that_fails_ends_it_and_nothing_that_rests_on_it_leaves,
           stopping_waits_for_the_write_under_way)
