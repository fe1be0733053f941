#include "services/agentd/rpc/read.h"

#include "common/base/random.h"
#include "common/json/text.h"
#include "common/view/cache.h"
#include "services/agentd/core/gzip.h"
#include "services/agentd/rpc/answer.h"
#include "services/agentd/rpc/permit.h"

enum { MS_PER_S = 1000 };

unsigned agent_read_finish(unsigned status, unsigned format, size_t start, struct cu_buf *out)
{
    if ((format & AGENT_PRETTY) && !(format & AGENT_RAW) && out->len > start) {
        struct cu_buf pretty = {0};
        cu_json_indent(&pretty, (struct cu_bytes){out->data + start, out->len - start});
        out->len = start;
        cu_buf_append(out, pretty.data, pretty.len);
        cu_buf_deinit(&pretty);
    }
    if (!(format & AGENT_GZIP) || out->len - start < AGENT_GZIP_MIN_BYTES)
        return status;
    agent_gzip(out, start);
    return status | AGENT_IS_GZIPPED;
}

static const struct {
    enum cu_view_mode mode;
    const char *name; /* as X-Consul-Effective-Consistency calls it */
} modes[] = {
    [AGENT_DEFAULT] = {CU_VIEW_DEFAULT, "leader"},
    [AGENT_CONSISTENT] = {CU_VIEW_CONSISTENT, "consistent"},
    [AGENT_STALE] = {CU_VIEW_STALE, "stale"},
};
_Static_assert(CU_COUNT(modes) == AGENT_MODE_COUNT, "a row for each mode");

uint64_t agent_with_jitter(uint64_t wait_ms)
{
    uint64_t number;
    cu_random_bytes(&number, sizeof number);
    return wait_ms + number % (wait_ms / AGENT_JITTER_SHARE + 1);
}

/* ?max_stale: an answer from too far behind is asked for again in default mode, once. */
static bool is_too_stale(struct agent_call *call, const struct cu_view_answer *answer)
{
    return call->options.max_stale_ms && answer->last_contact_ms > call->options.max_stale_ms;
}

static const char *said_consistency(const struct agent_call *call)
{
    return call->row->flags & AGENT_SAYS_CONSISTENCY ? modes[call->options.mode].name : NULL;
}

static void fail(struct agent_call *call, const struct cu_view_answer *answer)
{
    struct agent_meta nothing = {.index = 1, .consistency = said_consistency(call)};
    bool has_meta = call->row->flags & AGENT_META_ON_ERROR;
    agent_fault_of(&call->fault, answer->err, answer->text, 500);
    agent_answer_fault_of(call, has_meta ? &nothing : NULL);
}

static const char *raw_type(const struct agent_read_row *row)
{
    return row->raw_type ? row->raw_type : "text/plain";
}

static void give(struct agent_call *call, const struct cu_view_answer *answer,
                 enum agent_cache_use cache, uint64_t age_ms)
{
    struct agent_meta meta = {
        .index = answer->index ? answer->index : 1,
        .known_leader = answer->known_leader,
        .last_contact_ms = answer->last_contact_ms,
        .consistency = said_consistency(call),
        .cache = cache,
        .age_s = age_ms / MS_PER_S,
    };
    struct agent_body body = {
        .body = answer->body,
        .content_type = call->format & AGENT_RAW ? raw_type(call->row) : "application/json",
        .is_gzipped = answer->body->number & AGENT_IS_GZIPPED,
        .is_shared = answer->is_shared,
    };
    unsigned status = answer->body->number & AGENT_STATUS_MASK;
    unsigned silent = AGENT_SAYS_NO_STATE | (status == 404 ? AGENT_BARE_404 : 0);
    const struct agent_meta *said = call->row->flags & silent ? NULL : &meta;
    if (status == 404 && call->row->absent && !call->fault.status)
        call->row->absent(call);
    if (call->fault.status) /* or a parameter that counts only behind the look (2.7) */
        agent_answer_fault_of(call, said);
    else if (status == 404)
        agent_answer_empty(call, 404, said);
    else
        agent_answer_body(call, status, &body, said);
}

/* `?cached`, where the route and the configuration honour it (1.8). */
static bool wants_cached(const struct agent_call *call)
{
    if (!call->agent->cache)
        return false;
    return (call->row->flags & AGENT_IS_CACHED) ||
           ((call->row->flags & AGENT_TAKES_CACHED) && agent_query_has(&call->query, "cached"));
}

static void start(struct agent_call *call);

static void done(void *arg, const struct cu_view_answer *answer)
{
    struct agent_call *call = arg;
    if (answer->err) {
        fail(call, answer);
        return;
    }
    if (is_too_stale(call, answer)) {
        call->options.mode = AGENT_DEFAULT;
        call->options.max_stale_ms = 0;
        start(call);
        return;
    }
    enum agent_cache_use cache = AGENT_CACHE_UNUSED;
    if (wants_cached(call)) {
        cu_view_cache_put(call->agent->cache, &call->read, answer);
        cache = AGENT_CACHE_MISS;
    }
    give(call, answer, cache, 0);
}

static bool give_cached(struct agent_call *call)
{
    struct cu_view_answer answer;
    uint64_t age_ms;
    if (!wants_cached(call) ||
        !cu_view_cache_get(call->agent->cache, &call->read, &answer, &age_ms))
        return false;
    give(call, &answer, AGENT_CACHE_HIT, age_ms);
    return true;
}

static void start(struct agent_call *call)
{
    call->read = (struct cu_view_read){
        .method = &call->row->method,
        .request = call->request,
        .mode = modes[call->options.mode].mode,
        .index = call->options.index,
        .wait_ms = call->options.index ? agent_with_jitter(call->options.wait_ms) : 0,
        .format = call->format,
        .token = call->token,
        .rights = call->authorizer ? cu_authorizer_rights(call->authorizer) : 0,
        .done = done,
        .arg = call,
    };
    call->rq.will_wait = call->read.index > 0;
    if (!give_cached(call))
        cu_view_read(call->agent->view, &call->read);
}

void agent_read_start(struct agent_call *call, const struct agent_read_row *row,
                      const ProtobufCMessage *request)
{
    const struct agent_conf *conf = &call->agent->conf;
    call->row = row;
    call->request = request;
    if ((row->flags & AGENT_MAY_BE_STALE) && call->options.mode == AGENT_DEFAULT &&
        conf->discovery_max_stale_ms) {
        call->options.mode = AGENT_STALE;
        call->options.max_stale_ms = conf->discovery_max_stale_ms;
    }
    /* What is kept knows nothing of a token that is gone, or that may do less now. */
    if (conf->acl_enabled && (row->flags & AGENT_TAKES_CACHED) && wants_cached(call))
        agent_permit_other(call, call->token, start);
    else
        start(call);
}

void agent_read_bound(struct agent_call *call, const struct agent_read_row *row)
{
    struct agent_asked asked = {call->tail, &call->query, call->agent->env->node_name};
    bool bad_passing = false;
    if (row->missing && call->tail.len == 0) {
        agent_answer_text(call, 400, row->missing);
        return;
    }
    ProtobufCMessage *request =
        agent_params_bind(&row->params, &asked, call->rq.arena, &bad_passing);
    if (!request) {
        agent_answer_text(call, 500, "request is too large");
        return;
    }
    if (bad_passing)
        (void)agent_refuse(&call->fault, 400, "Invalid value for ?passing");
    agent_read_start(call, row, request);
}
