#include "common/base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

bool cu_bytes_equal(struct cu_bytes a, struct cu_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int cu_bytes_compare(struct cu_bytes a, struct cu_bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common ? memcmp(a.data, b.data, common) : 0;
    if (order)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool cu_bytes_has_prefix(struct cu_bytes whole, struct cu_bytes prefix)
{
    return whole.len >= prefix.len &&
           (prefix.len == 0 || memcmp(whole.data, prefix.data, prefix.len) == 0);
}

struct cu_bytes cu_bytes_of(const char *text)
{
    return (struct cu_bytes){(const uint8_t *)text, strlen(text)};
}

void cu_buf_deinit(struct cu_buf *buf)
{
    free(buf->data);
    *buf = (struct cu_buf){0};
}

void cu_buf_clear(struct cu_buf *buf)
{
    buf->len = 0;
}

void cu_buf_reserve(struct cu_buf *buf, size_t more)
{
    size_t need = buf->len + more;
    CU_ASSERT(need >= more);
    if (need <= buf->cap)
        return;
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < need)
        cap *= 2;
    buf->data = cu_realloc(buf->data, cap);
    buf->cap = cap;
}

uint8_t *cu_buf_extend(struct cu_buf *buf, size_t more)
{
    cu_buf_reserve(buf, more);
    uint8_t *at = buf->data + buf->len;
    buf->len += more;
    return at;
}

void cu_buf_append(struct cu_buf *buf, const void *data, size_t len)
{
    if (len)
        memcpy(cu_buf_extend(buf, len), data, len);
}

void cu_buf_u8(struct cu_buf *buf, uint8_t v)
{
    *cu_buf_extend(buf, 1) = v;
}

static void append_le(struct cu_buf *buf, uint64_t v, size_t size)
{
    uint8_t *at = cu_buf_extend(buf, size);
    for (size_t i = 0; i < size; i++)
        at[i] = (uint8_t)(v >> (8 * i));
}

void cu_buf_u16le(struct cu_buf *buf, uint16_t v)
{
    append_le(buf, v, 2);
}

void cu_buf_u32le(struct cu_buf *buf, uint32_t v)
{
    append_le(buf, v, 4);
}

void cu_buf_u64le(struct cu_buf *buf, uint64_t v)
{
    append_le(buf, v, 8);
}

void cu_buf_text(struct cu_buf *buf, const char *text)
{
    cu_buf_append(buf, text, strlen(text));
}

void cu_buf_printf(struct cu_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    CU_ASSERT(length >= 0);
    cu_buf_reserve(buf, (size_t)length + 1);
    (void)vsnprintf((char *)buf->data + buf->len, (size_t)length + 1, fmt,
                    again); /* fits: measured above */
    va_end(again);
    buf->len += (size_t)length;
}

void cu_buf_drop_front(struct cu_buf *buf, size_t n)
{
    CU_ASSERT(n <= buf->len);
    if (n && n < buf->len)
        memmove(buf->data, buf->data + n, buf->len - n);
    buf->len -= n;
}

struct cu_bytes cu_buf_bytes(const struct cu_buf *buf)
{
    return (struct cu_bytes){buf->data, buf->len};
}

uint8_t *cu_buf_take(struct cu_buf *buf, size_t *ret_len)
{
    uint8_t *data = buf->data ? buf->data : cu_alloc(1);
    *ret_len = buf->len;
    *buf = (struct cu_buf){0};
    return data;
}

struct cu_reader cu_reader_of(struct cu_bytes bytes)
{
    return (struct cu_reader){bytes.data, bytes.data ? bytes.data + bytes.len : NULL, false};
}

size_t cu_reader_left(const struct cu_reader *r)
{
    return (size_t)(r->end - r->at);
}

struct cu_bytes cu_read_bytes(struct cu_reader *r, size_t len)
{
    if (r->failed || cu_reader_left(r) < len) {
        r->failed = true;
        return (struct cu_bytes){NULL, 0};
    }
    struct cu_bytes bytes = {r->at, len};
    r->at += len;
    return bytes;
}

static uint64_t read_le(struct cu_reader *r, size_t size)
{
    struct cu_bytes bytes = cu_read_bytes(r, size);
    uint64_t v = 0;
    for (size_t i = 0; i < bytes.len; i++)
        v |= (uint64_t)bytes.data[i] << (8 * i);
    return v;
}

uint8_t cu_read_u8(struct cu_reader *r)
{
    return (uint8_t)read_le(r, 1);
}

uint16_t cu_read_u16le(struct cu_reader *r)
{
    return (uint16_t)read_le(r, 2);
}

uint32_t cu_read_u32le(struct cu_reader *r)
{
    return (uint32_t)read_le(r, 4);
}

uint64_t cu_read_u64le(struct cu_reader *r)
{
    return read_le(r, 8);
}

static uint32_t read_be(struct cu_reader *r, size_t size)
{
    struct cu_bytes bytes = cu_read_bytes(r, size);
    uint32_t v = 0;
    for (size_t i = 0; i < bytes.len; i++)
        v = v << 8 | bytes.data[i];
    return v;
}

uint16_t cu_read_u16be(struct cu_reader *r)
{
    return (uint16_t)read_be(r, 2);
}

uint32_t cu_read_u32be(struct cu_reader *r)
{
    return read_be(r, 4);
}
