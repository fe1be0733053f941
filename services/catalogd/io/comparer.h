/* comparer.h - asks the catalogds of the other servers every few seconds what the hash of their
 * state was, and has this one replaced when a quorum of them has another (core/compare.h).
 *
 * Who they are is what raftd says of its configuration; a reading catalogd asks the one that its
 * raftd is attached to. No connection is kept. */
#ifndef CATALOG_COMPARER_H
#define CATALOG_COMPARER_H

#include "services/catalogd/io/shell.h"

enum {
    CATALOG_COMPARE_MS = 5000,
    CATALOG_COMPARE_ANSWER_MS = 2000, /* who has not answered by then is left out */
};

struct catalog_comparer *catalog_comparer_new(struct catalog_shell *shell);
void catalog_comparer_free(struct catalog_comparer *comparer); /* takes NULL */

/* The state was replaced: what was found of the old one is void. */
void catalog_comparer_forget(struct catalog_comparer *comparer);

/* For people: the last index at which another had the same, and "" or what differs. */
uint64_t catalog_comparer_index(const struct catalog_comparer *comparer);
const char *catalog_comparer_text(const struct catalog_comparer *comparer);

#endif
