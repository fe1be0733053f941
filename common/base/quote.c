#include "common/base/quote.h"

#include <string.h>

enum { ESCAPE_BYTES_MAX = 6 }; /* of one byte of input: \u0085 comes from two */

/* Bytes of the UTF-8 sequence at the front, 0: none. RFC 3629 section 4. */
static size_t utf8_len(struct cu_bytes b)
{
    uint8_t first = b.data[0];
    size_t len = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (len == 0 || first > 0xf4 || b.len < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((b.data[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong = (first == 0xe0 && b.data[1] < 0xa0) || (first == 0xf0 && b.data[1] < 0x90);
    bool is_surrogate = first == 0xed && b.data[1] > 0x9f;
    bool is_beyond = first == 0xf4 && b.data[1] > 0x8f;
    return is_overlong || is_surrogate || is_beyond ? 0 : len;
}

static char *put_hex(char *at, const char *escape, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = strlen(escape);
    memcpy(at, escape, len);
    at[len] = digits[byte >> 4];
    at[len + 1] = digits[byte & 15];
    return at + len + 2;
}

static char *put_byte(char *at, uint8_t byte)
{
    static const char named[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
    const char *found = byte ? strchr(named, byte) : NULL;
    if (found) {
        *at++ = '\\';
        *at++ = letters[found - named];
        return at;
    }
    if (byte < ' ' || byte == 0x7f)
        return put_hex(at, "\\x", byte);
    *at++ = (char)byte;
    return at;
}

char *cu_quote(struct cu_arena *arena, struct cu_bytes bytes)
{
    char *text = bytes.len > SIZE_MAX / ESCAPE_BYTES_MAX - 3
                     ? NULL
                     : cu_arena_alloc(arena, bytes.len * ESCAPE_BYTES_MAX + 3);
    if (!text)
        return NULL;
    char *at = text;
    *at++ = '"';
    while (bytes.len > 0) {
        size_t len = utf8_len(bytes);
        if (len == 0)
            at = put_hex(at, "\\x", bytes.data[0]);
        else if (len == 1)
            at = put_byte(at, bytes.data[0]);
        else if (len == 2 && bytes.data[0] == 0xc2 && bytes.data[1] <= 0xa0)
            at = put_hex(at, "\\u00", bytes.data[1]); /* C1 controls and the hard space */
        else
            at = (char *)memcpy(at, bytes.data, len) + len;
        size_t used = len ? len : 1;
        bytes = (struct cu_bytes){bytes.data + used, bytes.len - used};
    }
    *at++ = '"';
    *at = '\0';
    return text;
}
