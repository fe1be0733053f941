#include "common/conf/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "common/base/num.h"

static void warn(json_t *warnings, const char *fmt, const char *what)
{
    char text[CU_DIAG_BYTES];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    (void)snprintf(text, sizeof text, fmt, what); /* formats of this file only */
#pragma GCC diagnostic pop
    if (warnings)
        (void)json_array_append_new(warnings, json_string(text));
}

static enum cu_err check_state(const struct cu_key *key, const json_t *value, json_t *warnings,
                               struct cu_diag *diag)
{
    switch (key->state) {
    case CU_KEY_BUILT:
    case CU_KEY_IGNORED:
        return CU_OK;
    case CU_KEY_OBSOLETE:
        warn(warnings, "config key \"%s\" is deprecated and should be removed", key->path);
        return CU_OK;
    case CU_KEY_LATER:
        if (!cu_conf_is_fallback(key, value))
            warn(warnings, "config key \"%s\" is known but not built yet: it has no effect",
                 key->path);
        return CU_OK;
    case CU_KEY_REFUSED:
        if (cu_conf_is_fallback(key, value))
            return CU_OK;
        return cu_fail(diag, CU_E_INVALID,
                       "config key \"%s\" is not built yet and what it protects would stay open: "
                       "remove it to go on without",
                       key->path);
    }
    return CU_OK;
}

enum cu_err cu_conf_check_states(const struct cu_conf_values *values, json_t *warnings,
                                 struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < cu_key_count; i++)
        if (values->slot[i])
            err = check_state(&cu_keys[i], values->slot[i], warnings, diag);
    return err;
}

static enum cu_err out_of_bounds(const struct cu_key *key, const char *value, struct cu_diag *diag)
{
    return cu_fail(diag, CU_E_INVALID, "%s cannot be %s. Must be between %lld and %lld%s",
                   key->path, value, (long long)key->min, (long long)key->max,
                   key->type == CU_KEY_MS ? " ms" : "");
}

static enum cu_err check_bounds(const struct cu_key *key, const json_t *value, struct cu_diag *diag)
{
    if (key->type == CU_KEY_INT) {
        char text[24];
        int64_t number = json_integer_value(value);
        (void)snprintf(text, sizeof text, "%lld", (long long)number);
        return number < key->min || number > key->max ? out_of_bounds(key, text, diag) : CU_OK;
    }
    if (key->type != CU_KEY_MS)
        return CU_OK;
    int64_t ns;
    struct cu_diag why = {0};
    const char *text = json_string_value(value);
    if (cu_parse_duration_ns(text, &ns, &why))
        return cu_fail(diag, CU_E_INVALID,
                       "1 error occurred:\n\t* %s: invalid duration: \"%.100s\": %s\n\n", key->path,
                       text, why.text);
    if (ns < 0 || ns / 1000000 < key->min || ns / 1000000 > key->max)
        return out_of_bounds(key, text, diag);
    return CU_OK;
}

enum cu_err cu_conf_check_bounds(const struct cu_conf_values *values, struct cu_diag *diag)
{
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < cu_key_count; i++)
        if (values->slot[i])
            err = check_bounds(&cu_keys[i], values->slot[i], diag);
    return err;
}

/* ---- the whole ---- */

static bool is_datacenter(const char *text)
{
    if (!*text)
        return false;
    for (; *text; text++)
        if (!islower((unsigned char)*text) && !isdigit((unsigned char)*text) && *text != '-' &&
            *text != '_')
            return false;
    return true;
}

static bool is_ip(const char *text)
{
    unsigned char binary[16];
    return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1;
}

static bool is_wildcard(const char *text)
{
    return !strcmp(text, "0.0.0.0") || !strcmp(text, "::") || !strcmp(text, "[::]");
}

static enum cu_err check_node(const struct cu_conf *conf, bool dev, json_t *warnings,
                              struct cu_diag *diag)
{
    const char *name = cu_conf_text(conf, "node_name"), *data_dir = cu_conf_text(conf, "data_dir");
    const char *id = cu_conf_text(conf, "node_id");
    struct stat info;
    if (!is_datacenter(cu_conf_text(conf, "datacenter")))
        return cu_fail(diag, CU_E_INVALID,
                       "datacenter can only contain lowercase alphanumeric, - or _ characters. "
                       "received: \"%s\"",
                       cu_conf_text(conf, "datacenter"));
    if (!*data_dir && !dev)
        return cu_fail(diag, CU_E_INVALID, "data_dir cannot be empty");
    if (*data_dir && !stat(data_dir, &info) && !S_ISDIR(info.st_mode))
        return cu_fail(diag, CU_E_INVALID, "data_dir \"%s\" is not a directory", data_dir);
    if (!*name)
        return cu_fail(diag, CU_E_INVALID, "node_name cannot be empty");
    if (*id && !cu_is_uuid(id))
        return cu_fail(diag, CU_E_INVALID, "node_id: specified node id is not a UUID: \"%s\"", id);
    if (strlen(name) > 63 || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-") != strlen(name))
        warn(warnings,
             "Node name \"%s\" will not be discoverable via DNS due to invalid characters or "
             "length. "
             "Valid characters include all alpha-numerics and dashes.",
             name);
    return CU_OK;
}

static enum cu_err check_address(const struct cu_conf *conf, const char *key, struct cu_diag *diag)
{
    const char *text = cu_conf_text(conf, key);
    if (strstr(text, "{{"))
        return cu_fail(diag, CU_E_INVALID, "%s: address templates are not built yet: \"%s\"", key,
                       text);
    if (!strncmp(text, "unix://", 7))
        return cu_fail(diag, CU_E_INVALID, "%s: unix sockets are not built yet: \"%s\"", key, text);
    for (const char *at = text + strspn(text, " "); *at;) {
        char one[64];
        size_t len = strcspn(at, " ");
        (void)snprintf(one, sizeof one, "%.*s", (int)(len < sizeof one ? len : sizeof one - 1), at);
        if (!is_ip(one))
            return cu_fail(diag, CU_E_INVALID, "%s: invalid ip address: \"%.100s\"", key, text);
        at += len;
        at += strspn(at, " ");
    }
    return CU_OK;
}

static enum cu_err check_addresses(const struct cu_conf *conf, struct cu_diag *diag)
{
    static const char *const keys[] = {"bind_addr", "advertise_addr", "client_addr",
                                       "addresses.http", "serf_lan"};
    if (strchr(cu_conf_text(conf, "bind_addr"), ' '))
        return cu_fail(diag, CU_E_INVALID,
                       "bind_addr cannot contain multiple addresses. Use "
                       "'addresses.{dns,http,https}' instead.");
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < CU_COUNT(keys); i++)
        err = check_address(conf, keys[i], diag);
    if (!err && is_wildcard(cu_conf_text(conf, "advertise_addr")))
        err = cu_fail(diag, CU_E_INVALID, "Advertise address cannot be 0.0.0.0, :: or [::]");
    return err;
}

static enum cu_err check_bootstrap(const struct cu_conf *conf, bool dev, json_t *warnings,
                                   struct cu_diag *diag)
{
    int64_t expect = cu_conf_int(conf, "bootstrap_expect");
    bool bootstrap = cu_conf_bool(conf, "bootstrap"), server = cu_conf_bool(conf, "server");
    if (expect < 0)
        return cu_fail(diag, CU_E_INVALID,
                       "bootstrap_expect cannot be %lld. Must be greater than or equal to zero",
                       (long long)expect);
    if (expect > 0 && dev)
        return cu_fail(diag, CU_E_INVALID, "'bootstrap_expect > 0' not allowed in dev mode");
    if (bootstrap && !server)
        return cu_fail(diag, CU_E_INVALID, "'bootstrap = true' requires 'server = true'");
    if (expect > 0 && !server)
        return cu_fail(diag, CU_E_INVALID, "'bootstrap_expect > 0' requires 'server = true'");
    if (expect > 0 && bootstrap)
        return cu_fail(diag, CU_E_INVALID,
                       "'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive");
    if (expect == 1)
        warn(warnings, "%s", "BootstrapExpect is set to 1; this is the same as Bootstrap mode.");
    if (expect > 0 && expect % 2 == 0)
        warn(warnings, "%s",
             expect == 2 ? "bootstrap_expect = 2: A cluster with 2 servers will provide no failure "
                           "tolerance. See the recommended number of servers."
                         : "bootstrap_expect is even number: A cluster with an even number of "
                           "servers does not achieve optimum fault tolerance.");
    if (bootstrap && !dev)
        warn(warnings, "%s", "bootstrap = true: do not enable unless necessary");
    return CU_OK;
}

static bool in_list(const char *word, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(word, list[i]))
            return true;
    return false;
}

static enum cu_err check_alt_domain(const struct cu_conf *conf, struct cu_diag *diag)
{
    static const char *const taken[] = {"service", "connect", "node", "query", "addr"};
    char first[64];
    const char *domain = cu_conf_text(conf, "alt_domain");
    (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(domain, "."), domain);
    if (*first && (in_list(first, taken, CU_COUNT(taken)) ||
                   !strcmp(first, cu_conf_text(conf, "datacenter"))))
        return cu_fail(diag, CU_E_INVALID,
                       "alt_domain cannot start with {service,connect,node,query,addr,%s}",
                       cu_conf_text(conf, "datacenter"));
    return CU_OK;
}

static enum cu_err check_recursors(const struct cu_conf *conf, struct cu_diag *diag)
{
    size_t i;
    json_t *item;
    json_array_foreach((json_t *)(uintptr_t)cu_conf_json(conf, "recursors"), i, item) if (
        is_wildcard(json_string_value(
            item))) return cu_fail(diag, CU_E_INVALID,
                                   "DNS recursor address cannot be 0.0.0.0, :: or [::]");
    return CU_OK;
}

static enum cu_err check_numbers(const struct cu_conf *conf, struct cu_diag *diag)
{
    int64_t multiplier = cu_conf_int(conf, "performance.raft_multiplier");
    if (cu_conf_is_set(conf, "performance.raft_multiplier") && (multiplier < 1 || multiplier > 10))
        return cu_fail(diag, CU_E_INVALID,
                       "performance.raft_multiplier cannot be %lld. Must be between 1 and 10",
                       (long long)multiplier);
    if (cu_conf_int(conf, "check_output_max_size") < 1)
        return cu_fail(diag, CU_E_INVALID,
                       "check_output_max_size must be positive, to discard check output use the "
                       "discard_check_output flag");
    if (cu_conf_ms(conf, "advertise_reconnect_timeout") > 0 && cu_conf_bool(conf, "server"))
        return cu_fail(diag, CU_E_INVALID,
                       "advertise_reconnect_timeout can only be used on a client");
    return CU_OK;
}

static enum cu_err check_choices(const struct cu_conf *conf, struct cu_diag *diag)
{
    static const char *const levels[] = {"trace", "debug", "info", "warn", "err", "error"};
    static const char *const drivers[] = {"loop", "nng"};
    char level[16];
    const char *given = cu_conf_text(conf, "log_level");
    size_t i = 0;
    for (; given[i] && i < sizeof level - 1; i++)
        level[i] = (char)tolower((unsigned char)given[i]);
    level[i] = '\0';
    if (!in_list(level, levels, CU_COUNT(levels)))
        return cu_fail(
            diag, CU_E_INVALID,
            "Invalid log level: %.100s. Valid log levels are: [TRACE DEBUG INFO WARN ERR]", given);
    if (!in_list(cu_conf_text(conf, "bus.local"), drivers, CU_COUNT(drivers)))
        return cu_fail(diag, CU_E_INVALID, "bus.local must be \"loop\" or \"nng\", not \"%.100s\"",
                       cu_conf_text(conf, "bus.local"));
    return CU_OK;
}

/* Two listeners on one address and port: the later one of the list is named first, as the reference
 * does. */
static enum cu_err check_listeners(const struct cu_conf *conf, struct cu_diag *diag)
{
    static const struct {
        const char *name, *port, *address, *other;
        bool server_only;
    } listeners[] = {
        {"HTTP", "ports.http", "addresses.http", "client_addr", false},
        {"Server RPC", "ports.server", "bind_addr", NULL, true},
        {"Raft", "raftd.port", "bind_addr", NULL, true},
        {"Serf LAN", "ports.serf_lan", "serf_lan", "bind_addr", false},
    };
    char taken[CU_COUNT(listeners)][128];
    for (size_t i = 0; i < CU_COUNT(listeners); i++) {
        const char *ip = cu_conf_text(conf, listeners[i].address);
        int64_t port = cu_conf_int(conf, listeners[i].port);
        if (!*ip && listeners[i].other)
            ip = cu_conf_text(conf, listeners[i].other);
        (void)snprintf(taken[i], sizeof taken[i], "%.100s:%lld", ip, (long long)port);
        if (port <= 0 || (listeners[i].server_only && !cu_conf_bool(conf, "server")))
            taken[i][0] = '\0';
        for (size_t k = 0; taken[i][0] && k < i; k++)
            if (!strcmp(taken[i], taken[k]))
                return cu_fail(diag, CU_E_INVALID, "%s address %s already configured for %s",
                               listeners[i].name, taken[i], listeners[k].name);
    }
    return CU_OK;
}

static enum cu_err check_peer(json_t *peer, struct cu_diag *diag)
{
    static const char *const known[] = {"id", "address", "port", "catalog_address"};
    const char *name, *id = json_string_value(json_object_get(peer, "id"));
    const char *address = json_string_value(json_object_get(peer, "address"));
    json_t *value;
    json_object_foreach(
        peer, name,
        value) if (!in_list(name, known,
                            CU_COUNT(
                                known))) return cu_fail(diag, CU_E_INVALID,
                                                        "invalid config key raftd.peers[].%.100s",
                                                        name);
    if (!id || !cu_is_uuid(id))
        return cu_fail(diag, CU_E_INVALID, "raftd.peers: every entry needs an id that is a UUID");
    if (!address || !is_ip(address))
        return cu_fail(diag, CU_E_INVALID,
                       "raftd.peers: %s needs an address that is an IP; its port, if not 8310, is "
                       "the key port",
                       id);
    value = json_object_get(peer, "port");
    if (value && (!json_is_integer(value) || json_integer_value(value) < 1 ||
                  json_integer_value(value) > 65535))
        return cu_fail(diag, CU_E_INVALID, "raftd.peers: port of %s must be between 1 and 65535",
                       id);
    return CU_OK;
}

static enum cu_err check_peers(const struct cu_conf *conf, struct cu_diag *diag)
{
    json_t *peers = (json_t *)(uintptr_t)cu_conf_json(conf, "raftd.peers"), *peer, *other;
    size_t i, k;
    if (json_array_size(peers) > CU_CONF_PEERS)
        return cu_fail(diag, CU_E_INVALID, "raftd.peers: at most %d entries", CU_CONF_PEERS);
    json_array_foreach(peers, i, peer)
    {
        enum cu_err err = check_peer(peer, diag);
        if (err)
            return err;
        json_array_foreach(
            peers, k,
            other) if (k < i &&
                       !strcasecmp(
                           json_string_value(json_object_get(other, "id")),
                           json_string_value(json_object_get(
                               peer, "id")))) return cu_fail(diag, CU_E_INVALID,
                                                             "raftd.peers: id %s is there twice",
                                                             json_string_value(
                                                                 json_object_get(peer, "id")));
    }
    return CU_OK;
}

enum cu_err cu_conf_check_whole(const struct cu_conf *conf, bool dev, json_t *warnings,
                                struct cu_diag *diag)
{
    enum cu_err err = check_node(conf, dev, warnings, diag);
    if (!err)
        err = check_addresses(conf, diag);
    if (!err)
        err = check_bootstrap(conf, dev, warnings, diag);
    if (!err)
        err = check_numbers(conf, diag);
    if (!err)
        err = check_choices(conf, diag);
    if (!err)
        err = check_alt_domain(conf, diag);
    if (!err)
        err = check_recursors(conf, diag);
    if (!err)
        err = check_listeners(conf, diag);
    if (!err)
        err = check_peers(conf, diag);
    return err;
}
