/* serve.h - queries in, answers out: at once from the view, or later where somebody else has to be
 * asked first. */
#ifndef DNS_SERVE_H
#define DNS_SERVE_H

#include "common/log/log.h"
#include "common/metric/metric.h"
#include "services/dnsd/conf.h"
#include "services/dnsd/core/answer.h"
#include "services/dnsd/io/tcp.h"
#include "services/dnsd/io/udp.h"
#include "services/dnsd/io/upstream.h"

enum {
    DNS_PARKED_MAX = 1024, /* queries that wait for somebody; further ones fail at once */
    DNS_STALE_MS = 5000,   /* an older view counts as stale (dns.md 12.3) */
};

struct dns_server;

/* How good the view is now. */
enum dns_trust {
    DNS_TRUSTED,
    DNS_TRUSTED_STALE, /* answers, and is counted */
    DNS_UNTRUSTED,     /* SERVFAIL: nothing is known, or it is too old */
    DNS_UNCONFIRMED    /* somebody has to be asked whether it is still so */
};

struct dns_server_options {
    struct cu_loop *loop;
    struct cu_metrics *metrics;
    const char *node_name; /* in the names of metrics */
    const struct dns_zone *zone;
    const struct dns_view *view;
    const struct dns_live_conf *live; /* may change between two turns; what is asked upstream
                                       * already goes on with what it was */
    enum dns_trust (*trust)(void *arg);
    /* Asks whether the view is still good. dns_server_confirmed() will be called, not from inside.
     */
    void (*confirm)(void *arg);
    void *arg;
};

/* All borrowed. */
struct dns_server *dns_server_new(const struct dns_server_options *options);
void dns_server_free(struct dns_server *server); /* takes NULL */

/* Listens on the address over UDP and TCP. Errors: those of dns_bind(). */
CU_MUST_USE enum cu_err dns_server_listen(struct dns_server *server, const char *ip, unsigned port,
                                          struct cu_diag *diag);
/* Takes no new queries. */
void dns_server_drain(struct dns_server *server);

/* What was asked by confirm(): the view has all that was so then, or that could not be found out.
 * Queries that came before it are answered from the view, or fail. */
void dns_server_confirmed(struct dns_server *server, bool is_good);

size_t dns_server_parked(const struct dns_server *server);
size_t dns_server_connections(const struct dns_server *server);
size_t dns_server_asking(const struct dns_server *server); /* recursors */

#endif
