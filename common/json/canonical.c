#include "common/json/canonical.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/scan.h"
#include "common/json/text.h"

enum { PRINTED_BYTES = 32 }; /* 17 digits, sign, point, exponent */

struct member {
    struct cu_bytes name, value;
    size_t place;
};

static int by_name(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    int order = cu_bytes_compare(x->name, y->name);
    return order ? order : x->place < y->place ? -1 : 1;
}

static bool is_integer(struct cu_bytes text)
{
    return !memchr(text.data, '.', text.len) && !memchr(text.data, 'e', text.len) &&
           !memchr(text.data, 'E', text.len);
}

/* The fewest digits that read back as the same number: "-1.25e+01". */
static void shortest(double number, char text[PRINTED_BYTES])
{
    for (int digits = 0; digits <= 16; digits++) {
        (void)snprintf(text, PRINTED_BYTES, "%.*e", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
}

/* "1e-07" as "1e-7". */
static void drop_zero_of_exponent(char *text)
{
    char *sign = strpbrk(text, "+-");
    if (sign == text)
        sign = strpbrk(text + 1, "+-");
    if (sign && sign[1] == '0')
        memmove(sign + 1, sign + 2, strlen(sign + 2) + 1);
}

/* "-1.25e+01" as "-12.5". */
static void put_plain(struct cu_buf *out, const char *text)
{
    char digits[PRINTED_BYTES];
    long count = 0, exponent = strtol(strchr(text, 'e') + 1, NULL, 10);
    if (*text == '-')
        cu_buf_u8(out, (uint8_t)*text++);
    for (; *text != 'e'; text++)
        if (*text != '.')
            digits[count++] = *text;
    for (long at = exponent < 0 ? exponent : 0; at < count || at <= exponent; at++) {
        if (at == exponent + 1)
            cu_buf_u8(out, '.');
        cu_buf_u8(out, at < 0 || at >= count ? '0' : (uint8_t)digits[at]);
    }
}

static void put_double(struct cu_buf *out, double number)
{
    char text[PRINTED_BYTES];
    double size = fabs(number);
    shortest(number, text);
    if (size == 0 || (size >= 1e-6 && size < 1e21)) {
        put_plain(out, text);
        return;
    }
    drop_zero_of_exponent(text);
    cu_buf_text(out, text);
}

static enum cu_err put_number(struct cu_buf *out, struct cu_bytes text, struct cu_arena *arena)
{
    double number = INFINITY; /* also what keeps its digits */
    if (!is_integer(text)) {
        /* Of any length: what decides may be the last digit, of the exponent. */
        char *whole = cu_arena_alloc(arena, text.len + 1);
        if (!whole)
            return CU_E_TOO_LARGE;
        memcpy(whole, text.data, text.len);
        number = strtod(whole, NULL);
    }
    if (isinf(number)) /* the reference refuses one beyond a double; nobody means it */
        cu_buf_append(out, text.data, text.len);
    else
        put_double(out, number);
    return CU_OK;
}

static enum cu_err put_value(struct cu_buf *out, struct cu_bytes value, struct cu_arena *arena);

static enum cu_err put_list(struct cu_buf *out, struct cu_bytes value, struct cu_arena *arena)
{
    struct cu_bytes element;
    enum cu_err err = CU_OK;
    bool first = true;
    cu_buf_u8(out, '[');
    for (struct cu_json_walk walk = cu_json_walk(value);
         !err && cu_json_next_element(&walk, &element); first = false) {
        if (!first)
            cu_buf_u8(out, ',');
        err = put_value(out, element, arena);
    }
    cu_buf_u8(out, ']');
    return err;
}

static enum cu_err gather(struct cu_bytes object, struct cu_arena *arena,
                          struct member **ret_members, size_t *ret_count)
{
    struct cu_bytes quoted, value;
    size_t count = 0;
    for (struct cu_json_walk walk = cu_json_walk(object);
         cu_json_next_member(&walk, &quoted, &value);)
        count++;
    struct member *members = cu_arena_alloc(arena, count * sizeof *members);
    if (!members)
        return CU_E_TOO_LARGE;
    *ret_members = members;
    *ret_count = count;
    for (struct cu_json_walk walk = cu_json_walk(object);
         cu_json_next_member(&walk, &quoted, &value); members++) {
        *members = (struct member){.value = value, .place = (size_t)(value.data - object.data)};
        enum cu_err err = cu_json_unquote(quoted, arena, &members->name);
        if (err)
            return err;
    }
    return CU_OK;
}

static enum cu_err put_object(struct cu_buf *out, struct cu_bytes value, struct cu_arena *arena)
{
    struct member *members = NULL;
    size_t count = 0;
    enum cu_err err = gather(value, arena, &members, &count);
    char before = '{';

    if (!err && count)
        qsort(members, count, sizeof *members, by_name);
    for (size_t i = 0; !err && i < count; i++) {
        if (i + 1 < count && cu_bytes_equal(members[i].name, members[i + 1].name))
            continue;
        cu_buf_u8(out, (uint8_t)before);
        before = ',';
        cu_json_text(out, members[i].name);
        cu_buf_u8(out, ':');
        err = put_value(out, members[i].value, arena);
    }
    if (before == '{')
        cu_buf_u8(out, '{');
    cu_buf_u8(out, '}');
    return err;
}

static enum cu_err put_string(struct cu_buf *out, struct cu_bytes value, struct cu_arena *arena)
{
    struct cu_bytes text;
    enum cu_err err = cu_json_unquote(value, arena, &text);
    if (!err)
        cu_json_text(out, text);
    return err;
}

static enum cu_err put_value(struct cu_buf *out, struct cu_bytes value, struct cu_arena *arena)
{
    switch (cu_json_kind(value)) {
    case CU_JSON_KIND_OBJECT:
        return put_object(out, value, arena);
    case CU_JSON_KIND_ARRAY:
        return put_list(out, value, arena);
    case CU_JSON_KIND_STRING:
        return put_string(out, value, arena);
    case CU_JSON_KIND_NUMBER:
        return put_number(out, value, arena);
    case CU_JSON_KIND_NULL:
    case CU_JSON_KIND_BOOL:
    case CU_JSON_KIND_COUNT:
        break;
    }
    cu_buf_append(out, value.data, value.len);
    return CU_OK;
}

enum cu_err cu_json_canonical(struct cu_bytes value, struct cu_arena *arena,
                              struct cu_bytes *ret_text)
{
    struct cu_buf out = {0};
    enum cu_err err = put_value(&out, value, arena);
    uint8_t *copy = err ? NULL : cu_arena_memdup(arena, out.data, out.len);
    if (!err && !copy)
        err = CU_E_TOO_LARGE;
    if (!err)
        *ret_text = (struct cu_bytes){copy, out.len};
    cu_buf_deinit(&out);
    return err;
}
