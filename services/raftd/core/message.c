#include <stdlib.h>

#include "services/raftd/core/raft.h"

static void free_entries(struct raft_entry *entries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        raft_body_unref(entries[i].body);
    free(entries);
}

void raft_message_deinit(struct raft_message *message)
{
    free_entries(message->entries, message->entry_count);
    message->entries = NULL;
    message->entry_count = 0;
}

void raft_persist_free(struct raft_persist *persist)
{
    if (!persist)
        return;
    free_entries(persist->entries, persist->entry_count);
    free(persist);
}

static void free_action(struct raft_action *action)
{
    switch (action->kind) {
    case RAFT_ACT_SEND:
        if (action->send)
            raft_message_deinit(action->send);
        free(action->send);
        break;
    case RAFT_ACT_PERSIST:
        raft_persist_free(action->persist);
        break;
    case RAFT_ACT_PROPOSED:
        free(action->proposed.refusals);
        free(action->proposed.lost);
        break;
    case RAFT_ACT_READ:
    case RAFT_ACT_ATTACHED:
    case RAFT_ACT_RECOVERED:
    case RAFT_ACT_FORGOTTEN:
    case RAFT_ACT_CHANGED:
    case RAFT_ACT_NOTE:
    case RAFT_ACTION_COUNT:
        break;
    }
}

void raft_actions_deinit(struct raft_actions *actions)
{
    for (uint32_t i = 0; i < actions->count; i++)
        free_action(&actions->items[i]);
    free(actions->items);
    *actions = (struct raft_actions){0};
}

const char *raft_ignored_text(enum raft_ignored why)
{
    switch (why) {
    case RAFT_HEARD:
        return "heard";
    case RAFT_IGN_CLUSTER:
        return "of another cluster";
    case RAFT_IGN_INCARNATION:
        return "of an incarnation that the configuration does not hold";
    case RAFT_IGN_NOT_MEMBER:
        return "of a server that is not in the configuration";
    case RAFT_IGN_STALE:
        return "an answer to a question no longer asked";
    case RAFT_IGN_MALFORMED:
        return "malformed";
    case RAFT_IGN_COUNT:
        break;
    }
    return "unknown";
}

const char *raft_role_name(enum raft_role role)
{
    switch (role) {
    case RAFT_FOLLOWER:
        return "follower";
    case RAFT_PRECANDIDATE:
    case RAFT_CANDIDATE:
        return "candidate";
    case RAFT_LEADER:
        return "leader";
    case RAFT_ROLE_COUNT:
        break;
    }
    return "unknown";
}
