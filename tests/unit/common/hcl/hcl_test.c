/* Checklist: http-api 245 and 270 (what a bad rule text says), agent 2 (HCL1 by its decoder). */
#include "common/hcl/hcl.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "tests/lib/suite.h"

static struct cu_diag diag;

static json_t *good(struct cu_bytes text)
{
    json_t *tree = NULL;
    enum cu_err err = cu_hcl_parse(text, &tree, &diag);
    ck_assert_msg(!err, "%s\nin %.*s", diag.text, (int)text.len, (const char *)text.data);
    return tree;
}

/* Compares with JSON. */
static void check_reads(const char *text, const char *wanted)
{
    json_t *tree = good(cu_bytes_of(text)), *other = json_loads(wanted, 0, NULL);
    char *shown = json_dumps(tree, JSON_SORT_KEYS);
    ck_assert_msg(other != NULL, "the test's own JSON: %s", wanted);
    ck_assert_msg(json_equal(tree, other), "%s\ngave %s\nnot  %s", text, shown, wanted);
    free(shown);
    json_decref(tree);
    json_decref(other);
}

static void check_refused(struct cu_bytes text, enum cu_err err, const char *sentence)
{
    json_t *tree = NULL;
    diag.text[0] = '\0';
    ck_assert_int_eq(cu_hcl_parse(text, &tree, &diag), err);
    ck_assert_ptr_null(tree);
    ck_assert_msg(!strcmp(diag.text, sentence), "%.*s\nsaid %s\nnot  %s", (int)text.len,
                  (const char *)text.data, diag.text, sentence);
}

static const struct {
    const char *text, *json;
} pairs[] = {
    /* nothing */
    {"", "{}"},
    {" \r\n\t", "{}"},
    {"# only\n// comments\n/* of all\n * kinds **/", "{}"},
    /* scalars */
    {"a = 1", "{\"a\":1}"},
    {"\"a b\" = 1", "{\"a b\":1}"},
    {"a=-12 b=0x1F c=-0xff d=017 e=0", "{\"a\":-12,\"b\":31,\"c\":-255,\"d\":15,\"e\":0}"},
    {"a = 9223372036854775807", "{\"a\":9223372036854775807}"},
    {"a=1.5 b=-2.5e3 c=1e2 d=.5 e=0.25 f=1E+2 g=1.",
     "{\"a\":1.5,\"b\":-2500.0,\"c\":100.0,\"d\":0.5,\"e\":0.25,\"f\":100.0,\"g\":1.0}"},
    {"a = true, b = false,", "{\"a\":true,\"b\":false}"},
    {"a-b.c_d1 = \"x\"", "{\"a-b.c_d1\":\"x\"}"},
    {"\xc3\xa9 = \"\xe2\x82\xac\"", "{\"\xc3\xa9\":\"\xe2\x82\xac\"}"},
    {"disable_compat_1.9 = true", "{\"disable_compat_1.9\":true}"},
    /* strings */
    {"a = \"\\a\\b\\f\\n\\r\\t\\v\\\\\\\"\"", "{\"a\":\"\\u0007\\b\\f\\n\\r\\t\\u000b\\\\\\\"\"}"},
    {"a = \"\\101\\x42\\u0043\\U00000044\"", "{\"a\":\"ABCD\"}"},
    {"a = \"\\xc3\\xa9\\u20ac\\U0001F600\"", "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}"},
    {"a = \"\\ud800\"", "{\"a\":\"\xef\xbf\xbd\"}"},
    {"a = \"${x}\" b = \"$${y} $ {\"", "{\"a\":\"${x}\",\"b\":\"$${y} $ {\"}"},
    {"a = \"1${f(\"q\", {\n\"b\\n\"})}\\n2\"",
     "{\"a\":\"1${f(\\\"q\\\", {\\n\\\"b\\\\n\\\"})}\\n2\"}"},
    /* heredocs */
    {"a = <<EOF\none\n  two\nEOF\nb = 1", "{\"a\":\"one\\n  two\\n\",\"b\":1}"},
    {"a = <<EOF\nEOF\n", "{\"a\":\"\"}"},
    {"a = <<EOF\n\\n ${x} \"q\"\nEOF2\n EOF \nEOF\n",
     "{\"a\":\"\\\\n ${x} \\\"q\\\"\\nEOF2\\n EOF \\n\"}"},
    {"a = <<-EOF\n    one\n      two\n    EOF\n", "{\"a\":\"one\\n  two\\n\"}"},
    {"a = <<-EOF\n    one\n  two\n   EOF\n", "{\"a\":\"    one\\n  two\\n\"}"},
    {"a = <<-EOF\n  one\nEOF\n", "{\"a\":\"  one\\n\"}"},
    {"a = <<EOF\r\none\r\nEOF\r\n", "{\"a\":\"one\\n\"}"},
    {"a = [<<A\nx\nA\n, <<B\ny\nB\n]", "{\"a\":[\"x\\n\",\"y\\n\"]}"},
    /* lists */
    {"a = []", "{\"a\":[]}"},
    {"a = [1, \"b\", true, 0.5, [2], {c = 3},]", "{\"a\":[1,\"b\",true,0.5,[2],{\"c\":3}]}"},
    {"a = [ # one\n 1, // two\n 2 /* end */ ]", "{\"a\":[1,2]}"},
    {"a = [{b {c = 1}}, {b = {c = 2}}]", "{\"a\":[{\"b\":[{\"c\":1}]},{\"b\":[{\"c\":2}]}]}"},
    /* blocks */
    {"a {}", "{\"a\":[{}]}"},
    {"a = {}", "{\"a\":[{}]}"},
    {"a { b = 1, c = 2 }", "{\"a\":[{\"b\":1,\"c\":2}]}"},
    {"key \"foo\" { policy = \"read\" }", "{\"key\":[{\"foo\":[{\"policy\":\"read\"}]}]}"},
    {"key \"\" { policy = \"read\" }", "{\"key\":[{\"\":[{\"policy\":\"read\"}]}]}"},
    {"key \"a\" { p = 1 }\nkey \"b\" { p = 2 }\nkey \"a\" { p = 3 }",
     "{\"key\":[{\"a\":[{\"p\":1}]},{\"b\":[{\"p\":2}]},{\"a\":[{\"p\":3}]}]}"},
    {"a \"b\" c { d = 1 }", "{\"a\":[{\"b\":[{\"c\":[{\"d\":1}]}]}]}"},
    {"a { b { c = 1 } b { c = 2 } }", "{\"a\":[{\"b\":[{\"c\":1},{\"c\":2}]}]}"},
    /* again */
    {"a = 1 a = 2", "{\"a\":2}"},
    {"a = true a = false", "{\"a\":false}"},
    {"a = 1.5 a = 2", "{\"a\":2.0}"},
    {"a = [1] a = [2]", "{\"a\":[1,2]}"},
    {"a { b = 1 } a { b = 2 }", "{\"a\":[{\"b\":1},{\"b\":2}]}"},
    {"a = [{b = 1}] a { b = 2 }", "{\"a\":[{\"b\":1},{\"b\":2}]}"},
    {"a = 1 A = 2", "{\"a\":1,\"A\":2}"},
    /* JSON */
    {" \n{\"key_prefix\":{\"foo/\":{\"policy\":\"write\"}},\"operator\":\"read\"}",
     "{\"key_prefix\":{\"foo/\":{\"policy\":\"write\"}},\"operator\":\"read\"}"},
    {"{}", "{}"},
};

START_TEST(reads_what_the_reference_reads)
{
    for (size_t i = 0; i < CU_COUNT(pairs); i++)
        check_reads(pairs[i].text, pairs[i].json);
}
END_TEST

static const struct {
    const char *text, *sentence;
} refused[] = {
    /* grammar */
    {"key \"a\" {", "At 1:11: object expected closing RBRACE got: EOF"},
    {"a {\n", "At 2:2: object expected closing RBRACE got: EOF"},
    {"a { b = 1", "At 1:13: object expected closing RBRACE got: EOF"},
    {"a", "At 1:3: key 'a' expected start of object ('{') or assignment ('=')"},
    {"a \"b\"\n", "At 2:1: key 'a \"b\"' expected start of object ('{') or assignment ('=')"},
    {"a { b }", "At 1:7: key 'b' expected start of object ('{') or assignment ('=')"},
    {"a b = 1", "At 1:5: nested object expected: LBRACE got: ASSIGN"},
    {"a = b", "At 1:5: Unknown token: 1:5 IDENT b"},
    {"a = +1", "At 1:5: Unknown token: 1:5 ADD +"},
    {"a = - 1", "At 1:5: Unknown token: 1:5 SUB -"},
    {"a = . 1", "At 1:5: Unknown token: 1:5 PERIOD ."},
    {"a =", "At 1:4: Unknown token: 1:4 EOF "},
    {"a { b = }", "At 1:9: Unknown token: 1:9 RBRACE }"},
    {"= 1", "At 1:1: no object keys found!"},
    {"a {{", "At 1:4: expected: IDENT | STRING got: LBRACE"},
    {"}", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACE"},
    {"a 1", "At 1:3: expected: IDENT | STRING | ASSIGN | LBRACE got: NUMBER"},
    {"true = 1", "At 1:1: expected: IDENT | STRING | ASSIGN | LBRACE got: BOOL"},
    {"a = 1 ]", "At 1:7: expected: IDENT | STRING | ASSIGN | LBRACE got: RBRACK"},
    {"a = [1 2]", "At 1:8: error parsing list, expected comma or list end, got: NUMBER"},
    {"a = [1", "At 1:9: error parsing list, expected comma or list end, got: EOF"},
    {"a = [", "At 1:6: unexpected token while parsing list: EOF"},
    {"a = [b]", "At 1:6: unexpected token while parsing list: IDENT"},
    {"a = [{b}]", "At 1:6: error while trying to parse object within list: At 1:8: key 'b' "
                  "expected start of object ('{') or assignment ('=')"},
    {"a = [[b]]", "At 1:6: error while trying to parse list within list: At 1:7: unexpected token "
                  "while parsing list: IDENT"},
    /* tokens */
    {"a = \"", "At 1:6: literal not terminated"},
    {"a = \"b\nc = 1", "At 1:7: literal not terminated"},
    {"a = \"${b\"", "At 1:10: literal not terminated"},
    {"a = 'b'", "At 1:5: illegal char"},
    {"a = \"\\q\"", "At 1:7: illegal char escape"},
    {"a = \"\\18\"", "At 1:8: illegal char escape"},
    {"a = \"\\u12\"", "At 1:10: illegal char escape"},
    {"a = 1 /* b", "At 1:11: comment not terminated"},
    {"a = 1 / b", "At 1:7: expected '/' for comment"},
    {"a = 0x", "At 1:7: illegal hexadecimal number"},
    {"a = <b", "At 1:6: heredoc expected second '<', didn't see it"},
    {"a = <<EOF\nb", "At 2:2: heredoc not terminated"},
    {"a = <<EOF\nb\nEOF", "At 3:4: heredoc not terminated"},
    {"a = <<EOF", "At 1:10: heredoc not terminated"},
    {"a = <<E F\nE F\n", "At 1:8: invalid characters in heredoc anchor"},
    {"a = <<\nb", "At 1:7: zero-length heredoc anchor"},
    {"a = <<-\nb", "At 1:8: zero-length heredoc anchor"},
    {"a = \"\xff\"", "At 1:6: illegal UTF-8 encoding"},
    {"\xe2\x82\xac = 1", "At 1:1: illegal char"},
    {"\xc3\xa9 = 'x", "At 1:5: illegal char"},
    {"a = \xee\x84\xa3", "At 1:5: illegal char"},
    {"a = \"\xee\x84\xa3\"", "At 1:6: unicode code point U+E123 reserved for internal use"},
    /* values */
    {"a = 08", "At 1:5: strconv.ParseInt: parsing \"08\": invalid syntax"},
    {"a = 9223372036854775808",
     "At 1:5: strconv.ParseInt: parsing \"9223372036854775808\": value out of range"},
    {"a = 1e999", "At 1:5: strconv.ParseFloat: parsing \"1e999\": value out of range"},
    {"a = 1e", "At 1:5: strconv.ParseFloat: parsing \"1e\": invalid syntax"},
    {"a = \"\\777\"", "At 1:5: unquote \"\\777\" err: invalid syntax"},
    {"a = \"\\UFFFFFFFF\"", "At 1:5: unquote \"\\UFFFFFFFF\" err: invalid syntax"},
    {"a = \"b\\x00\"", "At 1:5: a string with a null character (0x00)"},
    {"\"b\\000c\" {}", "At 1:1: a string with a null character (0x00)"},
    {"a = \"\\xff\"", "At 1:5: a string that is not UTF-8"},
    {"a = 08 b {", "At 1:12: object expected closing RBRACE got: EOF"}, /* grammar first */
    {"a = 1\na = \"x\"", "At 2:1: this key is there twice, with values that differ in type"},
    {"a = 1 a {}", "At 1:7: this key is there twice, with values that differ in type"},
    {"a {} a = 1", "At 1:6: this key is there twice, with values that differ in type"},
};

START_TEST(says_where_and_what_in_the_words_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++)
        check_refused(cu_bytes_of(refused[i].text), CU_E_INVALID, refused[i].sentence);
    check_refused((struct cu_bytes){(const uint8_t *)"a = 1\0", 6}, CU_E_INVALID,
                  "At 1:6: unexpected null character (0x00)");
}
END_TEST

START_TEST(reads_what_begins_with_a_brace_as_json)
{
    static const char *const texts[] = {"{", "{\"a\":1,\"a\":2}", "{\"a\":\"\\u0000\"}", "{a = 1}",
                                        "{} x"};
    for (size_t i = 0; i < CU_COUNT(texts); i++) {
        json_t *tree = NULL;
        ck_assert_int_eq(cu_hcl_parse(cu_bytes_of(texts[i]), &tree, &diag), CU_E_INVALID);
        ck_assert_msg(!strncmp(diag.text, "At 1:", 5), "%s", diag.text);
    }
}
END_TEST

static void repeat(struct cu_buf *out, const char *text, size_t count)
{
    while (count--)
        cu_buf_text(out, text);
}

/* `open` and `close` so often, with `inside` between them. */
static struct cu_bytes nest(struct cu_buf *out, const char *before, const char *open,
                            const char *close, size_t count)
{
    cu_buf_clear(out);
    cu_buf_text(out, before);
    repeat(out, open, count);
    repeat(out, close, count);
    return cu_buf_bytes(out);
}

START_TEST(goes_as_deep_as_the_limit_and_no_deeper)
{
    static const struct {
        const char *before, *open, *close;
        size_t more; /* levels that `before` has */
        const char *sentence;
    } shapes[] = {
        {"", "a{", "}", 0, "At 1:201: nested deeper than 100 levels"},
        {"a=", "[", "]", 1, NULL},
        {"a ", "\"b\"", "", 1, "At 1:300: nested deeper than 100 levels"},
        {"{\"a\":", "[", "]", 1, "nested deeper than 100 levels"},
    };
    struct cu_buf out = {0};
    json_t *tree = NULL;
    for (size_t i = 0; i < CU_COUNT(shapes); i++) {
        size_t most = CU_HCL_MAX_DEPTH - shapes[i].more;
        (void)nest(&out, shapes[i].before, shapes[i].open, shapes[i].close, most);
        cu_buf_text(&out, i == 2 ? "{}" : i == 3 ? "}" : "");
        json_decref(good(cu_buf_bytes(&out)));
        struct cu_bytes text =
            nest(&out, shapes[i].before, shapes[i].open, shapes[i].close, most + 1);
        ck_assert_int_eq(cu_hcl_parse(text, &tree, &diag), CU_E_TOO_LARGE);
        ck_assert(!shapes[i].sentence || !strcmp(diag.text, shapes[i].sentence));
    }
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(holds_as_many_values_as_the_limit_and_no_more)
{
    static const struct {
        const char *before, *one, *after;
        size_t more; /* values beside them */
    } shapes[] = {{"a=[", "1,", "]", 2},
                  {"a=[", "{},", "]", 2},
                  {"", "a{}", "", 0},
                  {"{\"a\":[0", ",0", "]}", 3}};
    struct cu_buf out = {0};
    json_t *tree = NULL;
    for (size_t i = 0; i < CU_COUNT(shapes); i++) {
        size_t each = !shapes[i].more ? 2 : 1;
        size_t most = (CU_HCL_MAX_VALUES - shapes[i].more) / each;
        for (size_t count = most; count <= most + 1; count++) {
            cu_buf_clear(&out);
            cu_buf_text(&out, shapes[i].before);
            repeat(&out, shapes[i].one, count);
            cu_buf_text(&out, shapes[i].after);
            enum cu_err err = cu_hcl_parse(cu_buf_bytes(&out), &tree, &diag);
            ck_assert_msg(err == (count == most ? CU_OK : CU_E_TOO_LARGE), "%zu %zu", i, count);
            if (!err)
                json_decref(tree);
        }
    }
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(takes_as_many_bytes_as_the_limit_and_no_more)
{
    struct cu_buf out = {0};
    json_t *tree = NULL;
    cu_buf_text(&out, "a = \"");
    repeat(&out, "x", CU_HCL_MAX_BYTES - 6);
    cu_buf_text(&out, "\"");
    tree = good(cu_buf_bytes(&out));
    ck_assert_uint_eq(json_string_length(json_object_get(tree, "a")), CU_HCL_MAX_BYTES - 6);
    json_decref(tree);
    cu_buf_text(&out, "\n");
    ck_assert_int_eq(cu_hcl_parse(cu_buf_bytes(&out), &tree, &diag), CU_E_TOO_LARGE);
    cu_buf_deinit(&out);
}
END_TEST

START_TEST(every_beginning_of_a_text_is_read_or_refused_with_a_sentence)
{
    static const char whole[] =
        "# c\na \"b\" { c = [1, {d = <<E\nx\nE\n}] /* c */ }\ne = \"\\x41${f}\"";
    for (size_t len = 0; len < sizeof whole; len++) {
        json_t *tree = NULL;
        char *copy = malloc(len ? len : 1); /* so that a read beyond it is seen */
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, whole, len);
        diag.text[0] = '\0';
        enum cu_err err = cu_hcl_parse((struct cu_bytes){(uint8_t *)copy, len}, &tree, &diag);
        ck_assert_int_eq(err == CU_OK, tree != NULL);
        ck_assert_int_eq(err == CU_OK, diag.text[0] == '\0');
        json_decref(tree);
        free(copy);
    }
}
END_TEST

SUITE_MAIN("common/hcl/hcl", reads_what_the_reference_reads,
           says_where_and_what_in_the_words_of_the_reference,
           reads_what_begins_with_a_brace_as_json, goes_as_deep_as_the_limit_and_no_deeper,
           holds_as_many_values_as_the_limit_and_no_more,
           takes_as_many_bytes_as_the_limit_and_no_more,
           every_beginning_of_a_text_is_read_or_refused_with_a_sentence)
