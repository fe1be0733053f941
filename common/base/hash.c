#include "common/base/hash.h"

#include <sodium.h>
#include <string.h>

#include "common/base/assert.h"

struct crc_table {
    uint32_t row[256];
};

static struct crc_table make_crc_table(void)
{
    struct crc_table table;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ 0x82f63b78u : value >> 1;
        table.row[i] = value;
    }
    return table;
}

/* Filled before main, read only after: the one file-scope table of this module. */
static struct crc_table crc_table;

__attribute__((constructor)) static void fill_crc_table(void)
{
    crc_table = make_crc_table();
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_hardware(uint32_t crc, const uint8_t *at,
                                                               size_t len)
{
    uint64_t wide = crc;
    for (; len >= 8; len -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    while (len--)
        crc = __builtin_ia32_crc32qi(crc, *at++);
    return crc;
}
#endif

uint32_t cu_crc32c(uint32_t seed, const void *data, size_t len)
{
    const uint8_t *at = data;
    uint32_t crc = ~seed;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_hardware(crc, at, len);
#endif
    while (len--)
        crc = crc >> 8 ^ crc_table.row[(crc ^ *at++) & 0xff];
    return ~crc;
}

struct cu_u128 cu_u128_add(struct cu_u128 a, struct cu_u128 b)
{
    uint64_t lo = a.lo + b.lo;
    return (struct cu_u128){lo, a.hi + b.hi + (lo < a.lo)};
}

struct cu_u128 cu_u128_sub(struct cu_u128 a, struct cu_u128 b)
{
    return (struct cu_u128){a.lo - b.lo, a.hi - b.hi - (a.lo < b.lo)};
}

struct cu_u128 cu_blake2b_128(const struct cu_bytes *parts, size_t count)
{
    crypto_generichash_blake2b_state state;
    uint8_t digest[16];
    int failed = crypto_generichash_blake2b_init(&state, NULL, 0, sizeof digest);
    for (size_t i = 0; i < count; i++) {
        uint8_t length[4];
        for (int b = 0; b < 4; b++)
            length[b] = (uint8_t)(parts[i].len >> (8 * b));
        failed |= crypto_generichash_blake2b_update(&state, length, sizeof length);
        if (parts[i].len)
            failed |= crypto_generichash_blake2b_update(&state, parts[i].data, parts[i].len);
    }
    failed |= crypto_generichash_blake2b_final(&state, digest, sizeof digest);
    CU_ASSERT(!failed);
    struct cu_reader r = cu_reader_of((struct cu_bytes){digest, sizeof digest});
    struct cu_u128 sum = {.lo = cu_read_u64le(&r)};
    sum.hi = cu_read_u64le(&r);
    return sum;
}

void cu_blake2b_256(struct cu_bytes bytes, uint8_t ret_digest[CU_BLAKE2B_256_BYTES])
{
    int failed = crypto_generichash_blake2b(ret_digest, CU_BLAKE2B_256_BYTES, bytes.data, bytes.len,
                                            NULL, 0);
    CU_ASSERT(!failed);
}

static inline uint64_t fold_word(uint64_t hash, const uint8_t *at, size_t len)
{
    uint64_t word = 0;
    memcpy(&word, at, len);
    hash = (hash ^ word) * 0x9fb21c651e98df25u;
    return hash ^ hash >> 32;
}

uint64_t cu_table_hash(const void *data, size_t len)
{
    /* Word by word, as FNV-1a goes byte by byte, each folded; the last multiplication brings all of
     * it into the low bits, too, by which tables pick a place. */
    const uint8_t *at = data;
    uint64_t hash = 0xcbf29ce484222325u ^ len;
    for (; len >= 8; len -= 8, at += 8)
        hash = fold_word(hash, at, 8);
    if (len > 0)
        hash = fold_word(hash, at, len);
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

void cu_sha256(struct cu_bytes bytes, uint8_t ret_digest[CU_SHA256_BYTES])
{
    _Static_assert(CU_SHA256_BYTES == crypto_hash_sha256_BYTES, "the digest's size");
    int failed =
        crypto_hash_sha256(ret_digest, bytes.len ? bytes.data : (const uint8_t *)"", bytes.len);
    CU_ASSERT(!failed);
}
