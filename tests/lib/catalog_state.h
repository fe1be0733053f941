/* catalog_state.h - a state of catalogd that takes commands, on each backend: for tests that hold
 * on all of them. */
#ifndef TESTS_LIB_CATALOG_STATE_H
#define TESTS_LIB_CATALOG_STATE_H

#include "common/base/arena.h"
#include "services/catalogd/core/apply.h"
#include "services/catalogd/core/kv.h"
#include "services/catalogd/core/overlay.h"
#include "services/catalogd/core/read.h"
#include "services/catalogd/core/store_state.h"
#include "services/catalogd/io/sqlite.h"
#include "tests/lib/memory_backend.h"

enum state_kind {
    STATE_MEMORY,
    STATE_SQLITE,
    STATE_OVERLAY, /* memtables over SQLite: some rows lie in each of them, some below */
    STATE_KIND_COUNT
};

/* The next entry gets what stands here. */
struct state {
    enum state_kind kind;
    struct memory_backend *memory;
    struct catalog_sqlite *sqlite;
    struct catalog_overlay overlay; /* with `entries` applied to it */
    unsigned entries;
    char path[256];
    const struct catalog_backend *backend;
    struct catalog_store *store;
    struct cu_arena *arena; /* results; never reset by itself */
    struct catalog_id proposer;
    uint64_t seq, lease_ms, wall_ms;
    uint32_t level;
    const char *reason;
};

/* Empty but for the Open of a proposer, at index 1. */
struct state *state_new(enum state_kind kind);
void state_free(struct state *state);
/* Commits what was applied, folded if need be, closes all and opens it again. */
void state_reopen(struct state *state);

/* Applies an entry at the next index; what is 0 in it is filled in. */
enum cu_err state_entry(struct state *state, Curia__Internal__V1__Entry entry,
                        struct catalog_outcome *ret_outcome);
/* Applies a command under the next seq. */
struct catalog_outcome state_command(struct state *state,
                                     const Curia__Internal__V1__Command *command);

/* One operation, in the test's words; zero is "none". */
struct kv {
    enum catalog_kv_verb verb;
    const char *key, *value, *session, *unknown_verb;
    uint64_t flags, index;
    size_t value_len; /* 0: of the text */
};
const Curia__Internal__V1__CommandResult *state_kv(struct state *state, const struct kv *kv);
const Curia__Internal__V1__CommandResult *state_txn(struct state *state, const struct kv *ops,
                                                    size_t count);
/* A set that must succeed. */
void state_set(struct state *state, const char *key, const char *value);

struct catalog_view state_view(const struct state *state);
/* NULL: no such key. */
Curia__V1__KvPair *state_get(struct state *state, const char *key);
uint64_t state_index_of(struct state *state, const char *key); /* as a read of it shows */
uint64_t state_list_index(struct state *state, const char *prefix);
uint64_t state_index(const struct state *state); /* of the last entry */

/* The hash summed up from the rows themselves. */
struct cu_u128 state_sum(struct state *state);

/* Runs `body` with a fresh state of each kind. */
void on_each(void (*body)(struct state *state));

/* START_TEST(name) for a body that runs on each. */
#define STATE_TEST(name)                                                                           \
    static void name##_on(struct state *state);                                                    \
    START_TEST(name)                                                                               \
    {                                                                                              \
        on_each(name##_on);                                                                        \
    }                                                                                              \
    END_TEST                                                                                       \
    static void name##_on(struct state *state)

#endif
