/* address.c - where a request came from; declared in http.h. */
#include "services/agentd/io/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>

const struct sockaddr *agent_rq_sockaddr(const struct agent_rq *rq)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(rq->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

const char *agent_rq_address(const struct agent_rq *rq, char text[AGENT_ADDRESS_BYTES])
{
    const struct sockaddr *address = agent_rq_sockaddr(rq);
    char ip[INET6_ADDRSTRLEN] = "";

    text[0] = 0;
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        (void)inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof ip);
        (void)snprintf(text, AGENT_ADDRESS_BYTES, "%s:%u", ip, ntohs(v4->sin_port));
    } else if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
        (void)inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof ip);
        (void)snprintf(text, AGENT_ADDRESS_BYTES, "[%s]:%u", ip, ntohs(v6->sin6_port));
    }
    return text;
}
