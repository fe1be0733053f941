#include "services/agentd/core/gzip.h"

#include <string.h>
#include <zlib.h>

#include "common/base/err.h"
#include "tests/lib/suite.h"

START_TEST(what_is_compressed_reads_back)
{
    enum { LEN = 5000 };
    uint8_t in[LEN], back[LEN];
    struct cu_buf body = {0};
    for (size_t i = 0; i < LEN; i++)
        in[i] = (uint8_t)(i % 97);
    cu_buf_text(&body, "head");
    cu_buf_append(&body, in, LEN);
    agent_gzip(&body, 4);
    ck_assert_mem_eq(body.data, "head", 4);
    ck_assert_uint_lt(body.len, LEN);
    z_stream stream = {.next_in = body.data + 4,
                       .avail_in = (uInt)(body.len - 4),
                       .next_out = back,
                       .avail_out = LEN};
    ck_assert_int_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    ck_assert_int_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(stream.total_out, LEN);
    ck_assert(memcmp(in, back, LEN) == 0);
    (void)inflateEnd(&stream);
    cu_buf_deinit(&body);
}
END_TEST

static const struct {
    const char *header;
    int accepts;
} headers[] = {
    {NULL, 0},          {"", 0},
    {"gzip", 1},        {"deflate, gzip", 1},
    {"GZIP;q=0.5", 1},  {"gzip;q=0", 0},
    {"gzip; q=0.0", 0}, {"deflate", 0},
    {"gzipped", 0},     {"br;q=1.0, gzip ; q=0.8, *;q=0.1", 1},
};

START_TEST(tells_who_takes_gzip)
{
    for (size_t i = 0; i < CU_COUNT(headers); i++)
        ck_assert_msg(agent_accepts_gzip(headers[i].header) == headers[i].accepts, "row %zu", i);
}
END_TEST

SUITE_MAIN("services/agentd/core/gzip", what_is_compressed_reads_back, tells_who_takes_gzip)
