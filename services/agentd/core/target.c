#include "services/agentd/core/target.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "common/json/utf8.h"

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum cu_err agent_unescape(struct cu_bytes escaped, bool plus_is_blank, uint8_t *ret_bytes,
                           size_t *ret_len)
{
    size_t len = 0;
    for (size_t at = 0; at < escaped.len; at++) {
        uint8_t c = escaped.data[at];
        if (c == '%') {
            int high = at + 2 < escaped.len ? hex_value(escaped.data[at + 1]) : -1;
            int low = at + 2 < escaped.len ? hex_value(escaped.data[at + 2]) : -1;
            if (high < 0 || low < 0)
                return CU_E_INVALID;
            c = (uint8_t)(high << 4 | low);
            at += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        ret_bytes[len++] = c;
    }
    *ret_len = len;
    return CU_OK;
}

/* "http://host/path" as proxies send it: what stands from the path on. */
static struct cu_bytes without_authority(struct cu_bytes raw)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < CU_COUNT(schemes); i++) {
        size_t len = strlen(schemes[i]);
        if (raw.len < len || strncasecmp((const char *)raw.data, schemes[i], len) != 0)
            continue;
        while (len < raw.len && raw.data[len] != '/' && raw.data[len] != '?')
            len++;
        return (struct cu_bytes){raw.data + len, raw.len - len};
    }
    return raw;
}

enum cu_err agent_target_parse(struct cu_bytes raw, struct cu_arena *arena,
                               struct agent_target *ret_target)
{
    raw = without_authority(raw);
    if (raw.len == 0 || raw.data[0] != '/')
        return CU_E_INVALID;
    for (size_t i = 0; i < raw.len; i++)
        if (raw.data[i] < 0x20 || raw.data[i] == 0x7f)
            return CU_E_INVALID;

    const uint8_t *mark = memchr(raw.data, '?', raw.len);
    size_t path_len = mark ? (size_t)(mark - raw.data) : raw.len;
    uint8_t *path = cu_arena_alloc(arena, path_len + 1);
    if (!path)
        return CU_E_TOO_LARGE;
    struct agent_target target = {.path = {path, 0}};
    enum cu_err err =
        agent_unescape((struct cu_bytes){raw.data, path_len}, false, path, &target.path.len);
    if (err)
        return err;
    if (mark)
        target.query = (struct cu_bytes){mark + 1, raw.len - path_len - 1};
    *ret_target = target;
    return CU_OK;
}

/* Characters that the reference does not count as printable (Unicode categories Cc, Cf, Zs, Zl, Zp,
 * Co; ranges that hold only such). */
static const struct {
    uint32_t first, last;
} unprintable[] = {
    {0x00, 0x1f},       {0x7f, 0xa0},       {0xad, 0xad},         {0x600, 0x605},
    {0x61c, 0x61c},     {0x6dd, 0x6dd},     {0x70f, 0x70f},       {0x1680, 0x1680},
    {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},     {0x205f, 0x206f},
    {0x3000, 0x3000},   {0xe000, 0xf8ff},   {0xfeff, 0xfeff},     {0xfff9, 0xfffb},
    {0xe0000, 0xe0fff}, {0xf0000, 0xffffd}, {0x100000, 0x10fffd},
};

static bool rune_is_printable(uint32_t rune)
{
    for (size_t i = 0; i < CU_COUNT(unprintable); i++)
        if (rune >= unprintable[i].first && rune <= unprintable[i].last)
            return false;
    return true; /* a byte that is no UTF-8 counts as U+FFFD, a symbol */
}

bool agent_path_is_printable(struct cu_bytes path)
{
    for (size_t at = 0; at < path.len;) {
        uint32_t rune = path.data[at];
        if (rune >= 0x20 && rune < 0x7f) {
            at++;
            continue;
        }
        at += cu_utf8_next((struct cu_bytes){path.data + at, path.len - at}, &rune);
        if (!rune_is_printable(rune))
            return false;
    }
    return true;
}

static bool needs_cleaning(struct cu_bytes path)
{
    for (size_t at = 0; at < path.len; at++) {
        if (path.data[at] != '/')
            continue;
        size_t end = at + 1;
        while (end < path.len && end < at + 4 && path.data[end] != '/')
            end++;
        size_t len = end - at - 1;
        const uint8_t *segment = path.data + at + 1;
        if ((len == 0 && end < path.len) || (len == 1 && segment[0] == '.') ||
            (len == 2 && segment[0] == '.' && segment[1] == '.'))
            return true;
    }
    return false;
}

/* One segment behind what stands in `clean` from `start` on: "." is nothing, ".." takes one away.
 */
static void add_segment(struct cu_buf *clean, size_t start, struct cu_bytes segment)
{
    if (segment.len == 0 || cu_bytes_equal(segment, cu_bytes_of(".")))
        return;
    if (cu_bytes_equal(segment, cu_bytes_of(".."))) {
        while (clean->len > start && clean->data[--clean->len] != '/')
            continue;
        return;
    }
    cu_buf_u8(clean, '/');
    cu_buf_append(clean, segment.data, segment.len);
}

bool agent_path_is_clean(struct cu_bytes path, struct cu_buf *clean)
{
    size_t start = clean->len;
    if (!needs_cleaning(path))
        return true;
    for (size_t at = 1; at <= path.len;) {
        size_t end = at;
        while (end < path.len && path.data[end] != '/')
            end++;
        add_segment(clean, start, (struct cu_bytes){path.data + at, end - at});
        at = end + 1;
    }
    if (clean->len == start || path.data[path.len - 1] == '/')
        cu_buf_u8(clean, '/');
    return false;
}

void agent_path_escape(struct cu_buf *out, struct cu_bytes path)
{
    for (size_t i = 0; i < path.len; i++) {
        uint8_t c = path.data[i];
        if (isalnum(c) || (c && strchr("-_.~$&+,/:;=@", c)))
            cu_buf_u8(out, c);
        else
            cu_buf_printf(out, "%%%02X", c);
    }
}
