#include "common/hcl/word.h"

#include <stddef.h>

#include "common/base/err.h"

bool hcl_is_letter(uint32_t rune)
{
    static const uint32_t signs[][2] = {{0x80, 0xa9},     {0xab, 0xb4},       {0xb6, 0xb9},
                                        {0xbb, 0xbf},     {0xd7, 0xd7},       {0xf7, 0xf7},
                                        {0x2000, 0x206f}, {0x20a0, 0x20cf},   {0x2190, 0x2bff},
                                        {0x3000, 0x3004}, {0x3008, 0x3020},   {0xd800, 0xf8ff},
                                        {0xfe00, 0xfe6f}, {0xfeff, 0xfeff},   {0xff00, 0xff20},
                                        {0xfff0, 0xffff}, {0x1f000, 0x1faff}, {0xe0000, 0x10ffff}};
    if (rune < 0x80)
        return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z') || rune == '_';
    for (size_t i = 0; i < CU_COUNT(signs); i++)
        if (rune >= signs[i][0] && rune <= signs[i][1])
            return false;
    return true;
}

unsigned hcl_digit(uint32_t rune)
{
    if (rune >= '0' && rune <= '9')
        return rune - '0';
    rune |= 0x20;
    return rune >= 'a' && rune <= 'f' ? rune - 'a' + 10 : 16;
}
