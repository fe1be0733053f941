#include "common/json/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/json/base64.h"
#include "common/json/utf8.h"

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&';
}

static void append_escaped(struct cu_buf *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    switch (c) {
    case '"':
        cu_buf_append(out, "\\\"", 2);
        return;
    case '\\':
        cu_buf_append(out, "\\\\", 2);
        return;
    case '\n':
        cu_buf_append(out, "\\n", 2);
        return;
    case '\r':
        cu_buf_append(out, "\\r", 2);
        return;
    case '\t':
        cu_buf_append(out, "\\t", 2);
        return;
    default: {
        char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
        cu_buf_append(out, text, sizeof text);
    }
    }
}

/* One character beyond ASCII; returns the bytes it took. */
static size_t append_rune(struct cu_buf *out, struct cu_bytes text)
{
    uint32_t rune;
    size_t size = cu_utf8_next(text, &rune);

    if (rune == CU_UTF8_BAD)
        cu_buf_append(out, "\\ufffd", 6);
    else if (rune == 0x2028 || rune == 0x2029)
        cu_buf_append(out, rune == 0x2028 ? "\\u2028" : "\\u2029", 6);
    else
        cu_buf_append(out, text.data, size);
    return size;
}

void cu_json_text(struct cu_buf *out, struct cu_bytes text)
{
    size_t done = 0;

    cu_buf_reserve(out, text.len + 2);
    cu_buf_u8(out, '"');
    for (size_t at = 0; at < text.len;) {
        if (is_plain(text.data[at])) {
            at++;
            continue;
        }
        cu_buf_append(out, text.data + done, at - done);
        if (text.data[at] < 0x80)
            append_escaped(out, text.data[at++]);
        else
            at += append_rune(out, (struct cu_bytes){text.data + at, text.len - at});
        done = at;
    }
    if (done < text.len)
        cu_buf_append(out, text.data + done, text.len - done);
    cu_buf_u8(out, '"');
}

void cu_json_cstr(struct cu_buf *out, const char *text)
{
    cu_json_text(out, cu_bytes_of(text ? text : ""));
}

void cu_json_u64(struct cu_buf *out, uint64_t value)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    cu_buf_append(out, text + at, sizeof text - at);
}

void cu_json_i64(struct cu_buf *out, int64_t value)
{
    if (value < 0)
        cu_buf_u8(out, '-');
    cu_json_u64(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void cu_json_time(struct cu_buf *out, int64_t s, unsigned ms)
{
    enum { TIME_BYTES = 64 };
    const int64_t first = -62135596800, last = 253402300799; /* of the years 1 and 9999 */
    char text[TIME_BYTES], fraction[16] = "";
    struct tm tm;
    time_t at = (time_t)(s < first ? first : s > last ? last : s);
    (void)gmtime_r(&at, &tm);
    if (ms % 10)
        (void)snprintf(fraction, sizeof fraction, ".%03u", ms);
    else if (ms % 100)
        (void)snprintf(fraction, sizeof fraction, ".%02u", ms / 10);
    else if (ms)
        (void)snprintf(fraction, sizeof fraction, ".%u", ms / 100);
    int len = snprintf(text, sizeof text, "\"%04d-%02d-%02dT%02d:%02d:%02d%sZ\"", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction);
    cu_buf_append(out, text, (size_t)len);
}

void cu_json_base64(struct cu_buf *out, struct cu_bytes bytes)
{
    cu_buf_u8(out, '"');
    cu_base64_encode(out, bytes);
    cu_buf_u8(out, '"');
}

static void new_line(struct cu_buf *out, size_t depth)
{
    cu_buf_u8(out, '\n');
    if (depth)
        memset(cu_buf_extend(out, depth * 4), ' ', depth * 4);
}

/* The bytes of the string that begins at `at`, both quotes included. */
static size_t string_len(struct cu_bytes text, size_t at)
{
    size_t end = at + 1;
    while (end < text.len && text.data[end] != '"')
        end += text.data[end] == '\\' ? 2 : 1;
    return (end < text.len ? end + 1 : text.len) - at;
}

void cu_json_indent(struct cu_buf *out, struct cu_bytes compact)
{
    size_t depth = 0;

    for (size_t at = 0; at < compact.len; at++) {
        uint8_t c = compact.data[at];
        bool closes_next =
            at + 1 < compact.len && (compact.data[at + 1] == '}' || compact.data[at + 1] == ']');
        if (c == '"') {
            size_t len = string_len(compact, at);
            cu_buf_append(out, compact.data + at, len);
            at += len - 1;
        } else if ((c == '{' || c == '[') && closes_next) {
            cu_buf_append(out, compact.data + at++, 2);
        } else if (c == '{' || c == '[') {
            cu_buf_u8(out, c);
            new_line(out, ++depth);
        } else if (c == '}' || c == ']') {
            new_line(out, depth ? --depth : 0);
            cu_buf_u8(out, c);
        } else if (c == ',') {
            cu_buf_u8(out, c);
            new_line(out, depth);
        } else if (c == ':') {
            cu_buf_append(out, ": ", 2);
        } else {
            cu_buf_u8(out, c);
        }
    }
    cu_buf_u8(out, '\n');
}
