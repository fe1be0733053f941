/* intention.h - intentions: who may call whom, as pairs over the service-intentions entries
 * (mesh.md 3.3 to 3.5). */
#ifndef CATALOG_INTENTION_H
#define CATALOG_INTENTION_H

#include "services/catalogd/core/config_entry.h"
#include "services/catalogd/core/view.h"

/* One source of the entry changes, or goes; the last one takes the entry with it. Inside
 * catalog_apply() only. */
CU_MUST_USE enum cu_err
catalog_intention_apply(struct catalog_store *store,
                        const Curia__Internal__V1__IntentionCommand *command, uint64_t wall_ms,
                        struct catalog_refusal *ret_refusal);

/* ---- reads; all in the arena, TOO_LARGE when it is full ---- */

CU_MUST_USE enum cu_err catalog_intention_list(const struct catalog_view *view,
                                               const Curia__V1__IntentionListRequest *request,
                                               struct cu_arena *arena,
                                               Curia__V1__IntentionListReply *reply,
                                               uint64_t *ret_index);
/* All that apply to a name, by precedence. */
CU_MUST_USE enum cu_err catalog_intention_match(const struct catalog_view *view,
                                                const Curia__V1__IntentionMatchRequest *request,
                                                struct cu_arena *arena,
                                                Curia__V1__IntentionListReply *reply,
                                                uint64_t *ret_index);
/* DENIED: there is one, for others. */
CU_MUST_USE enum cu_err catalog_intention_get(const struct catalog_view *view,
                                              const Curia__V1__IntentionGetRequest *request,
                                              struct cu_arena *arena,
                                              Curia__V1__IntentionGetReply *reply,
                                              uint64_t *ret_index);
/* The first that matches decides; `matched` says whether one does. */
CU_MUST_USE enum cu_err catalog_intention_check(const struct catalog_view *view,
                                                const Curia__V1__IntentionCheckRequest *request,
                                                struct cu_arena *arena,
                                                Curia__V1__IntentionCheckReply *reply,
                                                uint64_t *ret_index);

#endif
