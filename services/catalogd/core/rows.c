#include "services/catalogd/core/rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

/* Each row may lie in any of four places, neighbours in one line of the processor's cache;
 * untouched places cost no memory. */
enum { WAYS = 4, PLACES = 1 << 17 };

struct kept {
    enum catalog_table table;
    uint32_t key_len, value_len, room;
    struct catalog_row row; /* its bytes are not used: they lie here */
    uint8_t bytes[];        /* key, value */
};

struct place {
    uint64_t hash;
    struct kept *kept; /* NULL: free */
};

struct catalog_rows {
    size_t bytes;
    size_t hand; /* the place that is cleared next when there is no room */
    struct place places[PLACES];
};

struct catalog_rows *catalog_rows_new(void)
{
    return cu_alloc(sizeof(struct catalog_rows));
}

static size_t size_of(const struct kept *kept)
{
    return sizeof *kept + kept->room;
}

static void clear(struct catalog_rows *rows, struct place *place)
{
    if (!place->kept)
        return;
    rows->bytes -= size_of(place->kept);
    free(place->kept);
    place->kept = NULL;
}

void catalog_rows_clear(struct catalog_rows *rows)
{
    for (size_t i = 0; i < PLACES && rows->bytes > 0; i++)
        clear(rows, &rows->places[i]);
}

void catalog_rows_free(struct catalog_rows *rows)
{
    if (!rows)
        return;
    catalog_rows_clear(rows);
    free(rows);
}

size_t catalog_rows_bytes(const struct catalog_rows *rows)
{
    return rows->bytes;
}

static uint64_t hash_of(enum catalog_table table, struct cu_bytes key)
{
    return cu_table_hash(key.data, key.len) + (uint64_t)table * 0x9e3779b97f4a7c15u;
}

static size_t first_of(uint64_t hash)
{
    return (size_t)(hash % PLACES) / WAYS * WAYS;
}

static bool is_it(const struct place *place, enum catalog_table table, struct cu_bytes key,
                  uint64_t hash)
{
    const struct kept *kept = place->kept;
    return kept && place->hash == hash && kept->table == table && kept->key_len == key.len &&
           memcmp(kept->bytes, key.data, key.len) == 0;
}

/* WAYS: it is in none of them. */
static size_t way_of(const struct catalog_rows *rows, enum catalog_table table, struct cu_bytes key,
                     uint64_t hash)
{
    size_t way = 0;
    while (way < WAYS && !is_it(&rows->places[first_of(hash) + way], table, key, hash))
        way++;
    return way;
}

enum cu_err catalog_rows_get(const struct catalog_rows *rows, enum catalog_table table,
                             struct cu_bytes key, struct cu_arena *arena,
                             struct catalog_row *ret_row)
{
    uint64_t hash = hash_of(table, key);
    size_t way = way_of(rows, table, key, hash);
    if (way == WAYS)
        return CU_E_NOT_FOUND;
    const struct kept *kept = rows->places[first_of(hash) + way].kept;
    uint8_t *bytes = cu_arena_memdup(arena, kept->bytes, kept->key_len + kept->value_len);
    if (!bytes)
        return CU_E_TOO_LARGE;
    *ret_row = kept->row;
    ret_row->key = (struct cu_bytes){bytes, kept->key_len};
    ret_row->value = (struct cu_bytes){bytes + kept->key_len, kept->value_len};
    return CU_OK;
}

static void fill(struct kept *kept, enum catalog_table table, const struct catalog_row *row)
{
    kept->table = table;
    kept->key_len = (uint32_t)row->key.len;
    kept->value_len = (uint32_t)row->value.len;
    kept->row = *row;
    memcpy(kept->bytes, row->key.data, row->key.len);
    if (row->value.len)
        memcpy(kept->bytes + row->key.len, row->value.data, row->value.len);
}

static void make_room(struct catalog_rows *rows, size_t bytes)
{
    while (rows->bytes + bytes > CATALOG_ROWS_BYTES_MAX) {
        clear(rows, &rows->places[rows->hand]);
        rows->hand = (rows->hand + 1) % PLACES;
    }
}

/* The newest lies first; of as many as there are places the oldest goes. */
static struct place *place_for(struct catalog_rows *rows, uint64_t hash)
{
    struct place *first = &rows->places[first_of(hash)];
    clear(rows, &first[WAYS - 1]);
    memmove(&first[1], &first[0], (WAYS - 1) * sizeof *first);
    *first = (struct place){.hash = hash};
    return first;
}

void catalog_rows_put(struct catalog_rows *rows, enum catalog_table table,
                      const struct catalog_row *row)
{
    uint64_t hash = hash_of(table, row->key);
    size_t len = row->key.len + row->value.len, way = way_of(rows, table, row->key, hash);
    struct place *at = &rows->places[first_of(hash) + (way < WAYS ? way : 0)];
    if (way < WAYS && at->kept->room >= len) {
        fill(at->kept, table, row);
        return;
    }
    if (way < WAYS)
        clear(rows, at);
    if (row->key.len == 0 || len > CATALOG_ROWS_ROW_BYTES_MAX)
        return;
    uint32_t room = (uint32_t)((len + 15) / 16 * 16);
    make_room(rows, sizeof(struct kept) + room);
    at = place_for(rows, hash);
    at->kept = cu_alloc(sizeof(struct kept) + room);
    at->kept->room = room;
    rows->bytes += size_of(at->kept);
    fill(at->kept, table, row);
}

void catalog_rows_drop(struct catalog_rows *rows, enum catalog_table table, struct cu_bytes key)
{
    uint64_t hash = hash_of(table, key);
    size_t way = way_of(rows, table, key, hash);
    if (way < WAYS)
        clear(rows, &rows->places[first_of(hash) + way]);
}
