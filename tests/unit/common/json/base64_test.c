#include "common/json/base64.h"

#include <string.h>

#include "common/base/random.h"
#include "tests/lib/suite.h"

static const struct {
    const char *text, *bytes;
} pairs[] = {
    {"", ""},
    {"Zg==", "f"},
    {"Zm8=", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg==", "foob"},
    {"Zm9vYmE=", "fooba"},
    {"Zm9vYmFy", "foobar"}, /* RFC 4648 section 10 */
};

START_TEST(agrees_with_the_vectors_of_rfc_4648)
{
    for (size_t i = 0; i < CU_COUNT(pairs); i++) {
        struct cu_buf out = {0};
        uint8_t bytes[64];
        size_t len = 0, bad = 0;
        cu_base64_encode(&out, cu_bytes_of(pairs[i].bytes));
        ck_assert_uint_eq(out.len, strlen(pairs[i].text));
        ck_assert_mem_eq(out.data ? (char *)out.data : "", pairs[i].text, out.len);
        ck_assert_int_eq(cu_base64_decode(cu_bytes_of(pairs[i].text), bytes, &len, &bad), CU_OK);
        ck_assert_uint_eq(len, strlen(pairs[i].bytes));
        ck_assert_mem_eq(bytes, pairs[i].bytes, len);
        cu_buf_deinit(&out);
    }
}
END_TEST

static const struct {
    const char *text;
    size_t bad;
} refused[] = {
    {"!", 0},  {"Zm9v!", 4}, {"Z", 0},      {"Zm9vZ", 4}, {"Zg=", 3},
    {"Zg", 0}, {"=", 0},     {"Zg==Zg", 4}, {"Zm9=x", 4}, {"Zg=x", 2},
};

START_TEST(names_the_byte_that_is_wrong)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        uint8_t bytes[64];
        size_t len = 77, bad = 99;
        ck_assert_int_eq(cu_base64_decode(cu_bytes_of(refused[i].text), bytes, &len, &bad),
                         CU_E_INVALID);
        ck_assert_msg(bad == refused[i].bad, "%s: %zu", refused[i].text, bad);
        ck_assert_uint_eq(len, 77);
    }
}
END_TEST

START_TEST(skips_newlines_and_reads_back_what_it_wrote)
{
    uint8_t bytes[64], back[300];
    size_t len = 0, bad = 0;
    ck_assert_int_eq(cu_base64_decode(cu_bytes_of("Zm\r\n9v\nYg=\n="), bytes, &len, &bad), CU_OK);
    ck_assert_uint_eq(len, 4);

    struct cu_random random = {suite_seed()};
    for (size_t size = 0; size < 200; size++) {
        uint8_t in[200];
        struct cu_buf out = {0};
        for (size_t i = 0; i < size; i++)
            in[i] = (uint8_t)cu_random_u64(&random);
        cu_base64_encode(&out, (struct cu_bytes){in, size});
        ck_assert_int_eq(cu_base64_decode(cu_buf_bytes(&out), back, &len, &bad), CU_OK);
        ck_assert_uint_eq(len, size);
        ck_assert(memcmp(in, back, size) == 0);
        cu_buf_deinit(&out);
    }
}
END_TEST

SUITE_MAIN("common/json/base64", agrees_with_the_vectors_of_rfc_4648, names_the_byte_that_is_wrong,
           skips_newlines_and_reads_back_what_it_wrote)
