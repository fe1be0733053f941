/* unquote.c - the string of a checked token; declared in scan.h. */
#include "common/json/scan.h"

#include <string.h>

#include "common/json/utf8.h"

static uint32_t hex4(const uint8_t *at)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 4 | (uint32_t)(at[i] <= '9' ? at[i] - '0' : (at[i] | 0x20) - 'a' + 10);
    return value;
}

/* The character of the \u escape at `at` (behind the u); two of them when they are a pair. */
static uint32_t escaped_rune(const uint8_t **at)
{
    uint32_t high = hex4(*at);
    *at += 4;
    if (high < 0xd800 || high > 0xdbff || (*at)[0] != '\\' || (*at)[1] != 'u')
        return high;
    uint32_t low = hex4(*at + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return high;
    *at += 6;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

/* What is written, into a block that has room for all of it. */
struct unquoted {
    uint8_t *data;
    size_t len;
};

static void put_rune(struct unquoted *out, uint32_t rune)
{
    uint8_t bytes[4];
    struct cu_buf buf = {.data = bytes, .cap = sizeof bytes};
    cu_utf8_append(&buf, rune); /* at most four: never grows */
    memcpy(out->data + out->len, bytes, buf.len);
    out->len += buf.len;
}

static const uint8_t *put_escape(struct unquoted *out, const uint8_t *at)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *found = strchr(from, *at);
    if (*at == 'u') {
        at++;
        put_rune(out, escaped_rune(&at));
        return at;
    }
    out->data[out->len++] = found ? (uint8_t)to[found - from] : *at;
    return at + 1;
}

enum cu_err cu_json_unquote(struct cu_bytes value, struct cu_arena *arena,
                            struct cu_bytes *ret_text)
{
    const uint8_t *at = value.data + 1, *end = value.data + value.len - 1;
    size_t bad = 0;
    for (const uint8_t *p = at; p < end; p++)
        bad += *p >= 0x80;
    /* Only an invalid byte grows: to the three bytes of U+FFFD. */
    struct unquoted out = {cu_arena_alloc(arena, value.len + 2 * bad), 0};
    if (!out.data)
        return CU_E_TOO_LARGE;
    while (at < end) {
        uint32_t rune;
        if (*at == '\\') {
            at = put_escape(&out, at + 1);
        } else if (*at < 0x80) {
            out.data[out.len++] = *at++;
        } else {
            at += cu_utf8_next((struct cu_bytes){at, (size_t)(end - at)}, &rune);
            put_rune(&out, rune);
        }
    }
    *ret_text = (struct cu_bytes){out.data, out.len};
    return CU_OK;
}
