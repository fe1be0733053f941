#include "common/view/servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"
#include "common/base/num.h"
#include "common/log/log.h"
#include "common/view/candidates.h"
#include "curia/internal/v1/members.pb-c.h"

enum {
    LIST_TIMEOUT_MS = 10 * 1000,
    POLL_MS = 60 * 1000,
    POLL_SLACK_MS = 10 * 1000,
    RETRY_MS = 500,
    URL_BYTES = 128,
    MEMBERS_MAX = 65536, /* more are not looked at */
};

/* A member that is alive; its URL is empty where it is no server of ours. */
struct member {
    char url[URL_BYTES];
};

struct view_servers {
    struct cu_view *view;
    struct cu_loop *loop;
    struct cu_log *log;
    struct cu_log_limit said;
    char *datacenter, *node_name;
    struct cu_client *gossipd;
    struct cu_call *call;
    struct cu_timer retry;
    struct cu_map members; /* by name: those that are alive */
    Curia__Internal__V1__MembersFollowRequest follow;
    struct cu_buf feed_id;
    uint64_t after;
    bool has_list; /* follow from `after`; else list them first */
};

/* ---- members ---- */

static const char *tag(const Curia__Internal__V1__Member *member, const char *key)
{
    for (size_t i = 0; i < member->n_tags; i++)
        if (strcmp(member->tags[i]->key, key) == 0)
            return member->tags[i]->value;
    return "";
}

static void url_of(const struct view_servers *s, const Curia__Internal__V1__Member *member,
                   char url[URL_BYTES])
{
    const char *port = tag(member, "port");
    uint64_t number;
    bool is_v6 = strchr(member->address, ':') != NULL;
    url[0] = '\0';
    if (strcmp(tag(member, "role"), "consul") != 0 ||
        strcmp(tag(member, "dc"), s->datacenter) != 0 || strcmp(member->name, s->node_name) == 0 ||
        cu_parse_u64(port, strlen(port), &number) || number == 0 || number > UINT16_MAX)
        return;
    int len =
        snprintf(url, URL_BYTES, is_v6 ? "tcp://[%s]:%s" : "tcp://%s:%s", member->address, port);
    if (len < 0 || len >= URL_BYTES)
        url[0] = '\0';
}

static void forget(struct view_servers *s, const char *name)
{
    free(cu_map_del(&s->members, cu_bytes_of(name)));
}

static void take(struct view_servers *s, const Curia__Internal__V1__Member *member)
{
    if (member->status != CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_ALIVE) {
        forget(s, member->name);
        return;
    }
    struct member *known = cu_map_get(&s->members, cu_bytes_of(member->name));
    if (!known && s->members.count >= MEMBERS_MAX)
        return;
    if (!known) {
        known = cu_alloc(sizeof *known);
        (void)cu_map_put(&s->members, cu_bytes_of(member->name), known);
    }
    url_of(s, member, known->url);
}

static void offer(struct view_servers *s)
{
    const char *urls[VIEW_CANDIDATES_MAX];
    size_t count = 0, at = 0;
    struct cu_bytes name;
    void *member;
    while (count < VIEW_CANDIDATES_MAX && cu_map_next(&s->members, &at, &name, &member))
        if (((struct member *)member)->url[0])
            urls[count++] = ((struct member *)member)->url;
    cu_view_offer(s->view, CU_VIEW_MEMBERS, urls, count);
    cu_view_set_cluster_size(s->view, s->members.count);
}

static void forget_all(struct view_servers *s)
{
    struct cu_bytes name;
    void *member;
    for (size_t at = 0; cu_map_next(&s->members, &at, &name, &member);)
        free(member);
    cu_map_deinit(&s->members);
}

/* ---- asking ---- */

static void ask(struct view_servers *s);

static void take_list(struct view_servers *s, const Curia__Internal__V1__MembersListReply *reply)
{
    forget_all(s);
    for (size_t i = 0; i < reply->n_members; i++)
        take(s, reply->members[i]);
    cu_buf_clear(&s->feed_id);
    cu_buf_append(&s->feed_id, reply->feed_id.data, reply->feed_id.len);
    s->after = reply->index;
    s->has_list = true;
    offer(s);
}

static void take_records(struct view_servers *s,
                         const Curia__Internal__V1__MembersFollowReply *reply)
{
    if (reply->outcome == CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_COMPACTED) {
        s->has_list = false;
        return;
    }
    for (size_t i = 0; i < reply->n_records; i++) {
        const Curia__Internal__V1__MemberRecord *record = reply->records[i];
        if (record->member &&
            record->kind == CURIA__INTERNAL__V1__MEMBER_RECORD_KIND__RECORD_REAPED)
            forget(s, record->member->name);
        else if (record->member)
            take(s, record->member);
    }
    s->after = reply->upto;
    if (reply->n_records > 0)
        offer(s);
}

static void answered(void *arg, const struct cu_answer *answer)
{
    struct view_servers *s = arg;
    s->call = NULL;
    if (answer->err == CU_E_DISCONNECTED)
        return; /* asked when it is there again */
    if (answer->err && answer->err != CU_E_DEADLINE) {
        cu_log_limited(s->log, &s->said, CU_LOG_WARN, "members.refused", "error=%s text=\"%s\"",
                       cu_err_name(answer->err), answer->text);
        cu_timer_set_ms(&s->retry, RETRY_MS);
        return;
    }
    if (!answer->err && s->has_list)
        take_records(s, (const Curia__Internal__V1__MembersFollowReply *)answer->message);
    else if (!answer->err)
        take_list(s, (const Curia__Internal__V1__MembersListReply *)answer->message);
    ask(s);
}

static void ask(struct view_servers *s)
{
    static const Curia__Internal__V1__MembersListRequest list =
        CURIA__INTERNAL__V1__MEMBERS_LIST_REQUEST__INIT;
    curia__internal__v1__members_follow_request__init(&s->follow);
    s->follow.feed_id = (ProtobufCBinaryData){s->feed_id.len, s->feed_id.data};
    s->follow.after = s->after;
    s->follow.wait_ms = POLL_MS;
    struct cu_call_spec spec = {
        .service = &curia__internal__v1__members__descriptor,
        .method = s->has_list ? "Follow" : "List",
        .in = s->has_list ? &s->follow.base : &list.base,
        .timeout_ms = s->has_list ? POLL_MS + POLL_SLACK_MS : LIST_TIMEOUT_MS,
    };
    s->call = cu_client_call(s->gossipd, &spec, answered, s);
}

static void ask_again(void *arg)
{
    struct view_servers *s = arg;
    if (!s->call && cu_client_is_up(s->gossipd))
        ask(s);
}

static void changed(void *arg, struct cu_client *client, bool is_up)
{
    struct view_servers *s = arg;
    (void)client;
    if (is_up && !s->call)
        ask(s);
}

/* ---- life ---- */

struct view_servers *view_servers_new(const struct view_servers_options *options)
{
    struct view_servers *s = cu_alloc(sizeof *s);
    s->view = options->view;
    s->loop = options->loop;
    s->log = options->log;
    s->datacenter = cu_strdup(options->datacenter);
    s->node_name = cu_strdup(options->node_name);
    cu_timer_init(&s->retry, s->loop, ask_again, s);
    s->gossipd = cu_client_new(options->rpc, options->url, changed, s);
    return s;
}

void view_servers_free(struct view_servers *s)
{
    if (!s)
        return;
    if (s->call)
        cu_call_cancel(s->call);
    cu_client_free(s->gossipd);
    cu_timer_close(&s->retry);
    forget_all(s);
    cu_buf_deinit(&s->feed_id);
    free(s->datacenter);
    free(s->node_name);
    free(s);
}
