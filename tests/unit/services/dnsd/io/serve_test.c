/* Queries over real sockets: both transports and their limits, and a view to be trusted or not. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/services/dnsd/io/fixture.h"

START_TEST(answers_over_udp) /* dns 1 */
{
    rig_open();
    rig_ask_udp("web.service.consul SRV", "");
    ck_assert_uint_eq(rig.sample->message.counts[DNS_ANSWER], 2);
    ck_assert_uint_eq(rig.sample->message.id, MESSAGE_ID);
    ck_assert_uint_eq(rig_counted("dns.rcode.NOERROR"), 1);
    ck_assert_uint_eq(rig_counted("dns.type.SRV"), 1);
    rig_ask_udp("nosuch.service.consul A", "+bufsize=1232");
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_NXDOMAIN);
    rig_ask_udp("google.com A", ""); /* dns 46 */
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_REFUSED);
    ck_assert_str_eq(rig.sample->message.flags, "qr rd");
    rig_close();
}
END_TEST

START_TEST(a_burst_of_datagrams_is_answered_whole)
{
    enum { BURST = 3 * DNS_UDP_BATCH + 5 };
    unsigned got = 0;
    rig_open();
    int fd = rig_dial(SOCK_DGRAM);
    for (int i = 0; i < BURST; i++)
        rig_say(fd, "web.service.consul A", "");
    WAIT((got += rig_has_datagram(fd)) == BURST);
    (void)close(fd);
    rig_close();
}
END_TEST

START_TEST(rubbish_gets_silence_or_a_header) /* dns 2, 3, 4 */
{
    struct cu_buf bytes = {0};
    rig_open();
    int fd = rig_dial(SOCK_DGRAM);
    message_ask(&bytes, "web.service.consul A", "");
    bytes.data[2] |= 0x80;
    (void)send(fd, bytes.data, bytes.len, 0);
    (void)send(fd, "x", 1, 0);
    WAIT(rig_counted("dns.ignored") == 2);
    ck_assert(!rig_has_datagram(fd));
    bytes.data[2] &= 0x7f;
    (void)send(fd, bytes.data, bytes.len - 1, 0);
    WAIT(rig_has_datagram(fd));
    ck_assert_uint_eq(rig.reply_len, DNS_HEADER_BYTES);
    ck_assert_uint_eq(rig.reply[3] & 0xf, DNS_FORMERR);
    (void)close(fd);
    cu_buf_deinit(&bytes);
    rig_close();
}
END_TEST

START_TEST(a_wildcard_answers_from_the_address_that_was_asked)
{
    struct cu_diag diag = {0};
    struct sockaddr_in to = rig_address(77, RIG_PORT + 7), from;
    socklen_t len = sizeof from;
    struct cu_buf bytes = {0};
    rig_open();
    ck_assert_msg(!dns_server_listen(rig.server, "0.0.0.0", RIG_PORT + 7, &diag), "%s", diag.text);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    message_ask(&bytes, "web.service.consul A", "");
    (void)sendto(fd, bytes.data, bytes.len, 0, (struct sockaddr *)&to, sizeof to);
    WAIT(recvfrom(fd, rig.reply, sizeof rig.reply, 0, (struct sockaddr *)&from, &len) > 0);
    ck_assert_uint_eq(from.sin_addr.s_addr, to.sin_addr.s_addr);
    (void)close(fd);
    cu_buf_deinit(&bytes);
    rig_close();
}
END_TEST

START_TEST(two_queries_in_one_segment_are_both_answered) /* dns 5 */
{
    struct cu_buf out = {0}, in = {0};
    rig_open();
    int fd = rig_dial(SOCK_STREAM);
    rig_put_framed(&out, "web.service.consul A");
    rig_put_framed(&out, "many.service.consul A");
    rig_say_all(fd, &out);
    WAIT(rig_has_message(fd, &in));
    ck_assert_uint_eq(rig.sample->message.counts[DNS_ANSWER], 2);
    WAIT(rig_has_message(fd, &in));
    ck_assert_uint_eq(rig.sample->message.counts[DNS_ANSWER], 12);
    (void)close(fd);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    rig_close();
}
END_TEST

START_TEST(a_query_may_come_byte_by_byte_and_its_sender_end)
{
    struct cu_buf out = {0}, in = {0};
    rig_open();
    int fd = rig_dial(SOCK_STREAM);
    rig_put_framed(&out, "web.service.consul A");
    for (size_t i = 0; i < out.len; i++) {
        ck_assert_int_eq(send(fd, out.data + i, 1, 0), 1);
        rig_turn();
    }
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    WAIT(rig_has_message(fd, &in));
    WAIT(rig_is_hung_up(fd));
    WAIT(dns_server_connections(rig.server) == 0);
    (void)close(fd);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    rig_close();
}
END_TEST

START_TEST(a_connection_outlives_silence_and_thousands_of_queries)
{
    enum { QUERIES = 3000 };
    struct cu_buf out = {0}, in = {0};
    unsigned got = 0;
    rig_open();
    int fd = rig_dial(SOCK_STREAM);
    cu_buf_append(&out, "\0\1x", 3); /* no header: nothing is said to it */
    rig_say_all(fd, &out);
    cu_buf_clear(&out);
    for (int i = 0; i < QUERIES; i++)
        rig_put_framed(&out, "big.service.consul SRV");
    size_t done = 0;
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), RIG_WAIT_MS);
    while (got < QUERIES && cu_mono_before(cu_mono_now(), end)) {
        ssize_t sent = send(fd, out.data + done, out.len - done, MSG_NOSIGNAL);
        done += sent > 0 ? (size_t)sent : 0;
        while (rig_has_message(fd, &in))
            got++;
        cu_loop_turn(rig.loop, false);
    }
    ck_assert_uint_eq(got, QUERIES);
    ck_assert_uint_eq(rig.sample->message.counts[DNS_ANSWER], 60);
    (void)close(fd);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    rig_close();
}
END_TEST

START_TEST(a_query_over_4096_bytes_ends_its_connection)
{
    rig_open();
    for (size_t len = DNS_QUERY_MAX_BYTES; len <= DNS_QUERY_MAX_BYTES + 1; len++) {
        struct cu_buf out = {0}, in = {0};
        int fd = rig_dial(SOCK_STREAM);
        cu_buf_u8(&out, (uint8_t)(len >> 8));
        cu_buf_u8(&out, (uint8_t)len);
        memset(cu_buf_extend(&out, len), 0, len);
        rig_say_all(fd, &out);
        if (len == DNS_QUERY_MAX_BYTES) {
            WAIT(rig_has_message(fd, &in)); /* FORMERR */
            ck_assert_uint_eq(rig.sample->message.rcode, DNS_FORMERR);
        } else {
            WAIT(rig_is_hung_up(fd));
        }
        (void)close(fd);
        cu_buf_deinit(&out);
        cu_buf_deinit(&in);
    }
    ck_assert_uint_eq(rig_counted("dns.tcp.too_long"), 1);
    rig_close();
}
END_TEST

START_TEST(one_connection_too_many_ends_the_one_that_is_idle_longest)
{
    static int fds[DNS_TCP_CONNECTIONS + 1];
    rig_open();
    for (size_t i = 0; i < DNS_TCP_CONNECTIONS; i++) {
        fds[i] = rig_dial(SOCK_STREAM);
        WAIT(dns_server_connections(rig.server) == i + 1);
    }
    fds[DNS_TCP_CONNECTIONS] = rig_dial(SOCK_STREAM);
    WAIT(rig_counted("dns.tcp.evicted") == 1);
    ck_assert_uint_eq(dns_server_connections(rig.server), DNS_TCP_CONNECTIONS);
    WAIT(rig_is_hung_up(fds[0]));
    for (size_t i = 0; i <= DNS_TCP_CONNECTIONS; i++)
        (void)close(fds[i]);
    rig_close();
}
END_TEST

START_TEST(one_connection_too_many_is_turned_away_while_all_wait_for_answers)
{
    static int fds[DNS_TCP_CONNECTIONS + 1];
    struct cu_buf out = {0}, in = {0};
    rig_open();
    rig.trusted = DNS_UNCONFIRMED;
    rig_put_framed(&out, "web.service.consul A");
    for (size_t i = 0; i < DNS_TCP_CONNECTIONS; i++) {
        fds[i] = rig_dial(SOCK_STREAM);
        rig_say_all(fds[i], &out);
        WAIT(dns_server_parked(rig.server) == i + 1);
    }
    fds[DNS_TCP_CONNECTIONS] = rig_dial(SOCK_STREAM);
    WAIT(rig_counted("dns.tcp.turned_away") == 1);
    WAIT(rig_is_hung_up(fds[DNS_TCP_CONNECTIONS]));
    ck_assert_uint_eq(rig_counted("dns.tcp.evicted"), 0);
    while (dns_server_parked(rig.server) > 0) /* the first question had a round of its own */
        dns_server_confirmed(rig.server, true);
    WAIT(rig_has_message(fds[0], &in));
    for (size_t i = 0; i <= DNS_TCP_CONNECTIONS; i++)
        (void)close(fds[i]);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    rig_close();
}
END_TEST

START_TEST(half_a_query_is_waited_for_two_seconds)
{
    rig_open();
    int fd = rig_dial(SOCK_STREAM);
    ck_assert_int_eq(send(fd, "\0", 1, 0), 1);
    struct cu_mono since = cu_mono_now();
    WAIT(rig_is_hung_up(fd));
    uint64_t took_ms = cu_mono_ms_between(since, cu_mono_now());
    ck_assert_uint_ge(took_ms, DNS_TCP_READ_MS - 100);
    ck_assert_uint_lt(took_ms, DNS_TCP_IDLE_MS);
    (void)close(fd);
    rig_close();
}
END_TEST

START_TEST(a_client_that_leaves_is_not_waited_for)
{
    struct cu_buf out = {0};
    struct linger at_once = {.l_onoff = 1};
    rig_open();
    rig.trusted = DNS_UNCONFIRMED;
    int fd = rig_dial(SOCK_STREAM);
    rig_put_framed(&out, "web.service.consul A");
    rig_say_all(fd, &out);
    WAIT(dns_server_parked(rig.server) == 1);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(fd);
    WAIT(dns_server_connections(rig.server) == 0);
    dns_server_confirmed(rig.server, true); /* the answer has nowhere to go */
    ck_assert_uint_eq(dns_server_parked(rig.server), 0);
    cu_buf_deinit(&out);
    rig_close();
}
END_TEST

START_TEST(a_view_that_is_not_trusted_fails_and_an_old_one_is_counted)
{
    rig_open();
    rig.trusted = DNS_UNTRUSTED;
    rig_ask_udp("web.service.consul A", "");
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_SERVFAIL);
    rig.trusted = DNS_TRUSTED_STALE;
    rig_ask_udp("web.service.consul A", "");
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_NOERROR);
    ck_assert_uint_eq(rig_counted("dns.stale_queries"), 1);
    rig_close();
}
END_TEST

START_TEST(queries_wait_until_the_view_is_confirmed_a_round_at_a_time) /* dns 68 */
{
    unsigned got = 0;
    rig_open();
    rig.confirms = 0;
    rig.trusted = DNS_UNCONFIRMED;
    int fd = rig_dial(SOCK_DGRAM);
    rig_say(fd, "web.service.consul A", "");
    WAIT(rig.confirms == 1);
    rig_say(fd, "many.service.consul A", "");
    WAIT(dns_server_parked(rig.server) == 2);
    ck_assert_uint_eq(rig.confirms, 1); /* the second one came later than what is being confirmed */
    dns_server_confirmed(rig.server, true);
    WAIT((got += rig_has_datagram(fd)) == 1);
    ck_assert_uint_eq(rig.reply[3] & 0xf, DNS_NOERROR);
    ck_assert_uint_eq(rig.confirms, 2);
    dns_server_confirmed(rig.server, false);
    WAIT((got += rig_has_datagram(fd)) == 2);
    ck_assert_uint_eq(rig.reply[3] & 0xf, DNS_SERVFAIL);
    ck_assert_uint_eq(dns_server_parked(rig.server), 0);
    rig_ask_udp("google.com A", ""); /* does not depend on the view */
    ck_assert_uint_eq(rig.confirms, 2);
    (void)close(fd);
    rig_close();
}
END_TEST

SUITE_MAIN("services/dnsd/io/serve", answers_over_udp, a_burst_of_datagrams_is_answered_whole,
           rubbish_gets_silence_or_a_header, a_wildcard_answers_from_the_address_that_was_asked,
           two_queries_in_one_segment_are_both_answered,
           a_query_may_come_byte_by_byte_and_its_sender_end,
           a_connection_outlives_silence_and_thousands_of_queries,
           a_query_over_4096_bytes_ends_its_connection,
           one_connection_too_many_ends_the_one_that_is_idle_longest,
           one_connection_too_many_is_turned_away_while_all_wait_for_answers,
           half_a_query_is_waited_for_two_seconds, a_client_that_leaves_is_not_waited_for,
           a_view_that_is_not_trusted_fails_and_an_old_one_is_counted,
           queries_wait_until_the_view_is_confirmed_a_round_at_a_time)
