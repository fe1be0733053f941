/* rig.h - a proxy at the other end of a stream: asks, reads responses, acknowledges. */
#ifndef TESTS_XDS_RIG_H
#define TESTS_XDS_RIG_H

#include "services/xdsd/core/stream.h"

struct rig {
    struct xds_stream *stream;
    enum xds_variant variant;
    uint64_t snapshots;
    /* The response read last. */
    bool has_response;
    enum xds_type type;
    char said[512]; /* "a=1 b=2 -c": names with contents, removed ones */
    char nonce[16];
    /* Of the request told last. */
    enum xds_heard heard;
    struct xds_nack nack;
    struct cu_diag diag;
};

struct rig *rig_new(enum xds_variant variant);
void rig_free(struct rig *rig);

/* "cluster a=1, cluster b=1, endpoint a=1, listener l=1>r, route r=1": TYPE NAME=CONTENT, a
 * listener with the routes it names. */
void rig_set(struct rig *rig, const char *resources);

/* Asks for a type: names apart by blanks, "" none (a wildcard of clusters and listeners). Delta:
 * "-x" unsubscribes, "x=1" has it in that content already. */
enum cu_err rig_ask(struct rig *rig, enum xds_type type, const char *names);
void rig_ack(struct rig *rig); /* the response read last */
void rig_nack(struct rig *rig, const char *reason);
/* Sotw: acknowledges with these names. */
void rig_ack_with(struct rig *rig, const char *names);

/* Reads the next response: "TYPE: said", or "" when there is none. */
const char *rig_read(struct rig *rig);

#endif
