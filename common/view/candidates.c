#include "common/view/candidates.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { ALL_MAX = CU_VIEW_SOURCE_COUNT * VIEW_CANDIDATES_MAX };

struct candidate {
    char *url;
    unsigned sources; /* bits: who knows it */
    unsigned taken;
    uint64_t order;
};

struct view_candidates {
    struct candidate all[ALL_MAX];
    size_t count;
    struct cu_random random;
};

struct view_candidates *view_candidates_new(uint64_t seed)
{
    struct view_candidates *c = cu_alloc(sizeof *c);
    c->random.state = seed;
    return c;
}

void view_candidates_free(struct view_candidates *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->count; i++)
        free(c->all[i].url);
    free(c);
}

static struct candidate *find(const struct view_candidates *c, const char *url)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->all[i].url, url) == 0)
            return (struct candidate *)(uintptr_t)&c->all[i];
    return NULL;
}

/* Whether it is new to the source. */
static bool add(struct view_candidates *c, unsigned bit, const char *url)
{
    struct candidate *candidate = find(c, url);
    if (!candidate) {
        CU_ASSERT(c->count < ALL_MAX);
        candidate = &c->all[c->count++];
        *candidate = (struct candidate){.url = cu_strdup(url), .order = cu_random_u64(&c->random)};
    }
    bool is_new = !(candidate->sources & bit);
    candidate->sources |= bit;
    return is_new;
}

static bool is_named(const char *url, const char *const *urls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (urls[i] && strcmp(urls[i], url) == 0)
            return true;
    return false;
}

/* Those that nobody knows any more go. */
static bool withdraw(struct view_candidates *c, unsigned bit, const char *const *urls, size_t count)
{
    bool changed = false;
    for (size_t i = c->count; i-- > 0;) {
        struct candidate *candidate = &c->all[i];
        if (!(candidate->sources & bit) || is_named(candidate->url, urls, count))
            continue;
        changed = true;
        candidate->sources &= ~bit;
        if (candidate->sources)
            continue;
        free(candidate->url);
        *candidate = c->all[--c->count];
    }
    return changed;
}

bool view_candidates_offer(struct view_candidates *c, enum cu_view_source source,
                           const char *const *urls, size_t count)
{
    if (count > VIEW_CANDIDATES_MAX)
        count = VIEW_CANDIDATES_MAX;
    bool changed = withdraw(c, 1u << source, urls, count);
    for (size_t i = 0; i < count; i++)
        changed |= add(c, 1u << source, urls[i]);
    return changed;
}

size_t view_candidates_count(const struct view_candidates *c)
{
    return c->count;
}

bool view_candidates_has(const struct view_candidates *c, const char *url)
{
    return find(c, url) != NULL;
}

static bool is_better(const struct candidate *a, const struct candidate *b)
{
    bool a_is_old = a->sources == 1u << CU_VIEW_SAVED, b_is_old = b->sources == 1u << CU_VIEW_SAVED;
    if (a_is_old != b_is_old)
        return b_is_old;
    if (a->taken != b->taken)
        return a->taken < b->taken;
    return a->order < b->order;
}

const char *view_candidates_take(struct view_candidates *c, const char *const *except,
                                 size_t except_count)
{
    struct candidate *best = NULL;
    for (size_t i = 0; i < c->count; i++) {
        if (is_named(c->all[i].url, except, except_count))
            continue;
        if (!best || is_better(&c->all[i], best))
            best = &c->all[i];
    }
    if (!best)
        return NULL;
    best->taken++;
    return best->url;
}
