#include "services/catalogd/core/compare.h"

static bool same(struct cu_u128 a, struct cu_u128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}

static const struct catalog_mark *find(const struct catalog_claim *claim, uint64_t index)
{
    for (size_t i = 0; i < claim->count && claim->marks[i].index >= index; i++)
        if (claim->marks[i].index == index)
            return &claim->marks[i];
    return NULL;
}

/* At the highest index that both know: what differed below it may have been written over since. */
static struct catalog_verdict meet(const struct catalog_claim *own,
                                   const struct catalog_claim *other)
{
    for (size_t i = 0; i < own->count; i++) {
        const struct catalog_mark *mine = &own->marks[i], *theirs = find(other, mine->index);
        if (!theirs)
            continue;
        bool agrees = same(mine->hash, theirs->hash);
        return (struct catalog_verdict){.agreement = agrees ? CATALOG_AGREED : CATALOG_DISAGREED,
                                        .index = mine->index,
                                        .own = mine->hash,
                                        .other = theirs->hash,
                                        .votes = agrees ? 0 : 1};
    }
    return (struct catalog_verdict){.agreement = CATALOG_UNCOMPARED};
}

static bool differs(const struct catalog_claim *own, const struct catalog_claim *other)
{
    return meet(own, other).agreement == CATALOG_DISAGREED;
}

/* How many of those that differ from us have this hash at this index. */
static size_t votes_for(const struct catalog_claim *own, const struct catalog_claim *others,
                        size_t count, uint64_t index, struct cu_u128 hash)
{
    size_t votes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct catalog_mark *theirs = find(&others[i], index);
        votes += theirs && same(theirs->hash, hash) && differs(own, &others[i]);
    }
    return votes;
}

/* The highest index at which `voter` and enough others have one hash and we another. */
static bool is_outvoted(const struct catalog_claim *own, const struct catalog_claim *others,
                        size_t count, size_t quorum, struct catalog_verdict *verdict)
{
    const struct catalog_claim *voter = &others[verdict->peer];
    for (size_t i = 0; i < own->count; i++) {
        const struct catalog_mark *mine = &own->marks[i], *theirs = find(voter, mine->index);
        if (!theirs || same(mine->hash, theirs->hash))
            continue;
        size_t votes = votes_for(own, others, count, mine->index, theirs->hash);
        if (votes < quorum)
            continue;
        verdict->agreement = CATALOG_OUTVOTED;
        verdict->index = mine->index;
        verdict->own = mine->hash;
        verdict->other = theirs->hash;
        verdict->votes = votes;
        return true;
    }
    return false;
}

struct catalog_verdict catalog_compare(const struct catalog_claim *own,
                                       const struct catalog_claim *others, size_t count,
                                       size_t quorum)
{
    struct catalog_verdict found = {.agreement = CATALOG_UNCOMPARED};
    for (size_t i = 0; i < count; i++) {
        struct catalog_verdict v = meet(own, &others[i]);
        v.peer = i;
        if (v.agreement == CATALOG_DISAGREED && quorum > 0 &&
            is_outvoted(own, others, count, quorum, &v))
            return v;
        if (v.agreement > found.agreement ||
            (v.agreement == found.agreement && v.index > found.index))
            found = v;
    }
    return found;
}
