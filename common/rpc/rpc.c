#include "common/rpc/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/rpc/internal.h"

struct cu_rpc *cu_rpc_new(const struct cu_rpc_options *options)
{
    struct cu_rpc *rpc = cu_alloc(sizeof *rpc);
    rpc->o = *options;
    rpc->loop = options->loop;
    cu_deadlines_init(&rpc->deadlines, rpc->loop);
    cu_random_bytes(&rpc->random.state, sizeof rpc->random.state);
    rpc->reply_arena = cu_arena_new(0);
    rpc->failed_hook = (struct cu_turn_hook){.fn = rpc_answer_failed, .arg = rpc};
    rpc->count.accepted = cu_metrics_counter(options->metrics, "bus.accepted");
    rpc->count.goaways = cu_metrics_counter(options->metrics, "bus.goaway");
    rpc->count.requests = cu_metrics_counter(options->metrics, "rpc.requests");
    rpc->count.refused = cu_metrics_counter(options->metrics, "rpc.requests.refused");
    rpc->count.gone = cu_metrics_counter(options->metrics, "rpc.requests.gone");
    rpc->count.late = cu_metrics_counter(options->metrics, "rpc.requests.late");
    rpc->count.calls = cu_metrics_counter(options->metrics, "rpc.calls");
    return rpc;
}

static void free_rows(struct cu_rpc *rpc)
{
    size_t at = 0;
    struct cu_bytes name;
    void *row;
    while (cu_map_next(&rpc->rows, &at, &name, &row))
        free(row);
    cu_map_deinit(&rpc->rows);
}

static void free_requests(struct rpc_link *list)
{
    while (list) {
        struct rpc_request *request = (struct rpc_request *)list;
        list = list->next;
        cu_arena_free(request->rq.arena);
        free(request);
    }
}

static void free_session(struct rpc_session *session)
{
    rpc_link_take(&session->link);
    session->rpc->session_count--;
    cu_conn_close(session->conn);
    free(session);
}

void cu_rpc_free(struct cu_rpc *rpc)
{
    if (!rpc)
        return;
    while (rpc->listeners) {
        struct rpc_listener *l = rpc->listeners;
        rpc->listeners = l->next;
        l->driver->unlisten(l->listener);
        free(l);
    }
    while (rpc->clients)
        rpc_client_forget(rpc->clients);
    while (rpc->sessions) {
        struct rpc_session *session = (struct rpc_session *)rpc->sessions;
        rpc_requests_forget(&session->requests);
        free_session(session);
    }
    rpc_requests_forget(&rpc->orphans);
    cu_turn_hook_cancel(rpc->loop, &rpc->failed_hook);
    cu_deadlines_deinit(&rpc->deadlines);
    free_requests(rpc->free_requests);
    rpc_calls_free(rpc);
    cu_arena_free(rpc->reply_arena);
    free_rows(rpc);
    free(rpc);
}

/* ---- services ---- */

static const struct cu_method *find_method(const struct cu_service *service, const char *name)
{
    for (size_t i = 0; i < service->count; i++)
        if (strcmp(service->methods[i].name, name) == 0)
            return &service->methods[i];
    return NULL;
}

static void add_row(struct cu_rpc *rpc, const struct cu_service *service, void *context,
                    const ProtobufCMethodDescriptor *descriptor)
{
    struct rpc_row *row = cu_alloc(sizeof *row);
    *row = (struct rpc_row){.service = service,
                            .method = find_method(service, descriptor->name),
                            .descriptor = descriptor,
                            .context = context};
    CU_ASSERT(row->method); /* a method of the proto without a row */
    int len = snprintf(row->name, sizeof row->name, "%s.%s", service->descriptor->short_name,
                       descriptor->name);
    CU_ASSERT(len > 0 && (size_t)len < sizeof row->name);
    void *twice = cu_map_put(&rpc->rows, cu_bytes_of(row->name), row);
    CU_ASSERT(!twice);
    if (row->method->kind == CU_FOLLOW) {
        CU_ASSERT(rpc->follow_count < CU_HELLO_FOLLOWS_MAX);
        rpc->follows[rpc->follow_count++] = row->name;
    }
}

void cu_rpc_add_service(struct cu_rpc *rpc, const struct cu_service *service, void *context)
{
    CU_ASSERT(service->count == service->descriptor->n_methods);
    for (unsigned i = 0; i < service->descriptor->n_methods; i++)
        add_row(rpc, service, context, &service->descriptor->methods[i]);
}

/* ---- connections that we accept ---- */

const struct cu_driver *rpc_driver(const struct cu_rpc *rpc, const struct cu_url *url)
{
    return url->is_ipc && rpc->o.local == CU_LOCAL_LOOP ? &cu_driver_loop : &cu_driver_nng;
}

static void copy_text(char *to, size_t size, const char *text)
{
    (void)snprintf(to, size, "%s", text ? text : ""); /* information: cut at the limit */
}

struct cu_hello rpc_hello(const struct cu_rpc *rpc)
{
    struct cu_hello hello = {
        .bus_major = CU_BUS_MAJOR,
        .feature_level = rpc->o.feature_level,
        .has_cluster_id = rpc->has_cluster_id,
        .call_credit = CU_BUS_CALL_CREDIT,
        .follow_credit = CU_BUS_FOLLOW_CREDIT,
        .byte_credit = CU_BUS_BYTE_CREDIT,
        .max_message_bytes = CU_BUS_MESSAGE_MAX_BYTES,
        .follow_count = rpc->follow_count,
    };
    copy_text(hello.suite_version, sizeof hello.suite_version, CU_VERSION);
    copy_text(hello.daemon, sizeof hello.daemon, rpc->o.daemon);
    copy_text(hello.node_id, sizeof hello.node_id, rpc->o.node_id);
    copy_text(hello.datacenter, sizeof hello.datacenter, rpc->o.datacenter);
    memcpy(hello.cluster_id, rpc->cluster_id, sizeof hello.cluster_id);
    hello.prior_count = rpc->prior_count;
    memcpy(hello.prior_ids, rpc->prior_ids, sizeof hello.prior_ids);
    memcpy(hello.follows, rpc->follows, rpc->follow_count * sizeof hello.follows[0]);
    return hello;
}

void rpc_fill_peer(struct cu_peer *peer, const struct cu_conn *conn)
{
    const struct cu_hello *hello = cu_conn_peer_hello(conn);
    const struct cu_stream *stream = cu_conn_stream(conn);
    *peer = (struct cu_peer){
        .daemon = hello->daemon,
        .node_id = hello->node_id,
        .address = stream->address,
        .is_local = stream->is_local,
        .uid = stream->uid,
        .has_cluster_id = hello->has_cluster_id,
    };
    memcpy(peer->cluster_id, hello->cluster_id, sizeof peer->cluster_id);
}

static void session_up(void *arg, struct cu_conn *conn)
{
    struct rpc_session *session = arg;
    rpc_fill_peer(&session->peer, conn);
}

static void session_down(void *arg, struct cu_conn *conn, enum cu_err err, const char *why)
{
    struct rpc_session *session = arg;
    struct cu_rpc *rpc = session->rpc;
    if (err != CU_E_DISCONNECTED) {
        cu_count(rpc->count.goaways, 1);
        cu_log_limited(rpc->o.log, &rpc->log_limit, CU_LOG_WARN, "bus.goaway",
                       "peer=%s address=\"%s\" error=%s why=\"%s\"",
                       session->peer.daemon ? session->peer.daemon : "?",
                       cu_conn_stream(conn)->address, cu_err_name(err), why);
    }
    rpc_requests_lost(session);
    if (rpc->hooks.peer_gone && session->peer.daemon) /* it had said HELLO */
        rpc->hooks.peer_gone(rpc->hooks.context, &session->peer);
    free_session(session);
}

static const struct cu_conn_events session_events = {
    .up = session_up,
    .admit = rpc_admit,
    .call = rpc_serve,
    .cancel = rpc_cancelled,
    .down = session_down,
};

static void accepted(void *arg, struct cu_stream *stream)
{
    struct cu_rpc *rpc = arg;
    if (rpc->session_count >= RPC_SESSIONS_MAX) {
        cu_count(rpc->count.refused, 1);
        cu_log_limited(rpc->o.log, &rpc->log_limit, CU_LOG_WARN, "bus.full",
                       "connections=%zu address=\"%s\"", rpc->session_count, stream->address);
        stream->ops->close(stream);
        return;
    }
    struct rpc_session *session = cu_alloc(sizeof *session);
    session->rpc = rpc;
    rpc_link_put(&rpc->sessions, &session->link);
    rpc->session_count++;
    cu_count(rpc->count.accepted, 1);
    session->conn = cu_conn_new(&(struct cu_conn_options){
        .loop = rpc->loop,
        .stream = stream,
        .hello = rpc_hello(rpc),
        .refuse_other_cluster = rpc->strict,
        .events = &session_events,
        .arg = session,
    });
}

enum cu_err cu_rpc_listen(struct cu_rpc *rpc, const char *text, struct cu_diag *diag)
{
    struct cu_url url;
    struct cu_listener *listener = NULL;
    enum cu_err err = cu_url_parse(text, &url, diag);
    if (!err && url.is_named)
        err = cu_fail(diag, CU_E_INVALID, "%s: listening takes an address, no name", text);
    if (err)
        return err;
    const struct cu_driver *driver = rpc_driver(rpc, &url);
    err = driver->listen(rpc->loop, &url, accepted, rpc, &listener, diag);
    if (err)
        return err;
    struct rpc_listener *l = cu_alloc(sizeof *l);
    *l = (struct rpc_listener){.next = rpc->listeners, .driver = driver, .listener = listener};
    rpc->listeners = l;
    return CU_OK;
}

/* ---- settings ---- */

void cu_rpc_set_cluster_id(struct cu_rpc *rpc, const uint8_t *cluster_id, bool strict)
{
    rpc->strict = strict;
    rpc->has_cluster_id = cluster_id != NULL;
    if (cluster_id)
        memcpy(rpc->cluster_id, cluster_id, sizeof rpc->cluster_id);
}

void cu_rpc_set_prior_ids(struct cu_rpc *rpc, const uint8_t (*ids)[16], size_t count)
{
    CU_ASSERT(count <= CU_HELLO_PRIORS_MAX);
    memcpy(rpc->prior_ids, ids, count * sizeof *ids);
    rpc->prior_count = count;
}

void cu_rpc_set_source_address(struct cu_rpc *rpc, const char *ip)
{
    bool is_any = !ip || !strcmp(ip, "0.0.0.0") || !strcmp(ip, "::");
    (void)snprintf(rpc->source_address, sizeof rpc->source_address, "%s", is_any ? "" : ip);
}

void cu_rpc_set_hooks(struct cu_rpc *rpc, const struct cu_rpc_hooks *hooks)
{
    rpc->hooks = *hooks;
}

void cu_rpc_drain(struct cu_rpc *rpc)
{
    rpc->draining = true;
}

size_t cu_rpc_open_calls(const struct cu_rpc *rpc)
{
    return rpc->open_calls;
}
