#include "services/agentd/conf.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/conf/acl.h"
#include "common/conf/texts.h"
#include "common/view/home.h"

/* ---- lists ---- */

static char **copy_texts(const json_t *list, size_t *ret_count)
{
    size_t count = json_array_size(list);
    char **texts = cu_alloc((count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = cu_strdup(json_string_value(json_array_get(list, i)));
    *ret_count = count;
    return texts;
}

static void copy_headers(const json_t *map, struct agent_conf *conf)
{
    const char *name;
    json_t *value;
    conf->headers = cu_alloc((json_object_size(map) + 1) * sizeof *conf->headers);
    json_object_foreach((json_t *)map, name, value) conf->headers[conf->header_count++] =
        (struct agent_pair){cu_strdup(name), cu_strdup(json_string_value(value))};
}

/* ---- networks ---- */

/* The reference takes no address without its bits. */
static enum cu_err parse_network(const char *text, struct cu_network *ret, struct cu_diag *diag)
{
    if (!strchr(text, '/') || cu_network_parse(text, ret))
        return cu_fail(diag, CU_E_INVALID, "http_config.allow_write_http_from: invalid CIDR %s",
                       text);
    return CU_OK;
}

static enum cu_err read_networks(const json_t *list, struct agent_conf *conf, struct cu_diag *diag)
{
    size_t count = json_array_size(list);
    if (count > AGENT_NETWORKS_MAX)
        return cu_fail(diag, CU_E_INVALID, "http_config.allow_write_http_from: more than %d",
                       AGENT_NETWORKS_MAX);
    conf->writers = cu_alloc((count + 1) * sizeof *conf->writers);
    for (size_t i = 0; i < count; i++) {
        enum cu_err err =
            parse_network(json_string_value(json_array_get(list, i)), &conf->writers[i], diag);
        if (err)
            return err;
        conf->writer_count++;
    }
    return CU_OK;
}

bool agent_conf_may_write(const struct agent_conf *conf, const struct sockaddr *address)
{
    if (conf->writer_count == 0 || !address ||
        (address->sa_family != AF_INET && address->sa_family != AF_INET6))
        return true;
    const uint8_t *ip = address->sa_family == AF_INET
                            ? (const uint8_t *)&((const struct sockaddr_in *)address)->sin_addr
                            : (const uint8_t *)&((const struct sockaddr_in6 *)address)->sin6_addr;
    for (size_t i = 0; i < conf->writer_count; i++)
        if (cu_network_has(&conf->writers[i], address->sa_family, ip))
            return true;
    return false;
}

bool agent_conf_blocks(const struct agent_conf *conf, struct cu_bytes path)
{
    for (size_t i = 0; i < conf->blocked_count; i++)
        if (cu_bytes_has_prefix(path, cu_bytes_of(conf->blocked[i])))
            return true;
    return false;
}

/* ---- the whole ---- */

/* The older key of the same meaning counts where the newer is not given. */
static const char *given(const struct cu_conf *conf, const char *key, const char *older)
{
    return cu_conf_is_set(conf, key) ? key : older;
}

static void read_limits(const struct cu_conf *conf, struct agent_conf *out)
{
    out->waits.default_ms = (uint64_t)cu_conf_ms(conf, "default_query_time");
    out->waits.max_ms = (uint64_t)cu_conf_ms(conf, "max_query_time");
    out->use_cache = cu_conf_bool(conf, "http_config.use_cache");
    out->discovery_max_stale_ms = (uint64_t)cu_conf_ms(conf, "discovery_max_stale");
    out->hold_ms = (uint64_t)cu_conf_ms(conf, "performance.rpc_hold_timeout");
    out->kv_max_bytes = (uint64_t)cu_conf_int(conf, "limits.kv_max_value_size");
    out->txn_max_bytes = (uint64_t)cu_conf_int(conf, "limits.txn_max_req_len");
    if (out->txn_max_bytes < out->kv_max_bytes)
        out->txn_max_bytes = out->kv_max_bytes;
    out->header_bytes = (uint64_t)cu_conf_int(conf, "http_config.max_header_bytes");
    out->max_per_client = (unsigned)cu_conf_int(conf, "limits.http_max_conns_per_client");
}

static enum cu_err read_policies(const struct cu_conf *conf, struct agent_conf *out,
                                 struct cu_diag *diag)
{
    struct cu_conf_acl acl;
    enum cu_err err = cu_conf_acl(conf, &acl, diag);
    if (!err) {
        out->acl_enabled = acl.is_enabled;
        out->allows_by_default = acl.intentions_by_default;
    }
    return err;
}

enum cu_err agent_conf_read(const struct cu_conf *conf, const char *local_catalog,
                            struct agent_conf *ret_conf, struct cu_diag *diag)
{
    struct agent_conf out = {0};
    int64_t port = cu_conf_int(conf, "ports.http");
    const char *addresses = cu_conf_text(conf, "addresses.http");

    read_limits(conf, &out);
    /* a client node has none of its own */
    const char *local = cu_conf_bool(conf, "server") ? local_catalog : NULL;
    out.catalogs = cu_home_urls(conf, "agentd.catalog", local, &out.catalog_count);
    out.has_http = port > 0;
    out.port = out.has_http ? (unsigned)port : 0;
    out.pretty = cu_conf_bool(conf, "dev_mode");
    out.any_path = cu_conf_bool(conf, "disable_http_unprintable_char_filter");
    out.translate_addresses = cu_conf_bool(conf, "translate_wan_addrs");
    out.persists_tokens = cu_conf_bool(conf, "acl.enable_token_persistence");
    out.default_policy =
        cu_strdup(cu_conf_text(conf, given(conf, "acl.default_policy", "acl_default_policy")));
    out.addresses = cu_texts_split(*addresses ? addresses : cu_conf_text(conf, "client_addr"),
                                   &out.address_count);
    copy_headers(cu_conf_json(conf, "http_config.response_headers"), &out);
    out.blocked = copy_texts(cu_conf_json(conf, "http_config.block_endpoints"), &out.blocked_count);
    enum cu_err err =
        read_networks(cu_conf_json(conf, "http_config.allow_write_http_from"), &out, diag);
    if (!err)
        err = read_policies(conf, &out, diag);
    if (!err)
        err = cu_rights_conf_read(conf, &out.rights, diag);
    if (err)
        agent_conf_deinit(&out);
    else
        *ret_conf = out;
    return err;
}

void agent_conf_deinit(struct agent_conf *conf)
{
    free(conf->default_policy);
    cu_texts_free(conf->addresses, conf->address_count);
    cu_texts_free(conf->catalogs, conf->catalog_count);
    cu_texts_free(conf->blocked, conf->blocked_count);
    for (size_t i = 0; i < conf->header_count; i++) {
        free(conf->headers[i].name);
        free(conf->headers[i].value);
    }
    free(conf->headers);
    free(conf->writers);
    *conf = (struct agent_conf){0};
}
