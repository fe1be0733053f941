/* derive.h - what else moves with a row of nodes, services and checks: the ways to it (lookup.h)
 * and the indexes it counts for (http-api.md 3.2). Called by the store at each change of such a
 * row, so whoever writes one cannot forget it. */
#ifndef CATALOG_DERIVE_H
#define CATALOG_DERIVE_H

#include "proto/curia/v1/catalog.pb-c.h"
#include "services/catalogd/core/store.h"

/* One row moved. */
struct catalog_moved {
    enum catalog_table table;
    enum catalog_operation operation;
    struct cu_bytes key;
    const struct catalog_row *before; /* NULL: created */
    struct cu_bytes after;            /* the value; empty: deleted */
};

/* ret_is_quiet: the change belongs into no log (contracts 6.2); left alone otherwise. Errors: what
 * the backend returned; CORRUPT: a row of ours does not decode. */
typedef enum cu_err catalog_derive(struct catalog_store *store, const struct catalog_moved *moved,
                                   bool *ret_is_quiet);

catalog_derive catalog_derive_node, catalog_derive_service, catalog_derive_check;

/* What a service stands for in the mesh: of a proxy its destination, of a native one its own name;
 * NULL: nothing. */
const char *catalog_connect_name(const Curia__V1__Service *service);

#endif
