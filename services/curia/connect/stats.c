#include "services/curia/connect/stats.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/assert.h"
#include "common/base/buf.h"

/* ---- tags taken from names ---- */

#define SEG "[^.]+"

/* "cluster.HASH~SUBSET.SERVICE.NS.DC.KIND.UUID.consul.": each row captures another part of it. */
static const struct rule {
    const char *name, *regex;
} cluster_rules[] = {
    {"custom_hash", "^cluster\\.((?:(" SEG ")~)?(?:" SEG "\\.)?" SEG "\\." SEG "\\." SEG "\\." SEG
                    "\\." SEG "\\.consul\\.)"},
    {"service_subset", "^cluster\\.((?:" SEG "~)?(?:(" SEG ")\\.)?" SEG "\\." SEG "\\." SEG
                       "\\." SEG "\\." SEG "\\.consul\\.)"},
    {"service", "^cluster\\.((?:" SEG "~)?(?:" SEG "\\.)?(" SEG ")\\." SEG "\\." SEG "\\." SEG
                "\\." SEG "\\.consul\\.)"},
    {"namespace", "^cluster\\.((?:" SEG "~)?(?:" SEG "\\.)?" SEG "\\.(" SEG ")\\." SEG "\\." SEG
                  "\\." SEG "\\.consul\\.)"},
    {"datacenter", "^cluster\\.((?:" SEG "~)?(?:" SEG "\\.)?" SEG "\\." SEG "\\.(" SEG ")\\." SEG
                   "\\." SEG "\\.consul\\.)"},
    {"routing_type", "^cluster\\.((?:" SEG "~)?(?:" SEG "\\.)?" SEG "\\." SEG "\\." SEG "\\.(" SEG
                     ")\\." SEG "\\.consul\\.)"},
    {"trust_domain", "^cluster\\.((?:" SEG "~)?(?:" SEG "\\.)?" SEG "\\." SEG "\\." SEG "\\." SEG
                     "\\.(" SEG ")\\.consul\\.)"},
    {"target", "^cluster\\.(((?:" SEG "~)?(?:" SEG "\\.)?" SEG "\\." SEG "\\." SEG ")\\." SEG
               "\\." SEG "\\.consul\\.)"},
    {"full_target", "^cluster\\.(((?:" SEG "~)?(?:" SEG "\\.)?" SEG "\\." SEG "\\." SEG "\\." SEG
                    "\\." SEG ")\\.consul\\.)"},
};

static const struct rule listener_rules[] = {
    {"service", "^(?:tcp|http)\\.upstream\\.((" SEG ")(?:\\." SEG ")?\\." SEG "\\.)"},
    {"datacenter", "^(?:tcp|http)\\.upstream\\.(" SEG "(?:\\." SEG ")?\\.(" SEG ")\\.)"},
    {"namespace", "^(?:tcp|http)\\.upstream\\.(" SEG "(?:\\.(" SEG "))?\\." SEG "\\.)"},
};

static bool is_named(const json_t *tags, const char *name)
{
    size_t i;
    json_t *tag;
    json_array_foreach((json_t *)(uintptr_t)tags, i,
                       tag) if (strcmp(json_string_value(json_object_get(tag, "tag_name")), name) ==
                                0) return true;
    return false;
}

static void add_rules(json_t *tags, const char *prefix, const struct rule *rules, size_t count)
{
    char name[64];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "%s%s", prefix, rules[i].name);
        if (!is_named(tags, name))
            (void)json_array_append_new(
                tags, json_pack("{s:s, s:s}", "tag_name", name, "regex", rules[i].regex));
    }
}

static void add_fixed(json_t *tags, const char *name, const char *value)
{
    if (*value && !is_named(tags, name))
        (void)json_array_append_new(
            tags, json_pack("{s:s, s:s}", "tag_name", name, "fixed_value", value));
}

/* ---- tags of the user ---- */

/* "NAME=VALUE", or "NAME", which gets the value "1". */
static void add_own(json_t *tags, const char *text)
{
    const char *equals = strchr(text, '=');
    char *name = cu_strdup(text);
    name[equals ? (size_t)(equals - text) : strlen(text)] = '\0';
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    add_fixed(tags, name, equals ? equals + 1 : "1");
    free(name);
}

static json_t *make_tags(const struct bootstrap *in)
{
    json_t *tags = json_array(), *own = json_object_get(in->config, "envoy_stats_tags"), *tag;
    size_t i;
    json_array_foreach(own, i, tag) if (json_is_string(tag)) add_own(tags, json_string_value(tag));
    add_rules(tags, "consul.destination.", cluster_rules, CU_COUNT(cluster_rules));
    add_rules(tags, "consul.upstream.", listener_rules, CU_COUNT(listener_rules));
    if (!in->omits_deprecated_tags)
        add_rules(tags, "consul.", cluster_rules, CU_COUNT(cluster_rules));
    add_fixed(tags, "local_cluster", in->cluster);
    add_fixed(tags, "consul.source.service", in->cluster);
    add_fixed(tags, "consul.source.namespace", in->ns);
    add_fixed(tags, "consul.source.datacenter", in->datacenter);
    return tags;
}

/* ---- sinks ---- */

static enum cu_err parse(const struct bootstrap *in, const char *key, json_t **ret_json,
                         struct cu_diag *diag)
{
    const char *text = json_string_value(json_object_get(in->config, key));
    struct cu_buf list = {0};
    json_error_t error;
    *ret_json = NULL;
    if (!text || !*text)
        return CU_OK;
    cu_buf_printf(&list, *text == '[' ? "%s" : "[%s]", text);
    *ret_json = json_loadb((const char *)list.data, list.len, 0, &error);
    cu_buf_deinit(&list);
    return *ret_json ? CU_OK : cu_fail(diag, CU_E_INVALID, "%s: %s", key, error.text);
}

/* "udp://IP:PORT", "unix:///PATH", or "$NAME" of a variable that holds one. */
static enum cu_err sink_address(const char *url, const char *kind, json_t **ret_address,
                                struct cu_diag *diag)
{
    if (*url == '$')
        url = getenv(url + 1) ? getenv(url + 1) : "";
    const char *sep = strstr(url, "://");
    struct bootstrap_address address = {0};
    if (sep && strncasecmp(url, "unix://", 7) == 0) {
        *ret_address = json_pack("{s:{s:s}}", "pipe", "path", url + 7);
        return CU_OK;
    }
    if (!sep || strncasecmp(url, "udp://", 6) != 0)
        return cu_fail(diag, CU_E_INVALID, "unsupported address protocol \"%.*s\" for %s sink",
                       sep ? (int)(sep - url) : (int)strlen(url), url, kind);
    if (!bootstrap_address_read(sep + 3, strlen(sep + 3), &address))
        return cu_fail(diag, CU_E_INVALID, "no IP:PORT in \"%.100s\" of the %s sink", url, kind);
    *ret_address = bootstrap_address_json(&address);
    return CU_OK;
}

static enum cu_err add_sink(const struct bootstrap *in, const char *key, const char *name,
                            const char *type, json_t *sinks, struct cu_diag *diag)
{
    const char *url = json_string_value(json_object_get(in->config, key));
    json_t *address = NULL;
    if (!url || !*url)
        return CU_OK;
    enum cu_err err = sink_address(url, name, &address, diag);
    if (!err)
        (void)json_array_append_new(sinks,
                                    json_pack("{s:s, s:{s:s, s:o}}", "name", name, "typed_config",
                                              "@type", type, "address", address));
    return err;
}

static enum cu_err add_sinks(const struct bootstrap *in, json_t *document, struct cu_diag *diag)
{
    json_t *sinks = json_array(), *more = NULL;
    enum cu_err err =
        add_sink(in, "envoy_statsd_url", "envoy.stat_sinks.statsd",
                 "type.googleapis.com/envoy.config.metrics.v3.StatsdSink", sinks, diag);
    if (!err)
        err = add_sink(in, "envoy_dogstatsd_url", "envoy.stat_sinks.dog_statsd",
                       "type.googleapis.com/envoy.config.metrics.v3.DogStatsdSink", sinks, diag);
    if (!err)
        err = parse(in, "envoy_extra_stats_sinks_json", &more, diag);
    if (!err && more)
        (void)json_array_extend(sinks, more);
    json_decref(more);
    if (!err && json_array_size(sinks))
        (void)json_object_set(document, "stats_sinks", sinks);
    json_decref(sinks);
    return err;
}

enum cu_err bootstrap_add_stats(const struct bootstrap *in, json_t *document, struct cu_diag *diag)
{
    json_t *whole = NULL, *interval = json_object_get(in->config, "envoy_stats_flush_interval");
    enum cu_err err = parse(in, "envoy_stats_config_json", &whole, diag);
    if (err)
        return err;
    if (json_array_size(whole))
        (void)json_object_set(document, "stats_config", json_array_get(whole, 0));
    else
        (void)json_object_set_new(
            document, "stats_config",
            json_pack("{s:o, s:b}", "stats_tags", make_tags(in), "use_all_default_tags", 1));
    json_decref(whole);
    if (json_is_string(interval))
        (void)json_object_set(document, "stats_flush_interval", interval);
    return add_sinks(in, document, diag);
}
