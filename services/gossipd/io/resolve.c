#include "services/gossipd/io/resolve.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/num.h"
#include "common/loop/worker.h"
#include "services/gossipd/io/sockaddr.h"

struct gossip_resolver {
    struct cu_loop *loop;
    struct cu_worker *worker;
    bool is_closing;
};

/* One question; the worker's until it is done. */
struct lookup {
    struct gossip_resolver *resolver;
    struct cu_job job;
    size_t entry_count;
    char **entries;
    uint16_t default_port;
    gossip_on_resolved *on_resolved;
    void *arg;
    uint32_t count, failed_count;
    struct gossip_join_target targets[GOSSIP_JOIN_MAX]; /* names are ours */
    char **failures;
};

/* ---- an entry ---- */

static enum cu_err copy_part(const char *from, size_t len, char *to, size_t size, const char *whole,
                             struct cu_diag *diag)
{
    if (len >= size || !len)
        return cu_fail(diag, CU_E_INVALID, "\"%.200s\" names no host", whole);
    memcpy(to, from, len);
    to[len] = '\0';
    return CU_OK;
}

static enum cu_err parse_port(const char *text, struct gossip_entry *entry, const char *whole,
                              struct cu_diag *diag)
{
    uint64_t port = 0;
    if (cu_parse_u64(text, strlen(text), &port) || !port || port > UINT16_MAX)
        return cu_fail(diag, CU_E_INVALID, "\"%.200s\": \"%.20s\" is no port", whole, text);
    entry->port = (uint16_t)port;
    return CU_OK;
}

/* "host", "host:port", "::1", "[::1]:port" */
static enum cu_err parse_host(const char *text, struct gossip_entry *entry, const char *whole,
                              struct cu_diag *diag)
{
    const char *close = *text == '[' ? strchr(text, ']') : NULL;
    const char *colon = strchr(text, ':');
    if (*text == '[') {
        if (!close || (close[1] && close[1] != ':'))
            return cu_fail(diag, CU_E_INVALID, "\"%.200s\" names no host", whole);
        enum cu_err err = copy_part(text + 1, (size_t)(close - text - 1), entry->host,
                                    sizeof entry->host, whole, diag);
        return err || !close[1] ? err : parse_port(close + 2, entry, whole, diag);
    }
    bool has_port = colon && !strchr(colon + 1, ':'); /* more colons: an IPv6 address, bare */
    size_t len = has_port ? (size_t)(colon - text) : strlen(text);
    enum cu_err err = copy_part(text, len, entry->host, sizeof entry->host, whole, diag);
    return err || !has_port ? err : parse_port(colon + 1, entry, whole, diag);
}

enum cu_err gossip_entry_parse(const char *text, struct gossip_entry *ret_entry,
                               struct cu_diag *diag)
{
    struct gossip_entry entry = {0};
    const char *slash = strchr(text, '/');
    if (strstr(text, "{{") || strstr(text, "provider="))
        return cu_fail(diag, CU_E_INVALID,
                       "\"%.200s\": address templates and cloud auto-join are not built: write a "
                       "host or an address",
                       text);
    enum cu_err err = CU_OK;
    if (slash)
        err = copy_part(text, (size_t)(slash - text), entry.name, sizeof entry.name, text, diag);
    if (!err)
        err = parse_host(slash ? slash + 1 : text, &entry, text, diag);
    if (!err)
        *ret_entry = entry;
    return err;
}

/* ---- the worker's side ---- */

static void fail_entry(struct lookup *lookup, const char *sentence)
{
    lookup->failures[lookup->failed_count++] = cu_strdup(sentence);
}

static void add_target(struct lookup *lookup, const struct gossip_entry *entry, struct gossip_ip ip)
{
    struct gossip_join_target target = {
        .address = {ip, entry->port ? entry->port : lookup->default_port}};
    for (uint32_t i = 0; i < lookup->count; i++)
        if (gossip_addr_equal(lookup->targets[i].address, target.address))
            return;
    if (lookup->count == GOSSIP_JOIN_MAX)
        return; /* so many that one more does not matter */
    target.name = *entry->name ? cu_strdup(entry->name) : NULL;
    lookup->targets[lookup->count++] = target;
}

static void look_up(struct lookup *lookup, const struct gossip_entry *entry, const char *text)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
    struct cu_diag diag = {0};
    int failure = getaddrinfo(entry->host, NULL, &hints, &found);
    if (failure) {
        (void)cu_fail(&diag, CU_E_NOT_FOUND, "Failed to resolve %.200s: %s", text,
                      gai_strerror(failure));
        fail_entry(lookup, diag.text);
        return;
    }
    for (const struct addrinfo *one = found; one; one = one->ai_next) {
        union gossip_sockaddr address = {0};
        if (one->ai_addrlen > sizeof address)
            continue;
        memcpy(&address, one->ai_addr, one->ai_addrlen);
        add_target(lookup, entry, gossip_addr_of(&address).ip);
    }
    freeaddrinfo(found);
}

static void run(void *arg)
{
    struct lookup *lookup = arg;
    for (size_t i = 0; i < lookup->entry_count; i++) {
        struct gossip_entry entry;
        struct gossip_ip ip;
        struct cu_diag diag = {0};
        if (gossip_entry_parse(lookup->entries[i], &entry, &diag))
            fail_entry(lookup, diag.text);
        else if (gossip_ip_parse(entry.host, &ip))
            add_target(lookup, &entry, ip);
        else
            look_up(lookup, &entry, lookup->entries[i]);
    }
}

/* ---- the loop's side ---- */

static void lookup_free(struct lookup *lookup)
{
    for (uint32_t i = 0; i < lookup->count; i++)
        free((char *)(uintptr_t)lookup->targets[i].name);
    for (uint32_t i = 0; i < lookup->failed_count; i++)
        free(lookup->failures[i]);
    for (size_t i = 0; i < lookup->entry_count; i++)
        free(lookup->entries[i]);
    free(lookup->failures);
    free(lookup->entries);
    free(lookup);
}

static void done(void *arg)
{
    struct lookup *lookup = arg;
    struct gossip_resolved resolved = {lookup->count, lookup->targets, lookup->failed_count,
                                       (const char *const *)lookup->failures};
    if (!lookup->resolver->is_closing)
        lookup->on_resolved(lookup->arg, &resolved);
    lookup_free(lookup);
}

void gossip_resolve(struct gossip_resolver *resolver, const char *const *entries, size_t count,
                    uint16_t default_port, gossip_on_resolved *on_resolved, void *arg)
{
    struct lookup *lookup = cu_alloc(sizeof *lookup);
    lookup->resolver = resolver;
    lookup->job = (struct cu_job){.run = run, .done = done, .arg = lookup};
    lookup->default_port = default_port;
    lookup->on_resolved = on_resolved;
    lookup->arg = arg;
    lookup->entry_count = count;
    lookup->entries = cu_alloc((count + 1) * sizeof *lookup->entries);
    lookup->failures = cu_alloc((count + 1) * sizeof *lookup->failures);
    for (size_t i = 0; i < count; i++)
        lookup->entries[i] = cu_strdup(entries[i]);
    cu_worker_submit(resolver->worker, &lookup->job);
}

struct gossip_resolver *gossip_resolver_new(struct cu_loop *loop)
{
    struct gossip_resolver *resolver = cu_alloc(sizeof *resolver);
    resolver->loop = loop;
    resolver->worker = cu_worker_new(loop, "gossip-names");
    return resolver;
}

void gossip_resolver_free(struct gossip_resolver *resolver)
{
    if (!resolver)
        return;
    resolver->is_closing = true;
    cu_worker_free(resolver->worker);
    free(resolver);
}
