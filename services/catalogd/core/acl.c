#include "services/catalogd/core/acl.h"

#include <string.h>

#include "common/base/hash.h"
#include "common/base/num.h"
#include "services/catalogd/core/key.h"
#include "services/catalogd/core/sentence.h"

typedef Curia__V1__AclServiceIdentity service_t;
typedef Curia__V1__AclNodeIdentity node_t;

bool catalog_acl_refuse(struct catalog_refusal *refusal, enum cu_err err, const char *sentence)
{
    *refusal = (struct catalog_refusal){err, sentence};
    return false;
}

static bool refuse(struct catalog_refusal *refusal, const char *sentence)
{
    return catalog_acl_refuse(refusal, CU_E_INVALID, sentence);
}

/* ---- ids and names ---- */

char *catalog_acl_id(struct cu_arena *arena, const char *id)
{
    if (!cu_is_uuid(id))
        return NULL;
    char *folded = cu_arena_alloc(arena, CU_UUID_BYTES);
    if (folded)
        catalog_name_fold((uint8_t *)folded, id, CU_UUID_BYTES - 1);
    return folded;
}

bool catalog_acl_id_is_reserved(const char *id)
{
    return strncmp(id, CATALOG_ACL_RESERVED, sizeof CATALOG_ACL_RESERVED - 1) == 0;
}

static bool is_among(char letter, const char *letters)
{
    return letter && strchr(letters, letter);
}

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool catalog_acl_name_is_valid(const char *name, size_t bytes_max)
{
    size_t len = strlen(name);
    return len > 0 && len <= bytes_max && strspn(name, LOWER UPPER "-_") == len;
}

bool catalog_acl_identity_is_valid(const char *name)
{
    size_t len = strlen(name);
    return len > 0 && len <= CATALOG_ACL_IDENTITY_NAME_BYTES_MAX &&
           strspn(name, LOWER "-_") == len && is_among(name[0], LOWER) &&
           is_among(name[len - 1], LOWER);
}

bool catalog_acl_check_description(const char *description, struct catalog_refusal *refusal)
{
    return strlen(description) <= CATALOG_ACL_DESCRIPTION_BYTES_MAX ||
           catalog_acl_refuse(refusal, CU_E_TOO_LARGE, "Description exceeds maximum length 8192");
}
_Static_assert(CATALOG_ACL_DESCRIPTION_BYTES_MAX == 8192, "named in the sentence above");

bool catalog_acl_check_datacenters(char *const *datacenters, size_t count,
                                   struct catalog_refusal *refusal)
{
    if (count > CATALOG_ACL_DATACENTERS_MAX)
        return catalog_acl_refuse(refusal, CU_E_TOO_LARGE, "too many Datacenters");
    for (size_t i = 0; i < count; i++)
        if (strlen(datacenters[i]) > CATALOG_ACL_DATACENTER_BYTES_MAX)
            return catalog_acl_refuse(refusal, CU_E_TOO_LARGE,
                                      "the name of a datacenter is too long");
    return true;
}

/* ---- identities (http-api.md 4.5) ---- */

static bool check_service(const struct catalog_acl_identities *identities, const service_t *service,
                          struct cu_arena *arena, struct catalog_refusal *refusal)
{
    if (!*service->service_name)
        return refuse(
            refusal,
            catalog_sentence(arena, "Service identity is missing the service name field on this %s",
                             identities->whose));
    if (identities->is_local && service->n_datacenters)
        return refuse(refusal, catalog_sentence(arena,
                                                "Service identity \"%s\" cannot specify a list of "
                                                "datacenters on a local token",
                                                service->service_name));
    if (!catalog_acl_identity_is_valid(service->service_name))
        return refuse(refusal, catalog_sentence(arena,
                                                "Service identity \"%s\" has an invalid name. Only "
                                                "alphanumeric characters, '-' and '_' are allowed",
                                                service->service_name));
    return catalog_acl_check_datacenters(service->datacenters, service->n_datacenters, refusal);
}

static bool check_node(const struct catalog_acl_identities *identities, const node_t *node,
                       struct cu_arena *arena, struct catalog_refusal *refusal)
{
    if (!*node->node_name)
        return refuse(refusal, catalog_sentence(
                                   arena, "Node identity is missing the node name field on this %s",
                                   identities->whose));
    if (!*node->datacenter)
        return refuse(refusal,
                      catalog_sentence(arena,
                                       "Node identity is missing the datacenter field on this %s",
                                       identities->whose));
    if (!catalog_acl_identity_is_valid(node->node_name))
        return refuse(refusal, "Node identity has an invalid name. Only alphanumeric characters, "
                               "'-' and '_' are allowed");
    return catalog_acl_check_datacenters(&node->datacenter, 1, refusal);
}

static void sort_services(service_t **services, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        service_t *moving = services[i];
        size_t at = i;
        for (; at > 0 && strcmp(services[at - 1]->service_name, moving->service_name) > 0; at--)
            services[at] = services[at - 1];
        services[at] = moving;
    }
}

static int compare_nodes(const node_t *a, const node_t *b)
{
    int order = strcmp(a->node_name, b->node_name);
    return order ? order : strcmp(a->datacenter, b->datacenter);
}

static void sort_nodes(node_t **nodes, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        node_t *moving = nodes[i];
        size_t at = i;
        for (; at > 0 && compare_nodes(nodes[at - 1], moving) > 0; at--)
            nodes[at] = nodes[at - 1];
        nodes[at] = moving;
    }
}

/* Adds the datacenters in order, each once. */
static void add_sorted(char **all, size_t *count, char *datacenter)
{
    size_t at = *count;
    for (size_t i = 0; i < *count; i++)
        if (strcmp(all[i], datacenter) == 0)
            return;
    for (; at > 0 && strcmp(all[at - 1], datacenter) > 0; at--)
        all[at] = all[at - 1];
    all[at] = datacenter;
    ++*count;
}

/* `into` is good where either is: everywhere, if one of them is. */
static bool widen(service_t *into, const service_t *from, struct cu_arena *arena)
{
    size_t count = 0;
    if (into->n_datacenters == 0 || from->n_datacenters == 0) {
        into->n_datacenters = 0;
        return true;
    }
    char **all = cu_arena_alloc(arena, (into->n_datacenters + from->n_datacenters) * sizeof *all);
    if (!all)
        return false;
    for (size_t i = 0; i < into->n_datacenters; i++)
        add_sorted(all, &count, into->datacenters[i]);
    for (size_t i = 0; i < from->n_datacenters; i++)
        add_sorted(all, &count, from->datacenters[i]);
    into->datacenters = all;
    into->n_datacenters = count;
    return true;
}

static bool merge_services(service_t **services, size_t *count, struct cu_arena *arena,
                           struct catalog_refusal *refusal)
{
    size_t kept = 0;
    sort_services(services, *count);
    for (size_t i = 0; i < *count; i++) {
        service_t *last = kept ? services[kept - 1] : NULL;
        if (!last || strcmp(last->service_name, services[i]->service_name) != 0)
            services[kept++] = services[i];
        else if (!widen(last, services[i], arena))
            return catalog_acl_refuse(refusal, CU_E_TOO_LARGE, "too many Datacenters");
        else if (!catalog_acl_check_datacenters(last->datacenters, last->n_datacenters, refusal))
            return false;
    }
    *count = kept;
    return true;
}

static void merge_nodes(node_t **nodes, size_t *count)
{
    size_t kept = 0;
    sort_nodes(nodes, *count);
    for (size_t i = 0; i < *count; i++)
        if (!kept || compare_nodes(nodes[kept - 1], nodes[i]) != 0)
            nodes[kept++] = nodes[i];
    *count = kept;
}

bool catalog_acl_prepare_identities(const struct catalog_acl_identities *identities,
                                    struct cu_arena *arena, struct catalog_refusal *refusal)
{
    if (*identities->service_count > CATALOG_ACL_IDENTITIES_MAX ||
        *identities->node_count > CATALOG_ACL_IDENTITIES_MAX)
        return catalog_acl_refuse(
            refusal, CU_E_TOO_LARGE,
            catalog_sentence(arena, "too many identities on this %s", identities->whose));
    for (size_t i = 0; i < *identities->service_count; i++)
        if (!check_service(identities, identities->services[i], arena, refusal))
            return false;
    for (size_t i = 0; i < *identities->node_count; i++)
        if (!check_node(identities, identities->nodes[i], arena, refusal))
            return false;
    merge_nodes(identities->nodes, identities->node_count);
    return merge_services(identities->services, identities->service_count, arena, refusal);
}

/* ---- hashes ---- */

bool catalog_acl_hash(const void *content, struct cu_arena *arena, ProtobufCBinaryData *ret_hash)
{
    uint8_t *packed = cu_arena_alloc(arena, protobuf_c_message_get_packed_size(content) + 1);
    uint8_t *digest = cu_arena_alloc(arena, CU_BLAKE2B_256_BYTES);
    if (!packed || !digest)
        return false;
    cu_blake2b_256((struct cu_bytes){packed, protobuf_c_message_pack(content, packed)}, digest);
    *ret_hash = (ProtobufCBinaryData){CU_BLAKE2B_256_BYTES, digest};
    return true;
}
