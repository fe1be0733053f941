/* may.h - whether somebody may see a row, or write an entry (http-api.md 4.9, mesh.md 4.1). Pure;
 * one place for reads by name, lists, and the feed. */
#ifndef CATALOG_MAY_H
#define CATALOG_MAY_H

#include "common/acl/authorizer.h"
#include "services/catalogd/core/list.h"
#include "services/catalogd/core/view.h"

bool catalog_may_see_node(const struct cu_authorizer *who, const char *node);
/* A service's name; "": what belongs to none is everybody's. */
bool catalog_may_see_service(const struct cu_authorizer *who, const char *service);
/* Its node, and its service where it is of one. */
bool catalog_may_see_check(const struct cu_authorizer *who, const Curia__V1__Check *check);
bool catalog_may_see_key(const struct cu_authorizer *who, struct cu_bytes key);
/* By its source or its destination. */
bool catalog_may_see_intention(const struct cu_authorizer *who,
                               const Curia__V1__Intention *intention);

/* What reading or writing an entry of a kind asks, on its name. An unknown kind: of an operator. */
enum cu_right catalog_entry_read_right(const char *kind);
enum cu_right catalog_entry_write_right(const char *kind);
bool catalog_may_see_entry(const struct cu_authorizer *who, const Curia__V1__ConfigEntry *entry);

/* Keeps of the list what may be seen: of messages of one type. */
void catalog_may_keep_nodes(const struct cu_authorizer *who, struct catalog_list *nodes);
void catalog_may_keep_checks(const struct cu_authorizer *who, struct catalog_list *checks);

/* A row as it lies in a table, for the feed: now, or before a change. `value` empty: only the key
 * is known. `node`: of services and checks the name of their node, as it is written there (NULL: as
 * the key has it). Rows of secret and derived tables are nobody's. The arena is used in passing:
 * full, the row is not seen. */
struct catalog_may_row {
    enum catalog_table table;
    struct cu_bytes key, value;
    const char *node;
};
bool catalog_may_see_row(const struct cu_authorizer *who, const struct catalog_may_row *row,
                         struct cu_arena *arena);

#endif
