/* AppendEntries at the receiver: consensus.md 6, rules 1 to 6. */
#include "tests/lib/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "tests/unit/services/raftd/core/rig.h"

static struct raft_message append(uint64_t term, uint64_t prev, uint64_t prev_term,
                                  const char *entries, uint64_t commit)
{
    struct raft_message m = rig_message(2, RAFT_MSG_APPEND, term);
    m.index = prev;
    m.log_term = prev_term;
    m.commit = commit;
    m.round = 9;
    m.entries = cu_alloc(64 * sizeof *m.entries);
    for (char *end;; entries = end) {
        uint64_t entry_term = strtoull(entries, &end, 10);
        if (end == entries)
            return m;
        m.entries[m.entry_count] = (struct raft_entry){
            .index = prev + 1 + m.entry_count, .term = entry_term, .kind = RAFT_COMMAND};
        m.entry_count++;
    }
}

/* The terms from index 2 on. */
static const char *log_of(const struct rig *rig)
{
    static char text[256];
    size_t len = 0;
    text[0] = 0;
    for (uint64_t i = 2; i <= raft_disk_last(&rig->disk); i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%llu", i > 2 ? " " : "",
                                (unsigned long long)raft_disk_at(&rig->disk, i)->term);
    return text;
}

struct append_case {
    const char *claim, *log;
    uint64_t term; /* own; the message's is 3 */
    uint64_t prev, prev_term;
    const char *entries;
    uint64_t commit;
    bool ok;
    uint64_t match; /* or, refused, the hint's index */
    const char *want_log;
    uint64_t want_commit;
};

/* clang-format off */
static const struct append_case cases[] = {
    {"an older term is refused, and nothing changes", "1 1",      4, 3, 1, "3",     3, false, 3, "1 1",       0},
    {"an empty one at the end is a probe",            "1 1",      3, 3, 1, "",      0, true,  3, "1 1",       0},
    {"entries are appended",                          "1 1",      2, 3, 1, "2 3",   0, true,  5, "1 1 2 3",   0},
    {"what is there already stays (13)",              "1 1 2",    2, 2, 1, "1 2",   0, true,  4, "1 1 2",     0},
    {"a shorter, later copy truncates nothing (48)",  "1 1 2 2",  2, 2, 1, "1",     0, true,  3, "1 1 2 2",   0},
    {"another term takes the place, and the rest",    "1 1 1 1",  2, 3, 1, "2",     0, true,  4, "1 1 2",     0},
    {"a gap is refused with the end as hint",         "1 1",      2, 5, 2, "3",     5, false, 3, "1 1",       0},
    {"another term at prev is refused",               "1 1 2 2",  2, 5, 1, "3",     5, false, 3, "1 1 2 2",   0},
    {"the hint skips a whole term (18)",              "1 2 2 2",  2, 5, 1, "",      0, false, 2, "1 2 2 2",   0},
    {"commit is clamped to what was verified (14)",   "1 1 1 1",  1, 2, 1, "1",     5, true,  3, "1 1 1 1",   3},
    {"commit follows the leader",                     "1 1",      2, 3, 1, "2 2",   4, true,  5, "1 1 2 2",   4},
    {"an empty one commits up to prev, no further",   "1 1 1",    1, 2, 1, "",      4, true,  2, "1 1 1",     2},
    {"from the start of the log",                     "1 1",      2, 0, 0, "1 1 1", 0, true,  3, "1 1",       0},
};
/* clang-format on */

START_TEST(rules_one_to_five_hold_case_by_case) /* consensus 12 to 14, 18, 38 */
{
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        const struct append_case *c = &cases[i];
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){.voters = 3, .log = c->log, .term = c->term});
        struct raft_message m = append(3, c->prev, c->prev_term, c->entries, c->commit);
        if (c->prev == 0) { /* entry 1 is the configuration: as stored */
            m.entries[0] = *raft_disk_at(&rig.disk, 1);
            raft_body_ref(m.entries[0].body);
        }
        rig_hear(&rig, &m);
        const struct raft_message *answer = rig_sent(&rig, RAFT_MSG_APPEND_ANSWER);
        ck_assert_msg(answer && answer->call == 77 && answer->round == 9, "%s: answered", c->claim);
        ck_assert_msg(answer->ok == c->ok, "%s: ok", c->claim);
        if (c->term <= 3)
            ck_assert_msg((c->ok ? answer->index : answer->conflict_index) == c->match, "%s: %llu",
                          c->claim,
                          (unsigned long long)(c->ok ? answer->index : answer->conflict_index));
        ck_assert_msg(!strcmp(log_of(&rig), c->want_log), "%s: log %s", c->claim, log_of(&rig));
        ck_assert_msg(rig_status(&rig).commit == c->want_commit, "%s: commit", c->claim);
        rig_close(&rig);
    }
}
END_TEST

/* ---- every small log against every small message, judged by a model ---- */

enum { SMALL = 3 };

struct small {
    unsigned len;
    uint64_t terms[SMALL + 1]; /* of index 2, 3, ... */
};

static bool small_of(unsigned code, unsigned len, uint64_t least, struct small *ret)
{
    ret->len = len;
    for (unsigned i = 0; i < len; i++, code /= 3) {
        ret->terms[i] = 1 + code % 3;
        if (ret->terms[i] < (i ? ret->terms[i - 1] : least))
            return false;
    }
    return true;
}

static void text_of(const struct small *s, char text[64])
{
    text[0] = 0;
    for (unsigned i = 0; i < s->len; i++)
        sprintf(text + strlen(text), "%s%llu", i ? " " : "", (unsigned long long)s->terms[i]);
}

/* What the paper says, without a thought for speed. */
static bool model(struct small *log, unsigned prev, uint64_t prev_term, const struct small *more)
{
    if (prev > 1 + log->len || (prev > 1 ? log->terms[prev - 2] : 1) != prev_term)
        return false;
    for (unsigned i = 0; i < more->len; i++) {
        unsigned at = prev - 1 + i;
        if (at < log->len && log->terms[at] == more->terms[i])
            continue;
        log->terms[at] = more->terms[i];
        log->len = at + 1;
    }
    return true;
}

static void try_one(const struct small *log, unsigned prev, uint64_t prev_term,
                    const struct small *more)
{
    char before[64], entries[64], want[64];
    struct small after = *log;
    struct rig rig;
    text_of(log, before);
    text_of(more, entries);
    bool ok = model(&after, prev, prev_term, more);
    text_of(&after, want);
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = before, .term = 3});
    struct raft_message m = append(3, prev, prev_term, entries, 1);
    rig_hear(&rig, &m);
    const struct raft_message *answer = rig_sent(&rig, RAFT_MSG_APPEND_ANSWER);
    ck_assert_msg(answer && answer->ok == ok && !strcmp(log_of(&rig), want),
                  "log %s, prev %u/%llu, entries %s: log %s, not %s", before, prev,
                  (unsigned long long)prev_term, entries, log_of(&rig), want);
    rig_close(&rig);
}

static unsigned try_messages(const struct small *log)
{
    unsigned tried = 0;
    for (unsigned prev = 1; prev <= SMALL; prev++) {
        for (uint64_t prev_term = 1; prev_term <= (prev > 1 ? 3 : 1); prev_term++) {
            for (unsigned code = 0; code < 9 && prev + 2 <= SMALL + 2; code++) {
                struct small more;
                if (small_of(code, 2, prev_term, &more)) {
                    try_one(log, prev, prev_term, &more);
                    tried++;
                }
            }
        }
    }
    return tried;
}

START_TEST(agrees_with_the_paper_on_every_small_log_and_message) /* consensus 12 */
{
    unsigned tried = 0;
    for (unsigned len = 0; len <= SMALL - 1; len++) {
        for (unsigned code = 0; code < (len == 0 ? 1u : len == 1 ? 3u : 9u); code++) {
            struct small log;
            if (small_of(code, len, 1, &log))
                tried += try_messages(&log);
        }
    }
    ck_assert_uint_gt(tried, 200);
}
END_TEST

START_TEST(acknowledges_only_what_its_disk_holds) /* consensus 3, 21.50 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 3});
    rig.holds_disk = true;
    struct raft_message m = append(3, 2, 1, "3", 0);
    rig_hear(&rig, &m);
    const struct raft_action *answer = rig_action(&rig, RAFT_ACT_SEND);
    ck_assert_uint_ne(answer->after, 0);
    ck_assert_uint_eq(answer->after, rig.last_persist);
    m = append(3, 2, 1, "3", 0); /* the same again: still not on disk */
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_SEND)->after, rig.last_persist);
    rig_sync(&rig);
    m = append(3, 2, 1, "3", 0);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_SEND)->after, 0);
    rig_close(&rig);
}
END_TEST

START_TEST(truncation_and_append_are_one_transaction) /* consensus 49, 21.44 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 1 1", .term = 2});
    rig.holds_disk = true;
    struct raft_message m = append(3, 2, 1, "3 3", 0);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig.disk.waiting_count, 1);
    rig_crash(&rig, 0);
    ck_assert_str_eq(log_of(&rig), "1 1 1");
    rig_close(&rig);
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 1 1", .term = 2});
    rig.holds_disk = true;
    m = append(3, 2, 1, "3 3", 0);
    rig_hear(&rig, &m);
    rig_crash(&rig, 1);
    ck_assert_str_eq(log_of(&rig), "1 3 3");
    rig_close(&rig);
}
END_TEST

START_TEST(never_truncates_what_is_committed)
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1 1", .term = 2});
    struct raft_message m = append(2, 3, 1, "", 3);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).commit, 3);
    m = append(3, 2, 1, "3", 0);
    rig_hear(&rig, &m);
    ck_assert_str_eq(log_of(&rig), "1 1");
    ck_assert_ptr_nonnull(rig_sent(&rig, RAFT_MSG_IGNORED));
    rig_close(&rig);
}
END_TEST

START_TEST(a_removed_configuration_gives_way_to_the_one_before) /* consensus 38, 21.12 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 2});
    struct raft_configuration_body four = {.configuration = {.count = 4}};
    for (unsigned i = 0; i < 4; i++)
        four.configuration.servers[i] = (struct raft_server){.id = rig_id(i + 1), .is_voter = true};
    struct raft_message m = append(2, 2, 1, "2", 0);
    m.entries[0].kind = RAFT_CONFIGURATION;
    m.entries[0].body = raft_configuration_encode(&four);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(raft_configuration_latest(rig.raft)->count, 4); /* in force as stored */
    m = append(3, 2, 1, "3", 0);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(raft_configuration_latest(rig.raft)->count, 3);
    ck_assert_uint_eq(raft_configuration_latest(rig.raft)->index, 1);
    rig_close(&rig);
}
END_TEST

/* What peers may get wrong: counted, answered, nothing changes. */
START_TEST(malformed_entries_change_nothing)
{
    for (int wrong = 0; wrong < 5; wrong++) {
        struct rig rig;
        rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 2});
        struct raft_message m = append(3, 2, 1, "2 3", 0);
        if (wrong == 0)
            m.entries[1].index = 7;
        if (wrong == 1)
            m.entries[1].term = 1; /* terms never fall */
        if (wrong == 2)
            m.entries[1].term = 4; /* above the sender's */
        if (wrong == 3)
            m.entries[0].kind = (enum raft_kind)9;
        if (wrong == 4) {
            m.entries[0].kind = RAFT_CONFIGURATION;
            m.entries[0].body = raft_body_new(cu_bytes_of("no configuration"));
        }
        rig_hear(&rig, &m);
        ck_assert_uint_eq(rig_status(&rig).ignored[RAFT_IGN_MALFORMED], 1);
        ck_assert_uint_eq(rig_status(&rig).term, 2);
        ck_assert_str_eq(log_of(&rig), "1");
        rig_close(&rig);
    }
}
END_TEST

START_TEST(a_message_of_another_cluster_changes_nothing) /* consensus 42, 88 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 2});
    struct raft_message m = append(9, 2, 1, "3", 3);
    m.cluster.bytes[0] ^= 1;
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig_status(&rig).term, 2);
    ck_assert_int_eq(rig_sent(&rig, RAFT_MSG_IGNORED)->reason, RAFT_IGN_CLUSTER);
    ck_assert_uint_eq(rig_status(&rig).ignored[RAFT_IGN_CLUSTER], 1);
    ck_assert(rig_told(&rig, RAFT_NOTE_OTHER_CLUSTER));
    rig_close(&rig);
}
END_TEST

START_TEST(a_failed_read_of_its_disk_ends_the_raft) /* consensus 21.54 */
{
    struct rig rig;
    rig_open(&rig, &(struct rig_seed){.voters = 3, .log = "1", .term = 2});
    rig_step(&rig, (struct raft_event){.kind = RAFT_EV_PERSIST_FAILED});
    ck_assert(rig_told(&rig, RAFT_NOTE_STORE_FAILED));
    struct raft_message m = append(3, 2, 1, "3", 3);
    rig_hear(&rig, &m);
    ck_assert_uint_eq(rig.actions.count, 0);
    rig_propose(&rig, "x");
    ck_assert_uint_eq(rig_action(&rig, RAFT_ACT_PROPOSED)->proposed.refusal_count, 1);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("services/raftd/core/append", rules_one_to_five_hold_case_by_case,
           agrees_with_the_paper_on_every_small_log_and_message,
           acknowledges_only_what_its_disk_holds, truncation_and_append_are_one_transaction,
           never_truncates_what_is_committed, a_removed_configuration_gives_way_to_the_one_before,
           malformed_entries_change_nothing, a_message_of_another_cluster_changes_nothing,
           a_failed_read_of_its_disk_ends_the_raft)
