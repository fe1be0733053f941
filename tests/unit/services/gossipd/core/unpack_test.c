#include "services/gossipd/core/unpack.h"

#include "common/base/err.h"
#include "services/gossipd/core/pack.h"
#include "tests/lib/hex.h"
#include "tests/lib/suite.h"

static struct cu_buf scratch;

static struct gossip_unpack reading(const char *hex)
{
    cu_buf_clear(&scratch);
    return gossip_unpack_of(hex_append(&scratch, hex));
}

/* gossip.md 2: shortest form; gossip 2 */
static const struct {
    const char *hex;
    int64_t value;
} integers[] = {
    {"00", 0},
    {"7f", 127},
    {"cc80", 128},
    {"ccff", 255},
    {"cd0100", 256},
    {"cdffff", 65535},
    {"ce00010000", 65536},
    {"ceffffffff", 4294967295},
    {"cf0000000100000000", 4294967296},
    {"ff", -1},
    {"e0", -32},
    {"d0df", -33},
    {"d080", -128},
    {"d1ff7f", -129},
    {"d2ffff7fff", -32769},
    {"d3ffffffff7fffffff", -2147483649},
};

START_TEST(integers_are_written_in_their_shortest_form_and_read_back)
{
    for (size_t i = 0; i < CU_COUNT(integers); i++) {
        struct gossip_unpack in = reading(integers[i].hex);
        ck_assert_int_eq(gossip_unpack_int(&in), integers[i].value);
        ck_assert_int_eq(in.state, GOSSIP_UNPACK_FINE);
        if (integers[i].value < 0) /* never written */
            continue;
        struct cu_buf out = {0};
        gossip_pack_uint(&out, (uint64_t)integers[i].value);
        ck_assert_msg(cu_bytes_equal(cu_buf_bytes(&out), cu_buf_bytes(&scratch)), "%s",
                      integers[i].hex);
        cu_buf_deinit(&out);
    }
    cu_buf_deinit(&scratch);
}
END_TEST

START_TEST(every_width_is_read_in_either_signedness) /* gossip 5 */
{
    static const char *const fives[] = {
        "05",   "cc05",   "cd0005",     "ce00000005",        "cf0000000000000005",
        "d005", "d10005", "d200000005", "d30000000000000005"};
    for (size_t i = 0; i < CU_COUNT(fives); i++) {
        struct gossip_unpack in = reading(fives[i]);
        ck_assert_uint_eq(gossip_unpack_uint(&in, UINT8_MAX), 5);
        ck_assert_int_eq(in.state, GOSSIP_UNPACK_FINE);
    }
    cu_buf_deinit(&scratch);
}
END_TEST

START_TEST(a_number_out_of_bounds_is_bad)
{
    static const struct {
        const char *hex;
        uint64_t max;
        enum gossip_unpack_state state;
    } cases[] = {
        {"ccff", 255, GOSSIP_UNPACK_FINE},     {"cd0100", 255, GOSSIP_UNPACK_BAD},
        {"ff", UINT64_MAX, GOSSIP_UNPACK_BAD}, {"c2", 1, GOSSIP_UNPACK_BAD},
        {"a131", 9, GOSSIP_UNPACK_BAD},        {"c0", 9, GOSSIP_UNPACK_FINE},
        {"ce0000", 9, GOSSIP_UNPACK_SHORT},
    };
    for (size_t i = 0; i < CU_COUNT(cases); i++) {
        struct gossip_unpack in = reading(cases[i].hex);
        (void)gossip_unpack_uint(&in, cases[i].max);
        ck_assert_msg(in.state == cases[i].state, "%s", cases[i].hex);
    }
    cu_buf_deinit(&scratch);
}
END_TEST

START_TEST(raws_are_written_old_and_read_in_every_form) /* gossip 3, 5 */
{
    static const char *const forms[] = {"a3616263",         "d903616263", "da0003616263",
                                        "db00000003616263", "c403616263", "c50003616263",
                                        "c600000003616263"};
    struct cu_buf out = {0};
    for (size_t i = 0; i < CU_COUNT(forms); i++) {
        struct gossip_unpack in = reading(forms[i]);
        ck_assert(cu_bytes_equal(gossip_unpack_raw(&in), cu_bytes_of("abc")));
        ck_assert_int_eq(in.state, GOSSIP_UNPACK_FINE);
    }
    gossip_pack_raw(&out,
                    (struct cu_bytes){(const uint8_t *)"0123456789012345678901234567890", 31});
    ck_assert_uint_eq(out.data[0], 0xbf);
    cu_buf_clear(&out);
    gossip_pack_text(&out, "01234567890123456789012345678901");
    ck_assert_uint_eq(out.data[0], 0xda);
    ck_assert_uint_eq(out.data[2], 0x20);
    cu_buf_deinit(&out);
    cu_buf_deinit(&scratch);
}
END_TEST

START_TEST(nil_reads_as_nothing_of_any_kind)
{
    struct gossip_unpack in = reading("c0 c0 c0 c0 c0 c0");
    ck_assert_ptr_null(gossip_unpack_raw(&in).data);
    ck_assert_uint_eq(gossip_unpack_list(&in), 0);
    ck_assert_uint_eq(gossip_unpack_map(&in), 0);
    ck_assert_uint_eq(gossip_unpack_uint(&in, 9), 0);
    ck_assert_int_eq(gossip_unpack_int(&in), 0);
    ck_assert(!gossip_unpack_bool(&in));
    ck_assert_int_eq(in.state, GOSSIP_UNPACK_FINE);
    cu_buf_deinit(&scratch);
}
END_TEST

START_TEST(skipping_passes_over_whatever_is_nested)
{
    /* [1, {"a": [nil, 2.5]}, ext, bin, -1], then 7 */
    struct gossip_unpack in =
        reading("95 01 81a16192c0cb4004000000000000 d60100000000 c40201ff ff 07");
    gossip_unpack_skip(&in);
    ck_assert_uint_eq(gossip_unpack_uint(&in, 9), 7);
    ck_assert_int_eq(in.state, GOSSIP_UNPACK_FINE);
    cu_buf_deinit(&scratch);
}
END_TEST

START_TEST(a_list_that_announces_more_than_comes_is_short_and_a_reserved_byte_is_bad)
{
    struct gossip_unpack in = reading("ddffffffff 01");
    gossip_unpack_skip(&in);
    ck_assert_int_eq(in.state, GOSSIP_UNPACK_SHORT);
    in = reading("92 01 c1");
    gossip_unpack_skip(&in);
    ck_assert_int_eq(in.state, GOSSIP_UNPACK_BAD);
    cu_buf_deinit(&scratch);
}
END_TEST

START_TEST(deep_nesting_takes_no_stack)
{
    struct cu_buf deep = {0};
    for (int i = 0; i < 1000000; i++)
        cu_buf_u8(&deep, 0x91);
    cu_buf_u8(&deep, 0x01);
    struct gossip_unpack in = gossip_unpack_of(cu_buf_bytes(&deep));
    gossip_unpack_skip(&in);
    ck_assert_int_eq(in.state, GOSSIP_UNPACK_FINE);
    ck_assert_uint_eq(gossip_unpack_left(&in), 0);
    cu_buf_deinit(&deep);
}
END_TEST

START_TEST(passing_goes_on_where_the_bytes_ended)
{
    struct gossip_unpack all = reading("83 a161 01 a162 92c0c3 a163 a3313233");
    size_t len = gossip_unpack_left(&all), at = 0;
    uint64_t pending = 1;
    for (size_t have = 0; have <= len; have++) {
        struct gossip_unpack in = gossip_unpack_of((struct cu_bytes){scratch.data + at, have - at});
        bool passed = gossip_unpack_pass(&in, &pending);
        ck_assert_int_eq(in.state, GOSSIP_UNPACK_FINE);
        ck_assert_int_eq(passed, have == len);
        at = (size_t)(in.at - scratch.data);
    }
    ck_assert_uint_eq(at, len);
    cu_buf_deinit(&scratch);
}
END_TEST

SUITE_MAIN("services/gossipd/core/unpack",
           integers_are_written_in_their_shortest_form_and_read_back,
           every_width_is_read_in_either_signedness, a_number_out_of_bounds_is_bad,
           raws_are_written_old_and_read_in_every_form, nil_reads_as_nothing_of_any_kind,
           skipping_passes_over_whatever_is_nested,
           a_list_that_announces_more_than_comes_is_short_and_a_reserved_byte_is_bad,
           deep_nesting_takes_no_stack, passing_goes_on_where_the_bytes_ended)
