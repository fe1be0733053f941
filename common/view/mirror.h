/* mirror.h - some tables of the state, kept whole beside a daemon that looks things up all the time
 * (contracts 6.3, 7.6).
 *
 * A mirror is filled once, by pages of Feed.Rows read at different positions, and then follows
 * Feed.Follow from the first page's; once past the last page's it holds exactly the state. When its
 * catalogd is lost it goes on from its cursor at another one. When the feed no longer reaches back
 * (Compacted, Diverged, another epoch) it is filled anew beside what it holds, which serves until
 * the new fill is complete; only the differences are told then.
 *
 * What it holds is written to a file now and then, and read from it at the start, before any
 * catalogd answers. All functions are for the loop's thread. */
#ifndef CU_VIEW_MIRROR_H
#define CU_VIEW_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/view/view.h"

struct cu_mirror;

enum {
    CU_MIRROR_TOPICS_MAX = 8,
    CU_MIRROR_PAGE_BYTES = 1024 * 1024, /* asked for at once */
    CU_MIRROR_POLL_MS = 60 * 1000,      /* how long one poll hangs upstream */
    CU_MIRROR_ID_BYTES = 16,
};

/* A row of the state as it lies in its table: of topic "nodes" `row` is a packed curia.v1.Node, and
 * so on. It never changes; it stays where it is until del() or the next put() of its key has
 * returned. */
struct cu_mirror_row {
    unsigned topic; /* its place in options.topics */
    struct cu_bytes key, row;
    uint64_t create_index, modify_index; /* shown */
};

struct cu_mirror_position {
    uint8_t cluster_id[CU_MIRROR_ID_BYTES]; /* all zero: none yet */
    uint64_t epoch, index;
    uint64_t rights; /* what the token may see, as the catalogd numbers it; 0: not known */
};

struct cu_mirror_options {
    struct cu_view *view;
    struct cu_loop *loop;
    struct cu_log *log;         /* may be NULL */
    struct cu_metrics *metrics; /* may be NULL */
    const char *const *topics;  /* names of tables: "nodes", "services", "checks"; copied */
    size_t topic_count;         /* 1 to CU_MIRROR_TOPICS_MAX */
    const char *token;          /* NULL: none; copied */
    bool is_filtered;           /* what is told depends on the token: what the file held serves
                                 * only until it has been told anew */
    const char *path;           /* of the file; copied; its folder is made. NULL: none */
    uint64_t save_ms;           /* written at most that often, when something changed */

    /* Told of every difference, in no order among keys; none may be NULL but `moved`. `before` is
     * the row that it replaces, or NULL. moved() comes after each batch of them, and when is_live
     * changes: what was told up to then belongs together. Called from the loop, and put() from
     * inside cu_mirror_new() for what the file held. No callback frees the mirror. */
    void (*put)(void *arg, const struct cu_mirror_row *row, const struct cu_mirror_row *before);
    void (*del)(void *arg, const struct cu_mirror_row *row);
    void (*moved)(void *arg);
    void *arg;
};

/* Reads the file, if there is one, and begins to ask. A file that is damaged, of a newer version or
 * of other topics is left where it is until the next save, said so in the log and the metric
 * "mirror.file_refused", and the mirror begins empty. */
struct cu_mirror *cu_mirror_new(const struct cu_mirror_options *options);
/* Before its view. Writes the file if something changed since; blocks for it. Takes NULL. */
void cu_mirror_free(struct cu_mirror *mirror);

/* Asks with this token from here on; NULL: none; copied. What another may see it has to be told
 * anew: it is filled beside what it holds. */
void cu_mirror_set_token(struct cu_mirror *mirror, const char *token);

/* The row, or NULL. Borrowed, see above. */
const struct cu_mirror_row *cu_mirror_get(const struct cu_mirror *mirror, unsigned topic,
                                          struct cu_bytes key);
size_t cu_mirror_count(const struct cu_mirror *mirror);

/* It has ever been complete: filled, or read from the file. Before that what it holds is nothing.
 */
bool cu_mirror_is_filled(const struct cu_mirror *mirror);
/* It follows a catalogd that is connected and has told all it knew. */
bool cu_mirror_is_live(const struct cu_mirror *mirror);
/* Its token was refused when it asked last: what it holds nobody may see any more. */
bool cu_mirror_is_denied(const struct cu_mirror *mirror);
/* How old what it holds may be: 0 while live; else since it was live last, also where that was in
 * an earlier life and it comes from the file. UINT64_MAX: not filled. */
uint64_t cu_mirror_age_ms(const struct cu_mirror *mirror);
/* All changes up to here are in it: its cursor in the feed. */
struct cu_mirror_position cu_mirror_position(const struct cu_mirror *mirror);

/* Metrics, under "mirror.": rows, age_ms, live, index (gauges); fills, changes, file_refused,
 * file_failed (counters). */

#endif
