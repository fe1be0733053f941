#include "common/service/definition.h"

#include <ctype.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/map.h"
#include "common/base/quote.h"

enum { WEIGHT_MAX = 65535, PORT_MAX = 65535 };

typedef Curia__V1__Service service_t;
typedef Curia__V1__Upstream upstream_t;
typedef Curia__V1__ExposePath path_t;

/* Of a service that has none: everything in it is empty. */
static const Curia__V1__Proxy no_proxy = CURIA__V1__PROXY__INIT;

/* Sentences being gathered. */
struct findings {
    struct cu_arena *arena;
    struct cu_buf text;
    size_t count;
    bool is_full; /* the arena */
};

static void find(struct findings *f, const char *sentence)
{
    if (!sentence) {
        f->is_full = true;
        return;
    }
    f->count++;
    cu_buf_printf(&f->text, "\t* %s\n", sentence);
}

static const char *quoted(struct findings *f, const char *text)
{
    const char *copy = cu_quote(f->arena, cu_bytes_of(text));
    f->is_full = f->is_full || !copy;
    return copy ? copy : "";
}

/* What was seen already. */
static bool is_seen(struct cu_map *seen, const char *what)
{
    static char there;
    return cu_map_put(seen, cu_bytes_of(what), &there) != NULL;
}

/* ---- upstreams ---- */

static bool check_upstream(struct findings *f, const upstream_t *u)
{
    const char *type = u->destination_type;
    if (type[0] && strcmp(type, "service") != 0 && strcmp(type, "prepared_query") != 0)
        find(f,
             cu_arena_printf(f->arena, "unknown upstream destination type: %s", quoted(f, type)));
    else if (u->destination_name[0] == '\0')
        find(f, "upstream destination name cannot be empty");
    else if (u->local_bind_port == 0)
        find(f, "upstream local bind port cannot be zero");
    else
        return true;
    return false;
}

static void check_upstreams(struct findings *f, const Curia__V1__Proxy *proxy)
{
    struct cu_map keys = {0}, binds = {0};
    for (size_t i = 0; i < proxy->n_upstreams && !f->is_full; i++) {
        const upstream_t *u = proxy->upstreams[i];
        if (!check_upstream(f, u))
            continue;
        const char *key =
            cu_arena_printf(f->arena, "[type=%s, name=%s, namespace=%s, datacenter=%s]",
                            quoted(f, u->destination_type), quoted(f, u->destination_name),
                            quoted(f, u->destination_namespace), quoted(f, u->datacenter));
        const char *address = u->local_bind_address[0] ? u->local_bind_address : "127.0.0.1";
        const char *bind = cu_arena_printf(f->arena, strchr(address, ':') ? "[%s]:%d" : "%s:%d",
                                           address, u->local_bind_port);
        f->is_full = f->is_full || !key || !bind;
        if (f->is_full)
            break;
        if (is_seen(&keys, key))
            find(f, cu_arena_printf(f->arena, "upstreams cannot contain duplicates of %s", key));
        else if (is_seen(&binds, bind))
            find(f, cu_arena_printf(f->arena,
                                    "upstreams cannot contain duplicates by local bind address and "
                                    "port; %s is specified twice",
                                    quoted(f, bind)));
    }
    cu_map_deinit(&keys);
    cu_map_deinit(&binds);
}

/* ---- exposed paths ---- */

static bool is_protocol(const char *protocol)
{
    return protocol[0] == '\0' || strcasecmp(protocol, "http") == 0 ||
           strcasecmp(protocol, "http2") == 0;
}

static const char *lower(struct findings *f, const char *text)
{
    char *copy = cu_arena_strdup(f->arena, text);
    f->is_full = f->is_full || !copy;
    for (char *at = copy; at && *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    return copy ? copy : "";
}

static void check_path(struct findings *f, const path_t *path, struct cu_map *paths,
                       struct cu_map *ports)
{
    static char there;
    if (path->path[0] == '\0')
        find(f, "expose.paths: empty path exposed");
    if (is_seen(paths, path->path))
        find(f, "expose.paths: duplicate paths exposed");
    if (cu_map_put_u64(ports, (uint32_t)path->listener_port, &there))
        find(f, "expose.paths: duplicate listener ports exposed");
    if (path->listener_port <= 0 || path->listener_port > PORT_MAX)
        find(f, cu_arena_printf(f->arena, "expose.paths: invalid listener port: %d",
                                path->listener_port));
    if (!is_protocol(path->protocol))
        find(f, cu_arena_printf(
                    f->arena, "protocol '%s' not supported for path: %s, must be in: [http http2]",
                    lower(f, path->protocol), path->path));
}

static void check_paths(struct findings *f, const Curia__V1__ExposeConfig *expose)
{
    struct cu_map paths = {0}, ports = {0};
    for (size_t i = 0; expose && i < expose->n_paths && !f->is_full; i++)
        check_path(f, expose->paths[i], &paths, &ports);
    cu_map_deinit(&paths);
    cu_map_deinit(&ports);
}

/* ---- kinds ---- */

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\n\v\f\r")] == '\0';
}

static void check_proxy(struct findings *f, const service_t *service)
{
    const Curia__V1__Proxy *proxy = service->proxy ? service->proxy : &no_proxy;
    if (is_blank(proxy->destination_service_name))
        find(f, "Proxy.DestinationServiceName must be non-empty for Connect proxy services");
    if (service->port == 0)
        find(f, "Port must be set for a Connect proxy");
    if (service->connect && service->connect->native)
        find(f, "A Proxy cannot also be Connect Native, only typical services");
    check_upstreams(f, proxy);
    check_paths(f, proxy->expose);
}

static void check_gateway(struct findings *f, const service_t *service)
{
    const Curia__V1__Proxy *proxy = service->proxy ? service->proxy : &no_proxy;
    const struct {
        bool is_set;
        const char *name;
    } members[] = {
        {proxy->destination_service_name[0] != '\0', "DestinationServiceName"},
        {proxy->destination_service_id[0] != '\0', "DestinationServiceID"},
        {proxy->local_service_address[0] != '\0', "LocalServiceAddress"},
        {proxy->local_service_port != 0, "LocalServicePort"},
        {proxy->n_upstreams > 0, "Upstreams"},
    };
    if (service->port == 0 && strcmp(service->kind, "ingress-gateway") != 0)
        find(f, cu_arena_printf(f->arena, "Port must be non-zero for a %s", service->kind));
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].is_set)
            find(f, cu_arena_printf(f->arena, "The Proxy.%s configuration is invalid for a %s",
                                    members[i].name, service->kind));
}

typedef void check_kind(struct findings *f, const service_t *service);

static check_kind *check_of(const char *kind)
{
    static const struct {
        const char *kind;
        check_kind *check;
    } kinds[] = {
        {"connect-proxy", check_proxy},
        {"mesh-gateway", check_gateway},
        {"terminating-gateway", check_gateway},
        {"ingress-gateway", check_gateway},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].kind, kind) == 0)
            return kinds[i].check;
    return NULL;
}

static const char *put_together(struct findings *f)
{
    if (f->count == 0)
        return NULL;
    cu_buf_u8(&f->text, '\0');
    const char *text = cu_arena_printf(
        f->arena, f->count == 1 ? "%zu error occurred:\n%s\n" : "%zu errors occurred:\n%s\n",
        f->count, (const char *)f->text.data);
    f->is_full = f->is_full || !text;
    return text;
}

enum cu_err cu_service_check(const service_t *service, struct cu_arena *arena,
                             const char **ret_text)
{
    check_kind *check = check_of(service->kind);
    struct findings f = {.arena = arena};
    *ret_text = NULL;
    if (!check)
        return CU_OK;
    check(&f, service);
    const char *text = put_together(&f);
    cu_buf_deinit(&f.text);
    if (f.is_full)
        return CU_E_TOO_LARGE;
    *ret_text = text;
    return CU_OK;
}

/* ---- single values ---- */

bool cu_address_is_any(const char *address)
{
    return strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0 ||
           strcmp(address, "[::]") == 0;
}

const char *cu_weights_check(const Curia__V1__Weights *weights)
{
    if (!weights)
        return NULL;
    if (weights->passing < 1)
        return "Passing must be greater than 0";
    if (weights->warning < 0)
        return "Warning must be greater or equal than 0";
    if (weights->passing > WEIGHT_MAX || weights->warning > WEIGHT_MAX)
        return "DNS Weight must be between 0 and 65535";
    return NULL;
}

Curia__V1__Weights *cu_weights_default(void)
{
    static Curia__V1__Weights even = {.base =
                                          PROTOBUF_C_MESSAGE_INIT(&curia__v1__weights__descriptor),
                                      .passing = 1,
                                      .warning = 1};
    return &even;
}
