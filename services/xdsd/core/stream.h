/* stream.h - one ADS stream of a proxy: what it asked for, what it has, and what to tell it next
 * (mesh.md 6.4 state of the world, 6.5 delta). Pure: requests and snapshots in, responses out.
 *
 * There is one newest snapshot; who is slow sees only that. A response of a type is followed by
 * nothing of that type until it was acknowledged or refused. Within an update the order is secrets,
 * clusters, endpoints; when clusters and endpoints are acknowledged listeners and routes; when
 * those are, what is gone: no request ever meets a cluster that is not there (make before break).
 */
#ifndef XDS_STREAM_H
#define XDS_STREAM_H

#include <stdbool.h>

#include "envoy/service/discovery/v3/discovery.pb-c.h"

#include "common/base/buf.h"
#include "common/base/err.h"
#include "services/xdsd/core/snapshot.h"

struct xds_stream;

enum {
    XDS_NAMES_MAX = 16384,     /* that one stream may subscribe to of a type */
    XDS_NAME_BYTES_MAX = 1024, /* of one of them */
    XDS_REASON_BYTES = 512,    /* what is kept of a refusal */
};

enum xds_variant { XDS_DELTA, XDS_SOTW };

/* What a request was. */
enum xds_heard {
    XDS_HEARD_ASK, /* a subscription, new or changed */
    XDS_HEARD_ACK,
    XDS_HEARD_NACK,    /* *ret_nack says of what and why; the same content is not sent again */
    XDS_HEARD_STALE,   /* answers a response that is not the last one: no effect */
    XDS_HEARD_UNKNOWN, /* of a type that we do not serve: no effect */
    XDS_HEARD_COUNT
};

struct xds_nack {
    enum xds_type type;
    /* The reason without what may quote a message: private keys can be in it (mesh.md 11.3). */
    char reason[XDS_REASON_BYTES];
};

struct xds_stream *xds_stream_new(enum xds_variant variant);
void xds_stream_free(struct xds_stream *stream); /* takes NULL */

/* Errors end the stream: CU_E_INVALID `type URL is required for ADS`; CU_E_OVERLOADED too many
 * names or one that is too long. `diag` has the sentence. */
CU_MUST_USE enum cu_err xds_stream_delta_request(
    struct xds_stream *stream, const Envoy__Service__Discovery__V3__DeltaDiscoveryRequest *request,
    enum xds_heard *ret_heard, struct xds_nack *ret_nack, struct cu_diag *diag);
CU_MUST_USE enum cu_err
xds_stream_sotw_request(struct xds_stream *stream,
                        const Envoy__Service__Discovery__V3__DiscoveryRequest *request,
                        enum xds_heard *ret_heard, struct xds_nack *ret_nack, struct cu_diag *diag);

/* The newest state of the proxy; takes a reference of its own. */
void xds_stream_set(struct xds_stream *stream, struct xds_snapshot *snapshot);

/* Appends the next response, packed, and returns true; false: there is nothing to say now. Nothing
 * is said before the first snapshot. */
bool xds_stream_next(struct xds_stream *stream, struct cu_buf *out);

/* Everything of the newest snapshot that the proxy asked for was acknowledged. */
bool xds_stream_is_settled(const struct xds_stream *stream);

#endif
