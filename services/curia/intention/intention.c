#include "services/curia/intention/intention.h"

#include <stdio.h>
#include <string.h>

enum cu_err intention_parse_target(const char *text, struct intention_target *ret,
                                   struct cu_diag *diag)
{
    const char *slash = strchr(text, '/');
    *ret = (struct intention_target){.name = slash ? slash + 1 : text};
    if (!slash)
        return CU_OK;
    if (strchr(slash + 1, '/'))
        return cu_fail(diag, CU_E_INVALID, "target can contain at most one '/'");
    if ((size_t)(slash - text) >= sizeof ret->ns)
        return cu_fail(diag, CU_E_INVALID, "the namespace is too long");
    memcpy(ret->ns, text, (size_t)(slash - text));
    return CU_OK;
}

const char *intention_pair_query(struct cu_buf *query, const char *source, const char *destination)
{
    cli_query_add(query, "source", source);
    cli_query_add(query, "destination", destination);
    return cli_query_text(query);
}

static enum cu_err get(struct cli_http *http, const char *path, const char *key, const char *query,
                       json_t **ret_intention, struct cu_diag *diag)
{
    struct cu_diag why = {0};
    struct cli_reply reply;
    enum cu_err err = cli_http_do(http,
                                  &(struct cli_request){.method = "GET",
                                                        .path = path,
                                                        .key = cu_bytes_of(key),
                                                        .query = query,
                                                        .is_read = true},
                                  &reply, &why);
    json_t *found = !err && reply.status == 200
                        ? json_loadb((const char *)reply.body.data, reply.body.len, 0, NULL)
                        : NULL;
    if (!err && reply.status == 404) {
        err = CU_E_NOT_FOUND;
    } else if (!err && reply.status != 200) {
        cli_http_unexpected(&reply, true, &why);
        err = CU_E_IO;
    } else if (!err && !found) {
        err = cu_fail(&why, CU_E_INVALID, "the agent's reply is not understood");
    }
    cu_buf_deinit(&reply.body);
    *ret_intention = found;
    return err && err != CU_E_NOT_FOUND ? cu_fail(diag, err, "%s", why.text) : err;
}

enum cu_err intention_fetch(struct cli_http *http, char **words, int count, json_t **ret_intention,
                            struct cu_diag *diag)
{
    struct cu_diag why = {0};
    struct cu_buf query = {0};
    enum cu_err err;
    *ret_intention = NULL;
    if (count != 1 && count != 2)
        return cu_fail(diag, CU_E_INVALID, "command requires exactly 1 or 2 arguments");
    if (count == 1)
        err = get(http, INTENTIONS_PATH "/", words[0], NULL, ret_intention, &why);
    else
        err = get(http, INTENTIONS_PATH "/exact", "",
                  intention_pair_query(&query, words[0], words[1]), ret_intention, &why);
    cu_buf_deinit(&query);
    if (err == CU_E_NOT_FOUND && count == 1)
        return cu_fail(diag, err, "Intention not found with ID \"%s\"", words[0]);
    if (err == CU_E_NOT_FOUND)
        return cu_fail(diag, err, "Intention not found with source \"%s\" and destination \"%s\"",
                       words[0], words[1]);
    return err ? cu_fail(diag, err, "Error reading the intention: %s", why.text) : CU_OK;
}

void intention_name(struct cu_buf *out, const json_t *intention, const char *side)
{
    char member[32];
    (void)snprintf(member, sizeof member, "%sNS", side);
    const char *ns = cli_member_text(intention, member);
    (void)snprintf(member, sizeof member, "%sName", side);
    if (*ns && strcmp(ns, "default") != 0)
        cu_buf_printf(out, "%s/", ns);
    cu_buf_text(out, cli_member_text(intention, member));
}

const char *intention_text(struct cu_buf *out, const json_t *intention)
{
    size_t count = json_array_size(json_object_get(intention, "Permissions"));
    intention_name(out, intention, "Source");
    cu_buf_text(out, " => ");
    intention_name(out, intention, "Destination");
    if (count)
        cu_buf_printf(out, " (%zu permission%s)", count, count > 1 ? "s" : "");
    else
        cu_buf_printf(out, " (%s)", cli_member_text(intention, "Action"));
    return cli_query_text(out);
}
