/* spool_fuzz.c - a record of a spool file: kind and payload are the input, length and checksum are
 * put right, so that mutations reach the fields. What parses is written back as it was. */
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "services/catalogd/io/record.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 1024 * 1024, INPUT_MAX = 64 * 1024 };

bool fuzz_one(const uint8_t *data, size_t len)
{
    if (len == 0 || len > INPUT_MAX)
        return false;
    struct cu_buf whole = {0}, again = {0};
    cu_buf_u32le(&whole, (uint32_t)len - 1);
    cu_buf_append(&whole, data, len);
    cu_buf_u32le(&whole, cu_crc32c(0, data, len));
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    struct catalog_record record;
    size_t used = 0;
    enum cu_err err = catalog_record_decode(cu_buf_bytes(&whole), arena, &record, &used);
    if (!err) {
        catalog_record_encode(&record, &again);
        if (used != whole.len || !cu_bytes_equal(cu_buf_bytes(&whole), cu_buf_bytes(&again)))
            abort();
    }
    cu_arena_free(arena);
    cu_buf_deinit(&whole);
    cu_buf_deinit(&again);
    return !err;
}
