#include <stdio.h>
#include <string.h>

#include "services/gossipd/core/codec.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static struct gossip_tag tag(const char *name, const char *value)
{
    return (struct gossip_tag){cu_bytes_of(name), cu_bytes_of(value)};
}

START_TEST(tags_come_out_sorted_whatever_their_order) /* gossip 4; the meta of V9 */
{
    struct gossip_tags tags = {.count = 2, .tag = {tag("zone", "z1"), tag("role", "db")}};
    struct cu_buf out = {0}, want = {0};
    ck_assert_int_eq(gossip_tags_encode(&out, &tags), CU_OK);
    ck_assert(cu_bytes_equal(cu_buf_bytes(&out),
                             hex_append(&want, "ff82a4726f6c65a26462a47a6f6e65a27a31")));
    cu_buf_deinit(&out);
    cu_buf_deinit(&want);
}
END_TEST

START_TEST(tags_are_read_back)
{
    struct gossip_tags tags = {.count = 2, .tag = {tag("a", ""), tag("b", "2")}}, got;
    struct cu_buf out = {0};
    ck_assert_int_eq(gossip_tags_encode(&out, &tags), CU_OK);
    ck_assert_int_eq(gossip_tags_decode(cu_buf_bytes(&out), &got), CU_OK);
    ck_assert_uint_eq(got.count, 2);
    ck_assert_ptr_nonnull(gossip_tags_get(&got, "a").data);
    ck_assert_uint_eq(gossip_tags_get(&got, "a").len, 0);
    ck_assert(cu_bytes_equal(gossip_tags_get(&got, "b"), cu_bytes_of("2")));
    ck_assert_ptr_null(gossip_tags_get(&got, "c").data);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(meta_without_the_leading_byte_is_the_role) /* gossip 73 */
{
    struct gossip_tags got;
    ck_assert_int_eq(gossip_tags_decode(cu_bytes_of("web"), &got), CU_OK);
    ck_assert(cu_bytes_equal(gossip_tags_get(&got, "role"), cu_bytes_of("web")));
    ck_assert_int_eq(gossip_tags_decode((struct cu_bytes){0}, &got), CU_OK);
    ck_assert_uint_eq(got.count, 0);
}
END_TEST

START_TEST(tags_of_512_bytes_pass_and_of_513_are_refused) /* gossip 74 */
{
    char value[512];
    memset(value, 'x', sizeof value);
    struct gossip_tags tags = {.count = 1, .tag = {tag("k", "")}};
    struct cu_buf out = {0};
    tags.tag[0].value = (struct cu_bytes){(uint8_t *)value, 512 - 7}; /* ff 81 a1 6b da u16 */
    ck_assert_int_eq(gossip_tags_encode(&out, &tags), CU_OK);
    ck_assert_uint_eq(out.len, 512);
    tags.tag[0].value.len++;
    ck_assert_int_eq(gossip_tags_encode(&out, &tags), CU_E_TOO_LARGE);
    ck_assert_uint_eq(out.len, 512);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(one_tag_too_many_is_refused)
{
    struct cu_buf meta = {0};
    struct gossip_tags got;
    hex_append(&meta, "ffde0101"); /* 257 */
    for (int i = 0; i <= GOSSIP_TAGS_MAX; i++)
        hex_append(&meta, "a0a0");
    ck_assert_int_eq(gossip_tags_decode(cu_buf_bytes(&meta), &got), CU_E_TOO_LARGE);
    meta.data[3] = 0;
    ck_assert_int_eq(gossip_tags_decode(cu_buf_bytes(&meta), &got), CU_OK);
    ck_assert_uint_eq(got.count, GOSSIP_TAGS_MAX);
    cu_buf_deinit(&meta);
}
END_TEST

START_TEST(malformed_tags_are_refused)
{
    static const char *const bad[] = {"ff81", "ff81a161", "ff91a161", "ff810101", "ff81a161a2"};
    for (size_t i = 0; i < CU_COUNT(bad); i++) {
        struct cu_buf meta = {0};
        struct gossip_tags got;
        ck_assert_int_eq(gossip_tags_decode(hex_append(&meta, bad[i]), &got), CU_E_INVALID);
        cu_buf_deinit(&meta);
    }
}
END_TEST

SUITE_MAIN("services/gossipd/core/tags", tags_come_out_sorted_whatever_their_order,
           tags_are_read_back, meta_without_the_leading_byte_is_the_role,
           tags_of_512_bytes_pass_and_of_513_are_refused, one_tag_too_many_is_refused,
           malformed_tags_are_refused)
