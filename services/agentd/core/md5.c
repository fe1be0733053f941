#include "services/agentd/core/md5.h"

#include <math.h>
#include <string.h>

enum { BLOCK_BYTES = 64, LENGTH_AT = 56, ROUNDS = 64 };

static uint32_t rotate(uint32_t value, unsigned bits)
{
    return value << bits | value >> (32 - bits);
}

static uint32_t word_at(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Section 3.4, written as one loop: T[i] is the whole part of 2^32 times |sin(i)|. */
static void add_block(uint32_t state[4], const uint8_t block[BLOCK_BYTES])
{
    static const unsigned shifts[4][4] = {
        {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (unsigned i = 0; i < ROUNDS; i++) {
        const uint32_t mixes[] = {(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)};
        const unsigned places[] = {i, 5 * i + 1, 3 * i + 5, 7 * i};
        uint32_t t = (uint32_t)(0x1p32 * fabs(sin((double)(i + 1))));
        uint32_t sum = a + mixes[i / 16] + word_at(block + 4 * (places[i / 16] % 16)) + t;
        a = d;
        d = c;
        c = b;
        b += rotate(sum, shifts[i / 16][i % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

char *agent_md5_text(struct cu_bytes data, char text[AGENT_MD5_TEXT_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    uint32_t state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    uint8_t last[2 * BLOCK_BYTES] = {0};
    size_t whole = data.len / BLOCK_BYTES * BLOCK_BYTES, rest = data.len - whole;
    size_t last_len = rest < LENGTH_AT ? BLOCK_BYTES : 2 * BLOCK_BYTES;

    for (size_t at = 0; at < whole; at += BLOCK_BYTES)
        add_block(state, data.data + at);
    if (rest)
        memcpy(last, data.data + whole, rest);
    last[rest] = 0x80;
    for (unsigned i = 0; i < 8; i++)
        last[last_len - 8 + i] = (uint8_t)((uint64_t)data.len * 8 >> (8 * i));
    for (size_t at = 0; at < last_len; at += BLOCK_BYTES)
        add_block(state, last + at);
    for (unsigned i = 0; i < 16; i++) {
        uint8_t byte = (uint8_t)(state[i / 4] >> (8 * (i % 4)));
        text[2 * i] = hex[byte >> 4];
        text[2 * i + 1] = hex[byte & 15];
    }
    text[2 * 16] = 0;
    return text;
}
