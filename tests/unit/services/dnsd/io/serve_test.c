/* Queries over real sockets: both transports, their limits, recursors that behave or do not. */
#include "services/dnsd/io/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/sample.h"

enum { PORT = 5300, RECURSOR_PORT = 5301, WAIT_MS = 10000, REPLY_BYTES = DNS_MESSAGE_BYTES };

static struct cu_loop *loop;
static struct cu_metrics *metrics;
static struct sample *s;
static struct dns_server *server;
static struct dns_live_conf live;
static enum dns_trust trusted;
static unsigned confirms;
static uint8_t reply[REPLY_BYTES];
static size_t reply_len;

static const char *ip(unsigned last)
{
    static char texts[4][32];
    static unsigned next;
    char *text = texts[next++ % 4];
    unsigned number = (unsigned)getpid();
    (void)snprintf(text, sizeof texts[0], "127.%u.%u.%u", 100 + number % 100, number / 100 % 250,
                   last);
    return text;
}

static struct sockaddr_in address(unsigned last, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    ck_assert_int_eq(inet_pton(AF_INET, ip(last), &to.sin_addr), 1);
    return to;
}

static enum dns_trust trust(void *arg)
{
    (void)arg;
    return trusted;
}

static void confirm(void *arg)
{
    (void)arg;
    confirms++;
}

static void open_server(void)
{
    struct cu_diag diag = {0};
    loop = cu_loop_new();
    metrics = cu_metrics_new();
    s = sample_new();
    live.settings = s->settings;
    live.recursor_timeout_ms = 300;
    trusted = DNS_TRUSTED;
    server = dns_server_new(&(struct dns_server_options){.loop = loop,
                                                         .metrics = metrics,
                                                         .node_name = "n1",
                                                         .zone = &s->zone,
                                                         .view = s->view,
                                                         .live = &live,
                                                         .trust = trust,
                                                         .confirm = confirm});
    ck_assert_msg(!dns_server_listen(server, ip(1), PORT, &diag), "%s", diag.text);
}

static void close_server(void)
{
    dns_server_free(server);
    sample_free(s);
    cu_metrics_free(metrics);
    cu_loop_free(loop);
}

static void turn(void)
{
    cu_loop_turn(loop, false);
    (void)usleep(200);
}

/* Turns the loop until the claim, looked at once a turn, holds. */
#define WAIT(claim)                                                                                \
    do {                                                                                           \
        struct cu_mono end_ = cu_mono_add_ms(cu_mono_now(), WAIT_MS);                              \
        bool holds_ = false;                                                                       \
        while (!(holds_ = (claim)) && cu_mono_before(cu_mono_now(), end_))                         \
            turn();                                                                                \
        ck_assert_msg(holds_, "%s", #claim);                                                       \
    } while (0)

static uint64_t counted(const char *name)
{
    return cu_metrics_counter(metrics, name)->value;
}

/* ---- clients ---- */

static int dial(int type)
{
    struct sockaddr_in to = address(1, PORT);
    int fd = socket(AF_INET, type, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static void say(int fd, const char *question, const char *options)
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, question, options);
    ck_assert_int_eq(send(fd, bytes.data, bytes.len, 0), (ssize_t)bytes.len);
    cu_buf_deinit(&bytes);
}

static bool has_datagram(int fd)
{
    ssize_t got = recv(fd, reply, sizeof reply, 0);
    reply_len = got > 0 ? (size_t)got : 0;
    return got > 0;
}

static void ask_udp(const char *question, const char *options)
{
    int fd = dial(SOCK_DGRAM);
    say(fd, question, options);
    WAIT(has_datagram(fd));
    ck_assert(message_read((struct cu_bytes){reply, reply_len}, &s->message));
    (void)close(fd);
}

static void put_framed(struct cu_buf *out, const char *question)
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, question, "");
    cu_buf_u8(out, (uint8_t)(bytes.len >> 8));
    cu_buf_u8(out, (uint8_t)bytes.len);
    cu_buf_append(out, bytes.data, bytes.len);
    cu_buf_deinit(&bytes);
}

/* One message off a stream, read so far into `in`. */
static bool has_message(int fd, struct cu_buf *in)
{
    uint8_t some[4096];
    ssize_t got = recv(fd, some, sizeof some, 0);
    if (got > 0)
        cu_buf_append(in, some, (size_t)got);
    if (in->len < 2)
        return false;
    size_t len = (size_t)in->data[0] << 8 | in->data[1];
    if (in->len < 2 + len)
        return false;
    ck_assert(message_read((struct cu_bytes){in->data + 2, len}, &s->message));
    cu_buf_drop_front(in, 2 + len);
    return true;
}

static bool is_hung_up(int fd)
{
    uint8_t some[4096];
    ssize_t got = recv(fd, some, sizeof some, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static void say_all(int fd, const struct cu_buf *bytes)
{
    for (size_t done = 0; done < bytes->len; turn()) {
        ssize_t sent = send(fd, bytes->data + done, bytes->len - done, MSG_NOSIGNAL);
        done += sent > 0 ? (size_t)sent : 0;
    }
}

/* ---- a recursor ---- */

enum manner { ANSWERS, FAILS, IS_SILENT, LIES_FIRST, IS_LARGE };

struct recursor {
    int fd;
    struct cu_fd_watch watch;
    enum manner manner;
    unsigned asked;
};
static struct recursor recursors[2];

static void recursor_ready(void *arg, unsigned what)
{
    static const char *const ips[] = {"192.0.2.1", "192.0.2.2"};
    static const char *many[200];
    struct recursor *r = arg;
    struct sockaddr_in from;
    socklen_t from_len = sizeof from;
    uint8_t query[4096];
    struct cu_buf out = {0};
    (void)what;
    ssize_t got = recvfrom(r->fd, query, sizeof query, 0, (struct sockaddr *)&from, &from_len);
    if (got <= 0)
        return;
    r->asked++;
    for (size_t i = 0; i < CU_COUNT(many); i++)
        many[i] = ips[0];
    bool is_large = r->manner == IS_LARGE;
    sample_reply(&out, (struct cu_bytes){query, (size_t)got},
                 r->manner == FAILS ? DNS_SERVFAIL : DNS_NOERROR, is_large ? many : ips,
                 r->manner == FAILS ? 0
                 : is_large         ? CU_COUNT(many)
                                    : CU_COUNT(ips));
    if (r->manner == LIES_FIRST) {
        out.data[0] ^= 0xff;
        (void)sendto(r->fd, out.data, out.len, 0, (struct sockaddr *)&from, from_len);
        out.data[0] ^= 0xff;
    }
    if (r->manner != IS_SILENT)
        (void)sendto(r->fd, out.data, out.len, 0, (struct sockaddr *)&from, from_len);
    cu_buf_deinit(&out);
}

static void open_recursors(enum manner first, enum manner second)
{
    live.settings.has_recursors = true;
    live.recursor_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct sockaddr_in at = address(10 + i, RECURSOR_PORT);
        struct recursor *r = &recursors[i];
        *r = (struct recursor){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
                               .manner = i ? second : first};
        ck_assert_int_eq(bind(r->fd, (struct sockaddr *)&at, sizeof at), 0);
        cu_fd_watch_init(&r->watch, loop, r->fd, recursor_ready, r);
        cu_fd_watch_set(&r->watch, CU_FD_READ);
        live.recursors[i].len = sizeof at;
        memcpy(&live.recursors[i].address, &at, sizeof at);
    }
}

static void close_recursors(void)
{
    for (unsigned i = 0; i < 2; i++) {
        cu_fd_watch_close(&recursors[i].watch);
        (void)close(recursors[i].fd);
    }
}

/* ---- tests ---- */

START_TEST(answers_over_udp) /* dns 1 */
{
    open_server();
    ask_udp("web.service.consul SRV", "");
    ck_assert_uint_eq(s->message.counts[DNS_ANSWER], 2);
    ck_assert_uint_eq(s->message.id, MESSAGE_ID);
    ck_assert_uint_eq(counted("dns.rcode.NOERROR"), 1);
    ck_assert_uint_eq(counted("dns.type.SRV"), 1);
    ask_udp("nosuch.service.consul A", "+bufsize=1232");
    ck_assert_uint_eq(s->message.rcode, DNS_NXDOMAIN);
    ask_udp("google.com A", ""); /* dns 46 */
    ck_assert_uint_eq(s->message.rcode, DNS_REFUSED);
    ck_assert_str_eq(s->message.flags, "qr rd");
    close_server();
}
END_TEST

START_TEST(a_burst_of_datagrams_is_answered_whole)
{
    enum { BURST = 3 * DNS_UDP_BATCH + 5 };
    unsigned got = 0;
    open_server();
    int fd = dial(SOCK_DGRAM);
    for (int i = 0; i < BURST; i++)
        say(fd, "web.service.consul A", "");
    WAIT((got += has_datagram(fd)) == BURST);
    (void)close(fd);
    close_server();
}
END_TEST

START_TEST(rubbish_gets_silence_or_a_header) /* dns 2, 3, 4 */
{
    struct cu_buf bytes = {0};
    open_server();
    int fd = dial(SOCK_DGRAM);
    message_ask(&bytes, "web.service.consul A", "");
    bytes.data[2] |= 0x80;
    (void)send(fd, bytes.data, bytes.len, 0);
    (void)send(fd, "x", 1, 0);
    WAIT(counted("dns.ignored") == 2);
    ck_assert(!has_datagram(fd));
    bytes.data[2] &= 0x7f;
    (void)send(fd, bytes.data, bytes.len - 1, 0);
    WAIT(has_datagram(fd));
    ck_assert_uint_eq(reply_len, DNS_HEADER_BYTES);
    ck_assert_uint_eq(reply[3] & 0xf, DNS_FORMERR);
    (void)close(fd);
    cu_buf_deinit(&bytes);
    close_server();
}
END_TEST

START_TEST(a_wildcard_answers_from_the_address_that_was_asked)
{
    struct cu_diag diag = {0};
    struct sockaddr_in to = address(77, PORT + 7), from;
    socklen_t len = sizeof from;
    struct cu_buf bytes = {0};
    open_server();
    ck_assert_msg(!dns_server_listen(server, "0.0.0.0", PORT + 7, &diag), "%s", diag.text);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    message_ask(&bytes, "web.service.consul A", "");
    (void)sendto(fd, bytes.data, bytes.len, 0, (struct sockaddr *)&to, sizeof to);
    WAIT(recvfrom(fd, reply, sizeof reply, 0, (struct sockaddr *)&from, &len) > 0);
    ck_assert_uint_eq(from.sin_addr.s_addr, to.sin_addr.s_addr);
    (void)close(fd);
    cu_buf_deinit(&bytes);
    close_server();
}
END_TEST

START_TEST(two_queries_in_one_segment_are_both_answered) /* dns 5 */
{
    struct cu_buf out = {0}, in = {0};
    open_server();
    int fd = dial(SOCK_STREAM);
    put_framed(&out, "web.service.consul A");
    put_framed(&out, "many.service.consul A");
    say_all(fd, &out);
    WAIT(has_message(fd, &in));
    ck_assert_uint_eq(s->message.counts[DNS_ANSWER], 2);
    WAIT(has_message(fd, &in));
    ck_assert_uint_eq(s->message.counts[DNS_ANSWER], 12);
    (void)close(fd);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    close_server();
}
END_TEST

START_TEST(a_query_may_come_byte_by_byte_and_its_sender_end)
{
    struct cu_buf out = {0}, in = {0};
    open_server();
    int fd = dial(SOCK_STREAM);
    put_framed(&out, "web.service.consul A");
    for (size_t i = 0; i < out.len; i++) {
        ck_assert_int_eq(send(fd, out.data + i, 1, 0), 1);
        turn();
    }
    ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
    WAIT(has_message(fd, &in));
    WAIT(is_hung_up(fd));
    WAIT(dns_server_tcp(server).connections == 0);
    (void)close(fd);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    close_server();
}
END_TEST

START_TEST(a_connection_outlives_silence_and_thousands_of_queries)
{
    enum { QUERIES = 3000 };
    struct cu_buf out = {0}, in = {0};
    unsigned got = 0;
    open_server();
    int fd = dial(SOCK_STREAM);
    cu_buf_append(&out, "\0\1x", 3); /* no header: nothing is said to it */
    say_all(fd, &out);
    cu_buf_clear(&out);
    for (int i = 0; i < QUERIES; i++)
        put_framed(&out, "big.service.consul SRV");
    size_t done = 0;
    struct cu_mono end = cu_mono_add_ms(cu_mono_now(), WAIT_MS);
    while (got < QUERIES && cu_mono_before(cu_mono_now(), end)) {
        ssize_t sent = send(fd, out.data + done, out.len - done, MSG_NOSIGNAL);
        done += sent > 0 ? (size_t)sent : 0;
        while (has_message(fd, &in))
            got++;
        cu_loop_turn(loop, false);
    }
    ck_assert_uint_eq(got, QUERIES);
    ck_assert_uint_eq(s->message.counts[DNS_ANSWER], 60);
    (void)close(fd);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    close_server();
}
END_TEST

START_TEST(a_query_over_4096_bytes_ends_its_connection)
{
    open_server();
    for (size_t len = DNS_QUERY_MAX_BYTES; len <= DNS_QUERY_MAX_BYTES + 1; len++) {
        struct cu_buf out = {0}, in = {0};
        int fd = dial(SOCK_STREAM);
        cu_buf_u8(&out, (uint8_t)(len >> 8));
        cu_buf_u8(&out, (uint8_t)len);
        memset(cu_buf_extend(&out, len), 0, len);
        say_all(fd, &out);
        if (len == DNS_QUERY_MAX_BYTES) {
            WAIT(has_message(fd, &in)); /* FORMERR */
            ck_assert_uint_eq(s->message.rcode, DNS_FORMERR);
        } else {
            WAIT(is_hung_up(fd));
        }
        (void)close(fd);
        cu_buf_deinit(&out);
        cu_buf_deinit(&in);
    }
    ck_assert_uint_eq(dns_server_tcp(server).too_long, 1);
    close_server();
}
END_TEST

START_TEST(one_connection_too_many_ends_the_one_that_is_idle_longest)
{
    static int fds[DNS_TCP_CONNECTIONS + 1];
    open_server();
    for (size_t i = 0; i < DNS_TCP_CONNECTIONS; i++) {
        fds[i] = dial(SOCK_STREAM);
        WAIT(dns_server_tcp(server).connections == i + 1);
    }
    fds[DNS_TCP_CONNECTIONS] = dial(SOCK_STREAM);
    WAIT(dns_server_tcp(server).evicted == 1);
    ck_assert_uint_eq(dns_server_tcp(server).connections, DNS_TCP_CONNECTIONS);
    WAIT(is_hung_up(fds[0]));
    for (size_t i = 0; i <= DNS_TCP_CONNECTIONS; i++)
        (void)close(fds[i]);
    close_server();
}
END_TEST

START_TEST(half_a_query_is_waited_for_two_seconds)
{
    open_server();
    int fd = dial(SOCK_STREAM);
    ck_assert_int_eq(send(fd, "\0", 1, 0), 1);
    struct cu_mono since = cu_mono_now();
    WAIT(is_hung_up(fd));
    uint64_t took_ms = cu_mono_ms_between(since, cu_mono_now());
    ck_assert_uint_ge(took_ms, DNS_TCP_READ_MS - 100);
    ck_assert_uint_lt(took_ms, DNS_TCP_IDLE_MS);
    (void)close(fd);
    close_server();
}
END_TEST

START_TEST(names_outside_are_relayed_with_the_clients_id) /* dns 47 */
{
    open_server();
    open_recursors(ANSWERS, ANSWERS);
    ask_udp("www.example.test A", "");
    ck_assert_uint_eq(s->message.id, MESSAGE_ID);
    ck_assert_uint_eq(s->message.counts[DNS_ANSWER], 2);
    ck_assert_str_eq(s->message.flags, "qr rd ra");
    ask_udp("9.9.9.9.in-addr.arpa PTR", ""); /* dns 51 */
    ck_assert_uint_eq(recursors[0].asked, 2);
    ck_assert_uint_eq(recursors[1].asked, 0);
    ask_udp("web.service.consul A", ""); /* dns 49 */
    ck_assert_str_eq(s->message.flags, "qr aa rd ra");
    close_recursors();
    close_server();
}
END_TEST

START_TEST(the_next_recursor_is_asked_after_a_failure_or_silence)
{
    open_server();
    open_recursors(FAILS, ANSWERS);
    ask_udp("www.example.test A", "");
    ck_assert_uint_eq(s->message.rcode, DNS_NOERROR);
    recursors[0].manner = IS_SILENT;
    ask_udp("www.example.test A", "");
    ck_assert_uint_eq(s->message.rcode, DNS_NOERROR);
    ck_assert_uint_eq(recursors[1].asked, 2);
    close_recursors();
    ask_udp("www.example.test A", "+bufsize=1232"); /* nobody listens */
    ck_assert_uint_eq(s->message.rcode, DNS_SERVFAIL);
    ck_assert_str_eq(s->message.flags, "qr rd ra");
    ck_assert(s->message.has_opt);
    close_server();
}
END_TEST

START_TEST(silence_of_all_is_a_failure_in_time) /* dns 48 */
{
    open_server();
    open_recursors(IS_SILENT, IS_SILENT);
    struct cu_mono since = cu_mono_now();
    ask_udp("www.example.test A", "");
    ck_assert_uint_eq(s->message.rcode, DNS_SERVFAIL);
    uint64_t took_ms = cu_mono_ms_between(since, cu_mono_now());
    ck_assert_uint_ge(took_ms, 2 * live.recursor_timeout_ms);
    ck_assert_uint_lt(took_ms, 3 * live.recursor_timeout_ms);
    close_recursors();
    close_server();
}
END_TEST

START_TEST(an_answer_to_another_question_is_not_taken)
{
    open_server();
    open_recursors(LIES_FIRST, IS_SILENT);
    ask_udp("www.example.test A", "");
    ck_assert_uint_eq(s->message.counts[DNS_ANSWER], 2);
    ck_assert_uint_eq(dns_server_upstream(server).foreign, 1);
    close_recursors();
    close_server();
}
END_TEST

START_TEST(a_client_gets_no_more_than_it_takes) /* dns 72 */
{
    open_server();
    open_recursors(IS_LARGE, IS_SILENT);
    ask_udp("www.example.test A", "");
    ck_assert_uint_le(reply_len, DNS_UDP_BYTES);
    ck_assert_ptr_nonnull(strstr(s->message.flags, "tc"));
    ask_udp("www.example.test A", "+bufsize=4096");
    ck_assert_uint_eq(s->message.counts[DNS_ANSWER], 200);
    close_recursors();
    close_server();
}
END_TEST

START_TEST(hosts_elsewhere_are_asked_for) /* dns 52, 53 */
{
    open_server();
    open_recursors(ANSWERS, IS_SILENT);
    ask_udp("extsvc.service.consul SRV", "");
    ck_assert_str_eq(s->message.sections[DNS_ADDITIONAL], "www.example.test. 0 IN A 192.0.2.1\n"
                                                          "www.example.test. 0 IN A 192.0.2.2\n");
    recursors[0].manner = FAILS; /* the first reply counts, whatever it says */
    ask_udp("named.node.consul A", "");
    ck_assert_uint_eq(s->message.counts[DNS_ANSWER], 1);
    ck_assert_uint_eq(recursors[1].asked, 0);
    ck_assert_uint_eq(counted("dns.chased"), 2);
    close_recursors();
    close_server();
}
END_TEST

START_TEST(over_tcp_recursors_are_asked_over_tcp)
{
    struct cu_buf out = {0}, in = {0};
    struct sockaddr_in at = address(10, RECURSOR_PORT);
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), peer = -1;
    open_server();
    ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(listen(listener, 4), 0);
    open_recursors(IS_SILENT, IS_SILENT);
    int fd = dial(SOCK_STREAM);
    put_framed(&out, "www.example.test A");
    say_all(fd, &out);
    WAIT((peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    ssize_t got = 0;
    WAIT((got = recv(peer, reply, sizeof reply, 0)) > 2);
    struct cu_buf framed = {0}, answer = {0};
    sample_reply(&answer, (struct cu_bytes){reply + 2, (size_t)got - 2}, DNS_NXDOMAIN, NULL, 0);
    cu_buf_u8(&framed, (uint8_t)(answer.len >> 8));
    cu_buf_u8(&framed, (uint8_t)answer.len);
    cu_buf_append(&framed, answer.data, answer.len);
    for (size_t i = 0; i < framed.len; i++) { /* in pieces */
        ck_assert_int_eq(send(peer, framed.data + i, 1, 0), 1);
        turn();
    }
    WAIT(has_message(fd, &in));
    ck_assert_uint_eq(s->message.rcode, DNS_NXDOMAIN);
    ck_assert_uint_eq(s->message.id, MESSAGE_ID);
    ck_assert_uint_eq(recursors[0].asked, 0);
    (void)close(fd);
    (void)close(peer);
    (void)close(listener);
    cu_buf_deinit(&framed);
    cu_buf_deinit(&answer);
    cu_buf_deinit(&out);
    cu_buf_deinit(&in);
    close_recursors();
    close_server();
}
END_TEST

START_TEST(a_client_that_leaves_is_not_waited_for)
{
    struct cu_buf out = {0};
    struct linger at_once = {.l_onoff = 1};
    open_server();
    trusted = DNS_UNCONFIRMED;
    int fd = dial(SOCK_STREAM);
    put_framed(&out, "web.service.consul A");
    say_all(fd, &out);
    WAIT(dns_server_parked(server) == 1);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once), 0);
    (void)close(fd);
    WAIT(dns_server_tcp(server).connections == 0);
    dns_server_confirmed(server, true); /* the answer has nowhere to go */
    ck_assert_uint_eq(dns_server_parked(server), 0);
    cu_buf_deinit(&out);
    close_server();
}
END_TEST

START_TEST(one_query_more_than_may_wait_fails_at_once)
{
    open_server();
    open_recursors(IS_SILENT, IS_SILENT);
    live.recursor_timeout_ms = WAIT_MS;
    int fd = dial(SOCK_DGRAM);
    for (unsigned i = 0; i < DNS_PARKED_MAX; i++) {
        say(fd, "www.example.test A", "");
        if (i % 32 == 31)
            WAIT(dns_server_parked(server) == i + 1);
    }
    ck_assert(!has_datagram(fd));
    say(fd, "www.example.test A", "");
    WAIT(has_datagram(fd));
    ck_assert_uint_eq(reply[3] & 0xf, DNS_SERVFAIL);
    ck_assert_uint_eq(counted("dns.refused"), 1);
    ck_assert_uint_eq(dns_server_parked(server), DNS_PARKED_MAX);
    (void)close(fd);
    close_recursors();
    close_server();
}
END_TEST

START_TEST(a_view_that_is_not_trusted_fails_and_an_old_one_is_counted)
{
    open_server();
    trusted = DNS_UNTRUSTED;
    ask_udp("web.service.consul A", "");
    ck_assert_uint_eq(s->message.rcode, DNS_SERVFAIL);
    trusted = DNS_TRUSTED_STALE;
    ask_udp("web.service.consul A", "");
    ck_assert_uint_eq(s->message.rcode, DNS_NOERROR);
    ck_assert_uint_eq(counted("dns.stale_queries"), 1);
    close_server();
}
END_TEST

START_TEST(queries_wait_until_the_view_is_confirmed_a_round_at_a_time) /* dns 68 */
{
    unsigned got = 0;
    open_server();
    confirms = 0;
    trusted = DNS_UNCONFIRMED;
    int fd = dial(SOCK_DGRAM);
    say(fd, "web.service.consul A", "");
    WAIT(confirms == 1);
    say(fd, "many.service.consul A", "");
    WAIT(dns_server_parked(server) == 2);
    ck_assert_uint_eq(confirms, 1); /* the second one came later than what is being confirmed */
    dns_server_confirmed(server, true);
    WAIT((got += has_datagram(fd)) == 1);
    ck_assert_uint_eq(reply[3] & 0xf, DNS_NOERROR);
    ck_assert_uint_eq(confirms, 2);
    dns_server_confirmed(server, false);
    WAIT((got += has_datagram(fd)) == 2);
    ck_assert_uint_eq(reply[3] & 0xf, DNS_SERVFAIL);
    ck_assert_uint_eq(dns_server_parked(server), 0);
    ask_udp("google.com A", ""); /* does not depend on the view */
    ck_assert_uint_eq(confirms, 2);
    (void)close(fd);
    close_server();
}
END_TEST

SUITE_MAIN("services/dnsd/io/serve", answers_over_udp, a_burst_of_datagrams_is_answered_whole,
           rubbish_gets_silence_or_a_header, a_wildcard_answers_from_the_address_that_was_asked,
           two_queries_in_one_segment_are_both_answered,
           a_query_may_come_byte_by_byte_and_its_sender_end,
           a_connection_outlives_silence_and_thousands_of_queries,
           a_query_over_4096_bytes_ends_its_connection,
           one_connection_too_many_ends_the_one_that_is_idle_longest,
           half_a_query_is_waited_for_two_seconds, names_outside_are_relayed_with_the_clients_id,
           the_next_recursor_is_asked_after_a_failure_or_silence,
           silence_of_all_is_a_failure_in_time, an_answer_to_another_question_is_not_taken,
           a_client_gets_no_more_than_it_takes, hosts_elsewhere_are_asked_for,
           over_tcp_recursors_are_asked_over_tcp, a_client_that_leaves_is_not_waited_for,
           one_query_more_than_may_wait_fails_at_once,
           a_view_that_is_not_trusted_fails_and_an_old_one_is_counted,
           queries_wait_until_the_view_is_confirmed_a_round_at_a_time)
