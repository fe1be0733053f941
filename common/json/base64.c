#include "common/json/base64.h"

#include <stdbool.h>
#include <string.h>

enum { INVALID = 255, NEWLINE = 254, PAD = 253 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_tail(uint8_t *at, const uint8_t *in, size_t left)
{
    uint32_t word = (uint32_t)in[0] << 16 | (left > 1 ? (uint32_t)in[1] << 8 : 0);
    at[0] = (uint8_t)digits[word >> 18];
    at[1] = (uint8_t)digits[word >> 12 & 63];
    at[2] = left > 1 ? (uint8_t)digits[word >> 6 & 63] : '=';
    at[3] = '=';
}

void cu_base64_encode(struct cu_buf *out, struct cu_bytes bytes)
{
    uint8_t *at = cu_buf_extend(out, cu_base64_len(bytes.len));
    const uint8_t *in = bytes.data;
    size_t left = bytes.len;

    for (; left >= 3; left -= 3, in += 3, at += 4) {
        uint32_t word = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        at[0] = (uint8_t)digits[word >> 18];
        at[1] = (uint8_t)digits[word >> 12 & 63];
        at[2] = (uint8_t)digits[word >> 6 & 63];
        at[3] = (uint8_t)digits[word & 63];
    }
    if (left)
        encode_tail(at, in, left);
}

static uint8_t digit_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return (uint8_t)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (uint8_t)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (uint8_t)(c - '0' + 52);
    if (c == '+')
        return 62;
    if (c == '/')
        return 63;
    if (c == '=')
        return PAD;
    return c == '\r' || c == '\n' ? NEWLINE : INVALID;
}

static size_t skip_newlines(struct cu_bytes text, size_t at)
{
    while (at < text.len && digit_value(text.data[at]) == NEWLINE)
        at++;
    return at;
}

/* What must follow the first '=', which stood at at - 1 behind `have` digits of a quantum. */
static enum cu_err check_padding(struct cu_bytes text, size_t at, size_t have, size_t *ret_bad)
{
    *ret_bad = at - 1;
    if (have < 2)
        return CU_E_INVALID;
    at = skip_newlines(text, at);
    if (have == 2) {
        if (at == text.len || text.data[at] != '=') {
            *ret_bad = at == text.len ? at : at - 1;
            return CU_E_INVALID;
        }
        at = skip_newlines(text, at + 1);
    }
    *ret_bad = at;
    return at == text.len ? CU_OK : CU_E_INVALID;
}

enum cu_err cu_base64_decode(struct cu_bytes text, uint8_t *ret_bytes, size_t *ret_len,
                             size_t *ret_bad)
{
    uint32_t word = 0;
    size_t have = 0, len = 0, start = 0; /* digits of the quantum that began at `start` */

    for (size_t at = 0; at < text.len; at++) {
        uint8_t value = digit_value(text.data[at]);
        if (value == NEWLINE)
            continue;
        if (value == INVALID) {
            *ret_bad = at;
            return CU_E_INVALID;
        }
        if (value == PAD) {
            enum cu_err err = check_padding(text, at + 1, have, ret_bad);
            if (err)
                return err;
            word <<= 6 * (4 - have);
            ret_bytes[len++] = (uint8_t)(word >> 16);
            if (have == 3)
                ret_bytes[len++] = (uint8_t)(word >> 8);
            *ret_len = len;
            return CU_OK;
        }
        if (have == 0)
            start = at;
        word = word << 6 | value;
        if (++have == 4) {
            ret_bytes[len] = (uint8_t)(word >> 16);
            ret_bytes[len + 1] = (uint8_t)(word >> 8);
            ret_bytes[len + 2] = (uint8_t)word;
            len += 3;
            have = 0;
            word = 0;
        }
    }
    if (have) {
        *ret_bad = start;
        return CU_E_INVALID;
    }
    *ret_len = len;
    return CU_OK;
}
