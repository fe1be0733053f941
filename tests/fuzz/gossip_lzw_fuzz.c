/* gossip_lzw_fuzz.c - any bytes expand to the size that was told, or to nothing; and any bytes come
 * back from being compressed. */
#include <stdlib.h>

#include "services/gossipd/core/lzw.h"
#include "tests/fuzz/fuzz.h"

enum { LIMIT_BYTES = 1024 * 1024 };

static void must(bool claim)
{
    if (!claim)
        abort();
}

/* The last byte of the block is the last that may be written: more is an error of the sanitizer. */
static void expand(struct cu_bytes packed, size_t size, struct cu_bytes want)
{
    uint8_t *plain = malloc(size ? size : 1);
    must(plain);
    gossip_lzw_expand(packed, plain, size);
    must(!want.data || cu_bytes_equal((struct cu_bytes){plain, size}, want));
    free(plain);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_bytes given = {data, len};
    struct cu_buf packed = {0};
    size_t size = 0;
    gossip_lzw_compress(&packed, given);
    must(gossip_lzw_size(cu_buf_bytes(&packed), len, &size) == CU_OK && size == len);
    expand(cu_buf_bytes(&packed), size, given);
    cu_buf_deinit(&packed);
    enum cu_err err = gossip_lzw_size(given, LIMIT_BYTES, &size);
    if (!err)
        expand(given, size, (struct cu_bytes){0});
    return !err;
}
