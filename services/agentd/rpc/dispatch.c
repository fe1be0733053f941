#include "services/agentd/rpc/dispatch.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"
#include "services/agentd/core/gzip.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/permit.h"
#include "services/agentd/rpc/routes.h"

#define LIMITS_PAGE   "https://www.consul.io/docs/agent/options.html#"
#define NO_NAMESPACES "Namespaces are a Consul Enterprise feature"

enum { METRIC_NAME_BYTES = 96 };

/* ---- answers that the head decides ---- */

static void bad_request(struct agent_call *call)
{
    agent_answer_bare(call, 400, "400 Bad Request");
}

static void unprintable(struct agent_call *call)
{
    agent_answer_bare(call, 400, "");
}

static void not_found(struct agent_call *call)
{
    call->fault.status = 404;
    agent_answer_fault(call);
}

static void root(struct agent_call *call)
{
    agent_answer_text(call, 200, "Consul Agent");
}

static void bad_query(struct agent_call *call)
{
    call->fault.status = 500;
    agent_answer_fault(call);
}

/* ---- the path ---- */

static bool redirect(struct agent_call *call, struct cu_bytes path, const char *suffix)
{
    struct cu_buf location = {0};
    agent_path_escape(&location, path);
    cu_buf_text(&location, suffix);
    if (call->target.query.len) {
        cu_buf_u8(&location, '?');
        cu_buf_append(&location, call->target.query.data, call->target.query.len);
    }
    call->location = (struct cu_bytes){
        cu_arena_memdup(call->rq.arena, location.data, location.len + 1), location.len};
    if (call->location.data)
        ((uint8_t *)call->location.data)[location.len] = 0;
    call->early = call->location.data ? agent_answer_redirect : bad_request;
    cu_buf_deinit(&location);
    return false;
}

/* False: `early` is set. */
static bool find_route(struct agent_call *call)
{
    const struct agent_conf *conf = &call->agent->conf;
    struct cu_buf clean = {0};
    bool slash;

    call->early = bad_request;
    if (agent_target_parse(call->rq.target, call->rq.arena, &call->target))
        return false;
    call->early = unprintable;
    if (!conf->any_path && !agent_path_is_printable(call->target.path))
        return false;
    if (!agent_path_is_clean(call->target.path, &clean)) {
        (void)redirect(call, cu_buf_bytes(&clean), "");
        cu_buf_deinit(&clean);
        return false;
    }
    call->route = agent_routes_find(call->target.path, &slash);
    if (slash)
        return redirect(call, call->target.path, "/");
    call->early = cu_bytes_equal(call->target.path, cu_bytes_of("/")) ? root : not_found;
    if (!call->route)
        return false;
    size_t pattern = strlen(call->route->pattern);
    call->tail =
        (struct cu_bytes){call->target.path.data + pattern, call->target.path.len - pattern};
    call->early = NULL;
    return true;
}

/* ---- the rest of the head ---- */

static bool is_read(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ||
           strcmp(method, "OPTIONS") == 0;
}

static bool refuse(struct agent_call *call, unsigned status, const char *text)
{
    (void)agent_refuse(&call->fault, status, "%s", text);
    call->early = agent_answer_fault;
    return false;
}

static bool check_method(struct agent_call *call)
{
    const struct agent_conf *conf = &call->agent->conf;
    if (agent_conf_blocks(conf, call->target.path))
        return refuse(call, 403, "Endpoint is blocked by agent configuration");
    if (strcmp(call->rq.method, "OPTIONS") == 0)
        call->early = agent_answer_methods;
    else if (!agent_route_allows(call->route, call->rq.method))
        call->early = agent_answer_method_refused;
    else if (conf->writer_count && !is_read(call->rq.method) &&
             !agent_conf_may_write(conf, agent_rq_sockaddr(&call->rq)))
        return refuse(call, 403, "Access is restricted");
    else if ((call->route->takes & AGENT_NEEDS_ACLS) && !conf->acl_enabled)
        return refuse(call, 401, "ACL support disabled");
    return !call->early;
}

static bool check_namespace(struct agent_call *call)
{
    const char *header = call->rq.headers[AGENT_H_NAMESPACE];
    if (!(call->route->takes & AGENT_TAKES_NS))
        return true;
    if (agent_query_value(&call->query, "ns").len)
        return refuse(call, 400, "Bad request: Invalid query parameter: \"ns\" - " NO_NAMESPACES);
    if (header && *header)
        return refuse(call, 400,
                      "Bad request: Invalid header: \"X-Consul-Namespace\" - " NO_NAMESPACES);
    return true;
}

static bool check_datacenter(struct agent_call *call)
{
    struct cu_bytes dc = agent_query_value(&call->query, "dc");
    if (!(call->route->takes & AGENT_TAKES_DC) || dc.len == 0 ||
        cu_bytes_equal(dc, cu_bytes_of(call->agent->env->datacenter)))
        return true;
    return refuse(call, 500, "No path to datacenter");
}

/* The order of http-api.md 1.6, but for the agent's own. */
static const char *sent_token(struct agent_call *call)
{
    static const char bearer[] = "Bearer";
    struct cu_bytes parameter = agent_query_value(&call->query, "token");
    const char *header = call->rq.headers[AGENT_H_TOKEN];
    const char *authorization = call->rq.headers[AGENT_H_AUTHORIZATION];

    if (parameter.len && !memchr(parameter.data, 0, parameter.len))
        return (const char *)parameter.data;
    if (header && *header)
        return header;
    if (!authorization || strncasecmp(authorization, bearer, sizeof bearer - 1) != 0)
        return NULL;
    const char *at = authorization + sizeof bearer - 1;
    size_t blanks = strspn(at, " ");
    size_t len = strcspn(at + blanks, " ");
    return blanks && len ? cu_arena_printf(call->rq.arena, "%.*s", (int)len, at + blanks) : NULL;
}

/* The default token may be replaced while the request lives. */
static void find_token(struct agent_call *call)
{
    const char *own = agent_tokens_get(&call->agent->tokens, AGENT_TOKEN_DEFAULT);
    call->token = sent_token(call);
    call->has_own_token = call->token != NULL;
    if (!call->token && own)
        call->token = cu_arena_strdup(call->rq.arena, own);
}

static void choose_format(struct agent_call *call)
{
    call->format = AGENT_JSON;
    if (call->agent->conf.pretty || agent_query_has(&call->query, "pretty"))
        call->format |= AGENT_PRETTY;
    if (call->rq.headers[AGENT_H_ACCEPT_ENCODING] &&
        agent_accepts_gzip(call->rq.headers[AGENT_H_ACCEPT_ENCODING]))
        call->format |= AGENT_GZIP;
}

static bool read_head(struct agent_call *call)
{
    const struct agent_conf *conf = &call->agent->conf;
    if (!find_route(call))
        return false;
    enum cu_err err = agent_query_parse(call->target.query, call->rq.arena, &call->query);
    if (err == CU_E_TOO_LARGE)
        return refuse(call, 414, "Request has too many parameters");
    if (err) {
        call->early = bad_query;
        return false;
    }
    if (!check_method(call))
        return false;
    if (call->rq.is_chunked && call->rq.headers[AGENT_H_CONTENT_LENGTH])
        return refuse(call, 400, "Content-Length and Transfer-Encoding exclude each other");
    if ((call->route->takes & AGENT_TAKES_READ_OPTIONS) &&
        !agent_options_parse(&call->query, call->rq.headers[AGENT_H_CACHE_CONTROL], &conf->waits,
                             &call->options, &call->fault)) {
        call->early = agent_answer_fault;
        return false;
    }
    if (!check_namespace(call) || !check_datacenter(call))
        return false;
    find_token(call);
    choose_format(call);
    return true;
}

/* ---- the body ---- */

static bool takes_body(const struct agent_call *call)
{
    const char *method = call->rq.method;
    return (call->route->takes & (AGENT_KV_BODY | AGENT_TXN_BODY | AGENT_JSON_BODY)) &&
           (strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0);
}

static uint64_t body_limit(const struct agent_call *call)
{
    const struct agent_conf *conf = &call->agent->conf;
    if (call->route->takes & AGENT_JSON_BODY)
        return AGENT_JSON_BODY_BYTES;
    return call->route->takes & AGENT_TXN_BODY ? conf->txn_max_bytes : conf->kv_max_bytes;
}

/* Where it may be set, the sentence says so. */
static const char *limit_hint(const struct agent_call *call)
{
    if (call->route->takes & AGENT_JSON_BODY)
        return "";
    return call->route->takes & AGENT_TXN_BODY ? " See " LIMITS_PAGE "txn_max_req_len."
                                               : " See " LIMITS_PAGE "kv_max_value_size.";
}

static void too_large(struct agent_call *call)
{
    unsigned long long limit = call->rq.body_limit;
    if (call->rq.is_chunked)
        (void)agent_refuse(&call->fault, 413, "Request body too large, max size: %llu bytes.%s",
                           limit, limit_hint(call));
    else
        (void)agent_refuse(&call->fault, 413,
                           "Request body(%llu bytes) too large, max size: %llu bytes.%s",
                           (unsigned long long)call->rq.content_length, limit, limit_hint(call));
    agent_answer_fault(call);
}

/* ---- what the server calls ---- */

static void begin(void *context, struct agent_rq *rq)
{
    struct agent_call *call = (struct agent_call *)rq;
    call->agent = context;
    cu_count(call->agent->requests, 1);
    if (!read_head(call) || !takes_body(call))
        return;
    rq->body_limit = body_limit(call);
    if (rq->content_length > rq->body_limit)
        too_large(call);
}

static void handle(void *context, struct agent_rq *rq)
{
    struct agent_call *call = (struct agent_call *)rq;
    (void)context;
    if (call->early)
        call->early(call);
    else if (takes_body(call) && rq->body_seen > rq->body_limit)
        too_large(call);
    else
        agent_permit(call);
}

static void gone(void *context, struct agent_rq *rq)
{
    struct agent_call *call = (struct agent_call *)rq;
    (void)context;
    cu_view_cancel(&call->read);
    cu_view_call_cancel(&call->upstream);
    agent_permit_cancel(call);
    if (call->drop_work)
        call->drop_work(call);
}

static void end(void *context, struct agent_rq *rq)
{
    (void)context;
    struct agent_call *call = (struct agent_call *)rq;
    struct agent *agent = call->agent;
    bool node_ends = agent && agent->leaving == call;
    agent_permit_end(call);
    memset(rq + 1, 0, offsetof(struct agent_call, fault) - sizeof *rq);
    call->fault.status = 0;
    call->fault.text[0] = 0;
    if (node_ends)
        cu_env_leave(agent->env);
}

const struct agent_http_handler agent_dispatch = {begin, handle, gone, end};

/* "/v1/kv/" and GET as "http.GET.v1.kv._": the names of agent.md 19. */
static struct cu_sample *route_sample(struct agent *agent, const struct agent_route *route,
                                      const char *method)
{
    char name[METRIC_NAME_BYTES];
    int len = snprintf(name, sizeof name, "http.%s%s", method, route->pattern);
    CU_ASSERT(len > 0 && (size_t)len < sizeof name - 1);
    for (char *at = name; *at; at++)
        if (*at == '/')
            *at = '.';
    if (name[len - 1] == '.')
        memcpy(name + len, "_", 2);
    return cu_metrics_sample(agent->env->metrics, name);
}

void agent_dispatch_open(struct agent *agent)
{
    static const char *const methods[] = {"GET", "PUT", "POST", "DELETE"};
    _Static_assert(CU_COUNT(methods) == AGENT_METHOD_COUNT, "a name for each method");

    agent->requests = cu_metrics_counter(agent->env->metrics, "http.requests");
    agent->all_routes = cu_metrics_sample(agent->env->metrics, "api.http");
    agent->samples = cu_alloc(agent_route_count * AGENT_METHOD_COUNT * sizeof(void *));
    for (size_t i = 0; i < agent_route_count * AGENT_METHOD_COUNT; i++) {
        const struct agent_route *route = &agent_routes[i / AGENT_METHOD_COUNT];
        const char *method = methods[i % AGENT_METHOD_COUNT];
        if (agent_route_allows(route, method))
            agent->samples[i] = route_sample(agent, route, method);
    }
}
