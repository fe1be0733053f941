#include "services/catalogd/io/memtables.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/assert.h"

struct catalog_memtables {
    struct catalog_overlay writer; /* the apply worker's */
    pthread_mutex_t lock;          /* of what follows; short */
    struct catalog_memtable *active, *folding;
    uint64_t seq; /* published */
    bool
        is_written; /* something of the active one is published: else there is nothing to look at */
    uint64_t retired;
};

struct catalog_memtables *catalog_memtables_new(const struct catalog_backend *below)
{
    struct catalog_memtables *m = cu_alloc(sizeof *m);
    CU_ASSERT(pthread_mutex_init(&m->lock, NULL) == 0);
    m->active = catalog_memtable_new();
    catalog_overlay_init(&m->writer, below);
    catalog_overlay_add(&m->writer, m->active);
    return m;
}

void catalog_memtables_free(struct catalog_memtables *memtables)
{
    if (!memtables)
        return;
    catalog_overlay_clear(&memtables->writer);
    catalog_memtable_unref(memtables->active);
    catalog_memtable_unref(memtables->folding);
    (void)pthread_mutex_destroy(&memtables->lock); /* nobody holds it */
    free(memtables);
}

static void lock(struct catalog_memtables *m)
{
    CU_ASSERT(pthread_mutex_lock(&m->lock) == 0);
}

static void unlock(struct catalog_memtables *m)
{
    CU_ASSERT(pthread_mutex_unlock(&m->lock) == 0);
}

/* ---- the apply worker's ---- */

const struct catalog_backend *catalog_memtables_backend(struct catalog_memtables *memtables)
{
    return &memtables->writer.backend;
}

/* The overlay anew, over what there is now. */
static void renew(struct catalog_memtables *m)
{
    catalog_overlay_clear(&m->writer);
    catalog_overlay_add(&m->writer, m->active);
    catalog_overlay_add(&m->writer, m->folding);
}

void catalog_memtables_begin(struct catalog_memtables *memtables)
{
    struct catalog_memtables *m = memtables;
    lock(m);
    if (!m->folding && m->writer.count > 1)
        renew(m);
    unlock(m);
}

void catalog_memtables_publish(struct catalog_memtables *memtables)
{
    struct catalog_memtables *m = memtables;
    catalog_memtable_settle(m->active);
    lock(m);
    m->seq = m->writer.seq;
    m->is_written = catalog_memtable_bytes(m->active) > 0;
    unlock(m);
}

void catalog_memtables_rollback(struct catalog_memtables *memtables)
{
    struct catalog_memtables *m = memtables;
    m->writer.marked_seq = m->seq; /* only published here, on this thread */
    (void)m->writer.backend.undo(m->writer.backend.context); /* memory: it cannot fail */
}

size_t catalog_memtables_bytes(const struct catalog_memtables *memtables)
{
    return catalog_memtable_bytes(memtables->active);
}

bool catalog_memtables_rotate(struct catalog_memtables *memtables)
{
    struct catalog_memtables *m = memtables;
    lock(m);
    bool rotates = !m->folding && catalog_memtable_bytes(m->active) > 0;
    if (rotates) {
        m->folding = m->active;
        m->active = catalog_memtable_new();
        m->is_written = false;
        renew(m);
    }
    unlock(m);
    return rotates;
}

/* ---- the fold worker's ---- */

enum cu_err catalog_memtables_fold(struct catalog_memtables *memtables,
                                   const struct catalog_backend *below)
{
    /* Only rotate and retire set it, and neither runs meanwhile. */
    return catalog_memtable_fold(memtables->folding, below);
}

void catalog_memtables_retire(struct catalog_memtables *memtables)
{
    struct catalog_memtables *m = memtables;
    lock(m);
    struct catalog_memtable *folded = m->folding;
    m->folding = NULL;
    m->retired++;
    unlock(m);
    catalog_memtable_unref(folded);
}

/* ---- readers' ---- */

uint64_t catalog_memtables_retired(struct catalog_memtables *memtables)
{
    lock(memtables);
    uint64_t retired = memtables->retired;
    unlock(memtables);
    return retired;
}

bool catalog_memtables_take(struct catalog_memtables *memtables, uint64_t retired,
                            struct catalog_overlay *overlay)
{
    struct catalog_memtables *m = memtables;
    lock(m);
    bool is_same = m->retired == retired;
    if (is_same) {
        overlay->seq = m->seq;
        catalog_overlay_add(overlay, m->is_written ? m->active : NULL);
        catalog_overlay_add(overlay, m->folding);
    }
    unlock(m);
    return is_same;
}
