#include "services/catalogd/io/callers.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/endpoint.h"

static void add(struct catalog_servers *servers, const char *address)
{
    char ip[CU_HOST_BYTES];
    unsigned port;
    if (servers->count == CATALOG_BOOK_MAX || !cu_endpoint_split(address, ip, &port) ||
        strlen(ip) >= sizeof servers->ips[0])
        return; /* one that cannot be told apart is no server */
    (void)snprintf(servers->ips[servers->count++], sizeof servers->ips[0], "%s", ip);
}

void catalog_callers_note(struct catalog_shell *shell,
                          const Curia__Internal__V1__LogStatusReply *status)
{
    shell->servers.count = 0;
    for (size_t i = 0; status->configuration && i < status->configuration->n_servers; i++)
        if (strcmp(status->configuration->servers[i]->id, shell->env->node_id) != 0)
            add(&shell->servers, status->configuration->servers[i]->address);
}

static bool is_at(const char *address, const char *ip)
{
    char host[CU_HOST_BYTES];
    unsigned port;
    return cu_endpoint_split(address, host, &port) && strcmp(host, ip) == 0;
}

/* By its id; or by its address, where the list has no ids. */
static bool is_own(const struct catalog_shell *shell, const struct catalog_peer *peer)
{
    char own[CU_ENDPOINT_BYTES];
    (void)cu_endpoint_text(shell->env->advertise_address, (unsigned)shell->conf.port, own);
    return strcmp(peer->id, shell->env->node_id) == 0 || strcmp(peer->address, own) == 0;
}

/* Another one: from our own address every user of this host can call, and our daemons do not. */
static bool is_server(const struct catalog_shell *shell, const char *ip)
{
    for (size_t i = 0; i < shell->servers.count; i++)
        if (strcmp(shell->servers.ips[i], ip) == 0)
            return true;
    for (size_t i = 0; i < shell->conf.peer_count; i++)
        if (!is_own(shell, &shell->conf.peers[i]) && is_at(shell->conf.peers[i].address, ip))
            return true;
    return false;
}

static bool is_reader(const struct catalog_shell *shell, const char *ip)
{
    for (size_t i = 0; i < shell->conf.reader_count; i++)
        if (cu_network_has_text(&shell->conf.readers[i], ip))
            return true;
    return false;
}

enum cu_caller catalog_classify(void *context, const struct cu_peer *peer)
{
    const struct catalog_shell *shell = context;
    char ip[CU_HOST_BYTES];
    unsigned port;
    if (peer->is_local)
        return peer->uid == 0 || peer->uid == getuid() ? CALLER_CATALOGD : CALLER_AGENT;
    if (!shell->conf.acl.is_enabled)
        return CALLER_SERVER;
    if (!cu_endpoint_split(peer->address, ip, &port))
        return CALLER_AGENT;
    if (is_server(shell, ip))
        return CALLER_SERVER;
    return is_reader(shell, ip) ? CALLER_READER : CALLER_AGENT;
}
