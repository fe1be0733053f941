/* The connection of a client: dialled, lost, dialled again. */
#include "common/rpc/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "common/rpc/call.h"

enum { REDIAL_MIN_MS = 10, REDIAL_MAX_MS = 100 };

static void end(struct cu_client *c)
{
    if (--c->busy || !c->freed)
        return;
    free(c->text);
    free(c->slots);
    free(c->free_slots);
    free(c);
}

static void dial_later(struct cu_client *c)
{
    uint32_t spread = c->redial_ms / 2 + 1; /* so that many do not come in step */
    uint32_t delay =
        c->redial_ms - spread + 1 + (uint32_t)cu_random_below(&c->rpc->random, 2 * spread);
    cu_timer_set_ms(&c->redial, delay < REDIAL_MIN_MS   ? REDIAL_MIN_MS
                                : delay > REDIAL_MAX_MS ? REDIAL_MAX_MS
                                                        : delay);
    c->redial_ms = c->redial_ms * 2 < REDIAL_MAX_MS ? c->redial_ms * 2 : REDIAL_MAX_MS;
}

static void disconnect(struct cu_client *c)
{
    c->is_up = false;
    cu_conn_close(c->conn);
    c->conn = NULL;
}

static void conn_up(void *arg, struct cu_conn *conn)
{
    struct cu_client *c = arg;
    const struct cu_hello *hello = cu_conn_peer_hello(conn);
    c->is_up = true;
    c->redial_ms = REDIAL_MIN_MS;
    c->credit[CU_CALL] = hello->call_credit;
    c->credit[CU_FOLLOW] = hello->follow_credit;
    rpc_fill_peer(&c->peer, conn);
    if (c->on_state)
        c->on_state(c->arg, c, true);
}

static void conn_down(void *arg, struct cu_conn *conn, enum cu_err err, const char *why)
{
    struct cu_client *c = arg;
    struct rpc_link *lost = NULL;
    bool was_up = c->is_up;
    (void)conn;
    if (err != CU_E_DISCONNECTED) {
        cu_count(c->rpc->count.goaways, 1);
        cu_log_limited(c->rpc->o.log, &c->rpc->log_limit, CU_LOG_WARN, "bus.goaway",
                       "url=\"%s\" error=%s why=\"%s\"", c->text, cu_err_name(err), why);
    }
    (void)cu_fail(&c->why, err, "%s: %s", c->text, why);
    rpc_calls_collect(c, &lost, c->why.text);
    disconnect(c);
    dial_later(c);
    c->busy++;
    rpc_calls_tell(&lost);
    if (was_up && !c->freed && c->on_state)
        c->on_state(c->arg, c, false);
    end(c);
}

static const struct cu_conn_events client_events = {
    .up = conn_up, .expects = rpc_call_expects, .reply = rpc_call_replied, .down = conn_down};

static void dialled(void *arg, struct cu_stream *stream, const char *why)
{
    struct cu_client *c = arg;
    c->dial = NULL;
    if (!stream) {
        (void)cu_fail(&c->why, CU_E_DISCONNECTED, "%s: %s", c->text, why);
        dial_later(c);
        return;
    }
    c->conn = cu_conn_new(&(struct cu_conn_options){
        .loop = c->rpc->loop,
        .stream = stream,
        .hello = rpc_hello(c->rpc),
        .dialled = true,
        .refuse_other_cluster = c->rpc->strict,
        .events = &client_events,
        .arg = c,
    });
}

static void dial_now(void *arg)
{
    struct cu_client *c = arg;
    c->dial = c->driver->dial(c->rpc->loop, &c->url, RPC_DIAL_MS, dialled, c);
}

struct cu_client *cu_client_new(struct cu_rpc *rpc, const char *url, cu_client_state *on_state,
                                void *arg)
{
    struct cu_client *c = cu_alloc(sizeof *c);
    c->rpc = rpc;
    c->text = cu_strdup(url);
    c->on_state = on_state;
    c->arg = arg;
    c->redial_ms = REDIAL_MIN_MS;
    rpc_link_put(&rpc->clients, &c->link);
    cu_timer_init(&c->redial, rpc->loop, dial_now, c);
    if (cu_url_parse(url, &c->url, &c->why) == CU_OK) {
        c->driver = rpc_driver(rpc, &c->url);
        (void)snprintf(c->url.source, sizeof c->url.source, "%s", rpc->source_address);
        dial_now(c);
    } else {
        cu_warn(rpc->o.log, "bus.url", "why=\"%s\"", c->why.text);
    }
    return c;
}

static void let_go(struct cu_client *c)
{
    rpc_link_take(&c->link);
    cu_timer_close(&c->redial);
    if (c->dial)
        c->driver->cancel(c->dial);
    c->dial = NULL;
    disconnect(c);
    c->freed = true;
}

void cu_client_free(struct cu_client *c)
{
    struct rpc_link *lost = NULL;
    if (!c || c->freed)
        return;
    c->busy++;
    (void)cu_fail(&c->why, CU_E_DISCONNECTED, "%s: no longer wanted", c->text);
    rpc_calls_collect(c, &lost, c->why.text);
    rpc_calls_detach_failed(c);
    let_go(c);
    rpc_calls_tell(&lost);
    end(c);
}

void rpc_client_forget(struct rpc_link *link)
{
    struct cu_client *c = (struct cu_client *)link;
    struct rpc_link *lost = NULL;
    c->busy++;
    rpc_calls_collect(c, &lost, "");
    rpc_calls_forget(&lost);
    rpc_calls_detach_failed(c);
    let_go(c);
    end(c);
}

bool cu_client_is_up(const struct cu_client *c)
{
    return c->is_up;
}

const char *cu_client_url(const struct cu_client *c)
{
    return c->text;
}

const struct cu_peer *cu_client_peer(const struct cu_client *c)
{
    return c->is_up ? &c->peer : NULL;
}
