#include "services/xdsd/rpc/ads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/grpc/server.h"
#include "services/xdsd/core/node.h"
#include "services/xdsd/core/stream.h"
#include "services/xdsd/io/guard.h"

typedef Envoy__Service__Discovery__V3__DeltaDiscoveryRequest delta_request;
typedef Envoy__Service__Discovery__V3__DiscoveryRequest sotw_request;

#define SERVICE "/envoy.service.discovery.v3.AggregatedDiscoveryService/"

struct ads_stream {
    struct ads_stream *next, **at;
    struct xds_seat seat;
    struct xds_guard guard;
    struct xds_snapshot *news; /* until the guard lets it pass */
    struct xds_ads *ads;
    struct cu_grpc_call *call;
    enum xds_variant variant;
    struct xds_stream *stream;
    struct xds_node node;
    bool has_node;
    struct cu_timer timer; /* until it says who it is; then, while it takes what was sent */
};

struct xds_ads {
    struct xds_ads_options o;
    struct cu_grpc_server *server;
    struct ads_stream *streams;
    size_t count;
    bool is_draining;
    struct cu_arena *arena; /* of one request */
    struct cu_buf out;      /* of one response */
    struct cu_log_limit said_nack, said_refused;
    struct cu_counter *heard[XDS_HEARD_COUNT], *opened, *refused, *denied, *stalled, *pushes,
        *push_bytes;
};

/* ---- ending ---- */

static void leave(struct ads_stream *s)
{
    xds_hub_part(&s->seat);
    xds_guard_close(&s->guard);
    xds_snapshot_unref(s->news);
    s->news = NULL;
}

static void end(struct ads_stream *s, enum cu_grpc_status status, const char *text)
{
    leave(s);
    cu_grpc_call_finish(s->call, status, text, (struct cu_bytes){0});
}

static void refuse(struct ads_stream *s, enum cu_grpc_status status, const char *text)
{
    cu_count(s->ads->refused, 1);
    cu_log_limited(s->ads->o.env->log, &s->ads->said_refused, CU_LOG_WARN, "stream.refused",
                   "peer=%s id=%s error=\"%.300s\"", cu_grpc_call_peer(s->call), s->node.id, text);
    end(s, status, text);
}

static void too_late(void *arg)
{
    struct ads_stream *s = arg;
    if (!s->has_node) {
        refuse(s, CU_GRPC_INVALID_ARGUMENT, "no request came");
        return;
    }
    cu_count(s->ads->stalled, 1);
    cu_log_limited(s->ads->o.env->log, &s->ads->said_refused, CU_LOG_WARN, "stream.stalled",
                   "peer=%s id=%s", cu_grpc_call_peer(s->call), s->node.id);
    leave(s);
    cu_grpc_call_cancel(s->call); /* nothing reaches it any more */
}

/* ---- responses ---- */

static void pump(struct ads_stream *s)
{
    struct xds_ads *ads = s->ads;
    cu_buf_clear(&ads->out);
    if (!cu_grpc_call_can_send(s->call) || !xds_stream_next(s->stream, &ads->out))
        return;
    cu_count(ads->pushes, 1);
    cu_count(ads->push_bytes, ads->out.len);
    cu_timer_set_ms(&s->timer, XDS_STALL_MS);
    cu_grpc_call_send(s->call, cu_buf_bytes(&ads->out));
}

static struct ads_stream *stream_of(struct xds_seat *seat)
{
    return (struct ads_stream *)((char *)seat - offsetof(struct ads_stream, seat));
}

static void tell(struct ads_stream *s, struct xds_snapshot *snapshot)
{
    xds_stream_set(s->stream, snapshot);
    pump(s);
}

/* ---- what its token may ---- */

static void on_named(struct xds_seat *seat, const char *service)
{
    struct ads_stream *s = stream_of(seat);
    xds_snapshot_unref(s->news);
    s->news = NULL;
    xds_guard_check(&s->guard, service);
}

static void on_news(struct xds_seat *seat, struct xds_snapshot *snapshot)
{
    struct ads_stream *s = stream_of(seat);
    if (!seat->is_admitted) { /* nobody is guarded */
        tell(s, snapshot);
        return;
    }
    xds_snapshot_unref(s->news);
    s->news = xds_snapshot_ref(snapshot);
    xds_guard_check(&s->guard, s->guard.service);
}

static void let_pass(struct ads_stream *s)
{
    struct xds_snapshot *news = s->news;
    s->news = NULL;
    if (news && xds_hub_admit(&s->seat, s->guard.service, s->guard.token))
        tell(s, news);
    else if (!news)
        (void)xds_hub_admit(&s->seat, s->guard.service, s->guard.token);
    xds_snapshot_unref(news);
}

/* The sentences of the reference (mesh.md 6.2). What the proxy has it keeps. */
static void on_verdict(void *arg, enum xds_verdict verdict)
{
    static const struct {
        enum cu_grpc_status status;
        const char *text;
    } refusals[] = {
        [XDS_UNKNOWN_TOKEN] = {CU_GRPC_UNAUTHENTICATED, "unauthenticated: ACL not found"},
        [XDS_LACKS_RIGHT] = {CU_GRPC_PERMISSION_DENIED, "permission denied"},
        [XDS_NO_VERDICT] = {CU_GRPC_INTERNAL, "Cannot resolve root ACL"},
    };
    struct ads_stream *s = arg;
    if (verdict == XDS_MAY) {
        let_pass(s);
        return;
    }
    cu_count(s->ads->denied, 1);
    refuse(s, refusals[verdict].status, refusals[verdict].text);
}

static void on_no_proxy(struct xds_seat *seat)
{
    refuse(stream_of(seat), CU_GRPC_INTERNAL, "Invalid service kind");
}

/* ---- requests ---- */

static bool take_node(struct ads_stream *s, const Envoy__Config__Core__V3__Node *node)
{
    struct cu_diag diag = {0};
    struct xds_ads *ads = s->ads;
    if (s->has_node)
        return true; /* the first one counts */
    enum cu_err err = node ? xds_node_read(node, &s->node, &diag)
                           : cu_fail(&diag, CU_E_INVALID, "the first request must name its node");
    if (err) {
        refuse(s, cu_grpc_status_of(err), diag.text);
        return false;
    }
    s->has_node = true;
    cu_timer_cancel(&s->timer);
    cu_debug(ads->o.env->log, "stream.open", "peer=%s node=%s id=%s variant=%s",
             cu_grpc_call_peer(s->call), s->node.name, s->node.id,
             s->variant == XDS_DELTA ? "delta" : "sotw");
    xds_hub_join(ads->o.hub, *s->node.name ? s->node.name : ads->o.env->node_name, s->node.id,
                 &s->seat);
    return true;
}

static void count(struct ads_stream *s, enum xds_heard heard, const struct xds_nack *nack)
{
    cu_count(s->ads->heard[heard], 1);
    if (heard == XDS_HEARD_NACK)
        cu_log_limited(s->ads->o.env->log, &s->ads->said_nack, CU_LOG_WARN, "proxy.nack",
                       "id=%s type=%s error=\"%s\"", s->node.id, xds_type_url(nack->type),
                       nack->reason);
}

static void on_message(void *user, struct cu_grpc_call *call, struct cu_bytes bytes)
{
    struct ads_stream *s = user;
    struct xds_ads *ads = s->ads;
    enum xds_heard heard = XDS_HEARD_UNKNOWN;
    struct xds_nack nack;
    struct cu_diag diag = {0};
    enum cu_err err = CU_OK;
    (void)call;
    cu_arena_reset(ads->arena);
    ProtobufCMessage *request = protobuf_c_message_unpack(
        s->variant == XDS_DELTA
            ? &envoy__service__discovery__v3__delta_discovery_request__descriptor
            : &envoy__service__discovery__v3__discovery_request__descriptor,
        cu_arena_allocator(ads->arena), bytes.len, bytes.data);
    if (!request) {
        refuse(s, CU_GRPC_INVALID_ARGUMENT, "the request is no discovery request, or too large");
        return;
    }
    if (!take_node(s, s->variant == XDS_DELTA ? ((delta_request *)request)->node
                                              : ((sotw_request *)request)->node))
        return;
    if (s->variant == XDS_DELTA)
        err = xds_stream_delta_request(s->stream, (delta_request *)request, &heard, &nack, &diag);
    else
        err = xds_stream_sotw_request(s->stream, (sotw_request *)request, &heard, &nack, &diag);
    if (err) {
        refuse(s, cu_grpc_status_of(err), diag.text);
        return;
    }
    count(s, heard, &nack);
    pump(s);
}

static void on_half_closed(void *user, struct cu_grpc_call *call)
{
    (void)call;
    end(user, CU_GRPC_OK, "");
}

static void on_sent(void *user, struct cu_grpc_call *call)
{
    struct ads_stream *s = user;
    (void)call;
    cu_timer_cancel(&s->timer);
    pump(s);
}

/* ---- life of a stream ---- */

static bool find_variant(struct cu_bytes method, enum xds_variant *ret_variant)
{
    *ret_variant = XDS_DELTA;
    if (cu_bytes_equal(method, cu_bytes_of(SERVICE "DeltaAggregatedResources")))
        return true;
    *ret_variant = XDS_SOTW;
    return cu_bytes_equal(method, cu_bytes_of(SERVICE "StreamAggregatedResources"));
}

static void *on_start(void *arg, struct cu_grpc_call *call)
{
    struct xds_ads *ads = arg;
    struct ads_stream *s = cu_alloc(sizeof *s);
    bool is_ours = find_variant(cu_grpc_call_method(call), &s->variant);
    s->ads = ads;
    s->call = call;
    s->seat = (struct xds_seat){.news = on_news, .no_proxy = on_no_proxy, .named = on_named};
    s->guard.done = on_verdict;
    s->guard.arg = s;
    xds_guard_open(&s->guard, ads->o.rights, ads->o.env->loop,
                   cu_grpc_call_metadata(call, "x-consul-token"));
    s->stream = xds_stream_new(s->variant);
    cu_timer_init(&s->timer, ads->o.env->loop, too_late, s);
    s->next = ads->streams;
    s->at = &ads->streams;
    if (s->next)
        s->next->at = &s->next;
    ads->streams = s;
    ads->count++;
    cu_count(ads->opened, 1);
    if (!is_ours)
        refuse(s, CU_GRPC_UNIMPLEMENTED, "unknown method");
    else if (ads->count > XDS_STREAMS_MAX)
        refuse(s, CU_GRPC_RESOURCE_EXHAUSTED, "too many streams");
    else if (ads->is_draining)
        end(s, CU_GRPC_UNAVAILABLE, "xdsd is being stopped");
    else
        cu_timer_set_ms(&s->timer, XDS_FIRST_MS);
    return s;
}

static void on_gone(void *user, struct cu_grpc_call *call)
{
    struct ads_stream *s = user;
    (void)call;
    leave(s);
    *s->at = s->next;
    if (s->next)
        s->next->at = s->at;
    s->ads->count--;
    cu_timer_close(&s->timer);
    xds_stream_free(s->stream);
    free(s);
}

/* ---- the service ---- */

struct xds_ads *xds_ads_new(const struct xds_ads_options *options)
{
    static const struct cu_grpc_events events = {.start = on_start,
                                                 .message = on_message,
                                                 .half_closed = on_half_closed,
                                                 .sent = on_sent,
                                                 .gone = on_gone};
    static const char *const heard[XDS_HEARD_COUNT] = {
        [XDS_HEARD_ASK] = "xds.asks",
        [XDS_HEARD_ACK] = "xds.acks",
        [XDS_HEARD_NACK] = "xds.nacks",
        [XDS_HEARD_STALE] = "xds.stale",
        [XDS_HEARD_UNKNOWN] = "xds.unknown_type",
    };
    struct xds_ads *ads = cu_alloc(sizeof *ads);
    struct cu_metrics *metrics = options->env->metrics;
    ads->o = *options;
    ads->arena = cu_arena_new(XDS_REQUEST_ARENA_BYTES);
    for (size_t i = 0; i < XDS_HEARD_COUNT; i++)
        ads->heard[i] = cu_metrics_counter(metrics, heard[i]);
    ads->opened = cu_metrics_counter(metrics, "xds.streams.opened");
    ads->refused = cu_metrics_counter(metrics, "xds.streams.refused");
    ads->denied = cu_metrics_counter(metrics, "xds.streams.denied");
    ads->stalled = cu_metrics_counter(metrics, "xds.streams.stalled");
    ads->pushes = cu_metrics_counter(metrics, "xds.pushes");
    ads->push_bytes = cu_metrics_counter(metrics, "xds.push_bytes");
    ads->server = cu_grpc_server_new(&(struct cu_grpc_options){
        .loop = options->env->loop, .metrics = metrics, .events = &events, .arg = ads});
    return ads;
}

enum cu_err xds_ads_listen(struct xds_ads *ads, const char *address, struct cu_diag *diag)
{
    return cu_grpc_server_listen(ads->server, address, diag);
}

void xds_ads_start(struct xds_ads *ads)
{
    cu_grpc_server_start(ads->server);
}

void xds_ads_drain(struct xds_ads *ads)
{
    ads->is_draining = true;
    for (struct ads_stream *s = ads->streams; s; s = s->next)
        end(s, CU_GRPC_UNAVAILABLE, "xdsd is being stopped");
}

void xds_ads_free(struct xds_ads *ads)
{
    if (!ads)
        return;
    cu_grpc_server_free(ads->server);
    CU_ASSERT(!ads->streams);
    cu_arena_free(ads->arena);
    cu_buf_deinit(&ads->out);
    free(ads);
}

size_t xds_ads_streams(const struct xds_ads *ads)
{
    return ads->count;
}
