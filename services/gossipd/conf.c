#include "services/gossipd/conf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "services/gossipd/core/codec.h"
#include "services/gossipd/io/resolve.h"
#include "services/gossipd/io/sockaddr.h"

/* ---- tags (gossip.md 23.2) ---- */

static void tag(struct gossip_conf *to, const char *name, const char *value)
{
    CU_ASSERT(to->tags.count < GOSSIP_TAGS_MAX);
    to->tags.tag[to->tags.count++] = (struct gossip_tag){cu_bytes_of(name), cu_bytes_of(value)};
}

static void tag_number(struct gossip_conf *to, const char *name, int64_t number)
{
    CU_ASSERT(to->value_count < GOSSIP_CONF_VALUES);
    char *value = to->values[to->value_count++];
    (void)snprintf(value, sizeof to->values[0], "%" PRId64, number);
    tag(to, name, value);
}

/* What each member says of itself; what is not built is not said. */
static void tag_member(const struct cu_conf *conf, const struct gossip_identity *identity,
                       struct gossip_conf *to)
{
    tag(to, "role", cu_conf_bool(conf, "server") ? "consul" : "node");
    tag(to, "dc", cu_conf_text(conf, "datacenter"));
    tag(to, "segment", "");
    tag(to, "id", identity->node_id);
    tag(to, "vsn", "2");
    tag(to, "vsn_min", "2");
    tag(to, "vsn_max", "3");
    tag(to, "build", "1.9.8:"); /* what peers of the reference compare with */
    tag(to, "acls", cu_conf_bool(conf, "acl.enabled") ? "1" : "0");
}

static void tag_server(const struct cu_conf *conf, struct gossip_conf *to)
{
    int64_t expect = cu_conf_int(conf, "bootstrap_expect");
    bool bootstrap = cu_conf_bool(conf, "bootstrap") || cu_conf_bool(conf, "dev_mode");
    tag(to, "raft_vsn", "3");
    tag_number(to, "port", cu_conf_int(conf, "ports.server"));
    tag_number(to, "raft_port", cu_conf_int(conf, "raftd.port"));
    if (bootstrap || expect == 1)
        tag(to, "bootstrap", "1");
    else if (expect > 1)
        tag_number(to, "expect", expect);
    tag(to, "ft_fs", "1");
    tag(to, "ft_si", "1");
}

/* Others remove a client sooner that says so; its unit is that of the reference. */
static void tag_client(const struct cu_conf *conf, struct gossip_conf *to)
{
    int64_t timeout_ms = cu_conf_ms(conf, "advertise_reconnect_timeout");
    char text[CU_DURATION_BYTES];
    if (timeout_ms <= 0)
        return;
    char *value = to->values[to->value_count++];
    (void)snprintf(value, sizeof to->values[0], "%.31s",
                   cu_format_duration(timeout_ms * 1000000, text));
    tag(to, "rc_tm", value);
}

static enum cu_err read_tags(const struct cu_conf *conf, const struct gossip_identity *identity,
                             struct gossip_conf *to, struct cu_diag *diag)
{
    struct cu_buf meta = {0};
    tag_member(conf, identity, to);
    if (cu_conf_bool(conf, "server"))
        tag_server(conf, to);
    else
        tag_client(conf, to);
    enum cu_err err = gossip_tags_encode(&meta, &to->tags);
    cu_buf_deinit(&meta);
    return err ? cu_fail(diag, err, "Encoded length of tags exceeds limit of %d bytes",
                         GOSSIP_META_MAX_BYTES)
               : CU_OK;
}

/* ---- timing ---- */

static uint32_t ms_of(const struct cu_conf *conf, const char *key, uint32_t of_profile)
{
    return cu_conf_is_set(conf, key) ? (uint32_t)cu_conf_ms(conf, key) : of_profile;
}

static uint32_t number_of(const struct cu_conf *conf, const char *key, uint32_t of_profile)
{
    return cu_conf_is_set(conf, key) ? (uint32_t)cu_conf_int(conf, key) : of_profile;
}

static struct gossip_timing timing_of(const struct cu_conf *conf)
{
    bool dev = cu_conf_bool(conf, "dev_mode");
    struct gossip_timing timing =
        gossip_timing_profiles[dev ? GOSSIP_PROFILE_CONSUL_DEV : GOSSIP_PROFILE_CONSUL_LAN];
    timing.probe_interval_ms = ms_of(conf, "gossip_lan.probe_interval", timing.probe_interval_ms);
    timing.probe_timeout_ms = ms_of(conf, "gossip_lan.probe_timeout", timing.probe_timeout_ms);
    timing.gossip_interval_ms =
        ms_of(conf, "gossip_lan.gossip_interval", timing.gossip_interval_ms);
    timing.gossip_nodes = number_of(conf, "gossip_lan.gossip_nodes", timing.gossip_nodes);
    timing.suspicion_mult = number_of(conf, "gossip_lan.suspicion_mult", timing.suspicion_mult);
    timing.retransmit_mult = number_of(conf, "gossip_lan.retransmit_mult", timing.retransmit_mult);
    if (cu_conf_is_set(conf, "reconnect_timeout"))
        timing.reconnect_timeout_ms = (uint64_t)cu_conf_ms(conf, "reconnect_timeout");
    return timing;
}

/* ---- the rest ---- */

/* The name goes into packets, lines of a file and DNS (gossip.md 22). */
static enum cu_err check_name(const char *name, struct cu_diag *diag)
{
    if (gossip_name_is_fit(cu_bytes_of(name)) && strlen(name) <= GOSSIP_NAME_VALID_BYTES)
        return CU_OK;
    return cu_fail(diag, CU_E_INVALID,
                   "node_name must be of 1 to %d bytes and have no control characters",
                   GOSSIP_NAME_VALID_BYTES);
}

static enum cu_err read_ip(const char *key, const char *text, struct gossip_ip *ret_ip,
                           struct cu_diag *diag)
{
    return gossip_ip_parse(text, ret_ip)
               ? CU_OK
               : cu_fail(diag, CU_E_INVALID, "%s: \"%.64s\" is no IP address", key, text);
}

static enum cu_err read_addresses(const struct cu_conf *conf,
                                  const struct gossip_identity *identity, struct gossip_conf *to,
                                  struct cu_diag *diag)
{
    const char *own = cu_conf_text(conf, "serf_lan");
    to->bind.port = to->advertise.port = (uint16_t)cu_conf_int(conf, "ports.serf_lan");
    enum cu_err err = read_ip(*own ? "serf_lan" : "bind_addr", *own ? own : identity->bind_ip,
                              &to->bind.ip, diag);
    if (!err)
        err = read_ip("advertise_addr", identity->advertise_ip, &to->advertise.ip, diag);
    return err;
}

static enum cu_err read_joins(const struct cu_conf *conf, const char *key,
                              const char *ret_joins[GOSSIP_CONF_JOINS_MAX], size_t *ret_count,
                              struct cu_diag *diag)
{
    const json_t *joins = cu_conf_json(conf, key);
    size_t count = json_array_size(joins);
    enum cu_err err = CU_OK;
    if (count > GOSSIP_CONF_JOINS_MAX)
        return cu_fail(diag, CU_E_INVALID, "%s: at most %d entries", key, GOSSIP_CONF_JOINS_MAX);
    for (size_t i = 0; !err && i < count; i++) {
        struct gossip_entry entry;
        struct cu_diag why = {0};
        ret_joins[i] = json_string_value(json_array_get(joins, i));
        if (gossip_entry_parse(ret_joins[i], &entry, &why))
            err = cu_fail(diag, CU_E_INVALID, "%s: %s", key, why.text);
    }
    *ret_count = count;
    return err;
}

enum cu_err gossip_conf_read(const struct cu_conf *conf, const struct gossip_identity *identity,
                             struct gossip_conf *ret_conf, struct cu_diag *diag)
{
    struct gossip_conf *to = ret_conf;
    *to = (struct gossip_conf){
        .timing = timing_of(conf),
        .compress = cu_conf_bool(conf, "gossipd.compression"),
        .rejoin_after_leave = cu_conf_bool(conf, "rejoin_after_leave"),
        .datacenter = cu_conf_text(conf, "datacenter"),
        .retry_interval_ms = (uint64_t)cu_conf_ms(conf, "retry_interval"),
        .retry_max = cu_conf_int(conf, "retry_max"),
    };
    enum cu_err err = check_name(identity->name, diag);
    if (!err)
        err = read_addresses(conf, identity, to, diag);
    if (!err)
        err = read_tags(conf, identity, to, diag);
    if (!err)
        err = read_joins(conf, "start_join", to->start_join, &to->start_count, diag);
    if (!err)
        err = read_joins(conf, "retry_join", to->retry_join, &to->retry_count, diag);
    return err;
}
