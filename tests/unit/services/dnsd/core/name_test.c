#include "services/dnsd/core/name.h"

#include <string.h>

#include "tests/lib/suite.h"
#include "tests/unit/services/dnsd/core/message.h"

static struct dns_name read_at(const char *bytes, size_t len, size_t at, bool may_point,
                               bool *ret_good)
{
    struct cu_bytes message = {(const uint8_t *)bytes, len};
    struct cu_reader r = {message.data + at, message.data + len, false};
    struct dns_name name = {0};
    *ret_good = dns_name_read(&r, message, may_point, &name);
    ck_assert(*ret_good != r.failed);
    return name;
}

static bool is_same(const struct dns_name *a, const struct dns_name *b)
{
    return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

#define READ(bytes, at, may_point) read_at(bytes, sizeof(bytes) - 1, at, may_point, &good)

START_TEST(reads_what_text_makes)
{
    bool good;
    struct dns_name name = READ("\3web\7service\6consul\0", 0, false);
    struct dns_name want = message_name("web.service.consul");
    ck_assert(good && is_same(&name, &want));
    want = message_name("web.service.consul.");
    ck_assert(is_same(&name, &want));
    name = READ("\0", 0, false);
    want = message_name(".");
    ck_assert(good && is_same(&name, &want));
}
END_TEST

START_TEST(follows_pointers_only_backwards) /* RFC 1035 4.1.4 */
{
    bool good;
    struct dns_name name = READ("\1b\0\1a\xc0\0!", 3, true), want = message_name("a.b");
    ck_assert(good && is_same(&name, &want));
    (void)READ("\1b\0\1a\xc0\0!", 3, false);
    ck_assert_msg(!good, "a pointer where none may be");
    (void)READ("\1b\0\1a\xc0\3", 3, true);
    ck_assert_msg(!good, "to the name's own beginning");
    (void)READ("\xc0\0", 0, true);
    ck_assert_msg(!good, "to itself");
    (void)READ("\xc0\5...\1a\0", 0, true);
    ck_assert_msg(!good, "forward");
    (void)READ("\1a\xc0\2\xc0\0", 4, true);
    ck_assert_msg(!good, "a ring of two");
    (void)READ("\1a\xc0", 0, true);
    ck_assert_msg(!good, "half a pointer");
}
END_TEST

START_TEST(moves_behind_the_first_pointer)
{
    static const char bytes[] = "\1b\0\1a\xc0\0!";
    struct cu_bytes message = {(const uint8_t *)bytes, sizeof bytes - 1};
    struct cu_reader r = {message.data + 3, message.data + message.len, false};
    struct dns_name name;
    ck_assert(dns_name_read(&r, message, true, &name));
    ck_assert_uint_eq(cu_read_u8(&r), '!');
}
END_TEST

START_TEST(refuses_what_is_malformed)
{
    bool good;
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {{"", 0}, {"\1a", 2}, {"\2a", 2}, {"\x40", 1}, {"\x80\0", 2}};
    for (size_t i = 0; i < CU_COUNT(rows); i++) {
        (void)read_at(rows[i].bytes, rows[i].len, 0, true, &good);
        ck_assert_msg(!good, "row %zu", i);
    }
}
END_TEST

/* Labels of 63, 63, 63 and `last` bytes. */
static size_t long_name(char *to, size_t last)
{
    size_t len = 0;
    for (int i = 0; i < 4; i++) {
        size_t label = i < 3 ? 63 : last;
        to[len++] = (char)label;
        memset(to + len, 'x', label);
        len += label;
    }
    to[len++] = 0;
    return len;
}

START_TEST(takes_255_bytes_and_refuses_256)
{
    bool good;
    char bytes[300];
    size_t len = long_name(bytes, 61);
    ck_assert_uint_eq(len, DNS_NAME_BYTES);
    struct dns_name name = read_at(bytes, len, 0, false, &good);
    ck_assert(good && name.len == DNS_NAME_BYTES);
    len = long_name(bytes, 62);
    (void)read_at(bytes, len, 0, false, &good);
    ck_assert(!good);
}
END_TEST

START_TEST(text_keeps_to_the_same_limits)
{
    char text[300];
    struct dns_name name;
    static const char *const bad[] = {"a..b", ".a", "..", "a.."};
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(dns_name_of_text((struct cu_bytes){(uint8_t *)text, 63}, &name), CU_OK);
    ck_assert_int_eq(dns_name_of_text((struct cu_bytes){(uint8_t *)text, 64}, &name), CU_E_INVALID);
    for (size_t i = 49; i < sizeof text; i += 50)
        text[i] = '.';
    ck_assert_int_eq(dns_name_of_text((struct cu_bytes){(uint8_t *)text, 253}, &name), CU_OK);
    ck_assert_uint_eq(name.len, DNS_NAME_BYTES);
    ck_assert_int_eq(dns_name_of_text((struct cu_bytes){(uint8_t *)text, 254}, &name),
                     CU_E_INVALID);
    for (size_t i = 0; i < CU_COUNT(bad); i++)
        ck_assert_msg(dns_name_of_text(cu_bytes_of(bad[i]), &name) == CU_E_INVALID, "%s", bad[i]);
}
END_TEST

START_TEST(appends_up_to_255_bytes)
{
    bool good;
    char bytes[300];
    size_t len = long_name(bytes, 54);
    struct dns_name name = read_at(bytes, len, 0, false, &good), end = message_name("consul");
    ck_assert(good);
    ck_assert_int_eq(dns_name_append(&name, &end), CU_OK);
    ck_assert_uint_eq(name.len, DNS_NAME_BYTES);
    len = long_name(bytes, 55);
    name = read_at(bytes, len, 0, false, &good);
    ck_assert_int_eq(dns_name_append(&name, &end), CU_E_INVALID);
    ck_assert_uint_eq(name.len, len);
}
END_TEST

START_TEST(finds_an_end_only_at_a_label)
{
    struct dns_name name = message_name("web.service.consul"), end = message_name("consul");
    ck_assert_int_eq(dns_name_find_end(&name, &end), 12);
    name = message_name("consul");
    ck_assert_int_eq(dns_name_find_end(&name, &end), 0);
    name = message_name("myconsul");
    ck_assert_int_eq(dns_name_find_end(&name, &end), -1);
    name = message_name("web.consul.other");
    ck_assert_int_eq(dns_name_find_end(&name, &end), -1);
    /* the byte 6 within a label is no length */
    name = (struct dns_name){10, "\x08z\6consul"};
    ck_assert_int_eq(dns_name_find_end(&name, &end), -1);
}
END_TEST

START_TEST(lowers_letters_and_nothing_else)
{
    struct dns_name name = message_name("WEB-[1].Service.CONSUL");
    struct dns_name want = message_name("web-[1].service.consul");
    dns_name_lower(&name);
    ck_assert(is_same(&name, &want));
}
END_TEST

SUITE_MAIN("services/dnsd/core/name", reads_what_text_makes, follows_pointers_only_backwards,
           moves_behind_the_first_pointer, refuses_what_is_malformed,
           takes_255_bytes_and_refuses_256, text_keeps_to_the_same_limits, appends_up_to_255_bytes,
           finds_an_end_only_at_a_label, lowers_letters_and_nothing_else)
