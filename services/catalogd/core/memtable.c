#include "services/catalogd/core/memtable.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum {
    HEIGHT_MAX = 12, /* of which each level has a quarter of the one below */
    BUCKETS = 1 << 15,
    BLOCK_BYTES = 256 * 1024,
    ALIGN_BYTES = 8,
};

struct catalog_entry {
    const struct catalog_version *newest; /* NULL: all was taken back */
    struct catalog_entry *same_bucket;
    uint64_t hash;
    uint32_t key_len;
    uint8_t space, height;
    bool is_known;                /* it was there before its oldest version was written */
    struct catalog_entry *next[]; /* `height` of them, then the key */
};

struct block {
    struct block *next;
    size_t size, used;
    uint8_t bytes[];
};

struct list {
    struct catalog_entry *first[HEIGHT_MAX], *last[HEIGHT_MAX];
};

struct catalog_memtable {
    unsigned refs;
    uint64_t dice;
    struct block *blocks; /* the one that is being filled first */
    size_t bytes;
    struct list lists[CATALOG_SPACE_COUNT];
    struct catalog_entry **touched; /* since the last settle, one for each version */
    size_t touched_count, touched_cap;
    struct catalog_entry *buckets[BUCKETS]; /* untouched ones cost no memory */
};

/* Of what the writer links and readers follow. */
#define LOAD(place)         __atomic_load_n(&(place), __ATOMIC_ACQUIRE)
#define STORE(place, value) __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)

static struct cu_bytes big_endian(uint64_t index, uint8_t *bytes)
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(index >> (56 - 8 * i));
    return (struct cu_bytes){bytes, 8};
}

struct cu_bytes catalog_space_change_key(uint64_t index, uint32_t number,
                                         uint8_t ret_bytes[CATALOG_CHANGE_KEY_BYTES])
{
    uint8_t tail[8];
    (void)big_endian(index, ret_bytes);
    (void)big_endian(number, tail);
    memcpy(ret_bytes + 8, tail + 4, 4);
    return (struct cu_bytes){ret_bytes, CATALOG_CHANGE_KEY_BYTES};
}

struct cu_bytes catalog_space_age_key(uint64_t index, struct cu_u128 hash,
                                      uint8_t ret_bytes[CATALOG_AGE_KEY_BYTES])
{
    (void)big_endian(index, ret_bytes);
    catalog_hash_to_bytes(hash, ret_bytes + 8);
    return (struct cu_bytes){ret_bytes, CATALOG_AGE_KEY_BYTES};
}

static uint64_t read_big_endian(const uint8_t *bytes, int count)
{
    uint64_t value = 0;
    for (int i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint64_t catalog_space_index(struct cu_bytes key)
{
    return read_big_endian(key.data, 8);
}

uint32_t catalog_space_number(struct cu_bytes change_key)
{
    return (uint32_t)read_big_endian(change_key.data + 8, 4);
}

struct cu_u128 catalog_space_hash(struct cu_bytes age_key)
{
    return catalog_hash_of_bytes(age_key.data + 8);
}

/* ---- memory ---- */

struct catalog_memtable *catalog_memtable_new(void)
{
    struct catalog_memtable *m = cu_alloc(sizeof *m);
    m->refs = 1;
    m->dice = 0x9e3779b97f4a7c15u;
    return m;
}

struct catalog_memtable *catalog_memtable_ref(struct catalog_memtable *memtable)
{
    (void)__atomic_add_fetch(&memtable->refs, 1, __ATOMIC_RELAXED);
    return memtable;
}

void catalog_memtable_unref(struct catalog_memtable *memtable)
{
    if (!memtable || __atomic_sub_fetch(&memtable->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    while (memtable->blocks) {
        struct block *block = memtable->blocks;
        memtable->blocks = block->next;
        free(block);
    }
    free(memtable->touched);
    free(memtable);
}

size_t catalog_memtable_bytes(const struct catalog_memtable *memtable)
{
    return memtable->bytes;
}

static struct block *block_of(size_t size)
{
    struct block *block = malloc(sizeof *block + size);
    CU_ASSERT(block);
    block->size = size;
    block->used = 0;
    return block;
}

static void *take(struct catalog_memtable *m, size_t size)
{
    size_t rounded = (size + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    struct block *block = m->blocks;
    m->bytes += rounded;
    if (rounded > BLOCK_BYTES / 4 && block) { /* behind the one that is being filled */
        struct block *large = block_of(rounded);
        large->next = block->next;
        block->next = large;
        large->used = rounded;
        return large->bytes;
    }
    if (!block || block->size - block->used < rounded) {
        block = block_of(rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES);
        block->next = m->blocks;
        m->blocks = block;
    }
    void *memory = block->bytes + block->used;
    block->used += rounded;
    return memory;
}

static struct cu_bytes keep(struct catalog_memtable *m, struct cu_bytes bytes)
{
    uint8_t *copy = take(m, bytes.len ? bytes.len : 1);
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return (struct cu_bytes){copy, bytes.len};
}

static const char *keep_text(struct catalog_memtable *m, const char *text)
{
    size_t len = strlen(text) + 1;
    return len == 1 ? "" : memcpy(take(m, len), text, len);
}

/* ---- entries ---- */

static uint64_t hash_of(int space, struct cu_bytes key)
{
    return cu_table_hash(key.data, key.len) + (uint64_t)space * 0x9e3779b97f4a7c15u;
}

struct cu_bytes catalog_entry_key(const struct catalog_entry *entry)
{
    return (struct cu_bytes){(const uint8_t *)&entry->next[entry->height], entry->key_len};
}

static const struct catalog_entry *find(const struct catalog_memtable *m, int space,
                                        struct cu_bytes key, uint64_t hash)
{
    const struct catalog_entry *entry = LOAD(m->buckets[hash % BUCKETS]);
    while (entry && !(entry->hash == hash && entry->space == space &&
                      cu_bytes_equal(catalog_entry_key(entry), key)))
        entry = LOAD(entry->same_bucket);
    return entry;
}

const struct catalog_entry *catalog_memtable_find(const struct catalog_memtable *memtable,
                                                  int space, struct cu_bytes key)
{
    return find(memtable, space, key, hash_of(space, key));
}

/* The links before `key`, from the highest level down; ret_links NULL: only the last counts. */
static const struct catalog_entry *seek(const struct list *list, struct cu_bytes key,
                                        struct catalog_entry **ret_links[HEIGHT_MAX])
{
    struct catalog_entry *const *links = list->first;
    const struct catalog_entry *at = NULL;
    for (int level = HEIGHT_MAX; level-- > 0;) {
        while ((at = LOAD(links[level])) && cu_bytes_compare(catalog_entry_key(at), key) < 0)
            links = at->next;
        if (ret_links)
            ret_links[level] = (struct catalog_entry **)(uintptr_t)&links[level];
    }
    return at;
}

const struct catalog_entry *catalog_memtable_seek(const struct catalog_memtable *memtable,
                                                  int space, struct cu_bytes key)
{
    return seek(&memtable->lists[space], key, NULL);
}

const struct catalog_entry *catalog_entry_next(const struct catalog_entry *entry)
{
    return LOAD(entry->next[0]);
}

const struct catalog_version *catalog_entry_at(const struct catalog_entry *entry, uint64_t seq)
{
    const struct catalog_version *version = LOAD(entry->newest);
    while (version && version->seq > seq)
        version = version->older;
    return version;
}

static uint8_t throw_height(struct catalog_memtable *m)
{
    m->dice ^= m->dice << 13;
    m->dice ^= m->dice >> 7;
    m->dice ^= m->dice << 17;
    uint8_t height = 1;
    for (uint64_t bits = m->dice; height < HEIGHT_MAX && (bits & 3) == 0; bits >>= 2)
        height++;
    return height;
}

/* What is appended, as changes are, is not searched for. */
static void find_links(struct list *list, struct cu_bytes key,
                       struct catalog_entry **ret_links[HEIGHT_MAX])
{
    struct catalog_entry *last = list->last[0];
    if (last && cu_bytes_compare(catalog_entry_key(last), key) > 0) {
        (void)seek(list, key, ret_links);
        return;
    }
    for (int level = 0; level < HEIGHT_MAX; level++)
        ret_links[level] =
            list->last[level] ? &list->last[level]->next[level] : &list->first[level];
}

static void link_in(struct list *list, struct catalog_entry *entry)
{
    struct catalog_entry **links[HEIGHT_MAX];
    find_links(list, catalog_entry_key(entry), links);
    for (int level = 0; level < entry->height; level++) {
        entry->next[level] = *links[level];
        if (!entry->next[level])
            list->last[level] = entry;
    }
    for (int level = 0; level < entry->height; level++)
        STORE(*links[level], entry);
}

static struct catalog_entry *entry_of(struct catalog_memtable *m, int space, struct cu_bytes key)
{
    uint64_t hash = hash_of(space, key);
    const struct catalog_entry *found = find(m, space, key, hash);
    if (found)
        return (struct catalog_entry *)(uintptr_t)found;
    uint8_t height = throw_height(m);
    struct catalog_entry *entry =
        take(m, sizeof *entry + height * sizeof(struct catalog_entry *) + key.len);
    struct catalog_entry **bucket = &m->buckets[hash % BUCKETS];
    *entry = (struct catalog_entry){.same_bucket = *bucket,
                                    .hash = hash,
                                    .key_len = (uint32_t)key.len,
                                    .space = (uint8_t)space,
                                    .height = height};
    memcpy(&entry->next[height], key.data, key.len);
    link_in(&m->lists[space], entry);
    STORE(*bucket, entry);
    return entry;
}

/* ---- writing ---- */

static void add(struct catalog_memtable *m, struct catalog_entry *entry,
                struct catalog_version *version, bool is_known)
{
    if (m->touched_count == m->touched_cap) {
        m->touched_cap = m->touched_cap ? m->touched_cap * 2 : 256;
        m->touched = cu_realloc(m->touched, m->touched_cap * sizeof(struct catalog_entry *));
    }
    m->touched[m->touched_count++] = entry;
    if (!entry->newest)
        entry->is_known = is_known;
    version->older = entry->newest;
    version->row.key = catalog_entry_key(entry);
    STORE(entry->newest, version);
}

static struct catalog_version *version_of(struct catalog_memtable *m, uint64_t seq, bool is_there)
{
    struct catalog_version *version = take(m, sizeof *version);
    *version = (struct catalog_version){.seq = seq, .is_there = is_there};
    return version;
}

void catalog_memtable_put(struct catalog_memtable *memtable, int space, uint64_t seq,
                          const struct catalog_row *row, bool is_known)
{
    struct catalog_entry *entry = entry_of(memtable, space, row->key);
    struct catalog_version *version = version_of(memtable, seq, true);
    version->row = *row;
    version->row.value = keep(memtable, row->value);
    add(memtable, entry, version, is_known);
}

void catalog_memtable_del(struct catalog_memtable *memtable, int space, uint64_t seq,
                          struct cu_bytes key)
{
    struct catalog_entry *entry = entry_of(memtable, space, key);
    add(memtable, entry, version_of(memtable, seq, false), false);
}

void catalog_memtable_put_change(struct catalog_memtable *memtable, uint64_t seq,
                                 const struct catalog_change *change)
{
    struct catalog_memtable *m = memtable;
    uint8_t key[CATALOG_CHANGE_KEY_BYTES];
    struct catalog_entry *entry = entry_of(
        m, CATALOG_SPACE_CHANGES, catalog_space_change_key(change->index, change->number, key));
    struct catalog_version *version = version_of(m, seq, true);
    struct catalog_change *copy = take(m, sizeof *copy);
    *copy = *change;
    copy->key = keep(m, change->key);
    copy->before = keep(m, change->before);
    const char **texts[] = {&copy->actor,   &copy->node,  &copy->daemon,
                            &copy->address, &copy->cause, &copy->reason};
    for (size_t i = 0; i < CU_COUNT(texts); i++)
        *texts[i] = keep_text(m, *texts[i]);
    version->change = copy;
    add(m, entry, version, false);
}

void catalog_memtable_undo(struct catalog_memtable *memtable, uint64_t seq)
{
    while (memtable->touched_count > 0) {
        struct catalog_entry *entry = memtable->touched[memtable->touched_count - 1];
        if (entry->newest->seq <= seq)
            return;
        STORE(entry->newest, entry->newest->older);
        memtable->touched_count--;
    }
}

void catalog_memtable_settle(struct catalog_memtable *memtable)
{
    memtable->touched_count = 0;
}

/* ---- folding ---- */

typedef enum cu_err fold_version(const struct catalog_backend *below,
                                 const struct catalog_entry *entry,
                                 const struct catalog_version *version);

static enum cu_err fold_row(const struct catalog_backend *below, const struct catalog_entry *entry,
                            const struct catalog_version *version)
{
    enum catalog_table table = (enum catalog_table)entry->space;
    if (!version->is_there)
        return below->del(below->context, table, version->row.key);
    return (entry->is_known ? below->update : below->put)(below->context, table, &version->row);
}

static enum cu_err fold_meta(const struct catalog_backend *below, const struct catalog_entry *entry,
                             const struct catalog_version *version)
{
    const char *name = (const char *)catalog_entry_key(entry).data;
    return below->meta_put(below->context, name, version->row.value);
}

static enum cu_err fold_change(const struct catalog_backend *below,
                               const struct catalog_entry *entry,
                               const struct catalog_version *version)
{
    struct cu_bytes key = catalog_entry_key(entry);
    if (version->is_there)
        return below->change_add(below->context, version->change);
    return below->change_drop(below->context, catalog_space_index(key), catalog_space_number(key));
}

static enum cu_err fold_value(const struct catalog_backend *below,
                              const struct catalog_entry *entry,
                              const struct catalog_version *version)
{
    struct cu_u128 hash = catalog_hash_of_bytes(catalog_entry_key(entry).data);
    bool is_new;
    if (!version->is_there)
        return below->value_drop(below->context, hash);
    return below->value_put(below->context, hash, version->row.value, version->row.modify_index,
                            &is_new);
}

static fold_version *const folds[] = {
    [CATALOG_SPACE_META] = fold_meta,
    [CATALOG_SPACE_CHANGES] = fold_change,
    [CATALOG_SPACE_VALUES] = fold_value,
    [CATALOG_SPACE_AGES] = NULL, /* values bring theirs */
};
_Static_assert(CU_COUNT(folds) == CATALOG_SPACE_COUNT, "one for each space");

enum cu_err catalog_memtable_fold(const struct catalog_memtable *memtable,
                                  const struct catalog_backend *below)
{
    for (int space = 0; space < CATALOG_SPACE_AGES; space++) {
        fold_version *fold = space < CATALOG_TABLE_COUNT ? fold_row : folds[space];
        const struct catalog_entry *entry = LOAD(memtable->lists[space].first[0]);
        for (; entry; entry = catalog_entry_next(entry)) {
            const struct catalog_version *version = LOAD(entry->newest);
            enum cu_err err = version ? fold(below, entry, version) : CU_OK;
            if (err)
                return err;
        }
    }
    return CU_OK;
}
