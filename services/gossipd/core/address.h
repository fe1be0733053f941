/* address.h - an address as text, "10.0.0.1:8301" or "[fe80::1]:8301", and back. */
#ifndef GOSSIP_ADDRESS_H
#define GOSSIP_ADDRESS_H

#include "services/gossipd/core/message.h"

enum { GOSSIP_ADDR_TEXT_BYTES = 56 };

/* Returns `text`. */
char *gossip_addr_format(struct gossip_addr addr, char text[GOSSIP_ADDR_TEXT_BYTES]);
/* False, and *ret_addr untouched: it is none. */
bool gossip_addr_parse(struct cu_bytes text, struct gossip_addr *ret_addr);

#endif
