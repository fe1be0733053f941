#include "services/gossipd/core/lzw.h"

#include <string.h>

#include "common/base/assert.h"

enum {
    LZW_CLEAR = 256,
    LZW_END = 257,
    LZW_FIRST = 258,
    LZW_MIN_WIDTH = 9,
    LZW_MAX_WIDTH = 12,
    LZW_CODES = 1 << LZW_MAX_WIDTH,
    LZW_LAST = LZW_CODES - 1, /* the encoder clears when its counter gets here */
    LZW_HASH = 4 * LZW_CODES, /* slots of the encoder's dictionary: at most a quarter is used */
};

/* ---- compressing ---- */

struct encoder {
    struct cu_buf *out;
    uint32_t bits; /* not written yet, lowest first */
    unsigned bit_count, width;
    uint32_t high;            /* the newest code of the dictionary */
    uint32_t slots[LZW_HASH]; /* prefix code << 20 | byte << 12 | code; 0: free */
};

static void emit(struct encoder *e, uint32_t code)
{
    e->bits |= code << e->bit_count;
    e->bit_count += e->width;
    while (e->bit_count >= 8) {
        cu_buf_u8(e->out, (uint8_t)e->bits);
        e->bits >>= 8;
        e->bit_count -= 8;
    }
}

static void forget(struct encoder *e)
{
    memset(e->slots, 0, sizeof e->slots);
    e->width = LZW_MIN_WIDTH;
    e->high = LZW_END;
}

/* Counts one more code; false when that has emptied the dictionary. */
static bool count_up(struct encoder *e)
{
    e->high++;
    if (e->high == 1u << e->width)
        e->width++;
    if (e->high < LZW_LAST)
        return true;
    emit(e, LZW_CLEAR);
    forget(e);
    return false;
}

/* The slot that holds (prefix, byte), or the free one where it belongs. */
static uint32_t *slot_of(struct encoder *e, uint32_t prefix, uint8_t byte)
{
    uint32_t key = prefix << 8 | byte;
    for (uint32_t at = key * 2654435761u >> 18;; at++) { /* Knuth's multiplier; 14 bits */
        uint32_t *slot = &e->slots[at % LZW_HASH];
        if (*slot == 0 || *slot >> 12 == key)
            return slot;
    }
}

_Static_assert(LZW_HASH == 1 << 14, "slot_of() takes 14 bits of the hash");

static uint32_t compress_byte(struct encoder *e, uint32_t prefix, uint8_t byte)
{
    uint32_t *slot = slot_of(e, prefix, byte);
    if (*slot)
        return *slot & LZW_LAST;
    emit(e, prefix);
    if (count_up(e))
        *slot = prefix << 20 | (uint32_t)byte << 12 | e->high;
    return byte;
}

void gossip_lzw_compress(struct cu_buf *out, struct cu_bytes plain)
{
    struct encoder e;
    e.out = out;
    e.bits = e.bit_count = 0;
    forget(&e);
    emit(&e, LZW_CLEAR);
    if (plain.len > 0) {
        uint32_t prefix = plain.data[0];
        for (size_t i = 1; i < plain.len; i++)
            prefix = compress_byte(&e, prefix, plain.data[i]);
        emit(&e, prefix);
        (void)count_up(&e); /* the end is emitted either way */
    }
    emit(&e, LZW_END);
    if (e.bit_count > 0)
        cu_buf_u8(out, (uint8_t)e.bits);
}

/* ---- expanding ----
 *
 * What a code stands for has been written out once already: the string of the code before the one
 * that defined it, and one byte more, which follows it. So an entry is a place in the output and a
 * length, and the lengths alone tell the size. */

struct decoder {
    struct cu_bytes in;
    size_t at;
    uint32_t bits;
    unsigned bit_count, width;
    uint32_t next; /* the code that is defined next */
    bool has_last; /* a code came before this one since the last clear, and the table is not full */
    size_t last_start, last_len; /* its string */
    size_t size;                 /* of the output so far */
    struct {
        size_t start, len;
    } entries[LZW_CODES];
};

static void start_over(struct decoder *d)
{
    d->width = LZW_MIN_WIDTH;
    d->next = LZW_END;
    d->has_last = false;
}

static bool read_code(struct decoder *d, uint32_t *ret_code)
{
    while (d->bit_count < d->width) {
        if (d->at == d->in.len)
            return false;
        d->bits |= (uint32_t)d->in.data[d->at++] << d->bit_count;
        d->bit_count += 8;
    }
    *ret_code = d->bits & ((1u << d->width) - 1);
    d->bits >>= d->width;
    d->bit_count -= d->width;
    return true;
}

/* The string of `code`: its length, and where it stands in the output (not for a literal). Entries
 * below `next` have all been defined since the last clear; `next` itself only when the table is
 * full, which is when nothing stands before a code so far up. */
static bool look_up(const struct decoder *d, uint32_t code, size_t *ret_start, size_t *ret_len)
{
    if (code < LZW_CLEAR) {
        *ret_len = 1;
        return true;
    }
    if (code == d->next && d->has_last) { /* being defined right now: the last string and its first
                                             byte, which is the byte that follows it */
        *ret_start = d->last_start;
        *ret_len = d->last_len + 1;
        return true;
    }
    if (code > d->next)
        return false;
    *ret_start = d->entries[code].start;
    *ret_len = d->entries[code].len;
    return true;
}

/* After each code: the last string and one byte become an entry; codes grow when the next would not
 * fit; a full table stays as it is. */
static void define(struct decoder *d, size_t start, size_t len)
{
    if (d->has_last && d->next >= LZW_FIRST) {
        d->entries[d->next].start = d->last_start;
        d->entries[d->next].len = d->last_len + 1;
    }
    d->has_last = true;
    d->last_start = start;
    d->last_len = len;
    if (++d->next < 1u << d->width)
        return;
    if (d->width < LZW_MAX_WIDTH) {
        d->width++;
        return;
    }
    d->has_last = false;
    d->next--;
}

static void write_out(uint8_t *plain, size_t at, uint32_t code, size_t start, size_t len)
{
    if (code < LZW_CLEAR) {
        plain[at] = (uint8_t)code;
        return;
    }
    for (size_t i = 0; i < len; i++) /* may overlap by one byte, so forward */
        plain[at + i] = plain[start + i];
}

/* One code; `plain` NULL: only its size. CU_E_NOT_FOUND: it was the end. */
static enum cu_err step(struct decoder *d, uint8_t *plain, size_t limit)
{
    uint32_t code;
    size_t start = 0, len = 0;
    if (!read_code(d, &code))
        return CU_E_INVALID;
    if (code == LZW_CLEAR) {
        start_over(d);
        return CU_OK;
    }
    if (code == LZW_END)
        return CU_E_NOT_FOUND;
    if (!look_up(d, code, &start, &len))
        return CU_E_INVALID;
    if (len > limit - d->size)
        return CU_E_TOO_LARGE;
    if (plain)
        write_out(plain, d->size, code, start, len);
    define(d, d->size, len);
    d->size += len;
    return CU_OK;
}

static enum cu_err walk(struct cu_bytes packed, uint8_t *plain, size_t limit, size_t *ret_bytes)
{
    struct decoder d = {.in = packed};
    enum cu_err err = CU_OK;
    start_over(&d);
    while (!err)
        err = step(&d, plain, limit);
    if (err != CU_E_NOT_FOUND)
        return err;
    *ret_bytes = d.size;
    return CU_OK;
}

enum cu_err gossip_lzw_size(struct cu_bytes packed, size_t limit_bytes, size_t *ret_bytes)
{
    return walk(packed, NULL, limit_bytes, ret_bytes);
}

void gossip_lzw_expand(struct cu_bytes packed, uint8_t *ret_plain, size_t size)
{
    size_t got = 0;
    enum cu_err err = walk(packed, ret_plain, size, &got);
    CU_ASSERT(err == CU_OK && got == size);
}
