#include "services/gossipd/io/streams.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/core/stream.h"
#include "services/gossipd/io/sockaddr.h"
#include "tests/lib/suite.h"

enum { PORT = 8301, TIMEOUT_MS = 400 };

static struct cu_loop *loop;
static struct cu_metrics *metrics;
static struct gossip_streams *streams;
static struct gossip_addr here;

/* What was told last. */
static struct {
    unsigned asked, replied, failed;
    uint64_t call, exchange;
    enum gossip_type type;
    char why[128];
} told;

static void on_asked(void *context, uint64_t call, struct gossip_addr from,
                     const struct gossip_message *message)
{
    (void)context;
    (void)from;
    told.asked++;
    told.call = call;
    told.type = message->type;
}

static void on_replied(void *context, uint64_t exchange, const struct gossip_message *message)
{
    (void)context;
    told.replied++;
    told.exchange = exchange;
    told.type = message->type;
}

static void on_failed(void *context, uint64_t exchange, const char *why)
{
    (void)context;
    told.failed++;
    told.exchange = exchange;
    (void)snprintf(told.why, sizeof told.why, "%s", why);
}

/* An address of this process alone: tests run beside each other. */
static struct gossip_addr own_address(void)
{
    unsigned pid = (unsigned)getpid();
    uint8_t ip[4] = {127, 66, (uint8_t)(pid >> 8), (uint8_t)(pid | 1)};
    return (struct gossip_addr){gossip_ip_of((struct cu_bytes){ip, 4}), PORT};
}

static void setup(bool compress)
{
    struct cu_diag diag = {0};
    here = own_address();
    loop = cu_loop_new();
    metrics = cu_metrics_new();
    enum cu_err err = gossip_streams_open(&(struct gossip_streams_options){.loop = loop,
                                                                           .metrics = metrics,
                                                                           .bind = here,
                                                                           .compress = compress,
                                                                           .timeout_ms = TIMEOUT_MS,
                                                                           .asked = on_asked,
                                                                           .replied = on_replied,
                                                                           .failed = on_failed},
                                          &streams, &diag);
    ck_assert_msg(!err, "%s", diag.text);
}

static void teardown(void)
{
    gossip_streams_close(streams);
    cu_loop_free(loop);
    cu_metrics_free(metrics);
}

static void turn_until(const unsigned *counter, unsigned value)
{
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), 40000);
    while (*counter < value && cu_mono_before(cu_mono_now(), end))
        cu_loop_turn(loop, true);
    ck_assert_uint_ge(*counter, value);
}

static uint64_t counted(const char *name)
{
    return cu_metrics_counter(metrics, name)->value;
}

static void turn_until_counted(const char *name, uint64_t value)
{
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), 40000);
    while (counted(name) < value && cu_mono_before(cu_mono_now(), end))
        cu_loop_turn(loop, true);
    ck_assert_uint_ge(counted(name), value);
}

static int raw_connect(void)
{
    union gossip_sockaddr to;
    socklen_t len = gossip_sockaddr_of(here, AF_INET, &to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, &to.any, len), 0);
    return fd;
}

static struct cu_bytes ping(struct cu_buf *buf)
{
    struct gossip_message message = {.type = GOSSIP_PING,
                                     .ping = {.node = cu_bytes_of("n1"), .seq = 7}};
    gossip_stream_encode(buf, &message);
    return cu_buf_bytes(buf);
}

static void ask_and_answer(bool compress)
{
    struct cu_buf question = {0}, answer = {0};
    struct gossip_message ack = {.type = GOSSIP_ACK, .ack.seq = 7};
    setup(compress);
    gossip_stream_encode(&answer, &ack);
    gossip_streams_dial(streams, 42, here, 5000, ping(&question));
    ck_assert_uint_eq(told.failed + told.replied, 0);
    turn_until(&told.asked, 1);
    ck_assert_int_eq(told.type, GOSSIP_PING);
    gossip_streams_answer(streams, told.call, cu_buf_bytes(&answer));
    turn_until(&told.replied, 1);
    ck_assert_int_eq(told.type, GOSSIP_ACK);
    ck_assert_uint_eq(told.exchange, 42);
    gossip_streams_answer(streams, told.call, cu_buf_bytes(&answer)); /* ended: nothing happens */
    ck_assert_uint_eq(told.failed, 0);
    cu_buf_deinit(&question);
    cu_buf_deinit(&answer);
    teardown();
}

START_TEST(a_question_is_asked_and_answered)
{
    ask_and_answer(false);
}
END_TEST

START_TEST(compressed_streams_are_the_same_to_both_ends)
{
    ask_and_answer(true);
}
END_TEST

START_TEST(closing_without_an_answer_fails_the_dial)
{
    struct cu_buf question = {0};
    setup(false);
    gossip_streams_dial(streams, 1, here, 5000, ping(&question));
    turn_until(&told.asked, 1);
    gossip_streams_answer(streams, told.call, (struct cu_bytes){0});
    turn_until(&told.failed, 1);
    ck_assert_str_eq(told.why, "the peer closed the connection");
    cu_buf_deinit(&question);
    teardown();
}
END_TEST

START_TEST(a_dial_that_cannot_succeed_fails_later_and_says_why)
{
    struct cu_buf question = {0};
    setup(false);
    struct gossip_addr nobody = here;
    nobody.port = 1;
    gossip_streams_dial(streams, 1, nobody, 5000, ping(&question));
    ck_assert_uint_eq(told.failed, 0); /* never from within */
    cu_loop_turn(loop, false);
    turn_until(&told.failed, 1);
    ck_assert_str_eq(told.why, "Connection refused");
    gossip_streams_dial(streams, 2, (struct gossip_addr){.port = 1}, 5000, cu_buf_bytes(&question));
    ck_assert_uint_eq(told.failed, 1);
    cu_loop_turn(loop, false);
    turn_until(&told.failed, 2);
    ck_assert_uint_eq(told.exchange, 2);
    cu_buf_deinit(&question);
    teardown();
}
END_TEST

START_TEST(who_gets_no_answer_gives_up_in_time)
{
    struct cu_buf question = {0};
    setup(false);
    struct cu_mono began = cu_mono_now();
    gossip_streams_dial(streams, 1, here, 50, ping(&question));
    turn_until(&told.failed, 1);
    ck_assert_str_eq(told.why, "i/o timeout");
    ck_assert_uint_ge(cu_mono_ms_between(began, cu_mono_now()), 49);
    cu_buf_deinit(&question);
    teardown();
}
END_TEST

START_TEST(a_peer_with_encryption_is_told_that_there_is_none) /* gossip.md 4 */
{
    uint8_t got[256];
    struct gossip_message err;
    struct cu_arena *arena = cu_arena_new(4096);
    setup(false);
    int fd = raw_connect();
    ck_assert_int_eq(write(fd, "\x0a\0\0\0\x10", 5), 5);
    turn_until_counted("memberlist.tcp.bad", 1);
    cu_loop_turn(loop, true);
    ssize_t len = read(fd, got, sizeof got);
    ck_assert_int_gt(len, 0);
    ck_assert_int_eq(gossip_stream_decode((struct cu_bytes){got, (size_t)len}, arena, &err), CU_OK);
    ck_assert_int_eq(err.type, GOSSIP_ERR);
    ck_assert(cu_bytes_equal(
        err.err.text, cu_bytes_of("Remote state is encrypted and encryption is not configured")));
    (void)close(fd);
    cu_arena_free(arena);
    teardown();
}
END_TEST

START_TEST(garbage_ends_its_connection_and_is_counted)
{
    setup(false);
    int fd = raw_connect();
    ck_assert_int_eq(write(fd, "GET / HTTP/1.1\r\n", 16), 16);
    turn_until_counted("memberlist.tcp.bad", 1);
    char byte;
    ck_assert_int_le(read(fd, &byte, 1), 0);
    ck_assert_uint_eq(told.asked, 0);
    (void)close(fd);
    teardown();
}
END_TEST

START_TEST(so_many_connections_are_served_and_the_next_is_closed) /* gossip.md 4, 25 */
{
    int fds[GOSSIP_STREAMS_MAX_SERVED + 1];
    char byte;
    setup(false);
    for (int i = 0; i <= GOSSIP_STREAMS_MAX_SERVED; i++)
        fds[i] = raw_connect();
    turn_until_counted("memberlist.tcp.turned_away", 1);
    ck_assert_uint_eq(counted("memberlist.tcp.accept"), GOSSIP_STREAMS_MAX_SERVED);
    ck_assert_int_eq(read(fds[GOSSIP_STREAMS_MAX_SERVED], &byte, 1), 0);
    /* Those who say nothing are ended in time, and there is room again. */
    turn_until_counted("memberlist.tcp.bad", GOSSIP_STREAMS_MAX_SERVED);
    for (int i = 0; i <= GOSSIP_STREAMS_MAX_SERVED; i++)
        (void)close(fds[i]);
    int again = raw_connect();
    turn_until_counted("memberlist.tcp.accept", GOSSIP_STREAMS_MAX_SERVED + 1);
    (void)close(again);
    teardown();
}
END_TEST

START_TEST(all_connections_together_hold_so_much_and_no_more)
{
    enum { PEERS = 3, EACH = 9 * 1024 * 1024 };
    static const uint8_t start[] = "\x08\x81\xaaUserMsgLen\xce\x01\x3f\xff\xff"; /* near 20 MiB */
    uint8_t *filler = calloc(1, EACH);
    size_t sent[PEERS] = {0};
    int fds[PEERS];
    setup(false);
    for (int i = 0; i < PEERS; i++) {
        fds[i] = raw_connect();
        ck_assert_int_eq(write(fds[i], start, sizeof start - 1), sizeof start - 1);
    }
    _Static_assert(PEERS * EACH > STREAMS_HELD_BYTES, "together too much");
    for (int i = 0; i < PEERS; i++)
        while (sent[i] < EACH && !counted("memberlist.tcp.bad")) {
            ssize_t n = send(fds[i], filler, EACH - sent[i], MSG_DONTWAIT | MSG_NOSIGNAL);
            sent[i] += n > 0 ? (size_t)n : 0;
            cu_loop_turn(loop, false);
        }
    ck_assert_uint_eq(counted("memberlist.tcp.bad"), 1);
    ck_assert_uint_gt(sent[0] + sent[1] + sent[2], STREAMS_HELD_BYTES);
    for (int i = 0; i < PEERS; i++)
        (void)close(fds[i]);
    free(filler);
    teardown();
}
END_TEST

START_TEST(a_port_that_is_taken_is_named)
{
    struct gossip_streams *second = NULL;
    struct cu_diag diag = {0};
    setup(false);
    ck_assert_int_eq(
        gossip_streams_open(
            &(struct gossip_streams_options){.loop = loop, .metrics = metrics, .bind = here},
            &second, &diag),
        CU_E_CONFLICT);
    ck_assert_ptr_nonnull(strstr(diag.text, ":8301: Address already in use"));
    ck_assert_ptr_null(second);
    teardown();
}
END_TEST

START_TEST(an_address_of_another_host_is_said_to_be_one)
{
    struct gossip_streams *none = NULL;
    struct cu_diag diag = {0};
    struct gossip_addr there = {.port = 8301};
    setup(false);
    ck_assert(gossip_ip_parse("192.0.2.1", &there.ip)); /* RFC 5737: nobody has it */
    ck_assert_int_eq(
        gossip_streams_open(
            &(struct gossip_streams_options){.loop = loop, .metrics = metrics, .bind = there},
            &none, &diag),
        CU_E_IO);
    ck_assert_ptr_nonnull(strstr(diag.text, "192.0.2.1:8301: no address of this host: see bind"));
    ck_assert_ptr_null(none);
    teardown();
}
END_TEST

SUITE_MAIN("services/gossipd/io/streams", an_address_of_another_host_is_said_to_be_one,
           a_question_is_asked_and_answered, compressed_streams_are_the_same_to_both_ends,
           closing_without_an_answer_fails_the_dial,
           a_dial_that_cannot_succeed_fails_later_and_says_why, who_gets_no_answer_gives_up_in_time,
           a_peer_with_encryption_is_told_that_there_is_none,
           garbage_ends_its_connection_and_is_counted,
           so_many_connections_are_served_and_the_next_is_closed,
           all_connections_together_hold_so_much_and_no_more, a_port_that_is_taken_is_named)
