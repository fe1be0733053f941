/* topics.h - which parts of the state moved when, and who wants to be woken (contracts 7.2, 7.4).
 *
 * A topic is a key of a table, or all keys of it that begin with a prefix. Only topics that
 * somebody has asked about have an entry; all others count as moved at the floor. Pure: the map
 * says which watches fire, the edge acts on it. Indexes are the shown ones. */
#ifndef CATALOG_TOPICS_H
#define CATALOG_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "services/catalogd/core/store.h"

struct catalog_topics;
struct catalog_topic_entry;

enum {
    CATALOG_TOPICS_MAX = 65536,        /* entries kept; those least lately asked about go first */
    CATALOG_TOPIC_KEY_BYTES_MAX = 8192 /* a longer key has no entry: always "moved" */
};

struct catalog_topic {
    enum catalog_table table;
    bool is_prefix;
    struct cu_bytes key; /* of the table's rows; borrowed */
};

/* Somebody waiting; lives in its owner. */
struct catalog_watch {
    struct catalog_topic_entry *entry; /* NULL: not armed */
    struct catalog_watch *prev, *next;
    void *owner;
};

/* Nothing is known of what moved up to `floor`. */
struct catalog_topics *catalog_topics_new(uint64_t floor, size_t entries_max);
void catalog_topics_free(struct catalog_topics *topics); /* takes NULL; disarms nothing */

/* The index at or before which the topic moved last. */
uint64_t catalog_topics_moved(struct catalog_topics *topics, const struct catalog_topic *topic);

/* From here on moves of the topic are told apart; what it showed was read at `read_at`, so it has
 * not moved after that. */
void catalog_topics_follow(struct catalog_topics *topics, const struct catalog_topic *topic,
                           uint64_t read_at);

/* Arms the watch, or returns false: the topic may have moved after `after`, look again. False as
 * well, and nothing armed, where every entry is being watched. */
bool catalog_topics_watch(struct catalog_topics *topics, struct catalog_watch *watch,
                          const struct catalog_topic *topic, uint64_t after);
void catalog_topics_unwatch(struct catalog_topics *topics, struct catalog_watch *watch);

/* A row, or all rows under a prefix, moved. Returns the watches that fire, disarmed and linked by
 * `next`. */
struct catalog_watch *catalog_topics_move(struct catalog_topics *topics,
                                          const struct catalog_wake *wake);

/* All of the state was replaced: everything moved at `index`, every watch fires. */
struct catalog_watch *catalog_topics_reset(struct catalog_topics *topics, uint64_t index);

size_t catalog_topics_count(const struct catalog_topics *topics);
size_t catalog_topics_watches(const struct catalog_topics *topics);

#endif
