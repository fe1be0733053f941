#include "services/agentd/core/local.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/agentd/core/check_spec.h"
#include "services/agentd/core/copy.h"

static void touch(struct agent_standing *standing)
{
    standing->in_sync = false;
    standing->version++;
}

void agent_local_init(struct agent_local *local, const char *node_name, uint64_t seed)
{
    *local = (struct agent_local){.node_name = cu_strdup(node_name), .random = {seed}};
}

/* ---- what they hold ---- */

/* Its token stays: it removes from the catalog what it has put there. */
static void drop_service(struct agent_local_service *service)
{
    agent_copy_free(service->service);
    agent_copy_free(service->own);
    service->service = service->own = NULL;
}

static void free_service(struct agent_local_service *service)
{
    drop_service(service);
    free(service->token);
    free(service);
}

static void drop_check(struct agent_local_check *check)
{
    agent_copy_free(check->check);
    agent_copy_free(check->spec);
    check->check = NULL;
    check->spec = NULL;
    check->deferred_until = CU_MONO_NEVER;
}

static void free_check(struct agent_local_check *check)
{
    drop_check(check);
    free(check->token);
    free(check->service_id);
    free(check);
}

void agent_local_deinit(struct agent_local *local)
{
    for (size_t i = 0; i < local->services.count; i++)
        free_service(local->services.slots[i].item);
    for (size_t i = 0; i < local->checks.count; i++)
        free_check(local->checks.slots[i].item);
    agent_by_id_deinit(&local->services);
    agent_by_id_deinit(&local->checks);
    agent_copy_free(local->node);
    free(local->node_name);
    *local = (struct agent_local){0};
}

void agent_local_set_node(struct agent_local *local, const Curia__V1__Node *node)
{
    if (agent_same(local->node, node))
        return;
    agent_copy_free(local->node);
    local->node = agent_copy(node);
    touch(&local->node_standing);
}

/* ---- services ---- */

struct agent_local_service *agent_local_service(const struct agent_local *local, const char *id)
{
    struct agent_local_service *service = agent_by_id_get(&local->services, id);
    return service && !service->standing.is_deleted ? service : NULL;
}

void agent_local_put_service(struct agent_local *local, const Curia__V1__Service *service,
                             const char *token, enum agent_source source)
{
    struct agent_local_service *slot = agent_by_id_get(&local->services, service->id);
    Curia__V1__Service *copy = agent_copy(service); /* before its own old self goes */
    char *token_copy = cu_strdup(token ? token : "");
    if (!slot) {
        slot = cu_alloc(sizeof *slot);
        (void)agent_by_id_put(&local->services, copy->id, slot); /* there was none */
    }
    drop_service(slot);
    free(slot->token);
    slot->service = copy;
    slot->token = token_copy;
    slot->source = source;
    slot->is_sidecar = false;
    slot->standing.is_deleted = false;
    touch(&slot->standing);
}

bool agent_local_overlay(struct agent_local *local, const char *id,
                         const Curia__V1__Service *merged)
{
    struct agent_local_service *slot = agent_local_service(local, id);
    if (!slot || agent_same(slot->service, merged))
        return false;
    Curia__V1__Service *copy = agent_copy(merged); /* it may borrow from what it replaces */
    if (slot->own)
        agent_copy_free(slot->service);
    else
        slot->own = slot->service;
    slot->service = copy;
    touch(&slot->standing);
    return true;
}

const Curia__V1__Service *agent_local_registered(const struct agent_local_service *service)
{
    return service->own ? service->own : service->service;
}

bool agent_local_remove_service(struct agent_local *local, const char *id)
{
    struct agent_local_service *service = agent_local_service(local, id);
    if (!service)
        return false;
    service->standing.is_deleted = true;
    touch(&service->standing);
    for (size_t i = 0; i < local->checks.count; i++) {
        struct agent_local_check *check = local->checks.slots[i].item;
        if (!check->standing.is_deleted && strcmp(check->service_id, id) == 0)
            (void)agent_local_remove_check(local, local->checks.slots[i].id); /* it is there */
    }
    drop_service(service);
    return true;
}

void agent_local_forget_service(struct agent_local *local, const char *id)
{
    struct agent_local_service *service = agent_by_id_take(&local->services, id);
    CU_ASSERT(service && service->standing.is_deleted);
    free_service(service);
}

/* ---- checks ---- */

struct agent_local_check *agent_local_check(const struct agent_local *local, const char *id)
{
    struct agent_local_check *check = agent_by_id_get(&local->checks, id);
    return check && !check->standing.is_deleted ? check : NULL;
}

static Curia__V1__Check *copy_check(const struct agent_local *local, const Curia__V1__Check *check,
                                    const struct agent_local_service *service)
{
    Curia__V1__Check whole = *check;
    whole.node = local->node_name;
    if (local->discards_output)
        whole.output = "";
    if (service) {
        whole.service_name = service->service->service;
        whole.service_tags = service->service->tags;
        whole.n_service_tags = service->service->n_tags;
    }
    return agent_copy(&whole);
}

bool agent_local_put_check(struct agent_local *local, const Curia__V1__Check *check,
                           const Curia__V1__CheckSpec *spec, const char *token,
                           enum agent_source source, struct cu_mono now)
{
    const struct agent_local_service *service =
        *check->service_id ? agent_local_service(local, check->service_id) : NULL;
    if (*check->service_id && !service)
        return false;
    struct agent_local_check *slot = agent_by_id_get(&local->checks, check->check_id);
    struct agent_local_check made = {
        .standing = slot ? slot->standing : (struct agent_standing){0},
        .check = copy_check(local, check, service),
        .spec = agent_copy(spec),
        .token = cu_strdup(token ? token : ""),
        .service_id = cu_strdup(check->service_id),
        .source = source,
        .critical_since = now,
        .deferred_until = CU_MONO_NEVER,
    };
    if (slot && slot->check && strcmp(slot->check->status, "critical") == 0)
        made.critical_since = slot->critical_since;
    made.standing.is_deleted = false;
    touch(&made.standing);
    if (!slot) {
        slot = cu_alloc(sizeof *slot);
        (void)agent_by_id_put(&local->checks, made.check->check_id, slot); /* there was none */
    }
    drop_check(slot);
    free(slot->token);
    free(slot->service_id);
    *slot = made;
    return true;
}

bool agent_local_remove_check(struct agent_local *local, const char *id)
{
    struct agent_local_check *check = agent_local_check(local, id);
    if (!check)
        return false;
    check->standing.is_deleted = true;
    touch(&check->standing);
    drop_check(check);
    return true;
}

void agent_local_forget_check(struct agent_local *local, const char *id)
{
    struct agent_local_check *check = agent_by_id_take(&local->checks, id);
    CU_ASSERT(check && check->standing.is_deleted);
    free_check(check);
}

static void replace_text(char **text, const char *with)
{
    /* as protobuf-c holds it: "" is not on the heap */
    if (*text != protobuf_c_empty_string)
        free(*text);
    *text = cu_strdup(with);
}

/* Between half and one and a half of the interval, so that a herd does not write together. */
static enum agent_change defer(struct agent_local *local, struct agent_local_check *check,
                               struct cu_mono now)
{
    uint64_t interval = local->update_interval_ms;
    if (check->deferred_until.ns == UINT64_MAX)
        check->deferred_until =
            cu_mono_add_ms(now, interval / 2 + cu_random_below(&local->random, interval));
    return AGENT_DEFERRED;
}

enum agent_change agent_local_update_check(struct agent_local *local, const char *id,
                                           enum agent_status status, const char *output,
                                           struct cu_mono now)
{
    struct agent_local_check *slot = agent_local_check(local, id);
    const char *name = agent_status_name(status);
    if (!slot)
        return AGENT_UNCHANGED;
    slot->awaits_result = false;
    if (local->discards_output)
        output = "";
    bool same_status = strcmp(slot->check->status, name) == 0;
    if (same_status && strcmp(slot->check->output, output) == 0)
        return AGENT_UNCHANGED;
    if (!same_status && status == AGENT_CRITICAL)
        slot->critical_since = now;
    replace_text(&slot->check->output, output);
    if (same_status && local->update_interval_ms)
        return defer(local, slot, now);
    replace_text(&slot->check->status, name);
    touch(&slot->standing);
    return AGENT_CHANGED;
}

bool agent_local_release_deferred(struct agent_local *local, struct cu_mono now)
{
    bool any = false;
    for (size_t i = 0; i < local->checks.count; i++) {
        struct agent_local_check *check = local->checks.slots[i].item;
        if (check->deferred_until.ns == UINT64_MAX || cu_mono_before(now, check->deferred_until))
            continue;
        check->deferred_until = CU_MONO_NEVER;
        touch(&check->standing);
        any = true;
    }
    return any;
}

struct cu_mono agent_local_next_deferred(const struct agent_local *local)
{
    struct cu_mono next = CU_MONO_NEVER;
    for (size_t i = 0; i < local->checks.count; i++)
        next = cu_mono_min(
            next, ((const struct agent_local_check *)local->checks.slots[i].item)->deferred_until);
    return next;
}

/* ---- questions ---- */

bool agent_local_has_room(const struct agent_local *local, size_t services, size_t checks)
{
    return local->services.count + services <= AGENT_SERVICES_MAX &&
           local->checks.count + checks <= AGENT_CHECKS_MAX;
}

static bool is_overdue(const struct agent_local_check *check, struct cu_mono now)
{
    if (check->standing.is_deleted || !check->spec || !*check->service_id ||
        strcmp(check->check->status, "critical") != 0)
        return false;
    int64_t after = agent_check_deregister_ms(check->spec);
    return after > 0 && cu_mono_ms_between(check->critical_since, now) > (uint64_t)after;
}

const char *agent_local_overdue(const struct agent_local *local, struct cu_mono now)
{
    for (size_t i = 0; i < local->checks.count; i++) {
        const struct agent_local_check *check = local->checks.slots[i].item;
        if (is_overdue(check, now))
            return check->service_id;
    }
    return NULL;
}

size_t agent_local_service_count(const struct agent_local *local)
{
    size_t count = 0;
    for (size_t i = 0; i < local->services.count; i++)
        count += !((const struct agent_local_service *)local->services.slots[i].item)
                      ->standing.is_deleted;
    return count;
}

size_t agent_local_check_count(const struct agent_local *local)
{
    size_t count = 0;
    for (size_t i = 0; i < local->checks.count; i++)
        count +=
            !((const struct agent_local_check *)local->checks.slots[i].item)->standing.is_deleted;
    return count;
}

bool agent_local_is_in_sync(const struct agent_local *local)
{
    bool good = local->node_standing.in_sync;
    /* Both structs begin with their standing. */
    for (size_t i = 0; i < local->services.count; i++)
        good &= ((const struct agent_standing *)local->services.slots[i].item)->in_sync;
    for (size_t i = 0; i < local->checks.count; i++)
        good &= ((const struct agent_standing *)local->checks.slots[i].item)->in_sync;
    return good;
}
