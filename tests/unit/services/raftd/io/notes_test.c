#include "services/raftd/io/notes.h"

#include <string.h>
#include <unistd.h>

#include "tests/lib/suite.h"

static const char *say(enum raft_note note, enum raft_role role)
{
    static char line[1024];
    int ends[2];
    struct raft_notes notes;
    ck_assert_int_eq(pipe(ends), 0);
    struct cu_log *log = cu_log_new("raftd", ends[1], CU_LOG_INFO, false);
    struct cu_metrics *metrics = cu_metrics_new();
    raft_notes_init(&notes, log, metrics, "n1");
    raft_notes_write(&notes,
                     &(struct raft_action){.kind = RAFT_ACT_NOTE,
                                           .note = {.note = note,
                                                    .peer = {{0x22}},
                                                    .cluster = {{0xcc}},
                                                    .index = 7,
                                                    .role = role}},
                     "127.0.0.2:8310");
    cu_log_free(log);
    cu_metrics_free(metrics);
    close(ends[1]);
    ssize_t got = read(ends[0], line, sizeof line - 1);
    close(ends[0]);
    line[got > 0 ? got : 0] = '\0';
    return line;
}

#define PEER    "22000000-0000-0000-0000-000000000000"
#define CLUSTER "cc000000-0000-0000-0000-000000000000"

START_TEST(every_note_names_its_subject_and_what_to_do)
{
    /* clang-format off */
    static const struct { enum raft_note note; const char *level, *want; } cases[] = {
        {RAFT_NOTE_ROLE,          "INFO",  "raft.role: role=follower term=7"},
        {RAFT_NOTE_LEADER,        "INFO",  "raft.leader: leader=" PEER " address=127.0.0.2:8310"},
        {RAFT_NOTE_REFUSED,       "ERROR", "id=n1 advice=\"the cluster knows this server with other data"},
        {RAFT_NOTE_REFUSES,       "WARN",  "id=" PEER " address=127.0.0.2:8310 advice=\"this server came back without"},
        {RAFT_NOTE_OTHER_CLUSTER, "WARN",  "cluster=" CLUSTER},
        {RAFT_NOTE_NO_PEERS,      "WARN",  "no known peers, aborting election"},
        {RAFT_NOTE_OUTSIDER,      "WARN",  "raft.outsider: id=n1 servers=7 first=" PEER},
        {RAFT_NOTE_PROMISED,      "INFO",  "raft.promised: proposer=" PEER " cluster=" CLUSTER},
        {RAFT_NOTE_GAVE_UP,       "WARN",  "raft.gave_up: cluster=" CLUSTER},
        {RAFT_NOTE_BOOTSTRAPPED,  "INFO",  "raft.bootstrapped: cluster=" CLUSTER},
        {RAFT_NOTE_ADOPTED,       "INFO",  "raft.adopted: cluster=" CLUSTER " index=7"},
        {RAFT_NOTE_NEED_STATE,    "INFO",  "raft.need_state: id=" PEER},
        {RAFT_NOTE_TRANSFER,      "INFO",  "raft.transfer: to=" PEER},
        {RAFT_NOTE_LEASE_LOST,    "WARN",  "raft.lease_lost: term=7"},
        {RAFT_NOTE_RECOVERY,      "WARN",  "raft.recovery: cluster=" CLUSTER " last=7"},
        {RAFT_NOTE_RECOVERED,     "INFO",  "raft.recovered: cluster=" CLUSTER " index=7"},
        {RAFT_NOTE_SET_ASIDE,     "WARN",  "raft.set_aside: cluster=" CLUSTER " leader=" PEER},
        {RAFT_NOTE_BELOW_FLOOR,   "WARN",  "curia operator raft recover"},
        {RAFT_NOTE_STORE_FAILED,  "",      ""}, /* who ends the process says it */
    };
    /* clang-format on */
    ck_assert_uint_eq(CU_COUNT(cases), RAFT_NOTE_COUNT);
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        const char *line = say(cases[i].note, RAFT_FOLLOWER);
        ck_assert_msg(strstr(line, cases[i].level) && strstr(line, cases[i].want), "%s", line);
    }
    ck_assert_str_eq(say(RAFT_NOTE_STORE_FAILED, RAFT_FOLLOWER), "");
    ck_assert_ptr_nonnull(strstr(say(RAFT_NOTE_ROLE, RAFT_LEADER), "role=leader term=7"));
}
END_TEST

SUITE_MAIN("services/raftd/io/notes", every_note_names_its_subject_and_what_to_do)
