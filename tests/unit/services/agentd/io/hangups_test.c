/* Clients that hang up while they wait. */
#include "services/agentd/io/hangups.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/fake_catalog.h"
#include "tests/lib/suite.h"

static struct cu_loop *loop;
static struct agent_hangups *hangups;
static unsigned told;
static void *last;

static void on_hangup(void *arg, void *waiter)
{
    (void)arg;
    told++;
    last = waiter;
}

static void open_hangups(void)
{
    struct cu_diag diag = {0};
    loop = cu_loop_new();
    ck_assert_int_eq(agent_hangups_open(loop, on_hangup, NULL, &hangups, &diag), CU_OK);
}

static void close_hangups(void)
{
    agent_hangups_close(hangups);
    cu_loop_free(loop);
}

static void connect_pair(int pair[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
}

static void some_turns(void)
{
    for (int i = 0; i < 3; i++)
        fake_turn(loop);
}

START_TEST(who_waits_is_told_of_once)
{
    int pair[2], waiter;
    open_hangups();
    connect_pair(pair);
    agent_hangups_watch(hangups, pair[0], &waiter);
    some_turns();
    ck_assert_uint_eq(told, 0);
    (void)close(pair[1]);
    FAKE_WAIT(loop, told == 1);
    ck_assert_ptr_eq(last, &waiter);
    some_turns();
    ck_assert_uint_eq(told, 1);
    (void)close(pair[0]);
    close_hangups();
}
END_TEST

START_TEST(bytes_are_no_hangup)
{
    int pair[2], waiter;
    open_hangups();
    connect_pair(pair);
    agent_hangups_watch(hangups, pair[0], &waiter);
    ck_assert_int_eq(write(pair[1], "x", 1), 1);
    some_turns();
    ck_assert_uint_eq(told, 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
    close_hangups();
}
END_TEST

START_TEST(one_between_two_waits_is_told_to_the_second)
{
    int pair[2], first, second;
    open_hangups();
    connect_pair(pair);
    agent_hangups_watch(hangups, pair[0], &first);
    agent_hangups_forget(hangups, pair[0]);
    (void)close(pair[1]);
    some_turns(); /* fires for nobody */
    ck_assert_uint_eq(told, 0);
    agent_hangups_watch(hangups, pair[0], &second);
    FAKE_WAIT(loop, told == 1);
    ck_assert_ptr_eq(last, &second);
    (void)close(pair[0]);
    close_hangups();
}
END_TEST

START_TEST(a_descriptor_that_is_used_again_knows_nothing_of_the_one_before)
{
    int pair[2], waiter;
    open_hangups();
    for (int i = 0; i < 3; i++) {
        connect_pair(pair);
        agent_hangups_watch(hangups, pair[0], &waiter);
        some_turns();
        ck_assert_uint_eq(told, 0);
        agent_hangups_forget(hangups, pair[0]);
        (void)close(pair[0]);
        (void)close(pair[1]);
    }
    some_turns();
    ck_assert_uint_eq(told, 0);
    close_hangups();
}
END_TEST

SUITE_MAIN("services/agentd/io/hangups", who_waits_is_told_of_once, bytes_are_no_hangup,
           one_between_two_waits_is_told_to_the_second,
           a_descriptor_that_is_used_again_knows_nothing_of_the_one_before)
