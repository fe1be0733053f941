#include "common/members/members.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/num.h"
#include "common/log/log.h"

enum { POLL_MS = 60 * 1000, POLL_SLACK_MS = 10 * 1000, RETRY_MS = 500 };

struct cu_members {
    struct cu_members_options o;
    struct cu_client *gossipd;
    struct cu_call *call;
    struct cu_timer retry;
    struct cu_buf feed_id; /* empty: from nowhere */
    uint64_t after;
    struct cu_log_limit said;
};

const char *cu_member_tag(const Curia__Internal__V1__Member *member, const char *name)
{
    for (size_t i = 0; i < member->n_tags; i++)
        if (strcmp(member->tags[i]->key, name) == 0)
            return member->tags[i]->value;
    return "";
}

uint64_t cu_member_number(const Curia__Internal__V1__Member *member, const char *name, uint64_t max)
{
    const char *text = cu_member_tag(member, name);
    uint64_t number;
    return cu_parse_u64(text, strlen(text), &number) || number > max ? 0 : number;
}

/* ---- servers ---- */

static bool is_number(const char *text, uint64_t max)
{
    uint64_t number;
    return !cu_parse_u64(text, strlen(text), &number) && number <= max;
}

/* "1.9.8:1a2b3c4d": three numbers, whatever follows. */
static bool is_build(const char *text)
{
    for (unsigned part = 0; part < 3; part++) {
        size_t digits = strspn(text, "0123456789");
        text += digits;
        if (!digits || (part < 2 && *text++ != '.'))
            return false;
    }
    return true;
}

/* What a tag of a server must be where it is there at all. */
static bool is_fit(const char *key, const char *value)
{
    static const struct {
        const char *key;
        uint64_t max;
    } numbers[] = {{"expect", INT32_MAX},
                   {"port", UINT16_MAX},
                   {"raft_vsn", INT32_MAX},
                   {"vsn", INT32_MAX},
                   {"wan_join_port", UINT16_MAX}};
    if (!strncmp(key, "ft_", 3))
        return is_number(value, INT32_MAX);
    if (!strncmp(key, "sl_", 3)) {
        const char *colon = strrchr(value, ':');
        return colon && is_number(colon + 1, UINT16_MAX);
    }
    for (size_t i = 0; i < CU_COUNT(numbers); i++)
        if (!strcmp(key, numbers[i].key))
            return is_number(value, numbers[i].max);
    return true;
}

bool cu_member_is_server(const Curia__Internal__V1__Member *member, const char *datacenter)
{
    bool is_server = !strcmp(cu_member_tag(member, "role"), "consul") &&
                     (!datacenter || !strcmp(cu_member_tag(member, "dc"), datacenter)) &&
                     cu_member_number(member, "port", UINT16_MAX) > 0 &&
                     *cu_member_tag(member, "vsn") && is_build(cu_member_tag(member, "build"));
    for (size_t i = 0; is_server && i < member->n_tags; i++)
        is_server = is_fit(member->tags[i]->key, member->tags[i]->value);
    return is_server;
}

/* ---- following ---- */

static void ask(struct cu_members *members);

static void take(struct cu_members *members, const Curia__Internal__V1__MembersFollowReply *reply)
{
    if (reply->outcome == CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_COMPACTED) {
        cu_buf_clear(&members->feed_id);
        members->after = 0;
        if (members->o.anew)
            members->o.anew(members->o.arg);
        return;
    }
    for (size_t i = 0; i < reply->n_records; i++)
        if (reply->records[i]->member)
            members->o.record(members->o.arg, reply->records[i]);
    cu_buf_clear(&members->feed_id);
    cu_buf_append(&members->feed_id, reply->feed_id.data, reply->feed_id.len);
    members->after = reply->upto;
    if (members->o.told && members->after >= reply->index)
        members->o.told(members->o.arg, reply->complete);
}

static void answered(void *arg, const struct cu_answer *answer)
{
    struct cu_members *members = arg;
    members->call = NULL;
    if (answer->err == CU_E_DISCONNECTED)
        return; /* asked when it is there again */
    if (answer->err && answer->err != CU_E_DEADLINE) {
        cu_log_limited(members->o.log, &members->said, CU_LOG_WARN, "members.refused",
                       "error=%s text=\"%s\"", cu_err_name(answer->err), answer->text);
        cu_timer_set_ms(&members->retry, RETRY_MS);
        return;
    }
    if (!answer->err)
        take(members, (const Curia__Internal__V1__MembersFollowReply *)answer->message);
    ask(members);
}

static void ask(struct cu_members *members)
{
    Curia__Internal__V1__MembersFollowRequest in =
        CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REQUEST__INIT;
    in.feed_id = (ProtobufCBinaryData){members->feed_id.len, members->feed_id.data};
    in.after = members->after;
    in.wait_ms = POLL_MS;
    members->call = cu_client_call(members->gossipd,
                                   &(struct cu_call_spec){
                                       .service = &curia__internal__v1__members__descriptor,
                                       .method = "Follow",
                                       .in = &in.base,
                                       .timeout_ms = POLL_MS + POLL_SLACK_MS,
                                   },
                                   answered, members);
}

static void ask_again(void *arg)
{
    struct cu_members *members = arg;
    if (!members->call && cu_client_is_up(members->gossipd))
        ask(members);
}

static void changed(void *arg, struct cu_client *client, bool is_up)
{
    struct cu_members *members = arg;
    (void)client;
    if (is_up && !members->call)
        ask(members);
    if (members->o.well)
        members->o.well(members->o.arg, is_up);
}

struct cu_members *cu_members_new(const struct cu_members_options *options)
{
    struct cu_members *members = cu_alloc(sizeof *members);
    members->o = *options;
    cu_timer_init(&members->retry, options->loop, ask_again, members);
    members->gossipd = cu_client_new(options->rpc, options->url, changed, members);
    return members;
}

void cu_members_free(struct cu_members *members)
{
    if (!members)
        return;
    if (members->call)
        cu_call_cancel(members->call);
    cu_client_free(members->gossipd);
    cu_timer_close(&members->retry);
    cu_buf_deinit(&members->feed_id);
    free(members);
}
