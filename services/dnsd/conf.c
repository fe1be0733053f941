#include "services/dnsd/conf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/endpoint.h"
#include "common/base/num.h"
#include "common/conf/texts.h"
#include "common/view/home.h"

enum { DNS_PORT = 53, NS_PER_S = 1000000000 };

/* ---- answers ---- */

static enum cu_err read_ttl(const char *key, const char *text, uint32_t *ret_s,
                            struct cu_diag *diag)
{
    int64_t ns;
    struct cu_diag why = {0};
    if (cu_parse_duration_ns(text, &ns, &why))
        return cu_fail(diag, CU_E_INVALID, "dns_config.service_ttl[%.100s]: %.200s", key, why.text);
    if (ns < 0 || ns / NS_PER_S > INT32_MAX) /* a TTL has 31 bits (RFC 2181 section 8) */
        return cu_fail(diag, CU_E_INVALID, "dns_config.service_ttl[%.100s]: out of range: %.100s",
                       key, text);
    *ret_s = (uint32_t)(ns / NS_PER_S);
    return CU_OK;
}

static enum cu_err read_service_ttls(const json_t *map, struct dns_settings *settings,
                                     struct cu_diag *diag)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)map, key, value)
    {
        uint32_t ttl_s = 0;
        enum cu_err err = read_ttl(key, json_string_value(value), &ttl_s, diag);
        if (err)
            return err;
        dns_settings_add_ttl(settings, key, ttl_s);
    }
    return CU_OK;
}

static uint32_t seconds(const struct cu_conf *conf, const char *key)
{
    int64_t s = cu_conf_ms(conf, key) / 1000;
    return (uint32_t)(s < INT32_MAX ? s : INT32_MAX);
}

static uint32_t number(const struct cu_conf *conf, const char *key)
{
    return (uint32_t)cu_conf_int(conf, key); /* its row says that it is not negative */
}

static enum cu_err read_settings(const struct cu_conf *conf, struct dns_settings *settings,
                                 struct cu_diag *diag)
{
    settings->node_ttl_s = seconds(conf, "dns_config.node_ttl");
    settings->udp_answer_limit = number(conf, "dns_config.udp_answer_limit");
    settings->a_record_limit = number(conf, "dns_config.a_record_limit");
    settings->soa_refresh_s = number(conf, "dns_config.soa.refresh");
    settings->soa_retry_s = number(conf, "dns_config.soa.retry");
    settings->soa_expire_s = number(conf, "dns_config.soa.expire");
    settings->soa_min_ttl_s = number(conf, "dns_config.soa.min_ttl");
    settings->only_passing = cu_conf_bool(conf, "dns_config.only_passing");
    settings->truncates = cu_conf_bool(conf, "dns_config.enable_truncate");
    settings->compresses = !cu_conf_bool(conf, "dns_config.disable_compression");
    settings->adds_node_meta = cu_conf_bool(conf, "dns_config.enable_additional_node_meta_txt");
    return read_service_ttls(cu_conf_json(conf, "dns_config.service_ttl"), settings, diag);
}

static struct dns_freshness read_freshness(const struct cu_conf *conf)
{
    struct dns_freshness freshness = {.allow_stale = cu_conf_bool(conf, "dns_config.allow_stale"),
                                      .max_age_ms =
                                          (uint64_t)cu_conf_ms(conf, "dns_config.max_stale")};
    uint64_t cached_ms = (uint64_t)cu_conf_ms(conf, "dns_config.cache_max_age");
    if (cu_conf_bool(conf, "dns_config.use_cache") && cached_ms > 0 &&
        cached_ms < freshness.max_age_ms)
        freshness.max_age_ms = cached_ms;
    return freshness;
}

/* ---- recursors ---- */

static enum cu_err read_recursor(const char *text, struct dns_recursor *ret, struct cu_diag *diag)
{
    char ip[CU_HOST_BYTES] = "";
    unsigned port = 0;
    struct sockaddr_in *v4 = (struct sockaddr_in *)&ret->address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&ret->address;
    *ret = (struct dns_recursor){.len = 0};
    bool is_good = cu_endpoint_split(text, ip, &port);
    in_port_t wire_port = htons((uint16_t)(port ? port : DNS_PORT));
    if (is_good && inet_pton(AF_INET, ip, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = wire_port;
        ret->len = sizeof *v4;
    } else if (is_good && inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = wire_port;
        ret->len = sizeof *v6;
    }
    if (ret->len == 0)
        return cu_fail(diag, CU_E_INVALID, "recursors: neither IP nor IP:port: \"%.100s\"", text);
    return CU_OK;
}

static enum cu_err read_recursors(const struct cu_conf *conf, struct dns_live_conf *live,
                                  struct cu_diag *diag)
{
    const json_t *list = cu_conf_json(conf, "recursors");
    if (json_array_size(list) > DNS_RECURSORS_MAX)
        return cu_fail(diag, CU_E_INVALID, "recursors: more than %d", DNS_RECURSORS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        enum cu_err err = read_recursor(json_string_value(json_array_get(list, i)),
                                        &live->recursors[live->recursor_count], diag);
        if (err)
            return err;
        live->recursor_count++;
    }
    live->settings.has_recursors = live->recursor_count > 0;
    live->recursor_timeout_ms = (uint32_t)cu_conf_ms(conf, "dns_config.recursor_timeout");
    return CU_OK;
}

enum cu_err dns_live_conf_read(const struct cu_conf *conf, struct dns_live_conf *ret,
                               struct cu_diag *diag)
{
    struct dns_live_conf live = {.freshness = read_freshness(conf)};
    enum cu_err err = read_settings(conf, &live.settings, diag);
    if (!err)
        err = read_recursors(conf, &live, diag);
    if (err)
        dns_live_conf_deinit(&live);
    else
        *ret = live;
    return err;
}

void dns_live_conf_deinit(struct dns_live_conf *live)
{
    dns_settings_deinit(&live->settings);
}

/* ---- the rest ---- */

static void read_addresses(const struct cu_conf *conf, struct dns_conf *out)
{
    const char *own = cu_conf_text(conf, "addresses.dns");
    out->addresses =
        cu_texts_split(*own ? own : cu_conf_text(conf, "client_addr"), &out->address_count);
}

static enum cu_err read_zone(const struct cu_conf *conf, struct dns_conf *out, struct cu_diag *diag)
{
    enum cu_err err =
        dns_zone_init(&out->zone, cu_conf_text(conf, "domain"), cu_conf_text(conf, "alt_domain"),
                      cu_conf_text(conf, "datacenter"), diag);
    if (!err && (out->zone.domain.len > DNS_DOMAIN_BYTES || out->zone.domain.len < 2))
        err = cu_fail(diag, CU_E_INVALID, "domain: empty, or over %d bytes: \"%.200s\"",
                      DNS_DOMAIN_BYTES, cu_conf_text(conf, "domain"));
    return err;
}

enum cu_err dns_conf_read(const struct cu_conf *conf, const char *local_catalog,
                          struct dns_conf *ret_conf, struct cu_diag *diag)
{
    struct dns_conf out = {0};
    int64_t port = cu_conf_int(conf, "ports.dns");
    out.port = port > 0 ? (unsigned)port : 0;
    out.hold_ms = (uint64_t)cu_conf_ms(conf, "performance.rpc_hold_timeout");
    read_addresses(conf, &out);
    out.catalogs = cu_home_urls(conf, "dnsd.catalog", local_catalog, &out.catalog_count);
    enum cu_err err = read_zone(conf, &out, diag);
    if (!err && out.address_count > DNS_LISTENERS_MAX)
        err = cu_fail(diag, CU_E_INVALID, "addresses.dns: more than %d", DNS_LISTENERS_MAX);
    if (!err)
        err = cu_rights_conf_read(conf, &out.rights, diag);
    if (!err)
        err = dns_live_conf_read(conf, &out.live, diag);
    if (err)
        dns_conf_deinit(&out);
    else
        *ret_conf = out;
    return err;
}

void dns_conf_deinit(struct dns_conf *conf)
{
    cu_texts_free(conf->addresses, conf->address_count);
    cu_texts_free(conf->catalogs, conf->catalog_count);
    dns_live_conf_deinit(&conf->live);
    *conf = (struct dns_conf){0};
}
