#include "services/agentd/rpc/answer.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

#include "common/json/text.h"
#include "services/agentd/core/gzip.h"
#include "services/agentd/io/response.h"
#include "services/agentd/rpc/last.h"
#include "services/agentd/rpc/routes.h"

#define TEXT_PLAIN "text/plain; charset=utf-8"

enum { ALLOW_BYTES = 128 };

/* On every answer, of paths that nobody knows, too. */
static void configured_headers(struct agent_call *call, struct MHD_Response *response)
{
    const struct agent_conf *conf = &call->agent->conf;
    for (size_t i = 0; i < conf->header_count; i++)
        agent_response_header(response, conf->headers[i].name, conf->headers[i].value);
}

/* On whatever a route answers. */
static void route_headers(struct agent_call *call, struct MHD_Response *response)
{
    const struct agent_conf *conf = &call->agent->conf;
    agent_response_header(response, "Vary", "Accept-Encoding");
    agent_response_header(response, "X-Consul-Default-ACL-Policy", conf->default_policy);
    if (conf->translate_addresses)
        agent_response_header(response, "X-Consul-Translate-Addresses", "true");
}

static void meta_headers(struct MHD_Response *response, const struct agent_meta *meta)
{
    if (!meta)
        return;
    if (meta->index)
        agent_response_number(response, "X-Consul-Index", meta->index);
    agent_response_header(response, "X-Consul-KnownLeader", meta->known_leader ? "true" : "false");
    agent_response_number(response, "X-Consul-LastContact", meta->last_contact_ms);
    if (meta->consistency)
        agent_response_header(response, "X-Consul-Effective-Consistency", meta->consistency);
    if (meta->cache != AGENT_CACHE_UNUSED)
        agent_response_header(response, "X-Cache", meta->cache == AGENT_CACHE_HIT ? "HIT" : "MISS");
    if (meta->cache == AGENT_CACHE_HIT)
        agent_response_number(response, "Age", meta->age_s);
}

static enum agent_method method_of(const char *method)
{
    switch (method[0]) {
    case 'G':
        return AGENT_GET;
    case 'D':
        return AGENT_DELETE;
    default:
        return method[1] == 'O' ? AGENT_POST : AGENT_PUT;
    }
}

static void measure(struct agent_call *call)
{
    struct agent *agent = call->agent;
    double ms = (double)(cu_loop_now(agent->env->loop).ns - call->rq.arrived.ns) / 1e6;
    size_t row = (size_t)(call->route - agent_routes) * AGENT_METHOD_COUNT;
    struct cu_sample *sample = agent->samples[row + method_of(call->rq.method)];
    cu_sample_add(agent->all_routes, ms);
    if (sample)
        cu_sample_add(sample, ms);
}

static void finish(struct agent_call *call, unsigned status, struct MHD_Response *response)
{
    configured_headers(call, response);
    if (call->route) {
        route_headers(call, response);
        measure(call);
    }
    agent_rq_answer(&call->rq, status, response);
}

/* The response of a JSON body, indented and compressed as the call asks. */
static struct MHD_Response *json_response(struct agent_call *call, struct cu_buf *json)
{
    bool gzipped = (call->format & AGENT_GZIP) && json->len >= AGENT_GZIP_MIN_BYTES;
    if (call->format & AGENT_PRETTY) {
        struct cu_buf pretty = {0};
        cu_json_indent(&pretty, cu_buf_bytes(json));
        cu_buf_deinit(json);
        *json = pretty;
    }
    if (gzipped)
        agent_gzip(json, 0);
    struct MHD_Response *response = agent_response_take(json);
    agent_response_header(response, "Content-Type", "application/json");
    if (gzipped)
        agent_response_header(response, "Content-Encoding", "gzip");
    return response;
}

void agent_answer_json(struct agent_call *call, unsigned status, struct cu_buf *json,
                       const struct agent_meta *meta)
{
    struct MHD_Response *response = json_response(call, json);
    meta_headers(response, meta);
    finish(call, status, response);
}

void agent_answer_json_with(struct agent_call *call, unsigned status, struct cu_buf *json,
                            const char *header, const char *value)
{
    struct MHD_Response *response = json_response(call, json);
    agent_response_header(response, header, value);
    finish(call, status, response);
}

void agent_answer_plain_with(struct agent_call *call, unsigned status, struct cu_buf *text,
                             const char *header, const char *value)
{
    struct MHD_Response *response = agent_response_take(text);
    agent_response_header(response, "Content-Type", "text/plain");
    agent_response_header(response, header, value);
    finish(call, status, response);
}

static struct MHD_Response *body_response(struct agent_call *call, const struct agent_body *body,
                                          const struct agent_meta *meta)
{
    struct MHD_Response *response = agent_response_share(body->body);
    agent_response_header(response, "Content-Type", body->content_type);
    if (call->format & AGENT_RAW) {
        agent_response_header(response, "X-Content-Type-Options", "nosniff");
        agent_response_header(response, "Content-Security-Policy", "sandbox");
    }
    if (body->is_gzipped)
        agent_response_header(response, "Content-Encoding", "gzip");
    meta_headers(response, meta);
    configured_headers(call, response);
    route_headers(call, response);
    return response;
}

void agent_answer_stream(struct agent_call *call, unsigned status, const char *content_type)
{
    struct MHD_Response *response = agent_rq_stream(&call->rq);
    agent_response_header(response, "Content-Type", content_type);
    finish(call, status, response);
}

void agent_answer_body(struct agent_call *call, unsigned status, const struct agent_body *body,
                       const struct agent_meta *meta)
{
    struct agent_http *http = call->rq.http;
    struct agent_last *last = call->agent->last;
    measure(call);
    if (!body->is_shared) {
        agent_rq_answer(&call->rq, status, body_response(call, body, meta));
        return;
    }
    if (!agent_last_is(last, body, meta, agent_http_second(http))) {
        struct MHD_Response *response = body_response(call, body, meta);
        int64_t second = agent_http_add_date(http, response);
        agent_last_set(last, body, meta, second, response);
    }
    agent_rq_answer_shared(&call->rq, status, agent_last_get(last));
}

void agent_answer_empty(struct agent_call *call, unsigned status, const struct agent_meta *meta)
{
    struct MHD_Response *response = agent_response_copy(cu_bytes_of(""));
    meta_headers(response, meta);
    finish(call, status, response);
}

static void answer_text(struct agent_call *call, unsigned status, const char *text,
                        const struct agent_meta *meta)
{
    struct MHD_Response *response = agent_response_copy(cu_bytes_of(text));
    agent_response_header(response, "Content-Type", TEXT_PLAIN);
    meta_headers(response, meta);
    finish(call, status, response);
}

void agent_answer_text(struct agent_call *call, unsigned status, const char *text)
{
    answer_text(call, status, text, NULL);
}

void agent_answer_fault_of(struct agent_call *call, const struct agent_meta *meta)
{
    if (call->fault.text[0])
        answer_text(call, call->fault.status, call->fault.text, meta);
    else
        agent_answer_empty(call, call->fault.status, meta);
}

void agent_answer_fault(struct agent_call *call)
{
    agent_answer_fault_of(call, NULL);
}

void agent_answer_error(struct agent_call *call, enum cu_err err, const char *text,
                        unsigned invalid_status)
{
    agent_fault_of(&call->fault, err, text, invalid_status);
    agent_answer_fault(call);
}

bool agent_answer_failed(struct agent_call *call, const struct cu_answer *answer)
{
    if (answer->err)
        agent_answer_error(call, answer->err, answer->text, 500);
    return answer->err != CU_OK;
}

void agent_answer_bare(struct agent_call *call, unsigned status, const char *text)
{
    struct MHD_Response *response = agent_response_copy(cu_bytes_of(text));
    if (*text)
        agent_response_header(response, "Content-Type", TEXT_PLAIN);
    agent_rq_answer(&call->rq, status, response);
}

void agent_answer_redirect(struct agent_call *call)
{
    struct cu_buf html = {0};
    if (strcmp(call->rq.method, "GET") == 0) {
        cu_buf_text(&html, "<a href=\"");
        for (size_t i = 0; i < call->location.len; i++) {
            uint8_t c = call->location.data[i];
            if (c == '&')
                cu_buf_text(&html, "&amp;");
            else if (c == '\'') /* the query is as it was sent; the path is escaped */
                cu_buf_text(&html, "&#39;");
            else if (c == '"' || c == '<' || c == '>')
                cu_buf_printf(&html, "&#%u;", c);
            else
                cu_buf_u8(&html, c);
        }
        cu_buf_text(&html, "\">Moved Permanently</a>.\n\n");
    }
    struct MHD_Response *response = agent_response_copy(cu_buf_bytes(&html));
    cu_buf_deinit(&html);
    agent_response_header(response, "Content-Type", "text/html; charset=utf-8");
    agent_response_header(response, "Location", (const char *)call->location.data);
    agent_rq_answer(&call->rq, 301, response);
}

static void allow(struct agent_call *call, struct MHD_Response *response)
{
    char text[ALLOW_BYTES];
    (void)snprintf(text, sizeof text, "OPTIONS,%s", call->route->methods);
    agent_response_header(response, "Allow", text);
}

void agent_answer_methods(struct agent_call *call)
{
    struct MHD_Response *response = agent_response_copy(cu_bytes_of(""));
    allow(call, response);
    finish(call, 200, response);
}

void agent_answer_method_refused(struct agent_call *call)
{
    struct cu_buf text = {0};
    cu_buf_printf(&text, "method %.64s not allowed", call->rq.method);
    struct MHD_Response *response = agent_response_take(&text);
    agent_response_header(response, "Content-Type", TEXT_PLAIN);
    allow(call, response);
    finish(call, 405, response);
}
