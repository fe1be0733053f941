#include "services/catalogd/core/registration.h"

#include <string.h>

#include "common/base/quote.h"
#include "common/service/definition.h"
#include "common/service/meta.h"
#include "services/catalogd/core/entries.h"
#include "services/catalogd/core/lookup.h"

typedef Curia__V1__Node node_t;
typedef Curia__V1__Service service_t;
typedef Curia__V1__Check check_t;
typedef Curia__Internal__V1__RegisterCommand command_t;
typedef struct catalog_refusal refusal_t;

#define REFUSE(sentence)                                                                           \
    (refusal_t)                                                                                    \
    {                                                                                              \
        CU_E_INVALID, sentence                                                                     \
    }
#define TOO_LARGE(sentence)                                                                        \
    (refusal_t)                                                                                    \
    {                                                                                              \
        CU_E_TOO_LARGE, sentence                                                                   \
    }

/* A registration being checked; the first refusal stays. */
struct prepare {
    command_t *command;
    struct cu_arena *arena;
    refusal_t refusal;
    enum cu_err err;
};

static bool goes_on(const struct prepare *p)
{
    return !p->err && !p->refusal.text;
}

static void refuse(struct prepare *p, refusal_t refusal)
{
    if (goes_on(p))
        p->refusal = refusal;
}

/* With a sentence that was made in the arena; NULL: that is full. */
static void refuse_made(struct prepare *p, const char *sentence)
{
    if (!sentence && !p->err)
        p->err = CU_E_TOO_LARGE;
    else
        refuse(p, REFUSE(sentence));
}

static char *literal(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c's strings are not const; nobody writes to them */
}

/* ---- limits ---- */

static void limit_name(struct prepare *p, const char *name, const char *sentence)
{
    if (strlen(name) > CATALOG_NAME_BYTES_MAX)
        refuse(p, TOO_LARGE(sentence));
}

static void limit_count(struct prepare *p, size_t count, size_t most, const char *sentence)
{
    if (count > most)
        refuse(p, TOO_LARGE(sentence));
}

static void limit_row(struct prepare *p, const void *message, const char *sentence)
{
    if (protobuf_c_message_get_packed_size(message) > CATALOG_ROW_BYTES_MAX)
        refuse(p, TOO_LARGE(sentence));
}
_Static_assert(CATALOG_NAME_BYTES_MAX == 1024, "named in sentences below");
_Static_assert(CATALOG_TAGS_MAX == 1024 && CATALOG_PAIRS_MAX == 1024, "named in sentences below");
_Static_assert(CATALOG_CHECKS_MAX == 1024, "named in a sentence below");
_Static_assert(CATALOG_ROW_BYTES_MAX == 524288, "named in sentences below");

/* ---- one spelling of what is equal ---- */

static void sort(struct prepare *p, void *entries, size_t *count)
{
    enum cu_err err = CU_OK;
    limit_count(p, *count, CATALOG_PAIRS_MAX, "a map of more than 1024 pairs");
    if (goes_on(p))
        err = catalog_entries_sort(entries, count, p->arena);
    if (err)
        p->err = err;
}

static void sort_map(struct prepare *p, Curia__V1__StringMap *map)
{
    if (map)
        sort(p, map->entries, &map->n_entries);
}

/* An empty message is as good as none. */
static bool is_empty(const void *message)
{
    return message && protobuf_c_message_get_packed_size(message) == 0;
}

static void settle_proxy(struct prepare *p, service_t *service)
{
    Curia__V1__Proxy *proxy = service->proxy;
    if (!proxy)
        return;
    limit_count(p, proxy->n_upstreams, CATALOG_PAIRS_MAX, "more than 1024 upstreams");
    if (is_empty(proxy->mesh_gateway))
        proxy->mesh_gateway = NULL;
    if (proxy->expose)
        limit_count(p, proxy->expose->n_paths, CATALOG_PAIRS_MAX, "more than 1024 exposed paths");
    if (is_empty(proxy->expose))
        proxy->expose = NULL;
    for (size_t i = 0; i < proxy->n_upstreams; i++)
        if (is_empty(proxy->upstreams[i]->mesh_gateway))
            proxy->upstreams[i]->mesh_gateway = NULL;
    if (is_empty(proxy))
        service->proxy = NULL;
}

/* ---- the node ---- */

/* The words of the reference for what is no UUID (http-api.md 2.6). */
static void check_node_id(struct prepare *p, const char *id)
{
    enum { UUID_CHARS = 36 };
    static const char digits[] = "0123456789abcdefABCDEF";
    char ignored[CATALOG_NODE_ID_DIGITS + 1];
    if (id[0] == '\0' || catalog_lookup_node_id(id, ignored))
        return;
    if (strlen(id) != UUID_CHARS)
        refuse(p, REFUSE("Bad node ID: uuid string is wrong length"));
    else if (id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-')
        refuse(p, REFUSE("Bad node ID: uuid is improperly formatted"));
    else {
        char hex[UUID_CHARS + 1], *to = hex; /* a hyphen elsewhere is no digit either */
        for (size_t i = 0; i < UUID_CHARS; i++)
            if (i != 8 && i != 13 && i != 18 && i != 23)
                *to++ = id[i];
        *to = '\0';
        char bad[2] = {hex[strspn(hex, digits)], '\0'};
        refuse_made(p, cu_arena_printf(p->arena,
                                       "Bad node ID: encoding/hex: invalid byte: U+%04X '%s'",
                                       (unsigned)(uint8_t)bad[0], bad));
    }
}

static void prepare_node(struct prepare *p)
{
    node_t *node = p->command->node;
    if (!node || node->node[0] == '\0') {
        refuse(p, REFUSE("Must provide node"));
        return;
    }
    check_node_id(p, node->id);
    if (node->address[0] == '\0' && !p->command->skip_node_update)
        refuse(p, REFUSE("Must provide address if SkipNodeUpdate is not set"));
    limit_name(p, node->node, "a node's name of more than 1024 bytes");
    sort_map(p, node->tagged_addresses);
    sort_map(p, node->meta);
    node->create_index = node->modify_index = 0;
    limit_row(p, node, "a node of more than 524288 bytes");
}

/* ---- the service ---- */

static void check_service_meta(struct prepare *p)
{
    const service_t *service = p->command->service;
    const char *why = NULL;
    enum cu_err err = cu_meta_check(service->meta, service->kind, p->arena, &why);
    if (err)
        p->err = err;
    else if (why)
        refuse_made(p, cu_arena_printf(p->arena,
                                       "failed inserting service: Invalid Service Meta for node %s "
                                       "and serviceID %s: %s",
                                       p->command->node->node, service->id, why));
}

static void check_service(struct prepare *p)
{
    service_t *service = p->command->service;
    const char *why = NULL;
    enum cu_err err = cu_service_check(service, p->arena, &why);
    if (err)
        p->err = err;
    else if (why)
        refuse(p, REFUSE(why));
    if (service->id[0] == '\0')
        service->id = service->service;
    if (service->service[0] == '\0')
        refuse(p, REFUSE("Must provide service name with ID"));
    if (cu_address_is_any(service->address))
        refuse(p, REFUSE("Invalid service address"));
}

static void limit_service(struct prepare *p, const service_t *service)
{
    limit_name(p, service->id, "a service ID of more than 1024 bytes");
    limit_name(p, service->service, "a service's name of more than 1024 bytes");
    limit_count(p, service->n_tags, CATALOG_TAGS_MAX, "a service with more than 1024 tags");
    for (size_t i = 0; goes_on(p) && i < service->n_tags; i++)
        limit_name(p, service->tags[i], "a tag of more than 1024 bytes");
    if (service->proxy)
        limit_name(p, service->proxy->destination_service_name,
                   "a service's name of more than 1024 bytes");
    limit_row(p, service, "a service of more than 524288 bytes");
}

static void prepare_service(struct prepare *p)
{
    service_t *service = p->command->service;
    if (!service)
        return;
    limit_service(p, service);
    settle_proxy(p, service);
    if (goes_on(p))
        check_service(p);
    if (goes_on(p))
        check_service_meta(p);
    if (!service->weights || cu_weights_check(service->weights))
        service->weights = cu_weights_default();
    if (is_empty(service->connect))
        service->connect = NULL;
    if (is_empty(service->tagged_addresses))
        service->tagged_addresses = NULL;
    if (service->tagged_addresses)
        sort(p, service->tagged_addresses->entries, &service->tagged_addresses->n_entries);
    sort_map(p, service->meta);
    service->create_index = service->modify_index = 0;
}

/* ---- the checks ---- */

/* Of a check that says none, by what its definition would do (http-api.md 2.3). */
static const char *type_of(const Curia__V1__CheckDefinition *d)
{
    bool repeats = d->interval_ns > 0;
    if (repeats && d->grpc[0])
        return "grpc";
    if (repeats && d->http[0])
        return "http";
    if (d->ttl_ns > 0)
        return "ttl";
    if (repeats && d->tcp[0])
        return "tcp";
    if (d->alias_node[0] || d->alias_service[0])
        return "alias";
    if (repeats && d->n_script_args > 0)
        return d->docker_container_id[0] ? "docker" : "script";
    return "";
}

static void prepare_definition(struct prepare *p, check_t *check)
{
    if (check->definition)
        sort(p, check->definition->header, &check->definition->n_header);
    if (is_empty(check->definition))
        check->definition = NULL;
    if (check->type[0] == '\0' && check->definition)
        check->type = literal(type_of(check->definition));
}

static void refuse_other_node(struct prepare *p, const char *other)
{
    const char *was = cu_quote(p->arena, cu_bytes_of(other));
    const char *is = cu_quote(p->arena, cu_bytes_of(p->command->node->node));
    refuse_made(p, was && is
                       ? cu_arena_printf(p->arena, "check node %s does not match node %s", was, is)
                       : NULL);
}

static void prepare_check(struct prepare *p, check_t *check)
{
    if (check->node[0] == '\0')
        check->node = p->command->node->node;
    if (check->check_id[0] == '\0')
        check->check_id = check->name;
    if (check->status[0] == '\0')
        check->status = literal("critical");
    if (check->check_id[0] == '\0')
        refuse(p, REFUSE("Must provide the ID or the name of a check"));
    limit_name(p, check->check_id, "a check ID of more than 1024 bytes");
    limit_name(p, check->status, "a check's status of more than 1024 bytes");
    if (goes_on(p) && strcmp(check->node, p->command->node->node) != 0)
        refuse_other_node(p, check->node);
    prepare_definition(p, check);
    /* Those of the service it is bound to, put in by apply. */
    check->service_name = literal("");
    check->n_service_tags = 0;
    check->create_index = check->modify_index = 0;
    limit_row(p, check, "a check of more than 524288 bytes");
}

static void prepare_checks(struct prepare *p)
{
    limit_count(p, p->command->n_checks, CATALOG_CHECKS_MAX, "more than 1024 checks at once");
    for (size_t i = 0; goes_on(p) && i < p->command->n_checks; i++)
        prepare_check(p, p->command->checks[i]);
}

/* ---- the whole ---- */

enum cu_err catalog_registration_prepare(command_t *command, struct cu_arena *arena,
                                         refusal_t *ret_refusal)
{
    struct prepare p = {.command = command, .arena = arena};
    prepare_node(&p);
    if (goes_on(&p))
        prepare_service(&p);
    if (goes_on(&p))
        prepare_checks(&p);
    if (!p.err)
        *ret_refusal = p.refusal;
    return p.err;
}

refusal_t catalog_deregistration_check(const Curia__Internal__V1__DeregisterCommand *command)
{
    return command->node[0] == '\0' ? REFUSE("Must provide node") : (refusal_t){CU_OK, NULL};
}
