/* commands.c - Members.Join, Leave, ForceLeave, SetTags: what this member is told to do. */
#include <stdio.h>
#include <string.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/rpc/call.h"

enum { JOIN_ARENA_BYTES = 1024 * 1024, JOIN_ERRORS_MAX = 2 * GOSSIP_JOIN_MAX };

/* ---- Join ---- */

static void add_error(struct gossip_call *call, const char *text, size_t len)
{
    if (!call->errors)
        call->errors = cu_arena_alloc(call->rq->arena, JOIN_ERRORS_MAX * sizeof *call->errors);
    char *copy = call->errors && call->error_count < JOIN_ERRORS_MAX
                     ? cu_arena_printf(call->rq->arena, "%.*s", (int)len, text)
                     : NULL;
    if (copy)
        call->errors[call->error_count++] = copy;
}

static void finish_join(struct gossip_call *call, uint32_t joined)
{
    Curia__Internal__V1__JoinReply reply = CURIA__INTERNAL__V1__JOIN_REPLY__INIT;
    reply.joined = joined;
    reply.n_errors = call->error_count;
    reply.errors = call->errors;
    cu_rq_reply(gossip_call_close(call), &reply.base, 0);
}

static void on_joined(void *arg, enum cu_err err, uint32_t count, const char *text)
{
    struct gossip_call *call = arg;
    for (const char *line = text ? text : ""; *line;) {
        size_t len = strcspn(line, "\n");
        if (len)
            add_error(call, line, len);
        line += len + (line[len] == '\n');
    }
    if (err && err != CU_E_DISCONNECTED)
        cu_rq_fail(gossip_call_close(call), err, "%s", text ? text : cu_err_words(err));
    else /* that nobody was reached is an answer: who asks needs all the sentences */
        finish_join(call, count);
}

static void on_resolved(void *arg, const struct gossip_resolved *resolved)
{
    struct gossip_call *call = arg;
    if (!call->rq) { /* nobody waits any more: it was not begun */
        (void)gossip_call_close(call);
        return;
    }
    for (uint32_t i = 0; i < resolved->failed_count; i++)
        add_error(call, resolved->failures[i], strlen(resolved->failures[i]));
    if (!resolved->count) {
        finish_join(call, 0);
        return;
    }
    call->tag = gossip_shell_command(
        call->service->options.shell,
        &(struct gossip_event){.kind = GOSSIP_EV_JOIN,
                               .join = {resolved->targets, resolved->count, true}},
        on_joined, call);
}

void gossip_handle_join(void *context, struct cu_rq *rq)
{
    struct gossip_service *service = context;
    const Curia__Internal__V1__JoinRequest *in = (const void *)rq->in;
    if (!in->n_addresses || in->n_addresses > GOSSIP_JOIN_MAX) {
        cu_rq_fail(rq, CU_E_INVALID, "a join takes 1 to %d addresses", GOSSIP_JOIN_MAX);
        return;
    }
    cu_arena_set_limit(rq->arena, JOIN_ARENA_BYTES);
    struct gossip_call *call = gossip_call_open(&service->commands, service, rq);
    gossip_resolve(service->options.resolver, (const char *const *)in->addresses, in->n_addresses,
                   service->options.port, on_resolved, call);
}

/* ---- what has no more to say than that it is done ---- */

static void on_done(void *arg, enum cu_err err, uint32_t count, const char *text)
{
    struct cu_rq *rq = gossip_call_close(arg);
    (void)count;
    if (err) {
        cu_rq_fail(rq, err, "%s", text ? text : cu_err_words(err));
        return;
    }
    /* The replies of these methods are all empty. */
    Curia__Internal__V1__LeaveReply reply = CURIA__INTERNAL__V1__LEAVE_REPLY__INIT;
    cu_rq_reply(rq, &reply.base, 0);
}

static void give(struct gossip_service *service, struct cu_rq *rq, struct gossip_event *event)
{
    struct gossip_call *call = gossip_call_open(&service->commands, service, rq);
    call->tag = gossip_shell_command(service->options.shell, event, on_done, call);
}

void gossip_handle_leave(void *context, struct cu_rq *rq)
{
    give(context, rq, &(struct gossip_event){.kind = GOSSIP_EV_LEAVE});
}

void gossip_handle_force_leave(void *context, struct cu_rq *rq)
{
    const Curia__Internal__V1__ForceLeaveRequest *in = (const void *)rq->in;
    if (!*in->node) {
        cu_rq_fail(rq, CU_E_INVALID, "force-leave needs the name of a node");
        return;
    }
    give(context, rq,
         &(struct gossip_event){.kind = GOSSIP_EV_FORCE_LEAVE,
                                .force_leave = {in->node, in->prune}});
}

/* ---- SetTags ---- */

static struct gossip_tag *find_tag(struct gossip_tags *tags, const char *name)
{
    for (uint32_t i = 0; i < tags->count; i++)
        if (cu_bytes_equal(tags->tag[i].name, cu_bytes_of(name)))
            return &tags->tag[i];
    return NULL;
}

static void remove_tag(struct gossip_tags *tags, const char *name)
{
    struct gossip_tag *tag = find_tag(tags, name);
    if (tag)
        *tag = tags->tag[--tags->count];
}

static bool set_tag(struct gossip_tags *tags, const char *name, const char *value)
{
    struct gossip_tag *tag = find_tag(tags, name);
    if (!tag && tags->count == GOSSIP_TAGS_MAX)
        return false;
    if (!tag)
        tag = &tags->tag[tags->count++];
    *tag = (struct gossip_tag){cu_bytes_of(name), cu_bytes_of(value)};
    return true;
}

/* The tags as they are, then what is removed, then what is set. */
static bool change(struct gossip_tags *tags, const Curia__Internal__V1__SetTagsRequest *in)
{
    bool fits = true;
    for (size_t i = 0; i < in->n_remove; i++)
        remove_tag(tags, in->remove[i]);
    for (size_t i = 0; fits && i < in->n_set; i++)
        fits = set_tag(tags, in->set[i]->key, in->set[i]->value);
    return fits;
}

void gossip_handle_set_tags(void *context, struct cu_rq *rq)
{
    struct gossip_service *service = context;
    struct gossip_member_view self;
    struct gossip_tags tags = {0};
    struct cu_buf meta = {0};
    bool known = gossip_member_find(service->core, service->options.self, &self);
    if (known && gossip_tags_decode(self.meta, &tags))
        tags.count = 0; /* our own: never so */
    bool fits = change(&tags, (const void *)rq->in) && !gossip_tags_encode(&meta, &tags);
    cu_buf_deinit(&meta);
    if (fits)
        give(service, rq, &(struct gossip_event){.kind = GOSSIP_EV_SET_TAGS, .set_tags = &tags});
    else
        cu_rq_fail(rq, CU_E_TOO_LARGE, "Encoded length of tags exceeds limit of %d bytes",
                   GOSSIP_META_MAX_BYTES);
}
