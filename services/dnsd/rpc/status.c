/* What dnsd adds to Daemon.Status: where its view stands. */
#include <stdio.h>

#include "services/dnsd/dnsd.h"

static void print_id(const uint8_t id[CU_MIRROR_ID_BYTES], char text[2 * CU_MIRROR_ID_BYTES + 1])
{
    for (size_t i = 0; i < CU_MIRROR_ID_BYTES; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", id[i]);
}

void dns_status(void *arg, cu_status_add *add, void *to)
{
    struct dnsd *dnsd = arg;
    const struct cu_mirror *mirror = dns_catalog_mirror(dnsd->catalog);
    struct cu_mirror_position at = cu_mirror_position(mirror);
    struct dns_view_counts counts = dns_view_counts(dns_catalog_view(dnsd->catalog));
    bool is_live = cu_mirror_is_live(mirror), is_filled = cu_mirror_is_filled(mirror);
    char id[2 * CU_MIRROR_ID_BYTES + 1];
    print_id(at.cluster_id, id);
    add(to, "view", "%s", is_live ? "live" : is_filled ? "kept" : "empty");
    if (is_filled)
        add(to, "view.age_ms", "%llu", (unsigned long long)cu_mirror_age_ms(mirror));
    add(to, "feed.cluster_id", "%s", id);
    add(to, "feed.epoch", "%llu", (unsigned long long)at.epoch);
    add(to, "feed.index", "%llu", (unsigned long long)at.index);
    add(to, "view.nodes", "%zu", counts.nodes);
    add(to, "view.instances", "%zu", counts.instances);
    add(to, "view.checks", "%zu", counts.checks);
    add(to, "view.bad_rows", "%llu", (unsigned long long)dns_catalog_bad_rows(dnsd->catalog));
    add(to, "dns.parked", "%zu", dns_server_parked(dnsd->server));
    add(to, "dns.tcp_connections", "%zu", dns_server_connections(dnsd->server));
    add(to, "recursors.open", "%zu", dns_server_asking(dnsd->server));
}
