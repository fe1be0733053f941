/* HELLO, GOAWAY, silence, and peers that break the rules (contracts 1.5). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/common/bus/fake.h"

START_TEST(hello_tells_who_we_are_and_comes_first)
{
    struct fake *f = fake_new(&(struct seed){0});
    struct cu_hello theirs;
    fake_turn(f);
    struct cu_frame first = fake_sent(f, 0);
    ck_assert_int_eq(first.kind, CU_FRAME_HELLO);
    ck_assert_int_eq(cu_hello_parse(first.payload, &theirs), CU_OK);
    ck_assert_str_eq(theirs.daemon, "raftd");
    ck_assert_uint_eq(theirs.bus_major, CU_BUS_MAJOR);
    ck_assert(!cu_conn_is_up(f->conn));
    cu_hello_deinit(&theirs);
    fake_free(f);
}
END_TEST

START_TEST(another_major_version_is_sent_away)
{
    struct fake *f = fake_new(&(struct seed){0});
    struct cu_hello theirs = fake_hello("catalogd");
    theirs.bus_major = CU_BUS_MAJOR + 1;
    fake_feed_hello(f, &theirs);
    ck_assert_uint_eq(f->ups, 0);
    fake_assert_goaway(f, "another major version");
    fake_free(f);
}
END_TEST

static void set_ids(struct cu_hello *hello, const char *ids) /* "2 1": own, then earlier ones */
{
    hello->has_cluster_id = true;
    hello->cluster_id[0] = (uint8_t)ids[0];
    for (ids++; *ids; ids += 2)
        hello->prior_ids[hello->prior_count++][0] = (uint8_t)ids[1];
}

START_TEST(raftds_with_an_id_in_common_are_let_in) /* contracts 1.5, 3.10 */
{
    static const struct {
        const char *ours, *theirs;
        bool refused;
    } cases[] = {{"2 1", "1", false},
                 {"1", "2 1", false},
                 {"2 1", "3 1", false},
                 {"3 2 1", "1", false},
                 {"3 2 1", "5 4", true}};
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_hello ours = fake_hello("raftd"), theirs = fake_hello("raftd");
        set_ids(&ours, cases[i].ours);
        set_ids(&theirs, cases[i].theirs);
        struct fake *f = fake_new(&(struct seed){.strict = true, .ours = ours});
        fake_feed_hello(f, &theirs);
        ck_assert_uint_eq(f->ups, !cases[i].refused);
        fake_free(f);
    }
}
END_TEST

START_TEST(only_raftds_of_two_known_clusters_refuse_each_other)
{
    static const struct {
        const char *daemon;
        bool ours, theirs, strict, refused;
    } cases[] = {
        {"raftd", true, true, true, true},     {"raftd", false, true, true, false},
        {"raftd", true, false, true, false},   {"raftd", true, true, false, false},
        {"catalogd", true, true, true, false},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct cu_hello ours = fake_hello("raftd"), theirs = fake_hello(cases[i].daemon);
        ours.has_cluster_id = cases[i].ours;
        theirs.has_cluster_id = cases[i].theirs;
        ours.cluster_id[0] = 1;
        theirs.cluster_id[0] = 2;
        struct fake *f = fake_new(&(struct seed){.strict = cases[i].strict, .ours = ours});
        fake_feed_hello(f, &theirs);
        ck_assert_uint_eq(f->ups, !cases[i].refused);
        if (cases[i].refused)
            fake_assert_goaway(f, "another cluster");
        fake_free(f);
    }
}
END_TEST

START_TEST(other_versions_levels_and_fields_are_only_information)
{
    struct fake *f = fake_new(&(struct seed){0});
    struct cu_hello theirs = fake_hello("xyz");
    strcpy(theirs.suite_version, "99.0");
    theirs.feature_level = 99;
    fake_feed_hello(f, &theirs);
    ck_assert_uint_eq(f->ups, 1);
    ck_assert_uint_eq(cu_conn_peer_hello(f->conn)->feature_level, 99);
    fake_free(f);
}
END_TEST

START_TEST(a_peer_that_breaks_the_rules_is_sent_away_with_the_reason)
{
    static const struct {
        bool dialled, before_hello;
        struct cu_frame frame;
        const char *why;
    } cases[] = {
        {false, true, {.kind = CU_FRAME_CALL}, "first frame is not HELLO"},
        {false, true, {.kind = CU_FRAME_PING}, "first frame is not HELLO"},
        {false, false, {.kind = CU_FRAME_HELLO}, "a second HELLO"},
        {false, false, {.kind = CU_FRAME_REPLY}, "a reply to who only answers"},
        {true, false, {.kind = CU_FRAME_CALL}, "a call to who only calls"},
        {true, false, {.kind = CU_FRAME_CANCEL}, "a CANCEL to who only calls"},
        {false,
         false,
         {.kind = CU_FRAME_CALL, .payload = {(const uint8_t *)"\x0a\x09", 2}},
         "no envelope"},
        {true,
         false,
         {.kind = CU_FRAME_REPLY, .payload = {(const uint8_t *)"\x0b", 1}},
         "a REPLY that is none"},
        {false,
         false,
         {.kind = CU_FRAME_CREDIT, .payload = {(const uint8_t *)"\x08", 1}},
         "a CREDIT that is none"},
        {false,
         false,
         {.kind = CU_FRAME_CREDIT,
          .payload = {(const uint8_t *)"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}},
         "a CREDIT that is none"},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct seed seed = {.dialled = cases[i].dialled};
        struct fake *f = cases[i].before_hello ? fake_new(&seed) : fake_up(&seed);
        fake_feed_frame(f, &cases[i].frame);
        fake_assert_goaway(f, cases[i].why);
        fake_free(f);
    }
}
END_TEST

START_TEST(garbage_is_sent_away)
{
    struct fake *f = fake_up(&(struct seed){0});
    struct cu_buf out = {0};
    cu_buf_text(&out, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    fake_feed(f, &out);
    fake_assert_goaway(f, "a frame over 64 KiB");
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

START_TEST(a_hello_with_limits_below_a_frame_is_sent_away)
{
    struct fake *f = fake_new(&(struct seed){0});
    struct cu_hello theirs = fake_hello("catalogd");
    theirs.byte_credit = CU_FRAME_MAX_BYTES - 1;
    fake_feed_hello(f, &theirs);
    fake_assert_goaway(f, "limits are below one frame");
    fake_free(f);
}
END_TEST

START_TEST(a_goaway_ends_the_connection_with_its_reason)
{
    struct fake *f = fake_up(&(struct seed){.dialled = true});
    struct cu_buf out = {0};
    cu_goaway_append(&out, CU_E_CONFLICT, "another cluster");
    fake_feed(f, &out);
    ck_assert_uint_eq(f->downs, 1);
    ck_assert_int_eq(f->down_err, CU_E_CONFLICT);
    ck_assert_str_eq(f->down_why, "another cluster");
    cu_buf_deinit(&out);
    fake_free(f);
}
END_TEST

static void turn_until_down(struct fake *f)
{
    struct cu_mono until = cu_mono_add_ms(cu_mono_now(), 40000);
    while (!f->downs && cu_mono_before(cu_mono_now(), until))
        cu_loop_turn(f->loop, true);
    ck_assert_uint_eq(f->downs, 1);
}

START_TEST(who_does_not_say_hello_is_let_go)
{
    struct fake *f = fake_new(&(struct seed){.hello_ms = 20});
    turn_until_down(f);
    ck_assert_str_eq(f->down_why, "no HELLO in time");
    fake_free(f);
}
END_TEST

START_TEST(a_silent_remote_peer_is_pinged_and_then_lost)
{
    struct fake *f = fake_up(&(struct seed){.remote = true, .ping_ms = 10, .silence_ms = 60});
    turn_until_down(f);
    ck_assert_str_eq(f->down_why, "no sign of life from the peer");
    ck_assert_int_eq(fake_sent(f, 0).kind, CU_FRAME_PING);
    fake_free(f);
}
END_TEST

START_TEST(a_ping_is_answered)
{
    struct fake *f = fake_up(&(struct seed){0});
    fake_feed_frame(f, &(struct cu_frame){.kind = CU_FRAME_PING, .id = 77});
    fake_turn(f);
    ck_assert_int_eq(fake_sent(f, 0).kind, CU_FRAME_PONG);
    ck_assert_uint_eq(fake_sent(f, 0).id, 77);
    fake_free(f);
}
END_TEST

SUITE_MAIN("common/bus/conn", hello_tells_who_we_are_and_comes_first,
           another_major_version_is_sent_away, only_raftds_of_two_known_clusters_refuse_each_other,
           raftds_with_an_id_in_common_are_let_in,
           other_versions_levels_and_fields_are_only_information,
           a_peer_that_breaks_the_rules_is_sent_away_with_the_reason, garbage_is_sent_away,
           a_hello_with_limits_below_a_frame_is_sent_away,
           a_goaway_ends_the_connection_with_its_reason, who_does_not_say_hello_is_let_go,
           a_silent_remote_peer_is_pinged_and_then_lost, a_ping_is_answered)
