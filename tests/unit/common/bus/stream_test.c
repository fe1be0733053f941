/* What both drivers promise, in all four pairings on ipc:// and on tcp:// (contracts 1). */
#include "common/bus/stream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "tests/lib/suite.h"

#ifdef __SANITIZE_THREAD__
/* The reference counts of nng are not instrumented: its reaper seems to race with a free. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libnng.so";
}
#endif

struct pairing {
    const char *name;
    const struct cu_driver *listens, *dials;
    bool is_tcp;
};

/* clang-format off */
static const struct pairing pairings[] = {
    {"loop to loop", &cu_driver_loop, &cu_driver_loop, false},
    {"nng to loop",  &cu_driver_loop, &cu_driver_nng,  false},
    {"loop to nng",  &cu_driver_nng,  &cu_driver_loop, false},
    {"nng to nng",   &cu_driver_nng,  &cu_driver_nng,  false},
    {"tcp",          &cu_driver_nng,  &cu_driver_nng,  true},
};
/* clang-format on */

struct end {
    struct cu_stream *stream;
    struct cu_buf in;
    struct cu_out out;
    size_t writables;
    bool is_lost;
};

struct rig {
    struct cu_loop *loop;
    struct cu_url url;
    const struct pairing *pairing;
    struct cu_listener *listener;
    struct end server, client;
    unsigned accepted, dialled;
    char why[200];
};

static void received(void *arg, struct cu_bytes bytes)
{
    cu_buf_append(&((struct end *)arg)->in, bytes.data, bytes.len);
}

static void flush(struct end *end)
{
    while (cu_out_waiting(&end->out)) {
        size_t before = cu_out_waiting(&end->out);
        end->stream->ops->send(end->stream, &end->out);
        if (cu_out_waiting(&end->out) == before || cu_out_waiting(&end->out))
            return;
    }
}

static void writable(void *arg)
{
    ((struct end *)arg)->writables++;
    flush(arg);
}

static void lost(void *arg, const char *why)
{
    struct end *end = arg;
    (void)why;
    end->is_lost = true;
    end->stream->ops->close(end->stream);
    end->stream = NULL;
}

static void take(struct end *end, struct cu_stream *stream)
{
    end->stream = stream;
    stream->events = (struct cu_stream_events){end, received, writable, lost};
    stream->ops->start(stream);
}

static void accepted(void *arg, struct cu_stream *stream)
{
    struct rig *rig = arg;
    rig->accepted++;
    if (rig->server.stream)
        stream->ops->close(stream);
    else
        take(&rig->server, stream);
}

static void dialled(void *arg, struct cu_stream *stream, const char *why)
{
    struct rig *rig = arg;
    rig->dialled++;
    snprintf(rig->why, sizeof rig->why, "%s", why);
    if (stream)
        take(&rig->client, stream);
}

static void tick(void *arg)
{
    (void)arg;
}

static void turn(struct rig *rig)
{
    struct cu_timer timer;
    cu_timer_init(&timer, rig->loop, tick, NULL);
    cu_timer_set_ms(&timer, 2);
    cu_loop_turn(rig->loop, true);
    cu_timer_close(&timer);
}

#define WAIT(rig, condition)                                                                       \
    do {                                                                                           \
        struct cu_mono wait_until = cu_mono_add_ms(cu_mono_now(), 40000);                          \
        while (!(condition)) {                                                                     \
            if (cu_mono_before(wait_until, cu_mono_now()))                                         \
                ck_abort_msg("%s: in vain for: %s", (rig)->pairing->name, #condition);             \
            turn(rig);                                                                             \
        }                                                                                          \
    } while (0)

static struct rig *rig_new(const struct pairing *pairing)
{
    static unsigned serial;
    unsigned pid = (unsigned)getpid();
    char url[CU_URL_MAX_BYTES];
    struct rig *rig = cu_alloc(sizeof *rig);
    rig->loop = cu_loop_new();
    rig->pairing = pairing;
    if (pairing->is_tcp)
        snprintf(url, sizeof url, "tcp://127.%u.%u.2:%u", 64 + (pid >> 8) % 128, pid % 256,
                 22000 + ++serial);
    else
        snprintf(url, sizeof url, "ipc://%s/%u-%u", suite_tmpdir(), pid, ++serial);
    ck_assert_int_eq(cu_url_parse(url, &rig->url, NULL), CU_OK);
    return rig;
}

static enum cu_err open_listener(struct rig *rig, struct cu_diag *diag)
{
    return rig->pairing->listens->listen(rig->loop, &rig->url, accepted, rig, &rig->listener, diag);
}

static void listen_now(struct rig *rig)
{
    struct cu_diag diag = {0};
    enum cu_err err = open_listener(rig, &diag);
    ck_assert_msg(!err, "%s: %s", rig->pairing->name, diag.text);
}

static void dial_now(struct rig *rig)
{
    rig->pairing->dials->dial(rig->loop, &rig->url, 1000, dialled, rig);
    ck_assert_uint_eq(rig->dialled, 0); /* never from within */
}

static void end_free(struct end *end)
{
    if (end->stream)
        end->stream->ops->close(end->stream);
    cu_buf_deinit(&end->in);
    cu_buf_deinit(&end->out.buf);
}

static void rig_free(struct rig *rig)
{
    end_free(&rig->server);
    end_free(&rig->client);
    if (rig->listener)
        rig->pairing->listens->unlisten(rig->listener);
    cu_loop_free(rig->loop);
    free(rig);
}

static struct rig *rig_connected(const struct pairing *pairing)
{
    struct rig *rig = rig_new(pairing);
    listen_now(rig);
    dial_now(rig);
    WAIT(rig, rig->client.stream && rig->server.stream);
    return rig;
}

#define FOR_PAIRINGS(p)                                                                            \
    for (const struct pairing *p = pairings; p < pairings + CU_COUNT(pairings); p++)

START_TEST(bytes_arrive_whole_and_in_order_both_ways_also_far_over_a_socket_buffer)
{
    FOR_PAIRINGS(p)
    {
        enum { LEN = 5 * 1000 * 1000 };
        struct rig *rig = rig_connected(p);
        struct end *ends[] = {&rig->client, &rig->server};
        for (size_t e = 0; e < 2; e++) {
            uint8_t *at = cu_buf_extend(&ends[e]->out.buf, LEN);
            for (size_t i = 0; i < LEN; i++)
                at[i] = (uint8_t)(i * 7 + i / 251 + e);
            flush(ends[e]);
        }
        WAIT(rig, rig->client.in.len == LEN && rig->server.in.len == LEN);
        for (size_t e = 0; e < 2; e++)
            for (size_t i = 0; i < LEN; i++)
                if (ends[1 - e]->in.data[i] != (uint8_t)(i * 7 + i / 251 + e))
                    ck_abort_msg("%s: byte %zu", p->name, i);
        ck_assert_uint_eq(rig->client.out.handed, LEN);
        rig_free(rig);
    }
}
END_TEST

START_TEST(tells_who_the_peer_is)
{
    FOR_PAIRINGS(p)
    {
        struct rig *rig = rig_connected(p);
        ck_assert_int_eq(rig->server.stream->is_local, !p->is_tcp);
        if (p->is_tcp)
            ck_assert_int_eq(strncmp(rig->server.stream->address, "127.0.0.1:", 10), 0);
        else
            ck_assert_uint_eq(rig->server.stream->uid, getuid());
        rig_free(rig);
    }
}
END_TEST

START_TEST(the_other_end_hears_of_a_close)
{
    FOR_PAIRINGS(p)
    {
        struct rig *rig = rig_connected(p);
        rig->client.stream->ops->close(rig->client.stream);
        rig->client.stream = NULL;
        WAIT(rig, rig->server.is_lost);
        rig_free(rig);
    }
}
END_TEST

START_TEST(a_close_with_bytes_under_way_is_clean)
{
    FOR_PAIRINGS(p)
    {
        struct rig *rig = rig_connected(p);
        memset(cu_buf_extend(&rig->client.out.buf, 3000000), 1, 3000000);
        flush(&rig->client);
        rig_free(rig);
    }
}
END_TEST

START_TEST(a_dial_to_nobody_says_so_and_one_may_be_cancelled)
{
    FOR_PAIRINGS(p)
    {
        struct rig *rig = rig_new(p);
        dial_now(rig);
        WAIT(rig, rig->dialled == 1);
        ck_assert_ptr_null(rig->client.stream);
        ck_assert_uint_gt(strlen(rig->why), 0);
        listen_now(rig);
        p->dials->cancel(p->dials->dial(rig->loop, &rig->url, 1000, dialled, rig));
        for (int i = 0; i < 10; i++)
            turn(rig);
        ck_assert_uint_eq(rig->dialled, 1);
        rig_free(rig);
    }
}
END_TEST

START_TEST(a_second_listener_is_refused_without_harm_to_the_first)
{
    FOR_PAIRINGS(p)
    {
        struct rig *rig = rig_new(p);
        struct cu_listener *second = NULL;
        struct cu_diag diag = {0};
        listen_now(rig);
        enum cu_err err = p->listens->listen(rig->loop, &rig->url, accepted, rig, &second, &diag);
        ck_assert_msg(err == CU_E_CONFLICT, "%s: %s", p->name, diag.text);
        ck_assert_ptr_nonnull(strstr(diag.text, "listens on it"));
        for (int i = 0; i < 5; i++)
            turn(rig); /* the second one's look is a connection that closes at once */
        dial_now(rig);
        WAIT(rig, rig->client.stream != NULL);
        rig_free(rig);
    }
}
END_TEST

static struct sockaddr_un unix_address(const struct rig *rig)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", cu_url_path(&rig->url));
    return address;
}

START_TEST(a_socket_file_left_by_a_killed_process_is_replaced)
{
    FOR_PAIRINGS(p)
    {
        if (p->is_tcp)
            continue;
        struct rig *rig = rig_new(p);
        struct sockaddr_un address = unix_address(rig);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
        ck_assert_int_eq(listen(fd, 1), 0);
        close(fd); /* the file stays, as after kill -9 */
        listen_now(rig);
        dial_now(rig);
        WAIT(rig, rig->client.stream != NULL);
        rig_free(rig);
    }
}
END_TEST

START_TEST(a_socket_has_mode_0660_and_goes_with_its_listener)
{
    FOR_PAIRINGS(p)
    {
        if (p->is_tcp)
            continue;
        struct rig *rig = rig_new(p);
        struct stat st;
        umask(077);
        listen_now(rig);
        ck_assert_int_eq(stat(cu_url_path(&rig->url), &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0660);
        p->listens->unlisten(rig->listener);
        rig->listener = NULL;
        for (int i = 0; i < 5; i++)
            turn(rig);
        ck_assert_int_ne(stat(cu_url_path(&rig->url), &st), 0);
        rig_free(rig);
    }
}
END_TEST

START_TEST(connects_that_close_at_once_do_not_deafen_the_listener)
{
    FOR_PAIRINGS(p)
    {
        if (p->is_tcp)
            continue;
        struct rig *rig = rig_new(p);
        struct sockaddr_un address = unix_address(rig);
        listen_now(rig);
        for (int i = 0; i < 20; i++) {
            int fd = socket(AF_UNIX, SOCK_STREAM, 0);
            ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
            close(fd);
        }
        WAIT(rig, rig->accepted == 20 || rig->server.is_lost);
        dial_now(rig);
        WAIT(rig, rig->client.stream != NULL);
        memcpy(cu_buf_extend(&rig->client.out.buf, 2), "hi", 2);
        flush(&rig->client);
        WAIT(rig, rig->accepted == 21);
        rig_free(rig);
    }
}
END_TEST

START_TEST(refuses_what_is_no_file_of_ours)
{
    struct rig *rig = rig_new(&pairings[0]);
    struct cu_diag diag = {0};
    FILE *file = fopen(cu_url_path(&rig->url), "w");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_assert_int_eq(open_listener(rig, &diag), CU_E_CONFLICT);
    ck_assert_ptr_nonnull(strstr(diag.text, "no socket"));
    rig_free(rig);
}
END_TEST

START_TEST(reads_the_kinds_of_url_and_refuses_the_rest)
{
    static const char *const good[] = {"ipc:///run/curia/raftd.sock",
                                       "tcp://127.0.0.1:8300",
                                       "tcp://[::1]:8300",
                                       "tcp://localhost:8300",
                                       "tcp://s1.node.dc1.consul:8300",
                                       "tcp://my_project-dnsd_1:1",
                                       "tcp://7e3:65535"};
    static const char *const bad[] = {
        "",
        "ipc://",
        "ipc://relative",
        "tcp://",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "tcp://localhost",
        "tcp://localhost:0",
        "tcp://:8300",
        "tcp://-a:8300",
        "tcp://a b:8300",
        "tcp://a/b:8300",
        "tcp://a@b:8300",
        "tcp://1.2.3:8300",
        "tcp://1.2.3.4.5:8300",
        "tcp://::1:8300",
        "http://127.0.0.1:80",
        "tls+tcp://127.0.0.1:80",
    };
    struct cu_url url;
    for (size_t i = 0; i < CU_COUNT(good); i++) {
        ck_assert_msg(cu_url_parse(good[i], &url, NULL) == CU_OK, "%s", good[i]);
        ck_assert_msg(url.is_named == (i > 2), "%s", good[i]);
    }
    for (size_t i = 0; i < CU_COUNT(bad); i++)
        ck_assert_msg(cu_url_parse(bad[i], &url, NULL) == CU_E_INVALID, "%s", bad[i]);
}
END_TEST

/* A name that every resolver knows without asking anybody: the address in hexadecimal. */
START_TEST(a_name_is_looked_up_and_dialled)
{
    FOR_PAIRINGS(p)
    {
        struct in_addr ip;
        char text[INET_ADDRSTRLEN] = "", url[CU_URL_MAX_BYTES];
        if (!p->is_tcp)
            continue;
        struct rig *rig = rig_new(p);
        listen_now(rig);
        ck_assert_int_eq(sscanf(rig->url.text, "tcp://%15[0-9.]", text), 1);
        ck_assert_int_eq(inet_pton(AF_INET, text, &ip), 1);
        snprintf(url, sizeof url, "tcp://0x%08x%s", ntohl(ip.s_addr), strrchr(rig->url.text, ':'));
        ck_assert_int_eq(cu_url_parse(url, &rig->url, NULL), CU_OK);
        ck_assert(rig->url.is_named);
        dial_now(rig);
        WAIT(rig, rig->client.stream && rig->server.stream);
        ck_assert_int_eq(strncmp(rig->client.stream->address, text, strlen(text)), 0);
        rig_free(rig);
    }
}
END_TEST

START_TEST(a_socket_path_has_at_most_107_bytes_contracts_9_5)
{
    char text[200] = "ipc:///";
    struct cu_url url;
    struct cu_diag diag = {0};
    memset(text + 7, 'x', 106);
    ck_assert_int_eq(cu_url_parse(text, &url, &diag), CU_OK);
    text[7 + 106] = 'x';
    ck_assert_int_eq(cu_url_parse(text, &url, &diag), CU_E_INVALID);
    ck_assert_ptr_nonnull(strstr(diag.text, "107 bytes"));
}
END_TEST

SUITE_MAIN("common/bus/stream",
           bytes_arrive_whole_and_in_order_both_ways_also_far_over_a_socket_buffer,
           tells_who_the_peer_is, the_other_end_hears_of_a_close,
           a_close_with_bytes_under_way_is_clean, a_dial_to_nobody_says_so_and_one_may_be_cancelled,
           a_second_listener_is_refused_without_harm_to_the_first,
           a_socket_file_left_by_a_killed_process_is_replaced,
           a_socket_has_mode_0660_and_goes_with_its_listener,
           connects_that_close_at_once_do_not_deafen_the_listener, refuses_what_is_no_file_of_ours,
           reads_the_kinds_of_url_and_refuses_the_rest, a_name_is_looked_up_and_dialled,
           a_socket_path_has_at_most_107_bytes_contracts_9_5)
