#include "common/store/pages.h"

#include <stdlib.h>

#include <sqlite3.h>

#include "common/base/assert.h"

/* No page in it has a higher number than `highest`, but for one at `lent` (0: none). */
struct cache {
    sqlite3_pcache *real;
    unsigned highest, lent;
};

static sqlite3_pcache_methods2 below;

static struct cache *of(sqlite3_pcache *cache)
{
    return (struct cache *)(void *)cache;
}

static sqlite3_pcache *create(int page_bytes, int extra_bytes, int is_purgeable)
{
    sqlite3_pcache *real = below.xCreate(page_bytes, extra_bytes, is_purgeable);
    if (!real)
        return NULL;
    struct cache *cache = cu_alloc(sizeof *cache);
    cache->real = real;
    return (sqlite3_pcache *)(void *)cache;
}

static void destroy(sqlite3_pcache *cache)
{
    below.xDestroy(of(cache)->real);
    free(of(cache));
}

static sqlite3_pcache_page *fetch(sqlite3_pcache *cache, unsigned number, int create_flag)
{
    struct cache *c = of(cache);
    if (create_flag && number > c->highest)
        c->highest = number;
    return below.xFetch(c->real, number, create_flag);
}

static void rekey(sqlite3_pcache *cache, sqlite3_pcache_page *page, unsigned from, unsigned to)
{
    struct cache *c = of(cache);
    if (from == c->lent)
        c->lent = 0;
    if (to > c->highest && !c->lent)
        c->lent = to;
    else if (to > c->highest)
        c->highest = to; /* more than one at a time: SQLite does not, but may */
    below.xRekey(c->real, page, from, to);
}

/* Forgets the pages from number `from` on. */
static void forget_from(sqlite3_pcache *cache, unsigned from)
{
    struct cache *c = of(cache);
    if (from > c->highest && from > c->lent)
        return;
    below.xTruncate(c->real, from);
    if (c->highest >= from)
        c->highest = from ? from - 1 : 0;
    if (c->lent >= from)
        c->lent = 0;
}

static void set_size(sqlite3_pcache *cache, int pages)
{
    below.xCachesize(of(cache)->real, pages);
}

static int count(sqlite3_pcache *cache)
{
    return below.xPagecount(of(cache)->real);
}

static void unpin(sqlite3_pcache *cache, sqlite3_pcache_page *page, int is_discarded)
{
    below.xUnpin(of(cache)->real, page, is_discarded);
}

static void shrink(sqlite3_pcache *cache)
{
    below.xShrink(of(cache)->real);
}

void cu_pages_install(void)
{
    if (sqlite3_config(SQLITE_CONFIG_GETPCACHE2, &below) != SQLITE_OK)
        return;
    sqlite3_pcache_methods2 methods = below;
    methods.xCreate = create;
    methods.xDestroy = destroy;
    methods.xCachesize = set_size;
    methods.xPagecount = count;
    methods.xFetch = fetch;
    methods.xUnpin = unpin;
    methods.xRekey = rekey;
    methods.xTruncate = forget_from;
    methods.xShrink = shrink;
    (void)sqlite3_config(SQLITE_CONFIG_PCACHE2, &methods); /* refused only where the first was */
}
