#include "services/raftd/conf.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "common/base/num.h"

/* The reference's -dev: it is its own quorum and waits for none of them (consensus.md 3). */
static const struct raft_timing timing_dev = {.heartbeat_ms = 5,
                                              .heartbeat_spread_ms = 2,
                                              .contact_ms = 35,
                                              .election_ms = 52,
                                              .lease_ms = 20};

static enum cu_err copy_ip(const char *from, char to[RAFT_ADDRESS_BYTES], const char *key,
                           struct cu_diag *diag)
{
    struct in6_addr address;
    if (!from || strlen(from) >= RAFT_ADDRESS_BYTES ||
        (inet_pton(AF_INET, from, &address) != 1 && inet_pton(AF_INET6, from, &address) != 1))
        return cu_fail(diag, CU_E_INVALID, "%s: \"%.64s\" is no IP address", key, from ? from : "");
    memcpy(to, from, strlen(from) + 1);
    return CU_OK;
}

static enum cu_err read_peer(const json_t *json, struct raft_peer_address *peer,
                             struct cu_diag *diag)
{
    const char *id = json_string_value(json_object_get(json, "id"));
    const json_t *port = json_object_get(json, "port");
    long long number = port ? json_integer_value(port) : 8310;
    if (!id || cu_parse_uuid(id, peer->id.bytes))
        return cu_fail(diag, CU_E_INVALID, "raftd.peers: every entry needs an id that is a UUID");
    if (number < 1 || number > UINT16_MAX)
        return cu_fail(diag, CU_E_INVALID, "raftd.peers: port of %s must be between 1 and 65535",
                       id);
    peer->port = (uint16_t)number;
    return copy_ip(json_string_value(json_object_get(json, "address")), peer->ip, "raftd.peers",
                   diag);
}

static enum cu_err read_peers(const struct cu_conf *conf, struct raft_conf *to,
                              struct cu_diag *diag)
{
    const json_t *peers = cu_conf_json(conf, "raftd.peers");
    size_t count = peers ? json_array_size(peers) : 0;
    if (count > RAFT_CONF_PEERS_MAX)
        return cu_fail(diag, CU_E_INVALID, "raftd.peers: at most %d entries", RAFT_CONF_PEERS_MAX);
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < count; i++)
        err = read_peer(json_array_get(peers, i), &to->peers[to->peer_count++], diag);
    return err;
}

static enum cu_err read_readers(const struct cu_conf *conf, struct raft_conf *to,
                                struct cu_diag *diag)
{
    const json_t *readers = cu_conf_json(conf, "raftd.readers");
    size_t count = readers ? json_array_size(readers) : 0;
    if (count > RAFT_CONF_READERS_MAX)
        return cu_fail(diag, CU_E_INVALID, "raftd.readers: at most %d entries",
                       RAFT_CONF_READERS_MAX);
    enum cu_err err = CU_OK;
    for (size_t i = 0; !err && i < count; i++) {
        const char *text = json_string_value(json_array_get(readers, i));
        if (!text || cu_network_parse(text, &to->readers[to->reader_count++]))
            err = cu_fail(diag, CU_E_INVALID,
                          "raftd.readers: \"%.64s\" is neither an IP address nor a network",
                          text ? text : "");
    }
    return err;
}

/* By name or by number (contracts 2.3: a local caller is told by its uid). */
static enum cu_err read_user(const struct cu_conf *conf, struct raft_conf *to, struct cu_diag *diag)
{
    const char *name = cu_conf_text(conf, "raftd.catalogd_user");
    uint64_t number = 0;
    char text[1024];
    struct passwd entry, *found = NULL;
    if (!*name)
        return CU_OK;
    if (!cu_parse_u64(name, strlen(name), &number) && number < UINT32_MAX) {
        to->catalogd_uid = (unsigned)number;
        return CU_OK;
    }
    if (getpwnam_r(name, &entry, text, sizeof text, &found) || !found)
        return cu_fail(diag, CU_E_INVALID, "raftd.catalogd_user: this host has no user \"%.64s\"",
                       name);
    to->catalogd_uid = (unsigned)entry.pw_uid;
    return CU_OK;
}

static bool names_peer(const struct raft_conf *conf, struct raft_id id)
{
    for (uint32_t i = 0; i < conf->peer_count; i++)
        if (raft_id_equal(conf->peers[i].id, id))
            return true;
    return false;
}

/* With raftd.peers the set to wait for is these and this server, without them gossip finds it
 * (contracts 4.1). */
static enum cu_err expect(struct raft_conf *conf, struct raft_id self, int64_t expected,
                          struct cu_diag *diag)
{
    bool has_self = names_peer(conf, self);
    uint32_t known = conf->peer_count + (has_self ? 0 : 1);
    if (expected > RAFT_SERVERS_MAX)
        return cu_fail(diag, CU_E_INVALID, "bootstrap_expect: at most %d servers",
                       RAFT_SERVERS_MAX);
    if (conf->peer_count == 0) {
        conf->expect = (uint32_t)expected;
        return CU_OK;
    }
    if (known != expected) {
        (void)snprintf(conf->warning, sizeof conf->warning,
                       "Member has a conflicting expect value. All nodes should expect the same "
                       "number. bootstrap_expect is %lld, raftd.peers and this server are %u: this "
                       "server waits to be added and bootstraps nothing",
                       (long long)expected, known);
        return CU_OK;
    }
    for (uint32_t i = 0; i < conf->peer_count; i++)
        conf->bootstrap[conf->bootstrap_count++] = conf->peers[i].id;
    if (!has_self)
        conf->bootstrap[conf->bootstrap_count++] = self;
    return CU_OK;
}

static struct raft_timing timing_of(const struct cu_conf *conf)
{
    if (cu_conf_bool(conf, "dev_mode"))
        return timing_dev;
    if (cu_conf_is_set(conf, "performance.raft_multiplier"))
        return raft_timing_reference((unsigned)cu_conf_int(conf, "performance.raft_multiplier"));
    return raft_timing_default;
}

enum cu_err raft_conf_read(const struct cu_conf *conf, struct raft_id self,
                           struct raft_conf *ret_conf, struct cu_diag *diag)
{
    struct raft_conf to = {
        .port = (uint16_t)cu_conf_int(conf, "raftd.port"),
        .trailing = (uint64_t)cu_conf_int(conf, "raft_trailing_logs"),
        .timing = timing_of(conf),
    };
    enum cu_err err = raft_timing_check(&to.timing, diag);
    if (!err)
        err = read_peers(conf, &to, diag);
    if (!err)
        err = read_readers(conf, &to, diag);
    if (!err)
        err = read_user(conf, &to, diag);
    int64_t expected = cu_conf_int(conf, "bootstrap_expect");
    to.is_alone = cu_conf_bool(conf, "bootstrap") || expected == 1;
    if (to.is_alone)
        to.bootstrap[to.bootstrap_count++] = self;
    else if (!err && expected > 1)
        err = expect(&to, self, expected, diag);
    if (!err)
        *ret_conf = to;
    return err;
}
