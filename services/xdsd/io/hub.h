/* hub.h - the proxies that are served: one state and one newest snapshot each, however many streams
 * ask for it. Made again when something that it was made of has changed; what changes in a burst is
 * gathered.
 *
 * Where tokens count, a place at a proxy is no right to it: a key is made, signed and told only for
 * places that have been admitted, each with a token of its own (mesh.md 6.2). */
#ifndef XDS_HUB_H
#define XDS_HUB_H

#include "services/xdsd/io/catalog.h"
#include "services/xdsd/io/leaves.h"

enum {
    XDS_GATHER_MS = 10,        /* from the first change after a quiet time to the push */
    XDS_PUSH_GAP_MS = 200,     /* between two passes over the proxies (mesh.md 6.3) */
    XDS_PASS_PROXIES = 32,     /* made in one turn of the loop */
    XDS_LINGER_MS = 60 * 1000, /* a proxy is kept after its last stream: it comes back */
};

struct xds_hub;
struct xds_subject;

/* A stream's place at a proxy. Lives in its owner; zero-initialise, fill the first part. */
struct xds_seat {
    /* The newest snapshot; take a reference to keep it. */
    void (*news)(struct xds_seat *seat, struct xds_snapshot *snapshot);
    /* What is registered there has no resources: the stream is to be ended. */
    void (*no_proxy)(struct xds_seat *seat);
    /* The proxy stands for `service`: xds_hub_admit() when the stream may be told of it. Said again
     * until it is admitted, and when the proxy comes to stand for another one. Never where the hub
     * is not guarded. The seat may be parted in here. */
    void (*named)(struct xds_seat *seat, const char *service);

    struct xds_subject *subject; /* all of this is the hub's */
    struct xds_seat *next, **at;
    bool is_admitted;
};

struct xds_hub_options {
    struct cu_env *env;
    struct xds_catalog *catalog;
    struct xds_leaves *leaves;
    bool is_guarded; /* false: whoever has a place is told */
};

struct xds_hub *xds_hub_new(const struct xds_hub_options *options);
/* No seat may be taken any more. Takes NULL. */
void xds_hub_free(struct xds_hub *hub);

/* What is known already is told soon, not from inside this function. */
void xds_hub_join(struct xds_hub *hub, const char *node, const char *id, struct xds_seat *seat);
void xds_hub_part(struct xds_seat *seat); /* does nothing when it has no place */

/* The stream may be told of its proxy as long as that stands for `service`. Its token, which has
 * the right, signs for the service from here on. Not from inside xds_hub_join(); may be repeated.
 * False: the proxy stands for another service by now; named() comes. */
bool xds_hub_admit(struct xds_seat *seat, const char *service, const char *token);

/* The view or a leaf has moved. */
void xds_hub_moved(struct xds_hub *hub);

struct xds_hub_counts {
    size_t proxies, complete; /* kept; with a snapshot */
    size_t bytes;             /* of all snapshots */
};
struct xds_hub_counts xds_hub_counts(const struct xds_hub *hub);

#endif
