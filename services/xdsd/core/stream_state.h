/* stream_state.h - what stream.c, delta.c and sotw.c share; nobody else includes it. */
#ifndef XDS_STREAM_STATE_H
#define XDS_STREAM_STATE_H

#include "common/base/map.h"
#include "services/xdsd/core/stream.h"

enum { XDS_NONCE_BYTES = 9 }; /* 8 hex digits */

/* A name of a type on this stream: asked for, had by the proxy, or both. */
struct xds_name {
    bool is_subscribed;
    char version[XDS_VERSION_BYTES]; /* that the proxy has; "": none, or to be sent anew */
    bool is_had;                     /* it has it, in whatever version */
    bool is_named;                   /* sotw, while a request is read: it is among its names */
    bool is_stale; /* its parent was built anew: whatever it says it has, it comes again */
    /* In the response under way: what its acknowledgement makes true. */
    bool is_pending, is_removal;
    char pending[XDS_VERSION_BYTES];
    struct xds_snapshot *from; /* sotw: where its bytes lie; NULL: never sent by us */
};

void xds_name_keep(struct xds_name *name, struct xds_snapshot *from);
void xds_name_free(struct xds_name *name); /* takes NULL */
/* Nothing is known of it that would have to be kept. */
bool xds_name_is_idle(const struct xds_name *name);

struct xds_channel { /* of one type */
    bool is_registered, is_wildcard;
    bool has_sent;               /* once anything, even nothing */
    bool is_waiting;             /* for the acknowledgement of `nonce` */
    bool is_forced;              /* sotw: to be said again, changed or not */
    char nonce[XDS_NONCE_BYTES]; /* of the last response; "": none */
    struct cu_map names;         /* -> struct xds_name, owned */
    size_t subscribed;
};

struct xds_stream {
    enum xds_variant variant;
    struct xds_snapshot *snapshot; /* NULL: none yet */
    struct xds_channel channels[XDS_TYPE_COUNT];
    uint32_t last_nonce;
};

/* The entry of a name, made when it is not there. */
struct xds_name *xds_channel_name(struct xds_channel *channel, const char *name);
CU_MUST_USE enum cu_err xds_channel_subscribe(struct xds_channel *channel, const char *name,
                                              struct cu_diag *diag);
/* It asks for that resource: by name, or for all of them. */
bool xds_channel_wants(const struct xds_channel *channel, const char *name);
void xds_channel_unsubscribe(struct xds_channel *channel, const char *name);

/* Sets and returns the next nonce; the channel waits for its answer. */
const char *xds_channel_begin(struct xds_stream *stream, struct xds_channel *channel);
/* The response was answered: what was pending holds now. A refusal does the same: what was good of
 * it is in force, and what was not is not sent again until it changes. */
void xds_channel_settle(struct xds_channel *channel);

/* Finds the type; fills a NACK's reason. */
CU_MUST_USE enum cu_err xds_stream_type(const char *url, enum xds_type *ret_type, bool *ret_known,
                                        struct cu_diag *diag);
void xds_nack_fill(struct xds_nack *nack, enum xds_type type, const char *message);

/* Clusters or endpoints are on their way, or listeners and routes. */
bool xds_stream_waits(const struct xds_stream *stream, enum xds_type a, enum xds_type b);

bool xds_delta_next(struct xds_stream *stream, struct cu_buf *out);
bool xds_sotw_next(struct xds_stream *stream, struct cu_buf *out);

#endif
