/* config_entry.h - configuration entries of the mesh: what one must hold, and setting and deleting
 * one (mesh.md 3.2, 4). */
#ifndef CATALOG_CONFIG_ENTRY_H
#define CATALOG_CONFIG_ENTRY_H

#include "proto/curia/v1/config.pb-c.h"
#include "services/catalogd/core/registration.h"
#include "services/catalogd/core/store.h"

#define CATALOG_SERVICE_DEFAULTS   "service-defaults"
#define CATALOG_PROXY_DEFAULTS     "proxy-defaults"
#define CATALOG_SERVICE_INTENTIONS "service-intentions"

enum {
    CATALOG_META_PAIRS_MAX = 64,
    CATALOG_META_KEY_BYTES_MAX = 128,
    CATALOG_META_VALUE_BYTES_MAX = 512,
    CATALOG_DESCRIPTION_BYTES_MAX = 512,
    CATALOG_SOURCES_MAX = 4096, /* of one entry of intentions */
};

/* The key of an entry, or of all of a kind (`name` NULL: a prefix); data NULL: the arena is full.
 */
struct cu_bytes catalog_config_key(struct cu_arena *arena, const char *kind, const char *name);

/* Checks the entry and gives it its one spelling: kinds and protocols in lower case, the name of
 * proxy-defaults, precedences, sources in order. What it adds lies in the arena. Errors: TOO_LARGE
 * the arena is full. */
CU_MUST_USE enum cu_err catalog_config_prepare(Curia__V1__ConfigEntry *entry,
                                               struct cu_arena *arena,
                                               struct catalog_refusal *ret_refusal);

/* ---- inside catalog_apply() only ---- */

/* Decides and does it; *ret_applied false: the modify index was another one. An entry that would
 * make others impossible is refused with the reference's sentence (mesh.md 4.11). */
CU_MUST_USE enum cu_err catalog_config_apply(struct catalog_store *store,
                                             Curia__Internal__V1__ConfigCommand *command,
                                             bool *ret_applied,
                                             struct catalog_refusal *ret_refusal);

/* One entry as it is, in the store's scratch; NULL: there is none. */
CU_MUST_USE enum cu_err catalog_config_get(struct catalog_store *store, const char *kind,
                                           const char *name, Curia__V1__ConfigEntry **ret_entry);
/* Puts it after it was prepared and checked against the others. */
CU_MUST_USE enum cu_err catalog_config_put(struct catalog_store *store,
                                           Curia__V1__ConfigEntry *entry,
                                           struct catalog_refusal *ret_refusal);

#endif
