#include "services/curia/kv/pair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "common/base/assert.h"

static uint64_t number_of(json_t *json, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(json, name));
}

enum cu_err kv_base64_decode(const char *text, struct cu_buf *out, struct cu_diag *diag)
{
    size_t len = strlen(text), got = 0;
    const char *end = NULL;
    uint8_t *room = cu_buf_extend(out, len / 4 * 3 + 3);
    /* Go skips line breaks; nothing else */
    if (sodium_base642bin(room, len / 4 * 3 + 3, text, len, "\r\n", &got, &end,
                          sodium_base64_VARIANT_ORIGINAL) ||
        *end) {
        out->len = 0;
        return cu_fail(diag, CU_E_INVALID, "illegal base64 data at input byte %zu",
                       end ? (size_t)(end - text) : 0);
    }
    out->len = got;
    return CU_OK;
}

enum cu_err kv_pair_read(json_t *json, struct kv_pair *ret_pair, struct cu_diag *diag)
{
    struct kv_pair pair = {.key = json_string_value(json_object_get(json, "Key")),
                           .session = json_string_value(json_object_get(json, "Session")),
                           .value_base64 = json_string_value(json_object_get(json, "Value")),
                           .flags = number_of(json, "Flags"),
                           .create_index = number_of(json, "CreateIndex"),
                           .modify_index = number_of(json, "ModifyIndex"),
                           .lock_index = number_of(json, "LockIndex")};
    pair.session = pair.session ? pair.session : "";
    pair.value_base64 = pair.value_base64 ? pair.value_base64 : ""; /* null: empty */
    if (!pair.key)
        return cu_fail(diag, CU_E_INVALID, "the agent's reply has no key");
    enum cu_err err = kv_base64_decode(pair.value_base64, &pair.value, diag);
    if (err)
        cu_buf_deinit(&pair.value);
    else
        *ret_pair = pair;
    return err;
}

enum cu_err kv_fetch(struct cli_http *http, const char *key, bool recurse, json_t **ret_list,
                     struct cu_diag *diag)
{
    struct cli_reply reply;
    enum cu_err err = cli_http_do(http,
                                  &(struct cli_request){.method = "GET",
                                                        .path = "/v1/kv/",
                                                        .key = cu_bytes_of(key),
                                                        .query = recurse ? "recurse=" : NULL,
                                                        .is_read = true},
                                  &reply, diag);
    if (!err && reply.status == 404) {
        err = CU_E_NOT_FOUND;
    } else if (!err && reply.status != 200) {
        cli_http_unexpected(&reply, false, diag);
        err = CU_E_IO;
    }
    if (!err) {
        /* A flag may use all 64 bits; jansson's numbers do not. Such a key is an error, not a wrong
         * number. */
        json_error_t error;
        json_t *list =
            json_loadb((const char *)reply.body.data, reply.body.len, JSON_ALLOW_NUL, &error);
        if (json_is_array(list))
            *ret_list = list;
        else
            err =
                cu_fail(diag, CU_E_INVALID, "the agent's reply is not understood: %s", error.text);
        if (err)
            json_decref(list);
    }
    cu_buf_deinit(&reply.body);
    return err;
}

static enum cu_err read_all(FILE *file, struct cu_buf *out)
{
    uint8_t block[16384];
    size_t got;
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        cu_buf_append(out, block, got);
    return ferror(file) ? CU_E_IO : CU_OK;
}

enum cu_err kv_data_source(const char *argument, struct cu_buf *out, struct cu_diag *diag)
{
    if (!strcmp(argument, "-"))
        return read_all(stdin, out)
                   ? cu_fail(diag, CU_E_IO, "Failed to read stdin: %s", strerror(errno))
                   : CU_OK;
    if (argument[0] != '@') {
        cu_buf_text(out, argument);
        return CU_OK;
    }
    FILE *file = fopen(argument + 1, "re");
    enum cu_err err = file ? read_all(file, out) : CU_E_IO;
    if (err)
        err = cu_fail(diag, CU_E_IO, "Failed to read file: open %s: %s", argument + 1,
                      errno == ENOENT ? "no such file or directory" : strerror(errno));
    if (file)
        (void)fclose(file); /* only read */
    return err;
}

const char *kv_strip(const char *key)
{
    return key[0] == '/' ? key + 1 : key;
}
