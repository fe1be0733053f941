/* compare.h - judges whether a replica's state is the one that the others have (contracts 3.6).
 *
 * Equal entries make equal states, so two hashes that differ at one index mean that one of the two
 * is wrong; which one they do not tell. The rule: a replica is wrong when a quorum of the servers
 * agrees, at an index at which it has a hash of its own, on another one. Where no quorum can be had
 * against it (two servers, or too few that answer) nobody is wrong by comparison: it is said, and
 * each adds up its own rows (verify.h). For a reading catalogd, which counts nowhere, the one
 * attached to the raftd that it follows is the quorum. */
#ifndef CATALOG_COMPARE_H
#define CATALOG_COMPARE_H

#include "services/catalogd/core/marks.h"

/* What one replica says: its marks, the highest index first. */
struct catalog_claim {
    const struct catalog_mark *marks; /* borrowed */
    size_t count;
};

enum catalog_agreement {
    CATALOG_UNCOMPARED, /* no index in common with anybody */
    CATALOG_AGREED,     /* with all that could be compared */
    CATALOG_DISAGREED,  /* with somebody, and no quorum says who is right */
    CATALOG_OUTVOTED,   /* a quorum agrees on another state */
    CATALOG_AGREEMENT_COUNT
};

struct catalog_verdict {
    enum catalog_agreement agreement;
    uint64_t index; /* at which; AGREED: the highest */
    struct cu_u128 own, other;
    size_t peer;  /* DISAGREED, OUTVOTED: one that has `other`, by its place in `others` */
    size_t votes; /* for `other` */
};

/* `quorum`: how many of `others` must agree. */
struct catalog_verdict catalog_compare(const struct catalog_claim *own,
                                       const struct catalog_claim *others, size_t count,
                                       size_t quorum);

#endif
