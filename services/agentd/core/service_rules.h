/* service_rules.h - rules for a service that only its agent applies (http-api.md 2.3); the others
 * are common/service's. */
#ifndef AGENT_SERVICE_RULES_H
#define AGENT_SERVICE_RULES_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "curia/v1/catalog.pb-c.h"

/* A proxy or a gateway: such a service has a Proxy part. */
bool agent_kind_is_proxy(const char *kind);

/* An address of a family that its name does not stand for: the reference's sentence is appended,
 * false. */
bool agent_tagged_addresses_validate(const Curia__V1__ServiceAddresses *addresses,
                                     struct cu_buf *out);

/* 4 or 6 when `address` is an IP literal, else 0. */
int agent_ip_family(const char *address);

#endif
