#include "common/json/utf8.h"

#include <stdbool.h>

static bool is_surrogate(uint32_t rune)
{
    return rune >= 0xd800 && rune <= 0xdfff;
}

size_t cu_utf8_next(struct cu_bytes text, uint32_t *ret_rune)
{
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    uint8_t lead = text.data[0];
    size_t more = lead < 0x80 ? 0 : lead < 0xc0 ? 4 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;

    *ret_rune = CU_UTF8_BAD;
    if (more == 4 || lead > 0xf4 || more >= text.len)
        return 1;
    uint32_t rune = more ? lead & (0x3fu >> more) : lead;
    for (size_t i = 1; i <= more; i++) {
        if ((text.data[i] & 0xc0) != 0x80)
            return 1;
        rune = rune << 6 | (text.data[i] & 0x3fu);
    }
    if (rune < least[more] || rune > 0x10ffff || is_surrogate(rune))
        return 1;
    *ret_rune = rune;
    return more + 1;
}

void cu_utf8_append(struct cu_buf *out, uint32_t rune)
{
    if (rune > 0x10ffff || is_surrogate(rune))
        rune = 0xfffd;
    if (rune < 0x80) {
        cu_buf_u8(out, (uint8_t)rune);
        return;
    }
    int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    cu_buf_u8(out, (uint8_t)(lead[more] | rune >> (6 * more)));
    while (more-- > 0)
        cu_buf_u8(out, (uint8_t)(0x80 | (rune >> (6 * more) & 0x3f)));
}
