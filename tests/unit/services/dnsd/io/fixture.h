/* fixture.h - a server on sockets of its own, its clients, and recursors that behave or do not. */
#ifndef TESTS_DNSD_IO_FIXTURE_H
#define TESTS_DNSD_IO_FIXTURE_H

#include <netinet/in.h>

#include "services/dnsd/io/serve.h"
#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/sample.h"

enum { RIG_PORT = 5300, RIG_RECURSOR_PORT = 5301, RIG_WAIT_MS = 40000 };

enum manner { ANSWERS, FAILS, IS_SILENT, LIES_FIRST, IS_LARGE };

struct recursor {
    int fd;
    struct cu_fd_watch watch;
    enum manner manner;
    unsigned asked;
};

/* What the running test works with. */
extern struct serve_rig {
    struct cu_loop *loop;
    struct cu_metrics *metrics;
    struct sample *sample; /* its view; in `message` what was read last */
    struct dns_server *server;
    struct dns_live_conf live;
    enum dns_trust trusted;
    unsigned confirms;
    uint8_t reply[DNS_MESSAGE_BYTES]; /* the last datagram */
    size_t reply_len;
    struct recursor recursors[2];
} rig;

void rig_open(void); /* listens at rig_ip(1) and RIG_PORT */
void rig_close(void);
void rig_turn(void);
uint64_t rig_counted(const char *name);

const char *rig_ip(unsigned last); /* a loopback address of this process's own */
struct sockaddr_in rig_address(unsigned last, uint16_t port);

/* ---- clients ---- */

int rig_dial(int type);
void rig_say(int fd, const char *question, const char *options); /* as dig would ask */
bool rig_has_datagram(int fd);
void rig_ask_udp(const char *question, const char *options); /* and waits for the answer */
void rig_put_framed(struct cu_buf *out, const char *question);
/* One message off a stream, read so far into `in`. */
bool rig_has_message(int fd, struct cu_buf *in);
bool rig_is_hung_up(int fd);
void rig_say_all(int fd, const struct cu_buf *bytes);

/* ---- recursors ---- */

void rig_open_recursors(enum manner first, enum manner second);
void rig_close_recursors(void);

/* Turns the loop until the claim, looked at once a turn, holds. */
#define WAIT(claim)                                                                                \
    do {                                                                                           \
        struct cu_mono end_ = cu_mono_add_ms(cu_mono_now(), RIG_WAIT_MS);                          \
        bool holds_ = false;                                                                       \
        while (!(holds_ = (claim)) && cu_mono_before(cu_mono_now(), end_))                         \
            rig_turn();                                                                            \
        ck_assert_msg(holds_, "%s", #claim);                                                       \
    } while (0)

#endif
