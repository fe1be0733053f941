#include "tests/unit/services/dnsd/io/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct serve_rig rig;

const char *rig_ip(unsigned last)
{
    static char texts[4][32];
    static unsigned next;
    char *text = texts[next++ % 4];
    unsigned number = (unsigned)getpid();
    (void)snprintf(text, sizeof texts[0], "127.%u.%u.%u", 100 + number % 100, number / 100 % 250,
                   last);
    return text;
}

struct sockaddr_in rig_address(unsigned last, uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    ck_assert_int_eq(inet_pton(AF_INET, rig_ip(last), &to.sin_addr), 1);
    return to;
}

static enum dns_trust trust(void *arg)
{
    (void)arg;
    return rig.trusted;
}

static void confirm(void *arg)
{
    (void)arg;
    rig.confirms++;
}

void rig_open(void)
{
    struct cu_diag diag = {0};
    rig.loop = cu_loop_new();
    rig.metrics = cu_metrics_new();
    rig.sample = sample_new();
    rig.live.settings = rig.sample->settings;
    rig.live.recursor_timeout_ms = 300;
    rig.trusted = DNS_TRUSTED;
    rig.server = dns_server_new(&(struct dns_server_options){.loop = rig.loop,
                                                             .metrics = rig.metrics,
                                                             .node_name = "n1",
                                                             .zone = &rig.sample->zone,
                                                             .view = rig.sample->view,
                                                             .live = &rig.live,
                                                             .trust = trust,
                                                             .confirm = confirm});
    ck_assert_msg(!dns_server_listen(rig.server, rig_ip(1), RIG_PORT, &diag), "%s", diag.text);
}

void rig_close(void)
{
    dns_server_free(rig.server);
    sample_free(rig.sample);
    cu_metrics_free(rig.metrics);
    cu_loop_free(rig.loop);
}

void rig_turn(void)
{
    cu_loop_turn(rig.loop, false);
    (void)usleep(200);
}

uint64_t rig_counted(const char *name)
{
    return cu_metrics_counter(rig.metrics, name)->value;
}

/* ---- clients ---- */

int rig_dial(int type)
{
    struct sockaddr_in to = rig_address(1, RIG_PORT);
    int fd = socket(AF_INET, type, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

void rig_say(int fd, const char *question, const char *options)
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, question, options);
    ck_assert_int_eq(send(fd, bytes.data, bytes.len, 0), (ssize_t)bytes.len);
    cu_buf_deinit(&bytes);
}

bool rig_has_datagram(int fd)
{
    ssize_t got = recv(fd, rig.reply, sizeof rig.reply, 0);
    rig.reply_len = got > 0 ? (size_t)got : 0;
    return got > 0;
}

void rig_ask_udp(const char *question, const char *options)
{
    int fd = rig_dial(SOCK_DGRAM);
    rig_say(fd, question, options);
    WAIT(rig_has_datagram(fd));
    ck_assert(message_read((struct cu_bytes){rig.reply, rig.reply_len}, &rig.sample->message));
    (void)close(fd);
}

void rig_put_framed(struct cu_buf *out, const char *question)
{
    struct cu_buf bytes = {0};
    message_ask(&bytes, question, "");
    cu_buf_u8(out, (uint8_t)(bytes.len >> 8));
    cu_buf_u8(out, (uint8_t)bytes.len);
    cu_buf_append(out, bytes.data, bytes.len);
    cu_buf_deinit(&bytes);
}

/* One message off a stream, read so far into `in`. */
bool rig_has_message(int fd, struct cu_buf *in)
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
    ck_assert(message_read((struct cu_bytes){in->data + 2, len}, &rig.sample->message));
    cu_buf_drop_front(in, 2 + len);
    return true;
}

bool rig_is_hung_up(int fd)
{
    uint8_t some[4096];
    ssize_t got = recv(fd, some, sizeof some, 0);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

void rig_say_all(int fd, const struct cu_buf *bytes)
{
    for (size_t done = 0; done < bytes->len; rig_turn()) {
        ssize_t sent = send(fd, bytes->data + done, bytes->len - done, MSG_NOSIGNAL);
        done += sent > 0 ? (size_t)sent : 0;
    }
}

/* ---- a recursor ---- */

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

void rig_open_recursors(enum manner first, enum manner second)
{
    rig.live.settings.has_recursors = true;
    rig.live.recursor_count = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct sockaddr_in at = rig_address(10 + i, RIG_RECURSOR_PORT);
        struct recursor *r = &rig.recursors[i];
        *r = (struct recursor){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0),
                               .manner = i ? second : first};
        ck_assert_int_eq(bind(r->fd, (struct sockaddr *)&at, sizeof at), 0);
        cu_fd_watch_init(&r->watch, rig.loop, r->fd, recursor_ready, r);
        cu_fd_watch_set(&r->watch, CU_FD_READ);
        rig.live.recursors[i].len = sizeof at;
        memcpy(&rig.live.recursors[i].address, &at, sizeof at);
    }
}

void rig_close_recursors(void)
{
    for (unsigned i = 0; i < 2; i++) {
        cu_fd_watch_close(&rig.recursors[i].watch);
        (void)close(rig.recursors[i].fd);
    }
}
