/* random.h - randomness: from a seed for cores and tests, from the kernel at the edge. */
#ifndef CU_BASE_RANDOM_H
#define CU_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* A seeded generator (splitmix64): equal seed, equal sequence. Not for secrets. */
struct cu_random {
    uint64_t state;
};

uint64_t cu_random_u64(struct cu_random *random);
uint64_t cu_random_below(struct cu_random *random, uint64_t bound); /* 0 .. bound-1; bound > 0 */

/* Bytes from the kernel; edges only. */
void cu_random_bytes(void *ret_bytes, size_t len);
/* The bytes of a random UUID, from the kernel (RFC 9562 5.4: version 4). */
void cu_uuid_random(uint8_t ret_bytes[16]);

#endif
