/* hash.h - checksums and fingerprints. */
#ifndef CU_BASE_HASH_H
#define CU_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

/* CRC-32C (Castagnoli, RFC 3720 B.4): of rows on disk and parts of a transfer. `seed` 0 to begin.
 */
uint32_t cu_crc32c(uint32_t seed, const void *data, size_t len);

/* 128 bits as a number, for sums modulo 2^128. */
struct cu_u128 {
    uint64_t lo, hi;
};

struct cu_u128 cu_u128_add(struct cu_u128 a, struct cu_u128 b);
struct cu_u128 cu_u128_sub(struct cu_u128 a, struct cu_u128 b);

/* BLAKE2b with a 128-bit digest (RFC 7693) over each part's length (u32 LE) and bytes, so that
 * parts cannot run into each other. The digest is read as little-endian. */
struct cu_u128 cu_blake2b_128(const struct cu_bytes *parts, size_t count);

/* BLAKE2b with a 256-bit digest (RFC 7693) over the bytes. */
enum { CU_BLAKE2B_256_BYTES = 32 };
void cu_blake2b_256(struct cu_bytes bytes, uint8_t ret_digest[CU_BLAKE2B_256_BYTES]);

/* SHA-256 (FIPS 180-4). */
enum { CU_SHA256_BYTES = 32 };
void cu_sha256(struct cu_bytes bytes, uint8_t ret_digest[CU_SHA256_BYTES]);

/* For hash tables only: differs between builds, never stored, never sent. */
uint64_t cu_table_hash(const void *data, size_t len);

#endif
