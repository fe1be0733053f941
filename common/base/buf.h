/* buf.h - bytes being written (grows) and bytes being read (checked, failure is sticky). */
#ifndef CU_BASE_BUF_H
#define CU_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Borrowed bytes. */
struct cu_bytes {
    const uint8_t *data;
    size_t len;
};

bool cu_bytes_equal(struct cu_bytes a, struct cu_bytes b);
int cu_bytes_compare(struct cu_bytes a, struct cu_bytes b); /* byte order, shorter first on a tie */
bool cu_bytes_has_prefix(struct cu_bytes whole, struct cu_bytes prefix);
struct cu_bytes cu_bytes_of(const char *text); /* borrowed, without the NUL */

/* A growing buffer. Zero-initialise; cu_buf_deinit frees. Writing cannot fail (contents are ours).
 */
struct cu_buf {
    uint8_t *data;
    size_t len, cap;
};

void cu_buf_deinit(struct cu_buf *buf);
void cu_buf_clear(struct cu_buf *buf); /* keeps the memory */
uint8_t *cu_buf_extend(struct cu_buf *buf,
                       size_t more);                  /* `more` new bytes at the end, not zeroed */
void cu_buf_reserve(struct cu_buf *buf, size_t more); /* room for `more` bytes, len unchanged */
void cu_buf_append(struct cu_buf *buf, const void *data, size_t len);
void cu_buf_u8(struct cu_buf *buf, uint8_t v);
void cu_buf_u16le(struct cu_buf *buf, uint16_t v);
void cu_buf_u32le(struct cu_buf *buf, uint32_t v);
void cu_buf_u64le(struct cu_buf *buf, uint64_t v);
void cu_buf_text(struct cu_buf *buf, const char *text); /* without the NUL */
void cu_buf_printf(struct cu_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cu_buf_drop_front(struct cu_buf *buf, size_t n); /* n <= len; moves the rest down */
struct cu_bytes cu_buf_bytes(const struct cu_buf *buf);
uint8_t *cu_buf_take(struct cu_buf *buf, size_t *ret_len); /* yours, free(); buf is empty after */

/* A checked reader over borrowed bytes. After the first read past the end everything reads as 0 and
 * cu_reader_failed() is true: read all, ask once. */
struct cu_reader {
    const uint8_t *at, *end;
    bool failed;
};

struct cu_reader cu_reader_of(struct cu_bytes bytes);
uint8_t cu_read_u8(struct cu_reader *r);
uint16_t cu_read_u16le(struct cu_reader *r);
uint32_t cu_read_u32le(struct cu_reader *r);
uint64_t cu_read_u64le(struct cu_reader *r);
uint16_t cu_read_u16be(struct cu_reader *r);
uint32_t cu_read_u32be(struct cu_reader *r);
struct cu_bytes cu_read_bytes(struct cu_reader *r, size_t len);
size_t cu_reader_left(const struct cu_reader *r);

#endif
