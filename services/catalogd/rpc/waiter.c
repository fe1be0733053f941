#include "services/catalogd/rpc/waiter.h"

#include "common/base/assert.h"

void catalog_waiter_disarm(struct catalog_shell *shell, struct catalog_waiter *waiter)
{
    for (size_t i = 0; i < waiter->count; i++)
        catalog_topics_unwatch(shell->topics, &waiter->watches[i]);
    waiter->count = 0;
}

enum catalog_armed catalog_waiter_arm(struct catalog_shell *shell, struct catalog_waiter *waiter,
                                      const struct catalog_topic *topics, size_t count,
                                      uint64_t after)
{
    CU_ASSERT(waiter->count == 0 && count <= CATALOG_WAITER_TOPICS_MAX);
    for (size_t i = 0; i < count; i++) {
        waiter->watches[i] = (struct catalog_watch){.owner = waiter};
        if (catalog_topics_watch(shell->topics, &waiter->watches[i], &topics[i], after)) {
            waiter->count = i + 1;
            continue;
        }
        catalog_waiter_disarm(shell, waiter);
        return catalog_shell_facts(shell)->shown_index <= after ? CATALOG_TOO_MANY : CATALOG_MOVED;
    }
    return CATALOG_ARMED;
}

/* Of a waiter with several topics more than one watch may be in the list. */
static void take_out(struct catalog_watch **list, const struct catalog_waiter *waiter)
{
    while (*list) {
        if ((*list)->owner == waiter)
            *list = (*list)->next;
        else
            list = &(*list)->next;
    }
}

void catalog_waiters_wake(struct catalog_shell *shell, struct catalog_watch *fired)
{
    while (fired) {
        struct catalog_watch *watch = fired;
        struct catalog_waiter *waiter = watch->owner;
        fired = watch->next;
        watch->next = NULL;
        if (waiter->count > 1)
            take_out(&fired, waiter);
        catalog_waiter_disarm(shell, waiter);
        cu_count(shell->count.woken, 1);
        waiter->moved(waiter);
    }
}
