#include "services/catalogd/core/topics.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/map.h"

enum { KIND_KEY, KIND_PREFIX, KINDS, NAME_HEAD = 2 };

struct catalog_topic_entry {
    uint64_t moved;
    struct catalog_watch *watches;
    struct catalog_topic_entry *older, *newer; /* by use */
    size_t len;
    uint8_t name[]; /* table, kind, key */
};

struct catalog_topics {
    struct cu_map entries; /* by name */
    size_t entries_max, watches;
    uint64_t floor;
    struct catalog_topic_entry *oldest, *newest;
    /* How many prefix entries have a key of this length: a moved key looks only at those. */
    uint32_t prefix_lengths[CATALOG_TOPIC_KEY_BYTES_MAX + 1];
    size_t prefix_longest;
    uint8_t name[NAME_HEAD + CATALOG_TOPIC_KEY_BYTES_MAX]; /* scratch */
};

struct catalog_topics *catalog_topics_new(uint64_t floor, size_t entries_max)
{
    struct catalog_topics *topics = cu_alloc(sizeof(*topics));
    topics->floor = floor;
    topics->entries_max = entries_max;
    return topics;
}

static void drop_entry(struct catalog_topics *topics, struct catalog_topic_entry *entry);

void catalog_topics_free(struct catalog_topics *topics)
{
    if (!topics)
        return;
    while (topics->oldest) {
        topics->oldest->watches = NULL;
        drop_entry(topics, topics->oldest);
    }
    cu_map_deinit(&topics->entries);
    free(topics);
}

/* ---- entries, by name and by use ---- */

static struct cu_bytes name_of(struct catalog_topics *topics, enum catalog_table table, int kind,
                               struct cu_bytes key)
{
    topics->name[0] = (uint8_t)table;
    topics->name[1] = (uint8_t)kind;
    if (key.len > 0)
        memcpy(topics->name + NAME_HEAD, key.data, key.len);
    return (struct cu_bytes){topics->name, NAME_HEAD + key.len};
}

static struct catalog_topic_entry *find(struct catalog_topics *topics, enum catalog_table table,
                                        int kind, struct cu_bytes key)
{
    if (key.len > CATALOG_TOPIC_KEY_BYTES_MAX)
        return NULL;
    return cu_map_get(&topics->entries, name_of(topics, table, kind, key));
}

static void unlink_entry(struct catalog_topics *topics, struct catalog_topic_entry *entry)
{
    if (entry->older)
        entry->older->newer = entry->newer;
    else
        topics->oldest = entry->newer;
    if (entry->newer)
        entry->newer->older = entry->older;
    else
        topics->newest = entry->older;
}

static void link_newest(struct catalog_topics *topics, struct catalog_topic_entry *entry)
{
    entry->newer = NULL;
    entry->older = topics->newest;
    if (topics->newest)
        topics->newest->newer = entry;
    else
        topics->oldest = entry;
    topics->newest = entry;
}

static void touch(struct catalog_topics *topics, struct catalog_topic_entry *entry)
{
    if (topics->newest == entry)
        return;
    unlink_entry(topics, entry);
    link_newest(topics, entry);
}

static void drop_entry(struct catalog_topics *topics, struct catalog_topic_entry *entry)
{
    CU_ASSERT(!entry->watches);
    if (entry->moved > topics->floor)
        topics->floor = entry->moved;
    if (entry->name[1] == KIND_PREFIX)
        topics->prefix_lengths[entry->len - NAME_HEAD]--;
    unlink_entry(topics, entry);
    (void)cu_map_del(&topics->entries, (struct cu_bytes){entry->name, entry->len});
    free(entry);
}

/* Room for one more: the entry least lately used that nobody watches goes. Looking is bounded, the
 * watched ones passed on the way become the newest. */
static bool make_room(struct catalog_topics *topics)
{
    enum { LOOK_MAX = 64 };
    for (int looked = 0; topics->entries.count >= topics->entries_max; looked++) {
        if (looked == LOOK_MAX || !topics->oldest)
            return false;
        if (topics->oldest->watches)
            touch(topics, topics->oldest);
        else
            drop_entry(topics, topics->oldest);
    }
    return true;
}

static struct catalog_topic_entry *add(struct catalog_topics *topics,
                                       const struct catalog_topic *topic, uint64_t moved)
{
    if (topic->key.len > CATALOG_TOPIC_KEY_BYTES_MAX || !make_room(topics))
        return NULL;
    int kind = topic->is_prefix ? KIND_PREFIX : KIND_KEY;
    struct cu_bytes name = name_of(topics, topic->table, kind, topic->key);
    struct catalog_topic_entry *entry = cu_alloc(sizeof(*entry) + name.len);
    entry->moved = moved;
    entry->len = name.len;
    memcpy(entry->name, name.data, name.len);
    (void)cu_map_put(&topics->entries, name, entry);
    link_newest(topics, entry);
    if (kind == KIND_PREFIX) {
        topics->prefix_lengths[topic->key.len]++;
        if (topic->key.len > topics->prefix_longest)
            topics->prefix_longest = topic->key.len;
    }
    return entry;
}

static struct catalog_topic_entry *find_topic(struct catalog_topics *topics,
                                              const struct catalog_topic *topic)
{
    return find(topics, topic->table, topic->is_prefix ? KIND_PREFIX : KIND_KEY, topic->key);
}

/* ---- asking ---- */

uint64_t catalog_topics_moved(struct catalog_topics *topics, const struct catalog_topic *topic)
{
    struct catalog_topic_entry *entry = find_topic(topics, topic);
    if (!entry)
        return topics->floor;
    touch(topics, entry);
    return entry->moved;
}

/* What was read at `read_at` showed all moves up to it; the floor may lie above it when the map
 * has run ahead of the snapshot that was read. */
static struct catalog_topic_entry *follow(struct catalog_topics *topics,
                                          const struct catalog_topic *topic, uint64_t read_at)
{
    struct catalog_topic_entry *entry = find_topic(topics, topic);
    if (entry) {
        touch(topics, entry);
        return entry;
    }
    return add(topics, topic, topics->floor > read_at ? topics->floor : read_at);
}

void catalog_topics_follow(struct catalog_topics *topics, const struct catalog_topic *topic,
                           uint64_t read_at)
{
    (void)follow(topics, topic, read_at);
}

bool catalog_topics_watch(struct catalog_topics *topics, struct catalog_watch *watch,
                          const struct catalog_topic *topic, uint64_t after)
{
    CU_ASSERT(!watch->entry);
    struct catalog_topic_entry *entry = follow(topics, topic, after);
    if (!entry || entry->moved > after)
        return false;
    watch->entry = entry;
    watch->prev = NULL;
    watch->next = entry->watches;
    if (entry->watches)
        entry->watches->prev = watch;
    entry->watches = watch;
    topics->watches++;
    return true;
}

void catalog_topics_unwatch(struct catalog_topics *topics, struct catalog_watch *watch)
{
    if (!watch->entry)
        return;
    if (watch->prev)
        watch->prev->next = watch->next;
    else
        watch->entry->watches = watch->next;
    if (watch->next)
        watch->next->prev = watch->prev;
    watch->entry = NULL;
    watch->prev = watch->next = NULL;
    topics->watches--;
}

/* ---- moving ---- */

static void fire(struct catalog_topics *topics, struct catalog_topic_entry *entry, uint64_t index,
                 struct catalog_watch **fired)
{
    if (index > entry->moved)
        entry->moved = index;
    while (entry->watches) {
        struct catalog_watch *watch = entry->watches;
        catalog_topics_unwatch(topics, watch);
        watch->next = *fired;
        *fired = watch;
    }
}

static void move_key(struct catalog_topics *topics, const struct catalog_wake *wake,
                     struct catalog_watch **fired)
{
    struct catalog_topic_entry *entry = find(topics, wake->table, KIND_KEY, wake->key);
    if (entry)
        fire(topics, entry, wake->index, fired);
    size_t longest =
        wake->key.len < topics->prefix_longest ? wake->key.len : topics->prefix_longest;
    for (size_t len = 0; len <= longest; len++) {
        if (topics->prefix_lengths[len] == 0)
            continue;
        struct cu_bytes prefix = {wake->key.data, len};
        entry = find(topics, wake->table, KIND_PREFIX, prefix);
        if (entry)
            fire(topics, entry, wake->index, fired);
    }
}

/* Keys under the prefix; prefixes that overlap with it. Rare, so all entries are looked at. */
static void move_prefix(struct catalog_topics *topics, const struct catalog_wake *wake,
                        struct catalog_watch **fired)
{
    for (struct catalog_topic_entry *entry = topics->oldest; entry; entry = entry->newer) {
        if (entry->name[0] != (uint8_t)wake->table)
            continue;
        struct cu_bytes key = {entry->name + NAME_HEAD, entry->len - NAME_HEAD};
        bool is_over = entry->name[1] == KIND_PREFIX && cu_bytes_has_prefix(wake->key, key);
        if (is_over || cu_bytes_has_prefix(key, wake->key))
            fire(topics, entry, wake->index, fired);
    }
}

struct catalog_watch *catalog_topics_move(struct catalog_topics *topics,
                                          const struct catalog_wake *wake)
{
    struct catalog_watch *fired = NULL;
    if (wake->is_prefix)
        move_prefix(topics, wake, &fired);
    else
        move_key(topics, wake, &fired);
    if (wake->index > topics->floor)
        topics->floor = wake->index;
    return fired;
}

struct catalog_watch *catalog_topics_reset(struct catalog_topics *topics, uint64_t index)
{
    struct catalog_watch *fired = NULL;
    for (struct catalog_topic_entry *entry = topics->oldest; entry; entry = entry->newer)
        fire(topics, entry, index, &fired);
    topics->floor = index;
    return fired;
}

size_t catalog_topics_count(const struct catalog_topics *topics)
{
    return topics->entries.count;
}

size_t catalog_topics_watches(const struct catalog_topics *topics)
{
    return topics->watches;
}
