/* sockaddr.h - addresses of members as sockets have them. */
#ifndef GOSSIP_IO_SOCKADDR_H
#define GOSSIP_IO_SOCKADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "services/gossipd/core/message.h"

enum { GOSSIP_IP_TEXT_BYTES = 46 };

/* Room for either family. */
union gossip_sockaddr {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* For a socket of `family`: AF_INET6 sockets reach IPv4 by its mapped form. 0: the family cannot
 * reach it (an IPv6 address, an AF_INET socket; or no address). */
socklen_t gossip_sockaddr_of(struct gossip_addr addr, int family, union gossip_sockaddr *ret);
struct gossip_addr gossip_addr_of(const union gossip_sockaddr *from);

/* "127.0.0.1", "::1". Returns `text`. */
char *gossip_ip_text(struct gossip_ip ip, char text[GOSSIP_IP_TEXT_BYTES]);
/* Why a socket cannot be bound there, from errno, and what to look at. Static, or strerror()'s. */
const char *gossip_bind_failure(int error);
/* A literal of either family, without port or brackets. */
bool gossip_ip_parse(const char *text, struct gossip_ip *ret_ip);

#endif
