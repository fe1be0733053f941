/* members.c - Members.List, Follow, Stats: the lists and the feed as messages. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/gossipd/core/codec.h"
#include "services/gossipd/io/sockaddr.h"
#include "services/gossipd/rpc/call.h"

typedef Curia__Internal__V1__Member__TagsEntry tags_entry;
typedef Curia__Internal__V1__MemberRecord record_message;

/* Our statuses and changes have the numbers of the proto. */
_Static_assert((int)GOSSIP_STATUS_REAPED == (int)CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_REAPED,
               "");
_Static_assert((int)GOSSIP_STATUS_FAILED == (int)CURIA__INTERNAL__V1__MEMBER_STATUS__MEMBER_FAILED,
               "");
_Static_assert((int)GOSSIP_CHANGE_UPDATED ==
                   (int)CURIA__INTERNAL__V1__MEMBER_RECORD_KIND__RECORD_UPDATED,
               "");
_Static_assert((int)GOSSIP_CHANGE_ALIVE ==
                   (int)CURIA__INTERNAL__V1__MEMBER_RECORD_KIND__RECORD_ALIVE,
               "");

/* ---- one member ---- */

/* Bytes that others chose, as the text of a message: cut at a NUL, which no text may hold. */
static char *text_of(struct cu_arena *arena, struct cu_bytes bytes)
{
    char *text = cu_arena_alloc(arena, bytes.len + 1);
    if (text && bytes.len)
        memcpy(text, bytes.data, bytes.len);
    return text;
}

static int by_tag(const void *a, const void *b)
{
    return cu_bytes_compare(((const struct gossip_tag *)a)->name,
                            ((const struct gossip_tag *)b)->name);
}

static bool add_tags(struct cu_arena *arena, struct cu_bytes meta, gossip_pb_member *to)
{
    struct gossip_tags tags;
    if (gossip_tags_decode(meta, &tags))
        return true; /* meta that is no tags: the member has none */
    qsort(tags.tag, tags.count, sizeof tags.tag[0], by_tag);
    to->tags = cu_arena_alloc(arena, (tags.count + 1) * sizeof *to->tags);
    tags_entry *entries = cu_arena_alloc(arena, (tags.count + 1) * sizeof *entries);
    if (!to->tags || !entries)
        return false;
    for (uint32_t i = 0; i < tags.count; i++) {
        curia__internal__v1__member__tags_entry__init(&entries[i]);
        entries[i].key = text_of(arena, tags.tag[i].name);
        entries[i].value = text_of(arena, tags.tag[i].value);
        if (!entries[i].key || !entries[i].value)
            return false;
        to->tags[to->n_tags++] = &entries[i];
    }
    return true;
}

gossip_pb_member *gossip_member_message(struct cu_arena *arena,
                                        const struct gossip_member_view *view)
{
    gossip_pb_member *to = cu_arena_alloc(arena, sizeof *to);
    char ip[GOSSIP_IP_TEXT_BYTES];
    if (!to)
        return NULL;
    curia__internal__v1__member__init(to);
    to->name = cu_arena_strdup(arena, view->name);
    to->address = cu_arena_strdup(arena, gossip_ip_text(view->address.ip, ip));
    to->port = view->address.port;
    to->status = (Curia__Internal__V1__MemberStatus)view->status;
    to->protocol_min = view->versions.pmin;
    to->protocol_max = view->versions.pmax;
    to->protocol_cur = view->versions.pcur;
    to->delegate_min = view->versions.dmin;
    to->delegate_max = view->versions.dmax;
    to->delegate_cur = view->versions.dcur;
    return to->name && to->address && add_tags(arena, view->meta, to) ? to : NULL;
}

/* ---- List ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(gossip_pb_member *const *)a)->name, (*(gossip_pb_member *const *)b)->name);
}

static size_t count_members(const struct gossip *core)
{
    struct gossip_member_view view;
    size_t at = 0, count = 0;
    while (gossip_member_next(core, &at, &view))
        count++;
    return count;
}

static bool add_members(const struct gossip *core, struct cu_arena *arena,
                        Curia__Internal__V1__MembersListReply *reply)
{
    struct gossip_member_view view;
    size_t at = 0;
    reply->members =
        cu_arena_alloc(arena, (count_members(core) + 1) * sizeof(struct gossip_pb_member *));
    while (reply->members && gossip_member_next(core, &at, &view)) {
        gossip_pb_member *member = gossip_member_message(arena, &view);
        if (!member)
            return false;
        reply->members[reply->n_members++] = member;
    }
    if (reply->members)
        qsort(reply->members, reply->n_members, sizeof *reply->members, by_name);
    return reply->members;
}

static ProtobufCBinaryData feed_id_of(struct gossip_service *service)
{
    return (ProtobufCBinaryData){sizeof service->feed_id, service->feed_id};
}

void gossip_handle_list(void *context, struct cu_rq *rq)
{
    struct gossip_service *service = context;
    Curia__Internal__V1__MembersListReply reply = CURIA__INTERNAL__V1__MEMBERS_LIST_REPLY__INIT;
    cu_arena_set_limit(rq->arena, LIST_ARENA_BYTES);
    if (!add_members(service->core, rq->arena, &reply)) {
        cu_rq_fail(rq, CU_E_TOO_LARGE, "there are too many members for one answer");
        return;
    }
    reply.self = (char *)(uintptr_t)service->options.self;
    reply.index = gossip_feed_index(service->core);
    reply.feed_id = feed_id_of(service);
    reply.complete = gossip_is_complete(service->core);
    cu_rq_reply(rq, &reply.base, 0);
}

/* ---- Follow ---- */

/* Fills in the next records; false: no room. The newest ones may be gone, when all memory of their
 * members is: who has been told the rest has been told all. */
static bool add_records(const struct gossip *core, uint64_t after, struct cu_arena *arena,
                        Curia__Internal__V1__MembersFollowReply *reply)
{
    struct gossip_member_view view;
    enum gossip_change change;
    bool is_all = false;
    record_message *records = cu_arena_alloc(arena, FOLLOW_RECORDS * sizeof *records);
    reply->records = cu_arena_alloc(arena, FOLLOW_RECORDS * sizeof *reply->records);
    reply->upto = after;
    if (!records || !reply->records)
        return false;
    while (reply->n_records < FOLLOW_RECORDS) {
        is_all = !gossip_feed_next(core, reply->upto, &view, &change);
        if (is_all)
            break;
        record_message *record = &records[reply->n_records];
        curia__internal__v1__member_record__init(record);
        record->index = reply->upto = view.index;
        record->kind = (Curia__Internal__V1__MemberRecordKind)change;
        record->member = gossip_member_message(arena, &view);
        if (!record->member)
            return false;
        reply->records[reply->n_records++] = record;
    }
    if (is_all)
        reply->upto = gossip_feed_index(core);
    return true;
}

static void answer(struct gossip_service *service, struct cu_rq *rq, uint64_t after,
                   Curia__Internal__V1__MembersOutcome outcome)
{
    Curia__Internal__V1__MembersFollowReply reply = CURIA__INTERNAL__V1__MEMBERS_FOLLOW_REPLY__INIT;
    reply.outcome = outcome;
    reply.upto = after;
    reply.index = gossip_feed_index(service->core);
    reply.feed_id = feed_id_of(service);
    reply.complete = gossip_is_complete(service->core);
    cu_arena_set_limit(rq->arena, LIST_ARENA_BYTES);
    if (outcome == CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_RECORDS &&
        !add_records(service->core, after, rq->arena, &reply))
        cu_rq_fail(rq, CU_E_TOO_LARGE, "a record of a member is too large");
    else
        cu_rq_reply(rq, &reply.base, 0);
}

void gossip_follow_expire(struct gossip_call *call)
{
    struct gossip_service *service = call->service;
    uint64_t after = call->after;
    answer(service, gossip_call_close(call), after,
           CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_NOTHING);
}

static void tell_records(struct gossip_call *call)
{
    struct gossip_service *service = call->service;
    uint64_t after = call->after;
    answer(service, gossip_call_close(call), after,
           CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_RECORDS);
}

/* That the feed has become complete is news, too, though no record says it. */
void gossip_follow_retry(struct gossip_service *service)
{
    uint64_t index = gossip_feed_index(service->core);
    bool is_complete = gossip_is_complete(service->core);
    bool turned = is_complete != service->was_complete;
    struct gossip_call *next;
    service->was_complete = is_complete;
    for (struct gossip_call *call = service->follows; call; call = next) {
        next = call->next;
        if (call->after < index)
            tell_records(call);
        else if (turned)
            gossip_follow_expire(call);
    }
}

static bool is_of_this_life(const struct gossip_service *service, ProtobufCBinaryData id)
{
    return id.len == sizeof service->feed_id &&
           memcmp(id.data, service->feed_id, sizeof service->feed_id) == 0;
}

void gossip_handle_follow(void *context, struct cu_rq *rq)
{
    struct gossip_service *service = context;
    const Curia__Internal__V1__MembersFollowRequest *in = (const void *)rq->in;
    uint64_t after = in->feed_id.len ? in->after : 0, index = gossip_feed_index(service->core);
    if (in->feed_id.len && !is_of_this_life(service, in->feed_id)) {
        answer(service, rq, 0, CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_COMPACTED);
    } else if (after < index) {
        answer(service, rq, after, CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_RECORDS);
    } else if (!in->wait_ms) {
        answer(service, rq, after, CURIA__INTERNAL__V1__MEMBERS_OUTCOME__MEMBERS_NOTHING);
    } else {
        struct gossip_call *call = gossip_call_open(&service->follows, service, rq);
        call->after = after;
        cu_timer_set_ms(&call->timer, in->wait_ms < FOLLOW_WAIT_MS ? in->wait_ms : FOLLOW_WAIT_MS);
    }
}

/* ---- Stats ---- */

/* The words of agent/self's serf_lan (agent.md 19). What is not built yet stands still. */
void gossip_handle_stats(void *context, struct cu_rq *rq)
{
    typedef Curia__Internal__V1__GossipStatsReply__StatsEntry stats_entry;
    struct gossip_service *service = context;
    Curia__Internal__V1__GossipStatsReply reply = CURIA__INTERNAL__V1__GOSSIP_STATS_REPLY__INIT;
    struct gossip_stats stats;
    gossip_stats(service->core, &stats);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"coordinate_resets", 0},
        {"event_queue", stats.event_queue},
        {"event_time", stats.event_time},
        {"failed", stats.failed},
        {"health_score", stats.health_score},
        {"intent_queue", stats.intent_queue},
        {"left", stats.left},
        {"member_time", stats.member_time},
        {"members", stats.members},
        {"query_queue", stats.query_queue},
        {"query_time", stats.query_time},
    };
    stats_entry entries[CU_COUNT(rows) + 1], *list[CU_COUNT(rows) + 1];
    char numbers[CU_COUNT(rows)][24];
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        curia__internal__v1__gossip_stats_reply__stats_entry__init(&entries[i]);
        (void)snprintf(numbers[i], sizeof numbers[i], "%" PRIu64, rows[i].value);
        entries[i].key = (char *)(uintptr_t)rows[i].name;
        entries[i].value = numbers[i];
        list[i] = &entries[i];
    }
    list[CU_COUNT(rows)] = &entries[CU_COUNT(rows)];
    curia__internal__v1__gossip_stats_reply__stats_entry__init(list[CU_COUNT(rows)]);
    list[CU_COUNT(rows)]->key = (char *)(uintptr_t) "encrypted";
    list[CU_COUNT(rows)]->value = (char *)(uintptr_t) "false";
    reply.stats = list;
    reply.n_stats = CU_COUNT(list);
    cu_rq_reply(rq, &reply.base, 0);
}
