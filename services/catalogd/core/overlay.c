#include "services/catalogd/core/overlay.h"

#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/overlay_state.h"

const struct catalog_version *catalog_overlay_find(const struct catalog_overlay *overlay, int space,
                                                   struct cu_bytes key)
{
    const struct catalog_version *version = NULL;
    for (size_t i = 0; i < overlay->count && !version; i++) {
        const struct catalog_entry *entry =
            catalog_memtable_find(overlay->memtables[i], space, key);
        version = entry ? catalog_entry_at(entry, overlay->seq) : NULL;
    }
    return version;
}

/* ---- one row ---- */

static enum cu_err get(void *context, enum catalog_table table, struct cu_bytes key,
                       struct cu_arena *arena, struct catalog_row *ret_row)
{
    const struct catalog_overlay *o = context;
    const struct catalog_version *version = catalog_overlay_find(o, (int)table, key);
    if (!version)
        return o->below->get(o->below->context, table, key, arena, ret_row);
    if (!version->is_there)
        return CU_E_NOT_FOUND;
    struct catalog_row row = version->row;
    enum cu_err err = catalog_copy_out(arena, version->row.value, &row.value);
    if (!err)
        err = catalog_copy_out(arena, key, &row.key);
    if (!err)
        *ret_row = row;
    return err;
}

static enum cu_err get_bytes(const struct catalog_version *version, struct cu_arena *arena,
                             struct cu_bytes *ret_value)
{
    if (!version->is_there)
        return CU_E_NOT_FOUND;
    return arena ? catalog_copy_out(arena, version->row.value, ret_value) : CU_OK;
}

static enum cu_err meta_get(void *context, const char *name, struct cu_arena *arena,
                            struct cu_bytes *ret_value)
{
    const struct catalog_overlay *o = context;
    struct cu_bytes key = {(const uint8_t *)name, strlen(name) + 1};
    const struct catalog_version *version = catalog_overlay_find(o, CATALOG_SPACE_META, key);
    return version ? get_bytes(version, arena, ret_value)
                   : o->below->meta_get(o->below->context, name, arena, ret_value);
}

static const struct catalog_version *find_value(const struct catalog_overlay *o,
                                                struct cu_u128 hash)
{
    uint8_t bytes[CATALOG_HASH_BYTES];
    catalog_hash_to_bytes(hash, bytes);
    return catalog_overlay_find(o, CATALOG_SPACE_VALUES,
                                (struct cu_bytes){bytes, CATALOG_HASH_BYTES});
}

static enum cu_err value_get(void *context, struct cu_u128 hash, struct cu_arena *arena,
                             struct cu_bytes *ret_value)
{
    const struct catalog_overlay *o = context;
    const struct catalog_version *version = find_value(o, hash);
    return version ? get_bytes(version, arena, ret_value)
                   : o->below->value_get(o->below->context, hash, arena, ret_value);
}

/* ---- all in order ---- */

/* Walks one space of the memtables and what lies below side by side. */
struct merge;
typedef bool show_version(struct merge *merge, const struct catalog_version *version);

struct merge {
    const struct catalog_overlay *overlay;
    int space;
    struct cu_bytes prefix;
    const struct catalog_entry *at[CATALOG_MEMTABLES_MAX];
    show_version *show; /* to the visitor; false: it wants no more */
    bool has_ended;
    union {
        catalog_visit *row;
        catalog_visit_change *change;
        catalog_visit_value *value;
        catalog_visit_meta *meta;
    } visit;
    void *arg;
};

static void begin(struct merge *m, struct cu_bytes from, struct cu_bytes after)
{
    for (size_t i = 0; i < m->overlay->count; i++) {
        const struct catalog_entry *entry =
            catalog_memtable_seek(m->overlay->memtables[i], m->space, from);
        if (entry && after.len && cu_bytes_equal(catalog_entry_key(entry), after))
            entry = catalog_entry_next(entry);
        m->at[i] = entry;
    }
}

/* Of one memtable: the version it stands at, behind entries with none that is seen. */
static const struct catalog_version *stand(struct merge *m, size_t i)
{
    for (; m->at[i]; m->at[i] = catalog_entry_next(m->at[i])) {
        if (!cu_bytes_has_prefix(catalog_entry_key(m->at[i]), m->prefix)) {
            m->at[i] = NULL;
            return NULL;
        }
        const struct catalog_version *version = catalog_entry_at(m->at[i], m->overlay->seq);
        if (version)
            return version;
    }
    return NULL;
}

/* What comes next of all memtables; of two versions the newer. */
static const struct catalog_version *peek(struct merge *m)
{
    const struct catalog_version *first = NULL;
    for (size_t i = 0; i < m->overlay->count; i++) {
        const struct catalog_version *version = stand(m, i);
        if (version && (!first || cu_bytes_compare(version->row.key, first->row.key) < 0))
            first = version;
    }
    return first;
}

static void pass(struct merge *m, struct cu_bytes key)
{
    for (size_t i = 0; i < m->overlay->count; i++)
        if (m->at[i] && cu_bytes_equal(catalog_entry_key(m->at[i]), key))
            m->at[i] = catalog_entry_next(m->at[i]);
}

static void show(struct merge *m, const struct catalog_version *version)
{
    pass(m, version->row.key);
    if (version->is_there && !m->show(m, version))
        m->has_ended = true;
}

/* What the memtables have before and at `key` is shown; whether they hide what is below it. */
static bool catch_up(struct merge *m, struct cu_bytes key)
{
    const struct catalog_version *version;
    while (!m->has_ended && (version = peek(m))) {
        int order = cu_bytes_compare(version->row.key, key);
        if (order > 0)
            return false;
        show(m, version);
        if (order == 0)
            return true;
    }
    return false;
}

static void finish(struct merge *m)
{
    const struct catalog_version *version;
    while (!m->has_ended && (version = peek(m)))
        show(m, version);
}

/* ---- rows ---- */

static bool show_row(struct merge *m, const struct catalog_version *version)
{
    return m->visit.row(m->arg, &version->row);
}

static bool row_below(void *arg, const struct catalog_row *row)
{
    struct merge *m = arg;
    if (!catch_up(m, row->key) && !m->has_ended && !m->visit.row(m->arg, row))
        m->has_ended = true;
    return !m->has_ended;
}

static enum cu_err scan(void *context, enum catalog_table table, struct cu_bytes prefix,
                        struct cu_bytes after, catalog_visit *visit, void *arg)
{
    const struct catalog_overlay *o = context;
    struct merge m = {.overlay = o,
                      .space = (int)table,
                      .prefix = prefix,
                      .show = show_row,
                      .visit.row = visit,
                      .arg = arg};
    begin(&m, cu_bytes_compare(prefix, after) > 0 ? prefix : after, after);
    if (!peek(&m))
        return o->below->scan(o->below->context, table, prefix, after, visit, arg);
    enum cu_err err = o->below->scan(o->below->context, table, prefix, after, row_below, &m);
    if (!err)
        finish(&m);
    return err;
}

/* ---- changes ---- */

static bool show_change(struct merge *m, const struct catalog_version *version)
{
    return m->visit.change(m->arg, version->change);
}

static bool change_below(void *arg, const struct catalog_change *change)
{
    struct merge *m = arg;
    uint8_t key[CATALOG_CHANGE_KEY_BYTES];
    if (!catch_up(m, catalog_space_change_key(change->index, change->number, key)) &&
        !m->has_ended && !m->visit.change(m->arg, change))
        m->has_ended = true;
    return !m->has_ended;
}

static enum cu_err changes(void *context, uint64_t after_index, uint32_t after_number,
                           catalog_visit_change *visit, void *arg)
{
    const struct catalog_overlay *o = context;
    struct merge m = {.overlay = o,
                      .space = CATALOG_SPACE_CHANGES,
                      .show = show_change,
                      .visit.change = visit,
                      .arg = arg};
    uint8_t bytes[CATALOG_CHANGE_KEY_BYTES];
    struct cu_bytes after = catalog_space_change_key(after_index, after_number, bytes);
    begin(&m, after, after);
    enum cu_err err =
        o->below->changes(o->below->context, after_index, after_number, change_below, &m);
    if (!err)
        finish(&m);
    return err;
}

/* ---- values ---- */

/* An age counts as long as the value has no younger one, and is there. */
static bool show_value(struct merge *m, const struct catalog_version *age)
{
    struct cu_u128 hash = catalog_space_hash(age->row.key);
    uint64_t index = catalog_space_index(age->row.key);
    const struct catalog_version *value = find_value(m->overlay, hash);
    if (!value || !value->is_there || value->row.modify_index != index)
        return true;
    return m->visit.value(m->arg, hash, index, value->row.value);
}

static bool value_below(void *arg, struct cu_u128 hash, uint64_t index, struct cu_bytes value)
{
    struct merge *m = arg;
    uint8_t key[CATALOG_AGE_KEY_BYTES];
    if (!catch_up(m, catalog_space_age_key(index, hash, key)) && !m->has_ended &&
        !find_value(m->overlay, hash) && !m->visit.value(m->arg, hash, index, value))
        m->has_ended = true;
    return !m->has_ended;
}

static enum cu_err values(void *context, catalog_visit_value *visit, void *arg)
{
    const struct catalog_overlay *o = context;
    struct merge m = {.overlay = o,
                      .space = CATALOG_SPACE_AGES,
                      .show = show_value,
                      .visit.value = visit,
                      .arg = arg};
    struct cu_bytes start = {(const uint8_t *)"", 0};
    begin(&m, start, start);
    enum cu_err err = o->below->values(o->below->context, value_below, &m);
    if (!err)
        finish(&m);
    return err;
}

struct aged {
    struct cu_u128 hash;
    uint64_t index;
    uint32_t size_bytes;
    bool is_found;
};

static bool note_oldest(void *arg, struct cu_u128 hash, uint64_t index, struct cu_bytes value)
{
    struct aged *aged = arg;
    *aged = (struct aged){hash, index, (uint32_t)value.len, true};
    return false;
}

static void oldest_here(const struct catalog_overlay *o, uint64_t after_index,
                        struct cu_u128 after_hash, struct aged *ret_aged)
{
    struct merge m = {.overlay = o,
                      .space = CATALOG_SPACE_AGES,
                      .show = show_value,
                      .visit.value = note_oldest,
                      .arg = ret_aged};
    uint8_t bytes[CATALOG_AGE_KEY_BYTES];
    struct cu_bytes after = catalog_space_age_key(after_index, after_hash, bytes);
    begin(&m, after, after);
    finish(&m);
}

/* The oldest below that nothing here hides. Those that are hidden are passed over once, not each
 * time. */
static enum cu_err oldest_below(struct catalog_overlay *o, uint64_t after_index,
                                struct cu_u128 after_hash, struct aged *ret_aged)
{
    bool is_first = after_index == 0;
    struct aged at = {.hash = is_first ? o->hidden_hash : after_hash,
                      .index = is_first ? o->hidden_index : after_index};
    enum cu_err err;
    while (!(err = o->below->value_oldest(o->below->context, at.index, at.hash, &at.hash, &at.index,
                                          &at.size_bytes)) &&
           find_value(o, at.hash))
        if (is_first) {
            o->hidden_index = at.index;
            o->hidden_hash = at.hash;
        }
    at.is_found = !err;
    *ret_aged = at;
    return err == CU_E_NOT_FOUND ? CU_OK : err;
}

static bool is_older(const struct aged *a, const struct aged *b)
{
    uint8_t key_a[CATALOG_AGE_KEY_BYTES], key_b[CATALOG_AGE_KEY_BYTES];
    return cu_bytes_compare(catalog_space_age_key(a->index, a->hash, key_a),
                            catalog_space_age_key(b->index, b->hash, key_b)) < 0;
}

static enum cu_err value_oldest(void *context, uint64_t after_index, struct cu_u128 after_hash,
                                struct cu_u128 *ret_hash, uint64_t *ret_index,
                                uint32_t *ret_size_bytes)
{
    struct catalog_overlay *o = context;
    struct aged here = {.is_found = false}, below;
    oldest_here(o, after_index, after_hash, &here);
    enum cu_err err = oldest_below(o, after_index, after_hash, &below);
    if (err)
        return err;
    if (!here.is_found && !below.is_found)
        return CU_E_NOT_FOUND;
    const struct aged *oldest =
        !below.is_found || (here.is_found && is_older(&here, &below)) ? &here : &below;
    *ret_hash = oldest->hash;
    *ret_index = oldest->index;
    *ret_size_bytes = oldest->size_bytes;
    return CU_OK;
}

/* ---- bookkeeping ---- */

static bool show_meta(struct merge *m, const struct catalog_version *version)
{
    return m->visit.meta(m->arg, (const char *)version->row.key.data, version->row.value);
}

static bool meta_below(void *arg, const char *name, struct cu_bytes value)
{
    struct merge *m = arg;
    struct cu_bytes key = {(const uint8_t *)name, strlen(name) + 1};
    if (!catch_up(m, key) && !m->has_ended && !m->visit.meta(m->arg, name, value))
        m->has_ended = true;
    return !m->has_ended;
}

static enum cu_err metas(void *context, catalog_visit_meta *visit, void *arg)
{
    const struct catalog_overlay *o = context;
    struct merge m = {.overlay = o,
                      .space = CATALOG_SPACE_META,
                      .show = show_meta,
                      .visit.meta = visit,
                      .arg = arg};
    struct cu_bytes start = {(const uint8_t *)"", 0};
    begin(&m, start, start);
    enum cu_err err = o->below->metas(o->below->context, meta_below, &m);
    if (!err)
        finish(&m);
    return err;
}

/* ---- the whole ---- */

void catalog_overlay_init(struct catalog_overlay *overlay, const struct catalog_backend *below)
{
    *overlay = (struct catalog_overlay){.below = below};
    overlay->backend = (struct catalog_backend){.context = overlay,
                                                .get = get,
                                                .scan = scan,
                                                .changes = changes,
                                                .value_get = value_get,
                                                .value_oldest = value_oldest,
                                                .values = values,
                                                .meta_get = meta_get,
                                                .metas = metas};
    catalog_overlay_write_functions(&overlay->backend);
}

void catalog_overlay_clear(struct catalog_overlay *overlay)
{
    while (overlay->count > 0)
        catalog_memtable_unref(overlay->memtables[--overlay->count]);
    overlay->hidden_index = 0;
    overlay->hidden_hash = (struct cu_u128){0, 0};
}

void catalog_overlay_add(struct catalog_overlay *overlay, struct catalog_memtable *memtable)
{
    if (!memtable)
        return;
    CU_ASSERT(overlay->count < CATALOG_MEMTABLES_MAX);
    overlay->memtables[overlay->count++] = catalog_memtable_ref(memtable);
}
