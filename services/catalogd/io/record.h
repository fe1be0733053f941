/* record.h - one record of a spool file: a row, a change, an old value or a line of bookkeeping
 * (contracts 3.6). Pure.
 *
 *   u32 length of the payload | u8 kind | payload | u32 CRC-32C over kind and payload
 *
 * A file is one META record for each line of bookkeeping, ROWs in canonical order (table, key),
 * VALUEs oldest first, CHANGEs ascending, and END with their number. */
#ifndef CATALOG_RECORD_H
#define CATALOG_RECORD_H

#include "common/base/arena.h"
#include "services/catalogd/core/backend.h"

enum catalog_record_kind {
    CATALOG_RECORD_META = 1,
    CATALOG_RECORD_ROW,
    CATALOG_RECORD_VALUE,
    CATALOG_RECORD_CHANGE,
    CATALOG_RECORD_END,
    CATALOG_RECORD_KIND_COUNT
};

enum {
    CATALOG_RECORD_HEAD_BYTES = 5,
    CATALOG_RECORD_TAIL_BYTES = 4,
    CATALOG_RECORD_BYTES_MAX = 4 * 1024 * 1024 /* of a payload: more is no record of ours */
};

struct catalog_record {
    enum catalog_record_kind kind;
    union {
        struct {
            const char *name;
            struct cu_bytes value;
        } meta;
        struct {
            enum catalog_table table;
            struct catalog_row row;
        } row;
        struct {
            struct cu_u128 hash;
            uint64_t index;
            struct cu_bytes value;
        } value;
        struct catalog_change change;
        uint64_t count; /* END: of the records before it */
    };
};

void catalog_record_encode(const struct catalog_record *record, struct cu_buf *ret_bytes);

/* The record at the beginning of `bytes`, which may be cut anywhere: *ret_len is its length, or 0
 * when more bytes are needed. Bytes are borrowed, texts are in the arena. Errors: CORRUPT a
 * checksum or a length is wrong; TOO_LARGE the arena is full. */
CU_MUST_USE enum cu_err catalog_record_decode(struct cu_bytes bytes, struct cu_arena *arena,
                                              struct catalog_record *ret_record, size_t *ret_len);

#endif
