#include "tests/lib/layers.h"

#include "common/base/assert.h"
#include "tests/lib/suite.h"

/* The overlay anew, over these. */
static void renew(struct catalog_overlay *overlay, struct catalog_memtable *active,
                  struct catalog_memtable *lower)
{
    catalog_overlay_clear(overlay);
    catalog_overlay_add(overlay, active);
    catalog_overlay_add(overlay, lower);
}

void layers_rotate(struct catalog_overlay *overlay)
{
    CU_ASSERT(overlay->count < CATALOG_MEMTABLES_MAX);
    struct catalog_memtable *active = catalog_memtable_new(), *lower = NULL;
    if (overlay->count > 0) {
        lower = catalog_memtable_ref(overlay->memtables[0]);
        catalog_memtable_settle(lower);
    }
    renew(overlay, active, lower);
    catalog_memtable_unref(active);
    catalog_memtable_unref(lower);
}

void layers_fold(struct catalog_overlay *overlay)
{
    if (overlay->count > 1)
        ck_assert_int_eq(catalog_memtable_fold(overlay->memtables[1], overlay->below), CU_OK);
}

void layers_drop(struct catalog_overlay *overlay)
{
    if (overlay->count < 2)
        return;
    struct catalog_memtable *active = catalog_memtable_ref(overlay->memtables[0]);
    renew(overlay, active, NULL);
    catalog_memtable_unref(active);
}

void layers_flatten(struct catalog_overlay *overlay)
{
    for (int i = 0; i < CATALOG_MEMTABLES_MAX; i++) {
        layers_fold(overlay);
        layers_drop(overlay);
        layers_rotate(overlay);
    }
    layers_drop(overlay); /* empty, both */
}
