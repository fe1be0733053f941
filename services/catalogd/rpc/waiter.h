/* waiter.h - somebody parked until one of a few topics moves (contracts 7.4). */
#ifndef CATALOG_RPC_WAITER_H
#define CATALOG_RPC_WAITER_H

#include "services/catalogd/core/topics.h"
#include "services/catalogd/io/shell.h"

enum {
    CATALOG_READ_TOPICS_MAX = 8,    /* contracts 7.2 */
    CATALOG_WAITER_TOPICS_MAX = 16, /* a feed of every table */
};
_Static_assert((int)CATALOG_TABLE_COUNT <= (int)CATALOG_WAITER_TOPICS_MAX,
               "a feed watches each of its tables");

struct catalog_waiter {
    void (*moved)(struct catalog_waiter *waiter); /* disarmed by then */
    struct catalog_watch watches[CATALOG_WAITER_TOPICS_MAX];
    size_t count;
};

enum catalog_armed {
    CATALOG_ARMED,
    CATALOG_MOVED,    /* one has moved after `after`: look again */
    CATALOG_TOO_MANY, /* every entry of the topics map is being watched */
};

enum catalog_armed catalog_waiter_arm(struct catalog_shell *shell, struct catalog_waiter *waiter,
                                      const struct catalog_topic *topics, size_t count,
                                      uint64_t after);
void catalog_waiter_disarm(struct catalog_shell *shell, struct catalog_waiter *waiter);

/* Tells those whose watches fired. */
void catalog_waiters_wake(struct catalog_shell *shell, struct catalog_watch *fired);

#endif
