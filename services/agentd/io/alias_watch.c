#include "services/agentd/io/alias_watch.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "curia/v1/health.pb-c.h"
#include "services/agentd/core/alias.h"

enum {
    WAIT_MS = 60 * 1000,
    RETRY_MS = 1000,
    RETRY_MAX_MS = 60 * 1000,
    PATIENT_FAILURES = 3, /* after so many the time doubles */
};

struct agent_alias_watch {
    struct cu_view *view;
    char *node, *service_id, *own_id, *token;
    const struct agent_tokens *tokens;
    agent_alias_result *result;
    void *arg;
    struct cu_view_read read;
    struct cu_timer retry;
    uint64_t index;
    unsigned failures;
    struct cu_view_body *checks; /* while it is asked whether the service is there */
};

/* What the view keeps of an answer: the message. */
static unsigned keep(const ProtobufCMessage *reply, unsigned format, struct cu_buf *out)
{
    size_t size = protobuf_c_message_get_packed_size(reply);
    (void)format;
    if (size)
        (void)protobuf_c_message_pack(reply, cu_buf_extend(out, size));
    return 0;
}

static const struct cu_view_method node_checks = {&curia__v1__health__descriptor, "NodeChecks",
                                                  keep};
static const struct cu_view_method node_services = {&curia__v1__catalog__descriptor, "NodeServices",
                                                    keep};

static void ask_checks(void *arg);

static void failed(struct agent_alias_watch *watch, const char *text)
{
    struct cu_buf output = {0};
    uint64_t wait = RETRY_MS;
    watch->failures++;
    for (unsigned i = PATIENT_FAILURES; i < watch->failures && wait < RETRY_MAX_MS; i++)
        wait *= 2;
    watch->index = 0;
    cu_timer_set_ms(&watch->retry, wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS);
    if (watch->failures < 2)
        return;
    cu_buf_printf(&output, "Failure checking aliased node or service: %s", text);
    cu_buf_u8(&output, 0);
    watch->result(watch->arg, AGENT_CRITICAL, (const char *)output.data);
    cu_buf_deinit(&output);
}

static bool has_service(const struct agent_alias_watch *watch,
                        const Curia__V1__NodeServicesReply *services)
{
    for (size_t i = 0; services && i < services->n_services; i++)
        if (strcmp(services->services[i]->id, watch->service_id) == 0)
            return true;
    return false;
}

static void tell(struct agent_alias_watch *watch, const Curia__V1__ChecksReply *checks,
                 bool service_is_there)
{
    struct cu_buf output = {0};
    enum agent_status status =
        agent_alias_status(watch->node, watch->service_id, watch->own_id, service_is_there,
                           checks->checks, checks->n_checks, &output);
    cu_buf_u8(&output, 0);
    watch->failures = 0;
    watch->result(watch->arg, status, (const char *)output.data);
    cu_buf_deinit(&output);
    ask_checks(watch);
}

static Curia__V1__ChecksReply *unpack_checks(const struct cu_view_body *body)
{
    Curia__V1__ChecksReply *reply = curia__v1__checks_reply__unpack(NULL, body->len, body->bytes);
    CU_ASSERT(reply); /* keep() packed it */
    return reply;
}

static void services_come(void *arg, const struct cu_view_answer *answer)
{
    struct agent_alias_watch *watch = arg;
    struct cu_view_body *kept = watch->checks;
    watch->checks = NULL;
    if (answer->err) {
        failed(watch, answer->text);
    } else {
        Curia__V1__NodeServicesReply *services =
            curia__v1__node_services_reply__unpack(NULL, answer->body->len, answer->body->bytes);
        Curia__V1__ChecksReply *checks = unpack_checks(kept);
        tell(watch, checks, has_service(watch, services));
        curia__v1__checks_reply__free_unpacked(checks, NULL);
        if (services)
            curia__v1__node_services_reply__free_unpacked(services, NULL);
    }
    cu_view_body_unref(kept);
}

static void ask(struct agent_alias_watch *watch, const struct cu_view_method *method,
                const ProtobufCMessage *request, uint64_t index, cu_view_done *done)
{
    const char *own = agent_tokens_get(watch->tokens, AGENT_TOKEN_DEFAULT);
    watch->read = (struct cu_view_read){
        .method = method,
        .request = request,
        .mode = CU_VIEW_STALE,
        .index = index,
        .wait_ms = index ? WAIT_MS : 0,
        .token = *watch->token ? watch->token : own,
        .done = done,
        .arg = watch,
    };
    cu_view_read(watch->view, &watch->read);
}

static bool is_of_service(const struct agent_alias_watch *watch,
                          const Curia__V1__ChecksReply *checks)
{
    for (size_t i = 0; i < checks->n_checks; i++)
        if (strcmp(checks->checks[i]->service_id, watch->service_id) == 0)
            return true;
    return false;
}

static void checks_come(void *arg, const struct cu_view_answer *answer)
{
    struct agent_alias_watch *watch = arg;
    if (answer->err) {
        failed(watch, answer->text);
        return;
    }
    watch->index = answer->index;
    Curia__V1__ChecksReply *checks = unpack_checks(answer->body);
    if (!*watch->service_id || is_of_service(watch, checks)) {
        tell(watch, checks, true);
    } else { /* without a check it may still be there */
        Curia__V1__NodeServicesRequest request = CURIA__V1__NODE_SERVICES_REQUEST__INIT;
        request.node = watch->node;
        watch->checks = cu_view_body_ref(answer->body);
        ask(watch, &node_services, &request.base, 0, services_come);
    }
    curia__v1__checks_reply__free_unpacked(checks, NULL);
}

static void ask_checks(void *arg)
{
    struct agent_alias_watch *watch = arg;
    Curia__V1__NodeChecksRequest request = CURIA__V1__NODE_CHECKS_REQUEST__INIT;
    request.node = watch->node;
    ask(watch, &node_checks, &request.base, watch->index, checks_come);
}

struct agent_alias_watch *agent_alias_watch_new(const struct agent_alias_options *options)
{
    struct agent_alias_watch *watch = cu_alloc(sizeof *watch);
    watch->view = options->view;
    watch->node = cu_strdup(options->node);
    watch->service_id = cu_strdup(options->service_id);
    watch->own_id = cu_strdup(options->own_id);
    watch->token = cu_strdup(options->token);
    watch->tokens = options->tokens;
    watch->result = options->result;
    watch->arg = options->arg;
    cu_timer_init(&watch->retry, options->loop, ask_checks, watch);
    cu_timer_set_ms(&watch->retry, 0); /* not from inside */
    return watch;
}

void agent_alias_watch_free(struct agent_alias_watch *watch)
{
    if (!watch)
        return;
    cu_view_cancel(&watch->read);
    cu_timer_close(&watch->retry);
    cu_view_body_unref(watch->checks);
    free(watch->node);
    free(watch->service_id);
    free(watch->own_id);
    free(watch->token);
    free(watch);
}
