/* catalog.h - the view kept up with the catalog: rows from the mirror into the core's index, and
 * how far it can be trusted (contracts 7.6, dns.md 12.3). */
#ifndef DNS_CATALOG_H
#define DNS_CATALOG_H

#include "common/daemon/daemon.h"
#include "common/view/mirror.h"
#include "services/dnsd/core/view.h"
#include "services/dnsd/io/serve.h"

enum {
    DNS_SAVE_MS = 5000,    /* the view is written at most that often */
    DNS_CONFIRM_MS = 5000, /* how long it may take to find out whether it is still so */
};

struct dns_catalog;

struct dns_catalog_options {
    struct cu_env *env;
    const struct dns_conf *conf; /* borrowed */
};

/* Reads DATA_DIR/dns/view and begins to ask. */
struct dns_catalog *dns_catalog_new(const struct dns_catalog_options *options);
void dns_catalog_free(struct dns_catalog *catalog); /* writes the view; takes NULL */

/* The daemon's own token, whose eyes the view is seen with, is another one (dns.md 1). */
void dns_catalog_set_token(struct dns_catalog *catalog, const char *token);

const struct dns_view *dns_catalog_view(const struct dns_catalog *catalog);
const struct cu_mirror *dns_catalog_mirror(const struct dns_catalog *catalog);

enum dns_trust dns_catalog_trust(struct dns_catalog *catalog,
                                 const struct dns_freshness *freshness);

/* Finds out whether the view has all that was committed before this call: a read in default mode
 * says where the log is, the feed whether something of ours has changed up to there. `done` is
 * called once, not from inside; one at a time. */
typedef void dns_confirmed(void *arg, bool is_good);
void dns_catalog_confirm(struct dns_catalog *catalog, dns_confirmed *done, void *arg);

uint64_t dns_catalog_bad_rows(const struct dns_catalog *catalog); /* that did not parse */

#endif
