#include "services/xdsd/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

enum { SERVER_PORT = 8300, URL_BYTES = 512 };

static void read_addresses(const struct cu_conf *conf, struct xds_conf *out)
{
    const char *text = cu_conf_text(conf, "addresses.grpc");
    char *copy = cu_strdup(*text ? text : cu_conf_text(conf, "client_addr")), *rest = copy;
    out->addresses = cu_alloc((strlen(copy) + 1) * sizeof *out->addresses);
    for (char *word; (word = strtok_r(rest, " \t", &rest));)
        out->addresses[out->address_count++] = cu_strdup(word);
    free(copy);
}

/* "ip:port", "ip", or a whole URL. */
static char *catalog_url(const char *text)
{
    char url[URL_BYTES];
    if (strstr(text, "://"))
        return cu_strdup(text);
    (void)snprintf(url, sizeof url, strchr(text, ':') ? "tcp://%s" : "tcp://%s:%d", text,
                   SERVER_PORT);
    return cu_strdup(url);
}

static void read_catalogs(const struct cu_conf *conf, const char *local, struct xds_conf *out)
{
    const json_t *list = cu_conf_json(conf, "xdsd.catalog");
    size_t count = json_array_size(list);
    out->catalogs = cu_alloc((count + 1) * sizeof *out->catalogs);
    for (size_t i = 0; i < count; i++)
        out->catalogs[out->catalog_count++] =
            catalog_url(json_string_value(json_array_get(list, i)));
    if (!count)
        out->catalogs[out->catalog_count++] = cu_strdup(local);
}

static enum cu_err read_policy(const struct cu_conf *conf, struct xds_conf *out,
                               struct cu_diag *diag)
{
    const char *policy = cu_conf_text(conf, "default_intention_policy");
    out->default_allow = strcmp(policy, "allow") == 0;
    return out->default_allow || strcmp(policy, "deny") == 0
               ? CU_OK
               : cu_fail(diag, CU_E_INVALID,
                         "default_intention_policy must be \"allow\" or \"deny\"");
}

enum cu_err xds_conf_read(const struct cu_conf *conf, const char *local_catalog,
                          struct xds_conf *ret_conf, struct cu_diag *diag)
{
    struct xds_conf out = {0};
    int64_t port = cu_conf_int(conf, "ports.grpc");
    out.port = port > 0 ? (unsigned)port : 0;
    out.hold_ms = (uint64_t)cu_conf_ms(conf, "performance.rpc_hold_timeout");
    read_addresses(conf, &out);
    read_catalogs(conf, local_catalog, &out);
    enum cu_err err = read_policy(conf, &out, diag);
    if (!err && out.address_count > XDS_LISTENERS_MAX)
        err = cu_fail(diag, CU_E_INVALID, "addresses.grpc: more than %d", XDS_LISTENERS_MAX);
    if (err)
        xds_conf_deinit(&out);
    else
        *ret_conf = out;
    return err;
}

static void free_texts(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

void xds_conf_deinit(struct xds_conf *conf)
{
    free_texts(conf->addresses, conf->address_count);
    free_texts(conf->catalogs, conf->catalog_count);
    *conf = (struct xds_conf){0};
}
