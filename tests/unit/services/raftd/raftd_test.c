#include "services/raftd/raftd.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <sqlite3.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/raftd/rpc/fixture.h"

static void run_sql(struct fixture *fixture, const char *sql)
{
    char path[400];
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "%s/raft/log.db", fixture->servers[0].dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static struct fixture *with_an_entry(const char *body)
{
    struct fixture *fixture = fixture_new(1, "");
    fixture_start(fixture, 1);
    fixture_attach(fixture, 1);
    fixture_wait_leader(fixture);
    fixture_propose(fixture, 1, 1, body);
    return fixture;
}

/* Files may not grow beyond this: to SQLite a disk that is full. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limit);
}

static bool has_failed(void *arg)
{
    return *((struct fixture_server *)arg)->failed != '\0';
}

static void propose_into_the_void(struct fixture *fixture, struct fixture_answer *answer)
{
    static uint8_t proposer[16] = {1}, body[1024 * 1024];
    Curia__Internal__V1__Proposal row = CURIA__INTERNAL__V1__PROPOSAL__INIT, *list = &row;
    Curia__Internal__V1__ProposeRequest in = CURIA__INTERNAL__V1__PROPOSE_REQUEST__INIT;
    row.proposer = (ProtobufCBinaryData){sizeof proposer, proposer};
    row.seq = 2;
    row.body = (ProtobufCBinaryData){sizeof body, body};
    in.n_proposals = 1;
    in.proposals = &list;
    (void)fixture_begin(fixture, fixture->servers[0].catalogd, "Propose", &in.base, answer);
}

START_TEST(a_full_disk_stops_the_server_and_loses_nothing_acknowledged) /* consensus 56, 57 */
{
    struct fixture *fixture = with_an_entry("acknowledged");
    struct fixture_answer answer;
    fixture_wait_entry(fixture, 1, "acknowledged");
    limit_files(256 * 1024);
    propose_into_the_void(fixture, &answer);
    fixture_wait(fixture, has_failed, &fixture->servers[0], "the failure");
    ck_assert_msg(strstr(fixture->servers[0].failed, "nothing acknowledged is lost") != NULL, "%s",
                  fixture->servers[0].failed);
    ck_assert(!answer.is_done || answer.err ||
              ((Curia__Internal__V1__ProposeReply *)answer.reply)->n_refusals);
    fixture_stop(fixture, 1);
    fixture_answer_deinit(&answer);

    limit_files(RLIM_INFINITY); /* space was freed */
    fixture_start(fixture, 1);
    fixture_attach(fixture, 1);
    fixture_wait_leader(fixture);
    fixture_wait_entry(fixture, 1, "acknowledged");
    fixture_propose(fixture, 1, 3, "goes on");
    fixture_free(fixture);
}
END_TEST

START_TEST(a_damaged_log_refuses_the_start_with_what_to_do) /* consensus 55 */
{
    struct fixture *fixture = with_an_entry("x");
    struct cu_diag diag = {{0}};
    fixture_stop(fixture, 1);
    run_sql(fixture, "UPDATE entry SET row = zeroblob(99) WHERE idx = 2");
    ck_assert_uint_eq(fixture_try_start(fixture, 1, &diag), CU_E_CORRUPT);
    ck_assert_msg(strstr(diag.text, "operator raft recover -help") != NULL, "%s", diag.text);
    fixture_free(fixture);
}
END_TEST

START_TEST(a_log_that_is_damaged_while_it_runs_stops_the_server)
{
    /* More entries than the core keeps in memory, so that the first ones are read from disk. */
    struct fixture *fixture = with_an_entry("first");
    for (uint64_t seq = 2; seq <= 600; seq++)
        fixture_propose(fixture, 1, seq, "more");
    run_sql(fixture, "UPDATE entry SET row = zeroblob(99) WHERE idx = 2");
    Curia__Internal__V1__FollowRequest in = CURIA__INTERNAL__V1__FOLLOW_REQUEST__INIT;
    ProtobufCMessage *reply = NULL;
    ck_assert_uint_eq(
        fixture_call(fixture, fixture->servers[0].catalogd, "Follow", &in.base, &reply),
        CU_E_INTERNAL);
    fixture_wait(fixture, has_failed, &fixture->servers[0], "the failure");
    ck_assert_msg(strstr(fixture->servers[0].failed, "entry 2:") != NULL, "%s",
                  fixture->servers[0].failed);
    fixture_free(fixture);
}
END_TEST

START_TEST(a_busy_port_is_named)
{
    struct fixture *fixture = with_an_entry("x");
    struct fixture *other = fixture_new(1, "");
    struct cu_diag diag = {{0}};
    enum cu_err err = fixture_try_start(other, 1, &diag);
    ck_assert_uint_ne(err, CU_OK);
    ck_assert_msg(strstr(diag.text, ":8310") != NULL, "%s", diag.text);
    fixture_free(other);
    fixture_free(fixture);
}
END_TEST

SUITE_MAIN("services/raftd/raftd", a_full_disk_stops_the_server_and_loses_nothing_acknowledged,
           a_damaged_log_refuses_the_start_with_what_to_do,
           a_log_that_is_damaged_while_it_runs_stops_the_server, a_busy_port_is_named)
