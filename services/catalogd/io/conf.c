#include "services/catalogd/io/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/endpoint.h"
#include "common/base/num.h"
#include "services/catalogd/core/acl.h"
#include "services/catalogd/io/ca_terms.h"

enum { ADDRESS_BYTES_MAX = 256 };

/* Its raftd's address, as the one of its catalogd. "": it is none. */
static char *with_port(const char *address, int port)
{
    char ip[CU_HOST_BYTES], text[CU_ENDPOINT_BYTES] = "";
    unsigned other;
    if (cu_endpoint_split(address, ip, &other))
        (void)cu_endpoint_text(ip, (unsigned)port, text);
    return cu_strdup(text);
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static enum cu_err add_peer(struct catalog_conf *conf, const char *id, char *address,
                            struct cu_diag *diag)
{
    if (conf->peer_count == CATALOG_PEERS_MAX) {
        free(address);
        return cu_fail(diag, CU_E_TOO_LARGE,
                       "more than %d catalogs in raftd.peers and "
                       "catalogd.catalogs",
                       CATALOG_PEERS_MAX);
    }
    conf->peers[conf->peer_count++] = (struct catalog_peer){id, address};
    return CU_OK;
}

static enum cu_err read_peers(const json_t *list, struct catalog_conf *conf, struct cu_diag *diag)
{
    size_t i;
    json_t *peer;
    json_array_foreach(list, i, peer)
    {
        const char *own = member(peer, "catalog_address"), *raft = member(peer, "address");
        char *address = own[0] ? cu_strdup(own) : with_port(raft, conf->port);
        if (!*address || strlen(address) > ADDRESS_BYTES_MAX) {
            free(address);
            return cu_fail(diag, CU_E_INVALID, "raftd.peers: entry %zu has no usable address", i);
        }
        enum cu_err err = add_peer(conf, member(peer, "id"), address, diag);
        if (err)
            return err;
    }
    return CU_OK;
}

static enum cu_err read_catalogs(const json_t *list, struct catalog_conf *conf,
                                 struct cu_diag *diag)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *address = json_string_value(entry);
        if (!address || strlen(address) > ADDRESS_BYTES_MAX)
            return cu_fail(diag, CU_E_INVALID, "catalogd.catalogs: entry %zu is no address", i);
        enum cu_err err = add_peer(conf, "", cu_strdup(address), diag);
        if (err)
            return err;
    }
    return CU_OK;
}

static enum cu_err read_readers(const json_t *list, struct catalog_conf *conf, struct cu_diag *diag)
{
    size_t i;
    json_t *entry;
    if (json_array_size(list) > CATALOG_READERS_MAX)
        return cu_fail(diag, CU_E_INVALID, "raftd.readers: at most %d entries",
                       CATALOG_READERS_MAX);
    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(entry);
        if (!text || cu_network_parse(text, &conf->readers[conf->reader_count++]))
            return cu_fail(diag, CU_E_INVALID,
                           "raftd.readers: \"%.64s\" is neither an IP address nor a network",
                           text ? text : "");
    }
    return CU_OK;
}

/* ---- the CA ---- */

#define CLUSTER_ID "cluster_id"

/* Keys of connect.ca_config, and how the CA's own configuration spells them (mesh.md 1.9): a file
 * may use either. */
static const struct ca_key {
    const char *key, *name, *fallback;
} ca_keys[] = {
    {"leaf_cert_ttl", "LeafCertTTL", "72h"},
    {"intermediate_cert_ttl", "IntermediateCertTTL", "8760h"},
    {"rotation_period", "RotationPeriod", "2160h"},
    {"csr_max_per_second", "CSRMaxPerSecond", NULL},
    {"csr_max_concurrent", "CSRMaxConcurrent", NULL},
    {"private_key_type", "PrivateKeyType", NULL},
    {"private_key_bits", "PrivateKeyBits", NULL},
    {"private_key", "PrivateKey", NULL},
    {"root_cert", "RootCert", NULL},
    {"skip_validate", "SkipValidate", NULL},
    {"disable_cross_signing", "DisableCrossSigning", NULL},
};

static bool is_ca_key(const char *key)
{
    for (size_t i = 0; i < CU_COUNT(ca_keys); i++)
        if (strcmp(key, ca_keys[i].key) == 0 || strcmp(key, ca_keys[i].name) == 0)
            return true;
    return strcmp(key, CLUSTER_ID) == 0;
}

/* A misspelt key would leave a lifetime or a rate as it is, unnoticed. */
static enum cu_err check_ca_keys(const json_t *given, struct cu_diag *diag)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)given, key, value)
    {
        if (!is_ca_key(key))
            return cu_fail(diag, CU_E_INVALID, "invalid config key connect.ca_config.%.100s", key);
    }
    return CU_OK;
}

static enum cu_err read_ca(const struct cu_conf *conf, struct catalog_conf *read,
                           struct cu_diag *diag)
{
    const json_t *given = cu_conf_json(conf, "connect.ca_config");
    const char *provider = cu_conf_text(conf, "connect.ca_provider");
    const char *id = json_string_value(json_object_get(given, CLUSTER_ID));
    json_t *config = json_object();
    for (size_t i = 0; i < CU_COUNT(ca_keys); i++) {
        json_t *value = json_object_get(given, ca_keys[i].key);
        if (!value)
            value = json_object_get(given, ca_keys[i].name);
        if (value)
            (void)json_object_set(config, ca_keys[i].name, value);
        else if (ca_keys[i].fallback)
            (void)json_object_set_new(config, ca_keys[i].name, json_string(ca_keys[i].fallback));
    }
    read->connect_enabled = cu_conf_bool(conf, "connect.enabled");
    read->ca_cluster_id = id ? id : "";
    read->ca_config = json_dumps(config, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(config);
    if (id && *id && !cu_is_uuid(id))
        return cu_fail(diag, CU_E_INVALID,
                       "connect.ca_config: cluster_id was supplied but was not a valid UUID");
    if (*provider && strcmp(provider, "consul") != 0)
        return cu_fail(diag, CU_E_INVALID, "connect.ca_provider: unknown CA provider \"%s\"",
                       provider);
    enum cu_err err = check_ca_keys(given, diag);
    return err ? err : catalog_ca_terms_check(cu_bytes_of(read->ca_config), diag);
}

/* ---- access control ---- */

static enum cu_err read_master(const struct cu_conf *conf, struct catalog_conf *read,
                               struct cu_diag *diag)
{
    read->acl_master = cu_conf_text(conf, "acl.tokens.master");
    if (!*read->acl_master)
        read->acl_master = cu_conf_text(conf, "acl_master_token");
    return strlen(read->acl_master) <= CATALOG_ACL_SECRET_BYTES_MAX
               ? CU_OK
               : cu_fail(diag, CU_E_INVALID, "acl.tokens.master: over %d bytes",
                         CATALOG_ACL_SECRET_BYTES_MAX);
}

enum cu_err catalog_conf_read(const struct cu_conf *conf, struct catalog_conf *ret_conf,
                              struct cu_diag *diag)
{
    struct catalog_conf read = {
        .follow = cu_conf_text(conf, "catalogd.follow"),
        .port = (int)cu_conf_int(conf, "ports.server"),
        .grpc_port = (int)cu_conf_int(conf, "catalogd.grpc_port"),
        .hold_ms = cu_conf_ms(conf, "performance.rpc_hold_timeout"),
        .query_default_ms = cu_conf_ms(conf, "default_query_time"),
        .query_max_ms = cu_conf_ms(conf, "max_query_time"),
        .value_max_bytes = cu_conf_int(conf, "limits.kv_max_value_size"),
    };
    enum cu_err err = read_peers(cu_conf_json(conf, "raftd.peers"), &read, diag);
    if (!err)
        err = read_catalogs(cu_conf_json(conf, "catalogd.catalogs"), &read, diag);
    if (!err)
        err = read_readers(cu_conf_json(conf, "raftd.readers"), &read, diag);
    if (!err)
        err = read_ca(conf, &read, diag);
    if (!err)
        err = read_master(conf, &read, diag);
    if (!err)
        err = cu_conf_acl(conf, &read.acl, diag);
    if (err)
        catalog_conf_deinit(&read);
    else
        *ret_conf = read;
    return err;
}

enum cu_err catalog_conf_check(const struct cu_conf *conf, struct cu_diag *diag)
{
    struct catalog_conf read;
    enum cu_err err = catalog_conf_read(conf, &read, diag);
    if (!err)
        catalog_conf_deinit(&read);
    return err;
}

void catalog_conf_deinit(struct catalog_conf *conf)
{
    for (size_t i = 0; i < conf->peer_count; i++)
        free((char *)(uintptr_t)conf->peers[i].address);
    conf->peer_count = 0;
    free(conf->ca_config);
    conf->ca_config = NULL;
}

char *catalog_conf_address_of(const struct catalog_conf *conf, const char *id,
                              const char *raft_address)
{
    for (size_t i = 0; i < conf->peer_count; i++)
        if (id[0] && strcmp(conf->peers[i].id, id) == 0)
            return cu_strdup(conf->peers[i].address);
    return with_port(raft_address, conf->port);
}
