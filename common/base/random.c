#include "common/base/random.h"

#include <sys/random.h>

#include "common/base/assert.h"

uint64_t cu_random_u64(struct cu_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

uint64_t cu_random_below(struct cu_random *random, uint64_t bound)
{
    CU_ASSERT(bound > 0);
    return (uint64_t)(((unsigned __int128)cu_random_u64(random) * bound) >> 64);
}

void cu_random_bytes(void *ret_bytes, size_t len)
{
    uint8_t *at = ret_bytes;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        CU_ASSERT(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

void cu_uuid_random(uint8_t ret_bytes[16])
{
    cu_random_bytes(ret_bytes, 16);
    ret_bytes[6] = (uint8_t)((ret_bytes[6] & 0x0f) | 0x40); /* version 4 */
    ret_bytes[8] = (uint8_t)((ret_bytes[8] & 0x3f) | 0x80); /* variant 10 */
}
