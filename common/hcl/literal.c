#include "common/hcl/literal.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/hcl/word.h"
#include "common/json/utf8.h"

enum { NUMBER_BYTES = 128 }; /* a longer one says nothing that a shorter one could not */

static enum cu_err no_number(const struct hcl_token *token, const char *why, struct cu_diag *diag)
{
    return cu_fail(diag, CU_E_INVALID, "strconv.Parse%s: parsing \"%.*s\": %s",
                   token->kind == HCL_FLOAT ? "Float" : "Int", (int)token->text.len,
                   (const char *)token->text.data, why);
}

static enum cu_err read_number(const struct hcl_token *token, json_t **ret_value,
                               struct cu_diag *diag)
{
    char text[NUMBER_BYTES], *end = text;
    if (token->text.len >= sizeof text)
        return no_number(token, "value out of range", diag);
    memcpy(text, token->text.data, token->text.len);
    text[token->text.len] = '\0';
    errno = 0;
    if (token->kind == HCL_FLOAT) {
        double value = strtod(text, &end);
        if (!*end && !isinf(value)) {
            *ret_value = json_real(value);
            return CU_OK;
        }
    } else {
        long long value = strtoll(text, &end, 0);
        if (!*end && !errno) {
            *ret_value = json_integer(value);
            return CU_OK;
        }
    }
    return no_number(token, *end ? "invalid syntax" : "value out of range", diag);
}

/* What others take for the end of a string, or cannot print, is no part of one. */
static enum cu_err hand_over(const struct cu_buf *text, json_t **ret_value, struct cu_diag *diag)
{
    const char *data = text->len ? (const char *)text->data : "";
    if (memchr(data, 0, text->len))
        return cu_fail(diag, CU_E_INVALID, "a string with a null character (0x00)");
    *ret_value = json_stringn(data, text->len);
    return *ret_value ? CU_OK : cu_fail(diag, CU_E_INVALID, "a string that is not UTF-8");
}

/* The number of `count` digits, fewer where they end. */
static uint32_t digits(struct cu_bytes *rest, unsigned base, int count)
{
    uint32_t value = 0;
    for (; count > 0 && rest->len && hcl_digit(rest->data[0]) < base; count--) {
        value = value * base + hcl_digit(rest->data[0]);
        *rest = (struct cu_bytes){rest->data + 1, rest->len - 1};
    }
    return value;
}

/* `rest` begins behind a backslash, with one of the escapes that the scanner lets pass. */
static bool read_escape(struct cu_bytes *rest, struct cu_buf *out)
{
    static const char names[] = "abfnrtv\\\"", meant[] = "\a\b\f\n\r\t\v\\\"";
    uint8_t c = rest->data[0];
    const char *at = c ? strchr(names, c) : NULL;
    if (c >= '0' && c <= '7') {
        uint32_t byte = digits(rest, 8, 3);
        cu_buf_u8(out, (uint8_t)byte);
        return byte <= 0xff;
    }
    *rest = (struct cu_bytes){rest->data + 1, rest->len - 1};
    if (at) {
        cu_buf_u8(out, (uint8_t)meant[at - names]);
        return true;
    }
    uint32_t rune = digits(rest, 16, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    if (c == 'x')
        cu_buf_u8(out, (uint8_t)rune);
    else
        cu_utf8_append(out, rune);
    return rune <= 0x10ffff;
}

/* Copies "${...}" as it is; bytes are enough, since braces are ASCII. */
static void copy_template(struct cu_bytes *rest, struct cu_buf *out)
{
    size_t len = 2;
    for (long braces = 1; len < rest->len && braces; len++)
        braces += (rest->data[len] == '{') - (rest->data[len] == '}');
    cu_buf_append(out, rest->data, len);
    *rest = (struct cu_bytes){rest->data + len, rest->len - len};
}

static enum cu_err read_string(const struct hcl_token *token, json_t **ret_value,
                               struct cu_diag *diag)
{
    struct cu_buf out = {0};
    struct cu_bytes rest = {token->text.data + 1, token->text.len - 2};
    bool good = true;
    while (good && rest.len) {
        uint8_t c = rest.data[0];
        if (c == '$' && rest.len > 1 && rest.data[1] == '{') {
            copy_template(&rest, &out);
            continue;
        }
        rest = (struct cu_bytes){rest.data + 1, rest.len - 1};
        if (c != '\\')
            cu_buf_u8(&out, c);
        else
            good = rest.len && read_escape(&rest, &out);
    }
    enum cu_err err = good ? hand_over(&out, ret_value, diag)
                           : cu_fail(diag, CU_E_INVALID, "unquote %.*s err: invalid syntax",
                                     (int)token->text.len, (const char *)token->text.data);
    cu_buf_deinit(&out);
    return err;
}

static size_t line_len(struct cu_bytes text)
{
    const uint8_t *end = memchr(text.data, '\n', text.len);
    return end ? (size_t)(end - text.data) + 1 : text.len;
}

/* Whether all lines begin with the indent of the last one, the anchor's. */
static bool is_indented(struct cu_bytes body, struct cu_bytes indent)
{
    while (body.len) {
        if (!cu_bytes_has_prefix(body, indent))
            return false;
        size_t len = line_len(body);
        body = (struct cu_bytes){body.data + len, body.len - len};
    }
    return true;
}

static void append_without(struct cu_buf *out, struct cu_bytes body, size_t indent_len)
{
    while (body.len) {
        size_t len = line_len(body);
        cu_buf_append(out, body.data + indent_len, len - indent_len);
        body = (struct cu_bytes){body.data + len, body.len - len};
    }
}

/* The lines between the two anchors. "<<-": without the indent of the second one, if all have it;
 * "<<": with it behind them, as the reference has it. */
static enum cu_err read_heredoc(const struct hcl_token *token, json_t **ret_value,
                                struct cu_diag *diag)
{
    struct cu_bytes body = token->text, indent;
    struct cu_buf out = {0};
    bool strips = body.data[2] == '-';
    size_t first = line_len(body), last = body.len - 1;
    while (body.data[last - 1] != '\n')
        last--;
    indent = (struct cu_bytes){body.data + last, 0};
    while (strchr(" \t\v\f\r", indent.data[indent.len]))
        indent.len++;
    body = (struct cu_bytes){body.data + first, last - first};
    append_without(&out, body, strips && is_indented(body, indent) ? indent.len : 0);
    if (!strips)
        cu_buf_append(&out, indent.data, indent.len);
    enum cu_err err = hand_over(&out, ret_value, diag);
    cu_buf_deinit(&out);
    return err;
}

enum cu_err hcl_literal(const struct hcl_token *token, json_t **ret_value, struct cu_diag *diag)
{
    if (token->kind == HCL_NUMBER || token->kind == HCL_FLOAT)
        return read_number(token, ret_value, diag);
    if (token->kind == HCL_STRING)
        return read_string(token, ret_value, diag);
    if (token->kind == HCL_HEREDOC)
        return read_heredoc(token, ret_value, diag);
    *ret_value = json_boolean(cu_bytes_equal(token->text, cu_bytes_of("true")));
    return CU_OK;
}

enum cu_err hcl_key(const struct hcl_token *token, json_t **ret_name, struct cu_diag *diag)
{
    if (token->kind == HCL_STRING)
        return read_string(token, ret_name, diag);
    *ret_name = json_stringn((const char *)token->text.data, token->text.len);
    return CU_OK;
}
