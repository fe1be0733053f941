/* Names that others answer: recursors that behave or do not. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/services/dnsd/io/fixture.h"

START_TEST(names_outside_are_relayed_with_the_clients_id) /* dns 47 */
{
    rig_open();
    rig_open_recursors(ANSWERS, ANSWERS);
    rig_ask_udp("www.example.test A", "");
    ck_assert_uint_eq(rig.sample->message.id, MESSAGE_ID);
    ck_assert_uint_eq(rig.sample->message.counts[DNS_ANSWER], 2);
    ck_assert_str_eq(rig.sample->message.flags, "qr rd ra");
    rig_ask_udp("9.9.9.9.in-addr.arpa PTR", ""); /* dns 51 */
    ck_assert_uint_eq(rig.recursors[0].asked, 2);
    ck_assert_uint_eq(rig.recursors[1].asked, 0);
    rig_ask_udp("web.service.consul A", ""); /* dns 49 */
    ck_assert_str_eq(rig.sample->message.flags, "qr aa rd ra");
    rig_close_recursors();
    rig_close();
}
END_TEST

START_TEST(the_next_recursor_is_asked_after_a_failure_or_silence)
{
    rig_open();
    rig_open_recursors(FAILS, ANSWERS);
    rig_ask_udp("www.example.test A", "");
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_NOERROR);
    rig.recursors[0].manner = IS_SILENT;
    rig_ask_udp("www.example.test A", "");
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_NOERROR);
    ck_assert_uint_eq(rig.recursors[1].asked, 2);
    rig_close_recursors();
    rig_ask_udp("www.example.test A", "+bufsize=1232"); /* nobody listens */
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_SERVFAIL);
    ck_assert_str_eq(rig.sample->message.flags, "qr rd ra");
    ck_assert(rig.sample->message.has_opt);
    rig_close();
}
END_TEST

START_TEST(silence_of_all_is_a_failure_in_time) /* dns 48 */
{
    rig_open();
    rig_open_recursors(IS_SILENT, IS_SILENT);
    struct cu_mono since = cu_mono_now();
    rig_ask_udp("www.example.test A", "");
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_SERVFAIL);
    uint64_t took_ms = cu_mono_ms_between(since, cu_mono_now());
    ck_assert_uint_ge(took_ms, 2 * rig.live.recursor_timeout_ms);
    ck_assert_uint_lt(took_ms, 10 * rig.live.recursor_timeout_ms);
    rig_close_recursors();
    rig_close();
}
END_TEST

START_TEST(an_answer_to_another_question_is_not_taken)
{
    rig_open();
    rig_open_recursors(LIES_FIRST, IS_SILENT);
    rig_ask_udp("www.example.test A", "");
    ck_assert_uint_eq(rig.sample->message.counts[DNS_ANSWER], 2);
    ck_assert_uint_eq(rig_counted("dns.upstream.foreign"), 1);
    rig_close_recursors();
    rig_close();
}
END_TEST

START_TEST(a_client_gets_no_more_than_it_takes) /* dns 72 */
{
    rig_open();
    rig_open_recursors(IS_LARGE, IS_SILENT);
    rig_ask_udp("www.example.test A", "");
    ck_assert_uint_le(rig.reply_len, DNS_UDP_BYTES);
    ck_assert_ptr_nonnull(strstr(rig.sample->message.flags, "tc"));
    rig_ask_udp("www.example.test A", "+bufsize=4096");
    ck_assert_uint_eq(rig.sample->message.counts[DNS_ANSWER], 200);
    rig_close_recursors();
    rig_close();
}
END_TEST

START_TEST(hosts_elsewhere_are_asked_for) /* dns 52, 53 */
{
    rig_open();
    rig_open_recursors(ANSWERS, IS_SILENT);
    rig_ask_udp("extsvc.service.consul SRV", "");
    ck_assert_str_eq(rig.sample->message.sections[DNS_ADDITIONAL],
                     "www.example.test. 0 IN A 192.0.2.1\n"
                     "www.example.test. 0 IN A 192.0.2.2\n");
    rig.recursors[0].manner = FAILS; /* the first rig.reply counts, whatever it says */
    rig_ask_udp("named.node.consul A", "");
    ck_assert_uint_eq(rig.sample->message.counts[DNS_ANSWER], 1);
    ck_assert_uint_eq(rig.recursors[1].asked, 0);
    ck_assert_uint_eq(rig_counted("dns.chased"), 2);
    rig_close_recursors();
    rig_close();
}
END_TEST

START_TEST(over_tcp_recursors_are_asked_over_tcp)
{
    struct cu_buf out = {0}, in = {0};
    struct sockaddr_in at = rig_address(10, RIG_RECURSOR_PORT);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), peer = -1;
    rig_open();
    ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    rig_open_recursors(IS_SILENT, IS_SILENT);
    int fd = rig_dial(SOCK_STREAM);
    rig_put_framed(&out, "www.example.test A");
    rig_say_all(fd, &out);
    WAIT((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    ssize_t got = 0;
    WAIT((got = recv(peer, rig.reply, sizeof rig.reply, 0)) > 2);
    struct cu_buf framed = {0}, answer = {0};
    sample_reply(&answer, (struct cu_bytes){rig.reply + 2, (size_t)got - 2}, DNS_NXDOMAIN, NULL, 0);
    cu_buf_u8(&framed, (uint8_t)(answer.len >> 8));
    cu_buf_u8(&framed, (uint8_t)answer.len);
    cu_buf_append(&framed, answer.data, answer.len);
    for (size_t i = 0; i < framed.len; i++) { /* in pieces */
        ck_assert_int_eq(send(peer, framed.data + i, 1, 0), 1);
        rig_turn();
    }
    WAIT(rig_has_message(fd, &in));
    ck_assert_uint_eq(rig.sample->message.rcode, DNS_NXDOMAIN);
    ck_assert_uint_eq(rig.sample->message.id, MESSAGE_ID);
    ck_assert_uint_eq(rig.recursors[0].asked, 0);
    (void)close(fd);
    (void)close(peer);
    (void)close(listener);
    cu_buf_deinit(&framed);
    cu_buf_deinit(&answer);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    rig_close_recursors();
    rig_close();
}
END_TEST

START_TEST(one_query_more_than_may_wait_fails_at_once)
{
    rig_open();
    rig_open_recursors(IS_SILENT, IS_SILENT);
    rig.live.recursor_timeout_ms = RIG_WAIT_MS;
    int fd = rig_dial(SOCK_DGRAM);
    for (unsigned i = 0; i < DNS_PARKED_MAX; i++) {
        rig_say(fd, "www.example.test A", "");
        if (i % 32 == 31)
            WAIT(dns_server_parked(rig.server) == i + 1);
    }
    ck_assert(!rig_has_datagram(fd));
    rig_say(fd, "www.example.test A", "");
    WAIT(rig_has_datagram(fd));
    ck_assert_uint_eq(rig.reply[3] & 0xf, DNS_SERVFAIL);
    ck_assert_uint_eq(rig_counted("dns.refused"), 1);
    ck_assert_uint_eq(dns_server_parked(rig.server), DNS_PARKED_MAX);
    (void)close(fd);
    rig_close_recursors();
    rig_close();
}
END_TEST

SUITE_MAIN("services/dnsd/io/relay", names_outside_are_relayed_with_the_clients_id,
           the_next_recursor_is_asked_after_a_failure_or_silence,
           silence_of_all_is_a_failure_in_time, an_answer_to_another_question_is_not_taken,
           a_client_gets_no_more_than_it_takes, hosts_elsewhere_are_asked_for,
           over_tcp_recursors_are_asked_over_tcp, one_query_more_than_may_wait_fails_at_once)
