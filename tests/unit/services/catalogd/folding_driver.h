/* folding_driver.h - an applier on a loop of its own, entries for it, and a database that can be
 * locked against its folds. */
#ifndef FOLDING_DRIVER_H
#define FOLDING_DRIVER_H

#include "services/catalogd/io/applier.h"
#include "services/catalogd/io/sqlite.h"
#include "tests/lib/suite.h"

enum { FOLDING_VALUE_BYTES = 400 * 1024 }; /* of what submit_set() puts */

struct folding {
    struct cu_loop *loop;
    struct catalog_crash *crash;
    struct catalog_applier *applier;
    struct catalog_sqlite *locker; /* holds the database when a test wants folds to fail */
    char path[300];
    size_t entries;         /* committed */
    bool may_stop;          /* a commit may end with NOT_READY; else none but CU_OK */
    enum cu_err commit_err; /* of the last one */
    unsigned commits, folds, folds_failed, alone;
    enum cu_err fold_err;
    char fold_text[200];
    struct catalog_fold_wait wait; /* of ask_for_a_fold() */
    unsigned told;
    enum cu_err told_err;
    uint64_t last; /* entry submitted */
};

/* Over a database in the test's folder. */
void folding_begin(struct folding *f);
void folding_end(struct folding *f);
void folding_open(struct folding *f); /* once the applier was freed */

void submit_no_ops(struct folding *f, size_t count);
void submit_of_level(struct folding *f, size_t count, uint32_t level); /* no-ops */
void submit_open(struct folding *f);                                   /* of the proposer of sets */
void submit_set(struct folding *f, uint64_t seq); /* of a key of its own to a large value */
void settle(struct folding *f);                   /* until the applier is idle */

uint64_t applied(const struct folding *f);
uint64_t stored(const struct folding *f);
/* Of the state that lies in the database, whatever the applier says of it. */
uint64_t in_database(const struct folding *f);

void ask_for_a_fold(struct folding *f); /* the last one asked for counts */
void lock_database(struct folding *f);  /* until its locker is rolled back */
void fail_a_fold(struct folding *f);    /* under the lock: asks for one, and waits */
void wait_for_a_fold(struct folding *f);

#endif
