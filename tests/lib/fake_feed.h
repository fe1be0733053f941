/* fake_feed.h - a catalogd that has nothing but Feed, for tests of mirrors and of who looks into
 * one: rows that the test puts, changes since a point it may trim, polls that hang. */
#ifndef TESTS_LIB_FAKE_FEED_H
#define TESTS_LIB_FAKE_FEED_H

#include "common/loop/loop.h"
#include "common/rpc/rpc.h"
#include "tests/lib/fake_acl.h"

enum { FAKE_FEED_ROWS_MAX = 4096, FAKE_FEED_CHANGES_MAX = 4096, FAKE_FEED_POLLS_MAX = 16 };

struct fake_feed_row {
    char *topic, *key;
    uint8_t *row;
    size_t len;
    uint64_t create_index, modify_index;
};

struct fake_feed {
    struct cu_loop *loop;
    struct cu_rpc *rpc; /* NULL while stopped */
    char *url;
    uint64_t epoch, index, trimmed;
    size_t page_rows;                              /* of a page at most; 0: any */
    enum cu_err fail_with;                         /* instead of any answer */
    unsigned pages, follows;                       /* asked so far */
    struct fake_feed_row rows[FAKE_FEED_ROWS_MAX]; /* by topic, then key */
    size_t row_count;
    struct {
        char *topic, *key;
        uint64_t index;
    } changes[FAKE_FEED_CHANGES_MAX];
    size_t change_count;
    struct cu_rq *polls[FAKE_FEED_POLLS_MAX];
    size_t poll_count;
    struct fake_acl acl;
};

/* Listens on `url`; epoch 1, index 1, no rows. */
struct fake_feed *fake_feed_new(struct cu_loop *loop, const char *url);
void fake_feed_free(struct fake_feed *feed);
void fake_feed_stop(struct fake_feed *feed); /* closes all connections, as a crash does */
void fake_feed_start(struct fake_feed *feed);

/* One write each: the index rises and polls of the topic are answered. Keys are texts. */
void fake_feed_put(struct fake_feed *feed, const char *topic, const char *key, const void *row,
                   size_t len);
void fake_feed_del(struct fake_feed *feed, const char *topic, const char *key);
void fake_feed_trim(struct fake_feed *feed); /* of all changes so far nothing is known any more */
/* Another history: everything goes, the epoch rises, polls are told Compacted. */
void fake_feed_restore(struct fake_feed *feed);

#endif
