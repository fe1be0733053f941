#include "services/catalogd/core/rows.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

/* Each row may lie in either of two places, neighbours; untouched places cost no memory. */
enum { WAYS = 2, PLACES = 1 << 17 };

struct kept {
    enum catalog_table table;
    uint32_t key_len, value_len, room;
    uint64_t hash;
    struct catalog_row row; /* its bytes are not used: they lie here */
    uint8_t bytes[];        /* key, value */
};

struct catalog_rows {
    size_t bytes;
    size_t hand; /* the place that is cleared next when there is no room */
    struct kept *places[PLACES];
};

struct catalog_rows *catalog_rows_new(void)
{
    return cu_alloc(sizeof(struct catalog_rows));
}

static size_t size_of(const struct kept *kept)
{
    return sizeof *kept + kept->room;
}

static void clear(struct catalog_rows *rows, struct kept **place)
{
    if (!*place)
        return;
    rows->bytes -= size_of(*place);
    free(*place);
    *place = NULL;
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

static bool is_it(const struct kept *kept, enum catalog_table table, struct cu_bytes key,
                  uint64_t hash)
{
    return kept && kept->hash == hash && kept->table == table && kept->key_len == key.len &&
           memcmp(kept->bytes, key.data, key.len) == 0;
}

/* WAYS: it is in none of them. */
static size_t way_of(const struct catalog_rows *rows, enum catalog_table table, struct cu_bytes key,
                     uint64_t hash)
{
    size_t way = 0;
    while (way < WAYS && !is_it(rows->places[first_of(hash) + way], table, key, hash))
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
    const struct kept *kept = rows->places[first_of(hash) + way];
    uint8_t *bytes = cu_arena_memdup(arena, kept->bytes, kept->key_len + kept->value_len);
    if (!bytes)
        return CU_E_TOO_LARGE;
    *ret_row = kept->row;
    ret_row->key = (struct cu_bytes){bytes, kept->key_len};
    ret_row->value = (struct cu_bytes){bytes + kept->key_len, kept->value_len};
    return CU_OK;
}

static void fill(struct kept *kept, enum catalog_table table, const struct catalog_row *row,
                 uint64_t hash)
{
    kept->table = table;
    kept->hash = hash;
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

/* The newest lies first; of two that are there already the older one goes. */
static struct kept **place_for(struct catalog_rows *rows, uint64_t hash)
{
    struct kept **first = &rows->places[first_of(hash)];
    if (*first) {
        clear(rows, &first[1]);
        first[1] = first[0];
        first[0] = NULL;
    }
    return first;
}

void catalog_rows_put(struct catalog_rows *rows, enum catalog_table table,
                      const struct catalog_row *row)
{
    uint64_t hash = hash_of(table, row->key);
    size_t len = row->key.len + row->value.len, way = way_of(rows, table, row->key, hash);
    struct kept **at = &rows->places[first_of(hash) + (way < WAYS ? way : 0)];
    if (way < WAYS && (*at)->room >= len) {
        fill(*at, table, row, hash);
        return;
    }
    if (way < WAYS)
        clear(rows, at);
    if (row->key.len == 0 || len > CATALOG_ROWS_ROW_BYTES_MAX)
        return;
    uint32_t room = (uint32_t)((len + 15) / 16 * 16);
    make_room(rows, sizeof(struct kept) + room);
    at = place_for(rows, hash);
    *at = cu_alloc(sizeof(struct kept) + room);
    (*at)->room = room;
    rows->bytes += size_of(*at);
    fill(*at, table, row, hash);
}

void catalog_rows_drop(struct catalog_rows *rows, enum catalog_table table, struct cu_bytes key)
{
    uint64_t hash = hash_of(table, key);
    size_t way = way_of(rows, table, key, hash);
    if (way < WAYS)
        clear(rows, &rows->places[first_of(hash) + way]);
}
